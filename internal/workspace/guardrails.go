package workspace

// Guardrails bound what is taken from partners at once (GR-12 to GR-20). What is left out has its default.
type Guardrails struct {
	// BatchBytes that a file may have as it is fetched, compressed and encrypted or not; 100 GB unless given.
	BatchBytes int64 `yaml:"batchBytes" jsonschema:"minimum=1"`
	// FieldsPerRow that a file may have in columns, or a JSON record in keys; 10,000 unless given. A file with more columns is refused, of JSON the record.
	FieldsPerRow int `yaml:"fieldsPerRow" jsonschema:"minimum=1"`
	// RecordBytes that a record may have; 102,400 unless given, which is also the most. A larger record is rejected, and the others are taken.
	RecordBytes int `yaml:"recordBytes" jsonschema:"minimum=1,maximum=102400"`
	// FilesPerRun that a run on a source takes at a time, before it lists again what is due; 1,500 unless given.
	FilesPerRun int `yaml:"filesPerRun" jsonschema:"minimum=1,maximum=5000"`
}

// defaultGuardrails are those of the public documentation.
var defaultGuardrails = Guardrails{BatchBytes: 100_000_000_000, FieldsPerRow: 10_000, RecordBytes: 100 * 1024, FilesPerRun: 1500}

// OrDefaults fills in what is not given.
func (g Guardrails) OrDefaults() Guardrails {
	out := defaultGuardrails
	if g.BatchBytes > 0 {
		out.BatchBytes = g.BatchBytes
	}
	if g.FieldsPerRow > 0 {
		out.FieldsPerRow = g.FieldsPerRow
	}
	if g.RecordBytes > 0 {
		out.RecordBytes = g.RecordBytes
	}
	if g.FilesPerRun > 0 {
		out.FilesPerRun = g.FilesPerRun
	}
	return out
}
