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
	Rejections   string // where to write refused records, JSON Lines
	BusinessDate string // 2006-01-02, or empty
	Expected     *int64 // records that the partner's manifest promises

	// Parquet opens such files. It is handed in, so that who only speaks of counts links no Parquet library.
	Parquet ParquetOpener

	Sample int64 // read only so many records; 0 reads all
	Head   bool  // Path holds only the beginning of the file
}

// ParquetOpener reads the wanted columns of a Parquet file.
type ParquetOpener func(file io.ReaderAt, size int64, wanted []string) (filecodec.Reader, error)

// Rules is a digest of all that decides whether a row is accepted and where its values go. Rows that were
// checked under other rules must be checked again.
func (f File) Rules() (string, error) {
	s := f.Source
	data, err := json.Marshal([]any{f.Dataset.Schema.Fields, f.Identity, s.Mapping, s.CalculatedFields, s.IgnoreColumns, s.NullMarkers, s.Format, s.Drift})
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

func (f File) unreadable(err error) error {
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return err // our own copy, not the partner's file
	}
	hint := "ask the partner to send the file again"
	if c := f.Source.Format.Compression; c != "none" {
		hint += ", or correct format.compression of the source, which says " + c
	}
	return errkind.New(errkind.BadInput, f.Name+" cannot be read", err, hint)
}

// format is how the source says that its files are written.
func (f File) format(wanted []string) filecodec.Format {
	s := f.Source.Format
	out := filecodec.Format{Records: s.Records, Encoding: s.Encoding, Wanted: wanted,
		Dialect: filecodec.Dialect{Delimiter: s.Delimiter[0], Columns: s.Columns, QuotesInFields: s.QuoteInField == workspace.QuoteKeep}}
	if s.Quote != workspace.QuoteNone {
		out.Dialect.Quote = s.Quote[0]
	}
	if s.Escape != "" {
		out.Dialect.Escape = s.Escape[0]
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
	file    *os.File
	stream  io.Closer
	reader  filecodec.Reader
	columns []prospect.Column
	wanted  []string
	mapping *mapping.Mapping
	nulls   map[string]bool
	missing int      // wanted columns that the file lacks, behind its own
	fields  [][]byte // of a record, and of the missing ones
	values  [][]byte
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
	r := &reading{of: f, file: file, nulls: map[string]bool{"": true}}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	targets := f.Source.Targets()
	for _, marker := range f.Source.NullMarkers {
		r.nulls[marker] = true
	}
	r.wanted = wanted(targets)
	if err = r.openReader(); err != nil {
		return nil, f.unreadable(err)
	}
	header := make([]string, len(r.reader.Columns()))
	for i, name := range r.reader.Columns() {
		header[i] = strings.TrimSpace(name)
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
	format := r.of.format(r.wanted)
	if format.Records == "parquet" {
		if r.of.Parquet == nil {
			return errkind.Newf(errkind.Internal, "nobody opens Parquet files here")
		}
		r.reader, err = r.of.Parquet(r.file, info.Size(), r.wanted)
		return err
	}
	f := r.of.Source.Format
	stream, err := filecodec.Decompress(r.file, info.Size(), f.Compression, filecodec.Limits{MaxBytes: f.MaxBytes, MaxRatio: f.MaxRatio})
	if err != nil {
		return err
	}
	r.stream = stream
	r.reader, err = filecodec.NewReader(stream, format)
	return err
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
func (r *reading) each(ctx context.Context, progress func(int64), take func(filecodec.Record) error) error {
	for {
		if r.of.Sample > 0 && r.reader.Records() == r.of.Sample {
			return nil
		}
		record, err := r.reader.Next()
		if err == io.EOF || err != nil && r.of.Head && r.reader.Records() > 0 { //nolint:errorlint // what wraps the end is a failure
			progress(r.reader.Records())
			return nil
		}
		if err != nil {
			return r.of.unreadable(fmt.Errorf("after %d records: %w", r.reader.Records(), err))
		}
		if r.of.Source.Format.Records == filecodec.JSONList {
			record.Line = r.reader.Records() // several may begin on one line: their place in the list tells them apart
		}
		if err := take(record); err != nil {
			return err
		}
		if n := r.reader.Records(); n%progressEvery == 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			progress(n)
		}
	}
}

// fault says why a record is refused before its values are looked at; none for a good one. A record with keys
// that nobody told of drifts, as a whole file with such columns does.
func (r *reading) fault(record filecodec.Record) (reason prospect.Reason, err error) {
	if record.Fault != "" {
		code := prospect.CorruptRow
		if record.Fault == filecodec.FaultTooLarge {
			code = prospect.TooLarge
		}
		return prospect.Reason{Code: code, Detail: string(record.Fault)}, nil
	}
	unknown := r.unknown(record)
	if len(unknown) == 0 {
		return reason, nil
	}
	switch r.of.Source.Drift.Unmapped {
	case workspace.DriftFail:
		return reason, r.judgeDrift(Drift{Unmapped: unknown})
	case workspace.DriftQuarantine:
		return prospect.Reason{Code: prospect.Drifted, Detail: "unmapped keys"}, nil
	}
	for _, name := range unknown {
		if len(r.drift.Unmapped) < mostNames && !slices.Contains(r.drift.Unmapped, name) {
			r.drift.Unmapped = append(r.drift.Unmapped, name)
		}
	}
	return reason, nil
}

// mostNames bounds the names that a result carries.
const mostNames = 100

func (r *reading) unknown(record filecodec.Record) (out []string) {
	for _, name := range record.Extra {
		if !slices.ContainsFunc(r.of.Source.IgnoreColumns, func(ignored string) bool { return name == ignored || strings.HasPrefix(name, ignored+".") }) {
			out = append(out, name)
		}
	}
	return out
}

// apply fills the fields from a good record. Steps that fail are reasons to refuse it.
func (r *reading) apply(record filecodec.Record) (values [][]byte, reasons []prospect.Reason) {
	r.fields = append(r.fields[:0], record.Fields...)
	for range r.missing {
		r.fields = append(r.fields, nil)
	}
	r.mapping.Apply(r.fields, func(value []byte) bool { return r.nulls[string(value)] }, r.values, func(target int, step string) {
		reasons = append(reasons, prospect.Reason{Code: prospect.Unmappable, Field: r.columns[target].Field.Path, Detail: step})
	})
	return r.values, reasons
}

// kept is what quarantine holds of a record: all of it but the values of columns that are not taken. Of a record
// that cannot be read it is the record as it came.
func (r *reading) kept(record filecodec.Record) []byte {
	return r.reader.Keep(record, func(column string) bool { return slices.Contains(r.wanted, strings.TrimSpace(column)) })
}
