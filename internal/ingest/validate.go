// Package ingest takes one staged file through validation: the framer's clean records stream into
// the store, which types and checks them, and every refused record is written to a file with its
// line, its bytes and all reasons. It counts records on both sides and accepts no difference.
package ingest

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/filecodec"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// PartWriter is what validation needs of the store.
type PartWriter interface {
	WritePart(ctx context.Context, dataset store.Dataset, batch string, columns []prospect.Column, identity string, feed func(w io.Writer) error) (store.Part, error)
	PartRejections(ctx context.Context, dataset, batch string) iter.Seq2[store.RefusedLine, error]
}

// File is a staged file and the rules under which it is read.
type File struct {
	Name       string // path at the source, for errors
	Path       string // on this machine, as fetched
	Batch      string
	Source     *workspace.Source
	Dataset    store.Dataset
	Identity   string // path of the primary identity
	Rejections string // where to write refused records, JSON Lines
}

// Counts is the result. Read = Accepted + Rejected, always.
type Counts struct {
	Read     int64 `json:"read"`
	Accepted int64 `json:"accepted"`
	Rejected int64 `json:"rejected"`

	Rules string `json:"rules,omitempty"` // digest of the schema and mapping under which the rows were checked
}

// Percent is the share of rejected rows.
func (c Counts) Percent() float64 {
	if c.Read == 0 {
		return 0
	}
	return 100 * float64(c.Rejected) / float64(c.Read)
}

const progressEvery = 1000 // records

// Validate writes the batch's part and its rejections. progress is called with the records read so
// far. A file that cannot be read as a whole is kind BadInput: then nothing of it counts.
func Validate(ctx context.Context, parts PartWriter, f File, progress func(records int64)) (Counts, error) {
	reading, err := open(f)
	if err != nil {
		return Counts{}, err
	}
	defer reading.close()
	var faulty int64
	part, err := parts.WritePart(ctx, f.Dataset, f.Batch, reading.columns, f.Identity, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<16)
		var clean []byte
		err := reading.each(ctx, progress, func(r filecodec.Record) error {
			if r.Fault != "" {
				faulty++
				return nil
			}
			clean = filecodec.AppendClean(clean[:0], r.Line, reading.values(r))
			_, err := out.Write(clean)
			return err
		})
		if err != nil {
			return err
		}
		return out.Flush()
	})
	if err != nil {
		return Counts{}, err
	}
	rules, err := f.Rules()
	if err != nil {
		return Counts{}, err
	}
	counts := Counts{Read: reading.records.Records(), Accepted: part.Accepted, Rejected: part.Rejected + faulty, Rules: rules}
	if counts.Read != counts.Accepted+counts.Rejected {
		return Counts{}, errkind.Newf(errkind.Internal, "counts do not reconcile: the framer read %d records, the store holds %d accepted and %d rejected, %d were faulty",
			counts.Read, part.Accepted, part.Rejected, faulty)
	}
	written, err := writeRejections(ctx, parts, f, counts.Rejected, progress)
	if err == nil && written != counts.Rejected {
		err = errkind.Newf(errkind.Internal, "counts do not reconcile: %d rows rejected, %d written to quarantine", counts.Rejected, written)
	}
	return counts, err
}

// rejection is a line of the rejections file; sql/ingest/insert_quarantine reads it.
type rejection struct {
	Line    int64             `json:"line"`
	Raw     []byte            `json:"raw"`
	Reasons []prospect.Reason `json:"reasons"`
}

// writeRejections reads the staged file a second time to take the bytes of refused records: the
// faulty ones, and those that the store refused by line number.
func writeRejections(ctx context.Context, parts PartWriter, f File, expected int64, progress func(int64)) (written int64, err error) {
	file, err := os.OpenFile(f.Rejections, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if expected == 0 {
		return 0, nil
	}
	reading, err := open(f)
	if err != nil {
		return 0, err
	}
	defer reading.close()
	buffered := bufio.NewWriter(file)
	encoder := json.NewEncoder(buffered)
	// Both sides come in line order, so that neither has to be held in memory.
	nextRefused, stop := iter.Pull2(parts.PartRejections(ctx, f.Dataset.Name, f.Batch))
	defer stop()
	refused, err, more := nextRefused()
	if err != nil {
		return 0, err
	}
	err = reading.each(ctx, progress, func(r filecodec.Record) error {
		var reasons []prospect.Reason
		if more && refused.Line == r.Line {
			reasons = refused.Reasons
			if refused, err, more = nextRefused(); err != nil {
				return err
			}
		}
		if r.Fault != "" {
			code := prospect.CorruptRow
			if r.Fault == filecodec.FaultTooLarge {
				code = prospect.TooLarge
			}
			reasons = []prospect.Reason{{Code: code, Detail: string(r.Fault)}}
		}
		if len(reasons) == 0 {
			return nil
		}
		written++
		return encoder.Encode(rejection{Line: r.Line, Raw: reading.kept(r), Reasons: reasons})
	})
	if err != nil {
		return 0, err
	}
	return written, buffered.Flush()
}

// reading is one pass over a staged file whose header has been bound to the schema.
type reading struct {
	of      File
	file    *os.File
	records filecodec.Reader
	columns []prospect.Column
	nulls   map[string]bool
	fields  [][]byte
}

func open(f File) (*reading, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	format := f.Source.Format
	stream, err := filecodec.Decompress(bufio.NewReaderSize(file, 1<<18), format.Compression)
	if err != nil {
		return nil, errors.Join(f.unreadable(err), file.Close())
	}
	r := &reading{of: f, file: file, nulls: map[string]bool{"": true}}
	for _, marker := range f.Source.NullMarkers {
		r.nulls[marker] = true
	}
	r.records, err = filecodec.NewReader(stream, filecodec.Format{Records: filecodec.Delimited, Encoding: filecodec.UTF8,
		Dialect: filecodec.Dialect{Delimiter: format.Delimiter[0], Quote: format.Quote[0]}})
	if err != nil {
		return nil, errors.Join(f.unreadable(err), file.Close())
	}
	if r.columns, err = prospect.Bind(r.records.Columns(), f.Source.Mapping, f.Source.IgnoreColumns, f.Dataset.Schema); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Name, err), file.Close())
	}
	r.fields = make([][]byte, len(r.columns))
	return r, nil
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

func (r *reading) close() { _ = r.file.Close() } // read only

// each calls take for every record. Cancelling ctx ends it.
func (r *reading) each(ctx context.Context, progress func(int64), take func(filecodec.Record) error) error {
	for {
		record, err := r.records.Next()
		if errors.Is(err, io.EOF) {
			progress(r.records.Records())
			return nil
		}
		if err != nil {
			return r.of.unreadable(fmt.Errorf("after %d records: %w", r.records.Records(), err))
		}
		if err := take(record); err != nil {
			return err
		}
		if n := r.records.Records(); n%progressEvery == 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			progress(n)
		}
	}
}

// kept is what quarantine holds of a record: all of it but the values of ignored columns. Of a record that
// cannot be split into columns it is the record as it came.
func (r *reading) kept(record filecodec.Record) []byte {
	return r.records.Keep(record, func(column string) bool {
		return !slices.Contains(r.of.Source.IgnoreColumns, strings.TrimSpace(column))
	})
}

// values picks the mapped fields of a good record; what stands for "no value" becomes nil.
func (r *reading) values(record filecodec.Record) [][]byte {
	for i, c := range r.columns {
		value := record.Fields[c.Index]
		if r.nulls[string(value)] {
			value = nil
		}
		r.fields[i] = value
	}
	return r.fields
}

// Rules is a digest of all that decides whether a row is accepted and where its values go. Rows that were
// checked under other rules must be checked again.
func (f File) Rules() (string, error) {
	s := f.Source
	data, err := json.Marshal([]any{f.Dataset.Schema.Fields, f.Identity, s.Mapping, s.IgnoreColumns, s.NullMarkers, s.Format})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8]), nil
}

// Columns returns how the file's header binds to the schema. Kind BadInput when it does not.
func (f File) Columns() ([]prospect.Column, error) {
	r, err := open(f)
	if err != nil {
		return nil, err
	}
	r.close()
	return r.columns, nil
}
