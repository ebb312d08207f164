package workspace

import (
	"strings"

	"prospector/internal/yamldoc"
)

// Dataset is one partner's data under one schema (DS-5): it can be deleted or expire without touching another's.
type Dataset struct {
	yamldoc.Document `yaml:"-"`
	// Name of the dataset.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Description for people.
	Description string `yaml:"description"`
	// Schema of its rows, by name. Once data is loaded it is fixed.
	Schema string `yaml:"schema" jsonschema:"required,pattern=\\S"`
	// Profile makes its rows profiles; the schema must be enabled too. Rows that were loaded before count from then on as well.
	Profile bool `yaml:"profile"`
	// Labels that every field inherits.
	Labels []string `yaml:"labels"`
	// Merge says what a file does to the profiles that are there: replace (unless given), where a row replaces the row of its id; upsert, where it replaces only the columns that the file carries; full, which is replace, and ids that are not in the file are removed.
	Merge string `yaml:"merge" jsonschema:"enum=replace,enum=upsert,enum=full"`
	// MostRemoved is the percentage of the profiles that a full file may remove, 30 unless given; a file that would remove more is refused.
	MostRemoved *float64 `yaml:"mostRemoved" jsonschema:"minimum=0,maximum=100"`
	// LifetimeDays of a profile that no file refreshes, 25 unless given.
	LifetimeDays int `yaml:"lifetimeDays" jsonschema:"minimum=1,maximum=36500"`
	// QuarantineDays that rejected rows are kept, 30 unless given.
	QuarantineDays int `yaml:"quarantineDays" jsonschema:"minimum=1,maximum=3650"`
	// History lets people see what a profile was before, batch by batch.
	History bool `yaml:"history"`
}

// What a file does to the profiles that are there.
const (
	MergeReplace = "replace"
	MergeUpsert  = "upsert"
	MergeFull    = "full"
)

// Removable is the share of profiles, in percent, that a full file may remove.
func (d *Dataset) Removable() float64 {
	if d.MostRemoved == nil {
		return 30
	}
	return *d.MostRemoved
}

func (d *Dataset) name() string { return d.Name }
func (d *Dataset) kind() string { return "Dataset" }

const manyDatasets = 20 // per class, as far as is recommended (DS-21)

func (l *loader) checkDataset(d *Dataset) {
	w := l.workspace
	l.checkLabels(l.at(d, "labels"), d.Labels)
	s, ok := find(w.Schemas, d.Schema)
	if !ok {
		l.at(d, "schema").missing("Schema", d.Schema, names(w.Schemas), "no schema is called %q", d.Schema)
		return
	}
	if d.Profile && !s.Profile {
		l.at(d, "profile").problem("write profile: true in the schema as well", "it is enabled for Profile, its schema %s is not", s.Name)
	}
	if d.MostRemoved != nil && d.Merge != MergeFull {
		l.at(d, "mostRemoved").problem("write merge: full, or leave it out", "mostRemoved says nothing to a dataset whose files remove nothing")
	}
	if d.Merge == "" {
		d.Merge = MergeReplace
	}
	if d.LifetimeDays == 0 {
		d.LifetimeDays = 25 // PF-9
	}
	if d.QuarantineDays == 0 {
		d.QuarantineDays = 30 // BI-12
	}
}

// checkDatasetNames refuses names that differ only in upper and lower case: each names a database and a folder, which are
// not told apart everywhere.
func (l *loader) checkDatasetNames() {
	first := map[string]*Dataset{}
	for _, d := range l.workspace.Datasets {
		key := strings.ToLower(d.Name)
		if other, ok := first[key]; ok {
			l.at(d, "name").problem("rename one of them", "dataset %s differs only in upper and lower case from dataset %s", d.Name, other.Name)
			continue
		}
		first[key] = d
	}
}

func (l *loader) checkDatasetCount() {
	if datasets := l.workspace.Datasets; len(datasets) > manyDatasets {
		l.at(datasets[manyDatasets], "name").warning("", "%d datasets; more than %d on one class are not recommended", len(datasets), manyDatasets)
	}
}

// Schema finds a dataset's schema.
func (w *Workspace) Schema(d *Dataset) *Schema {
	s, _ := find(w.Schemas, d.Schema)
	return s
}

// Namespace returns the namespace symbol that identifies a dataset's prospects.
func (w *Workspace) Namespace(d *Dataset) string { return w.Schema(d).PrimaryIdentity.Namespace }

// ProfileDatasets returns the datasets that are enabled for Profile, schema and dataset both, and
// whose namespace is among namespaces (all when that is empty).
func (w *Workspace) ProfileDatasets(namespaces []string) []*Dataset {
	var out []*Dataset
	for _, d := range w.Datasets {
		s, _ := find(w.Schemas, d.Schema)
		if s == nil || !d.Profile || !s.Profile {
			continue
		}
		if len(namespaces) == 0 || contains(namespaces, s.PrimaryIdentity.Namespace) {
			out = append(out, d)
		}
	}
	return out
}
