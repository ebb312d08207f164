package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/filecodec"
	"prospector/internal/mapping"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// File is a staged file and the rules under which it is read.
type File struct {
	Name         string // path at the source, for errors
	Path         string // on this machine, decrypted
	Batch        string
	Source       *workspace.Source
	Dataset      store.Dataset
	Identity     string // path of the primary identity
	Rejections   string // where to write refused records, JSON Lines; empty: they are only counted (BI-8)
	BusinessDate string // 2006-01-02, or empty
	Expected     *int64 // records that the partner's manifest promises

	// Parquet opens such files. It is handed in, so that who only speaks of counts links no Parquet library.
	Parquet ParquetOpener

	Guardrails workspace.Guardrails // what is not set in them has its default

	Lists []store.List // no row is loaded of whoever is on one of them

	// Replay, if set, makes Path a file of kept records (see filecodec.Kept) that were refused before.
	Replay *Replay

	Sample int64 // read only so many records; 0 reads all
	Head   bool  // Path holds only the beginning of the file
}

// ParquetOpener reads the wanted columns of a Parquet file. Those in whole may be lists or maps.
type ParquetOpener func(file io.ReaderAt, size int64, wanted, whole []string) (filecodec.Reader, error)

// Rules is a digest of all that decides whether a row is accepted and where its values go. Rows that were
// checked under other rules must be checked again.
func (f File) Rules() (string, error) {
	s := f.Source
	g := f.Guardrails.OrDefaults()
	decides := []any{f.Dataset.Schema.Fields, f.Identity, s.Mapping, s.CalculatedFields, s.IgnoreColumns, s.NullMarkers, s.Format, s.Drift, g.RecordBytes, g.FieldsPerRow}
	for _, list := range f.Lists { // not who is on them: a list that grows says nothing against rows that were checked before
		decides = append(decides, []string{list.Dataset.Name, list.Field})
	}
	data, err := json.Marshal(decides)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8]), nil
}

// Columns returns how the file's columns bind to the schema. Kind BadInput when they do not.
func (f File) Columns() ([]prospect.Column, error) {
	r, err := open(f)
	if err != nil {
		return nil, err
	}
	r.close()
	return r.columns, nil
}

// Header returns the columns of the file, none of a file whose records name their own.
func (f File) Header() ([]string, error) {
	if f.Source.Format.Records != filecodec.Delimited {
		return nil, nil
	}
	r, err := open(f)
	if err != nil {
		return nil, err
	}
	defer r.close()
	return r.reader.Columns(), nil
}

func (f File) unreadable(err error) error {
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return err // our own copy, not the partner's file
	}
	hint := "ask the partner to send the file again"
	for cause, code := range map[error]prospect.Code{filecodec.ErrEmpty: prospect.EmptyFile, filecodec.ErrNoHeader: prospect.EmptyHeader} {
		if errors.Is(err, cause) {
			return errkind.New(errkind.BadInput, f.Name+" cannot be read", fmt.Errorf("%w (%s)", cause, code), hint)
		}
	}
	if c := f.Source.Format.Compression; c != "none" {
		hint += ", or correct format.compression of the source, which says " + c
	}
	return errkind.New(errkind.BadInput, f.Name+" cannot be read", err, hint)
}

// format is how the source says that its files are written.
func (f File) format(wanted, whole []string) filecodec.Format {
	s := f.Source.Format
	out := filecodec.Format{Records: s.Records, Encoding: s.Encoding, Wanted: wanted, Whole: whole,
		Dialect: filecodec.Dialect{Columns: s.Columns, QuotesInFields: s.QuoteInField == workspace.QuoteKeep}.Delimited(s.Delimiter)}
	if s.Quote != workspace.QuoteNone {
		out.Dialect.Quote = s.Quote[0]
	}
	if s.Escape != "" {
		out.Dialect.Escape = s.Escape[0]
	}
	return out
}

// targets are those of the source, with what the schema says of their fields.
func (f File) targets() []mapping.Target {
	out := f.Source.Targets()
	for i := range out {
		field, _ := f.Dataset.Schema.Field(out[i].Field) // one that there is not, prospect.Columns refuses
		out[i].Container = field.Container
	}
	return out
}

// whole are the columns whose lists and objects are values.
func whole(targets []mapping.Target) (out []string) {
	for _, t := range targets {
		if t.Whole() {
			out = append(out, t.Column)
		}
	}
	return out
}

// wanted are the columns from which fields are filled.
func wanted(targets []mapping.Target) (out []string) {
	for _, t := range targets {
		for _, column := range append(t.Concat, t.Column) {
			if column != "" && !slices.Contains(out, column) {
				out = append(out, column)
			}
		}
	}
	return out
}

// reading is one pass over a staged file whose columns have been bound to the schema.
type reading struct {
	of      File
	file    *counted
	part    string // of validation, for its progress
	stream  io.Closer
	reader  filecodec.Reader
	columns []prospect.Column
	wanted  []string
	whole   []string // of the wanted ones
	mapping *mapping.Mapping
	null    func(value []byte) bool // of the markers; nil when there are none
	missing int                     // wanted columns that the file lacks, behind its own
	fields  [][]byte                // of a record, and of the missing ones
	values  [][]byte
	reasons []prospect.Reason // of the record at hand
	failed  func(target int, why mapping.Failure)
	drift   Drift
}

// driftError is a file whose columns are not those of the mapping, which its source sets aside.
type driftError struct{ reason string }

func (e *driftError) Error() string { return e.reason }

func open(f File) (_ *reading, err error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	r := &reading{of: f, file: &counted{File: file}, null: mapping.NullMarkers(f.Source.NullMarkers)}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	r.of.Guardrails = f.Guardrails.OrDefaults()
	r.failed = r.fail
	targets := f.targets()
	r.wanted, r.whole = wanted(targets), whole(targets)
	if err = r.openReader(); err != nil {
		return nil, f.unreadable(err)
	}
	header := make([]string, len(r.reader.Columns()))
	for i, name := range r.reader.Columns() {
		header[i] = strings.TrimSpace(name)
	}
	if err = r.judgeHeader(header); err != nil {
		return nil, err
	}
	drift, err := prospect.Fit(header, r.wanted, f.Source.IgnoreColumns)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	if err = r.judgeDrift(Drift(drift)); err != nil {
		return nil, err
	}
	if r.columns, err = prospect.Columns(targets, f.Dataset.Schema); err != nil {
		return nil, err
	}
	r.missing = len(drift.Missing)
	for i, t := range targets {
		needs := t.Columns()
		r.columns[i].Absent = len(needs) > 0 && !slices.ContainsFunc(needs, func(name string) bool { return !slices.Contains(drift.Missing, name) })
	}
	if r.mapping, err = mapping.Compile(targets, append(header, drift.Missing...)); err != nil {
		return nil, errkind.New(errkind.Invalid, "source "+f.Source.Name, err, "correct calculatedFields of the source")
	}
	r.values = make([][]byte, len(r.columns))
	return r, nil
}

func (r *reading) openReader() error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	r.file.size = info.Size()
	format := r.of.format(r.wanted, r.whole)
	if r.of.Replay != nil {
		r.reader, err = filecodec.NewReplay(io.NewSectionReader(r.file, 0, info.Size()), format, r.of.Replay.Header)
		return err
	}
	if format.Records == "parquet" {
		if r.of.Parquet == nil {
			return errkind.Newf(errkind.Internal, "nobody opens Parquet files here")
		}
		r.reader, err = r.of.Parquet(r.file, info.Size(), r.wanted, r.whole)
		return err
	}
	f := r.of.Source.Format
	stream, err := filecodec.Decompress(r.file, info.Size(), f.Compression, filecodec.Limits{MaxBytes: f.MaxBytes, MaxRatio: f.MaxRatio})
	if err != nil {
		return err
	}
	r.stream = stream
	var text io.Reader = stream
	if r.of.Head {
		text = beginning{stream}
	}
	r.reader, err = filecodec.NewReader(text, format)
	return err
}

// beginning is the beginning of a text: where it ends is a record cut in two, not the end.
type beginning struct{ io.Reader }

func (b beginning) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF { //nolint:errorlint // what wraps the end is a failure
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// judgeHeader refuses a file for the names of its columns, whatever the source says of drift.
func (r *reading) judgeHeader(header []string) error {
	if r.isJSON() {
		return nil // what it names are the wanted columns; each record is looked at
	}
	if r.of.Source.Format.Records == filecodec.Delimited && !slices.ContainsFunc(header, func(name string) bool { return name != "" }) {
		return r.of.unreadable(filecodec.ErrNoHeader)
	}
	if most := r.of.Guardrails.FieldsPerRow; len(header) > most {
		return errkind.New(errkind.BadInput, r.of.Name, fmt.Errorf("it has %d columns, and %d is the limit", len(header), most),
			"ask the partner for fewer columns, or raise guardrails.fieldsPerRow of the Sandbox")
	}
	if i := slices.IndexFunc(header, prospect.IsIdentityMap); i >= 0 {
		return errkind.New(errkind.BadInput, r.of.Name, fmt.Errorf("it has the column %s (%s): an identity map would let identities in that are not of type Partner ID",
			prospect.Names(header[i:i+1]), prospect.IdentityMap), "ask the partner to leave it out; it cannot be ignored")
	}
	return nil
}

func (r *reading) isJSON() bool {
	return r.of.Source.Format.Records == filecodec.JSONLines || r.of.Source.Format.Records == filecodec.JSONList
}

// judgeDrift follows the source's policy for columns that nobody told of, or that are not there.
func (r *reading) judgeDrift(drift Drift) error {
	policy := r.of.Source.Drift
	var refused, aside []string
	say := func(rule, what string, names []string) {
		if len(names) == 0 || rule == workspace.DriftIgnore {
			return
		}
		text := fmt.Sprintf("%s columns %s", what, prospect.Names(names))
		if rule == workspace.DriftQuarantine {
			aside = append(aside, text)
		} else {
			refused = append(refused, text)
		}
	}
	say(policy.Unmapped, "has the unmapped", drift.Unmapped)
	say(policy.Missing, "lacks the mapped", drift.Missing)
	if len(refused) > 0 {
		return errkind.New(errkind.BadInput, r.of.Name, fmt.Errorf("its columns do not match the mapping: it %s", strings.Join(append(refused, aside...), " and it ")),
			"ask the partner for the agreed layout, or change mapping, ignoreColumns or drift of the source")
	}
	if len(aside) > 0 {
		return &driftError{"its columns do not match the mapping: it " + strings.Join(aside, " and it ")}
	}
	r.drift = drift
	return nil
}

func (r *reading) close() {
	if r.reader != nil {
		_ = r.reader.Close() // only read
	}
	if r.stream != nil {
		_ = r.stream.Close()
	}
	_ = r.file.Close()
}

// each calls take for every record. Cancelling ctx ends it.
func (r *reading) each(ctx context.Context, progress func(Progress), take func(filecodec.Record) error) error {
	for {
		if r.of.Sample > 0 && r.reader.Records() == r.of.Sample {
			return nil
		}
		record, err := r.reader.Next()
		if err == io.EOF || err != nil && r.of.Head && r.reader.Records() > 0 { //nolint:errorlint // what wraps the end is a failure
			progress(r.progress())
			return nil
		}
		if err != nil {
			return r.of.unreadable(fmt.Errorf("after %d records: %w", r.reader.Records(), err))
		}
		if r.of.Source.Format.Records == filecodec.JSONList && r.of.Replay == nil {
			record.Line = r.reader.Records() // several may begin on one line: their place in the list tells them apart
		}
		if err := take(record); err != nil {
			return err
		}
		if n := r.reader.Records(); n%progressEvery == 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			progress(r.progress())
		}
	}
}

// judge says what is wrong with a record before its values are looked at. A broken record has no values, so that
// its one reason is all that can be said. A record with keys that nobody told of drifts, as a whole file with such
// columns does.
func (r *reading) judge(record filecodec.Record) (broken prospect.Reason, found []prospect.Reason, err error) {
	if broken = r.broken(record); broken.Code != "" {
		return broken, nil, nil
	}
	if r.isJSON() && holdsIdentityMap(record.Raw) {
		found = append(found, prospect.Reason{Code: prospect.IdentityMap})
	}
	unknown := r.unknown(record)
	if len(unknown) == 0 {
		return broken, found, nil
	}
	switch r.of.Source.Drift.Unmapped {
	case workspace.DriftFail:
		return broken, nil, r.judgeDrift(Drift{Unmapped: unknown})
	case workspace.DriftQuarantine:
		return broken, append(found, prospect.Reason{Code: prospect.Drifted, Detail: "unmapped keys"}), nil
	}
	for _, name := range unknown {
		if len(r.drift.Unmapped) < mostNames && !slices.Contains(r.drift.Unmapped, name) {
			r.drift.Unmapped = append(r.drift.Unmapped, name)
		}
	}
	return broken, found, nil
}

// broken says why a record is refused unread; no code for one that can be read.
func (r *reading) broken(record filecodec.Record) prospect.Reason {
	rails := r.of.Guardrails
	switch {
	case record.Fault == filecodec.FaultTooLarge, r.size(record) > rails.RecordBytes:
		return prospect.Reason{Code: prospect.TooLarge, Detail: fmt.Sprintf("above %d bytes, guardrails.recordBytes", rails.RecordBytes)}
	case record.Fault != "":
		return prospect.Reason{Code: prospect.CorruptRow, Detail: record.FaultIn(r.of.Source.Format.Encoding)}
	case r.isJSON() && members(record.Raw, rails.FieldsPerRow) > rails.FieldsPerRow:
		return prospect.Reason{Code: prospect.TooManyFields, Detail: fmt.Sprintf("above %d, guardrails.fieldsPerRow", rails.FieldsPerRow)}
	}
	return prospect.Reason{}
}

// size is that of a record as it came, in bytes, or of the values of one that has no text.
func (r *reading) size(record filecodec.Record) (size int) {
	if r.of.Source.Format.Records != filecodec.Parquet {
		return len(record.Raw)
	}
	for _, value := range record.Fields {
		size += len(value)
	}
	return size
}

// mostNames bounds the names that a result carries.
const mostNames = 100

func (r *reading) unknown(record filecodec.Record) (out []string) {
	for _, name := range record.Extra {
		if !prospect.IsIdentityMap(name) && !slices.ContainsFunc(r.of.Source.IgnoreColumns, func(ignored string) bool { return name == ignored || strings.HasPrefix(name, ignored+".") }) {
			out = append(out, name)
		}
	}
	return out
}

// apply fills the fields from a record that can be read. Steps that fail are reasons to refuse it, besides those found.
func (r *reading) apply(record filecodec.Record, found []prospect.Reason) (values [][]byte, reasons []prospect.Reason) {
	fields := record.Fields
	if r.missing > 0 {
		r.fields = append(append(r.fields[:0], fields...), make([][]byte, r.missing)...)
		fields = r.fields
	}
	r.reasons = found
	r.mapping.Apply(fields, r.null, r.values, r.failed)
	return r.values, r.reasons
}

// fail adds a reason to those of the record at hand.
func (r *reading) fail(target int, why mapping.Failure) {
	reason := prospect.Reason{Code: prospect.Unmappable, Field: r.columns[target].Field.Path, Detail: why.Step}
	switch why.Shape {
	case "":
	case mapping.TooMany:
		reason.Code, reason.Detail = prospect.BadLength, why.Shape
	default:
		reason.Code, reason.Detail = prospect.WrongType, why.Shape
	}
	r.reasons = append(r.reasons, reason)
}

// kept is what quarantine holds of a record: all of it but the values of columns that are not taken. Of a record
// that cannot be read it is the record as it came.
func (r *reading) kept(record filecodec.Record) []byte {
	return r.reader.Keep(record, func(column string) bool { return slices.Contains(r.wanted, strings.TrimSpace(column)) })
}
