package filecodec

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Kept is a record that was refused before, as Keep had returned it, with the line that it has in its file. Files of such
// records hold one JSON object a line.
type Kept struct {
	Line int64  `json:"line"`
	Raw  []byte `json:"raw"`
}

// Replay reads single records again, each as if it stood alone in its file. A record that holds more than one is faulty.
type Replay struct {
	kept    *bufio.Reader
	reader  keeper
	read    func(k Kept) Record
	records int64
}

// keeper is what the records of a file need to be kept.
type keeper interface {
	Columns() []string
	Keep(r Record, keep func(column string) bool) []byte
}

// NewReplay begins to read the kept records in r, which are written as f says. header names the columns of delimited
// ones; those of JSON and Parquet files are kept as JSON objects.
func NewReplay(r io.Reader, f Format, header []string) (*Replay, error) {
	out := &Replay{kept: bufio.NewReaderSize(r, 1<<16)}
	if f.Records != Delimited {
		o := newObjects(f.Wanted, f.Whole)
		out.reader, out.read = o, o.single
		return out, nil
	}
	if len(f.Dialect.Columns) == 0 {
		f.Dialect.Columns = header
	}
	if err := f.Dialect.check(); err != nil {
		return nil, err
	}
	if len(f.Dialect.Columns) == 0 {
		return nil, errors.New("the columns of the records are not known")
	}
	framer := &Framer{dialect: f.Dialect, names: f.Dialect.Columns, columns: len(f.Dialect.Columns), window: window{newline: '\n', eof: true, maxRecord: MaxRecord}}
	if framer.dialect.Escape == framer.dialect.Quote {
		framer.dialect.Escape = 0
	}
	out.reader, out.read = framer, framer.single
	return out, nil
}

// single reads the one record that k should be.
func (f *Framer) single(k Kept) Record {
	// One byte more than the text: a window that is full may not hold the whole line.
	f.buffer = append(append(f.buffer[:0], k.Raw...), f.newline)
	f.pos, f.end, f.line, f.passed, f.sound, f.doubtful = 0, len(k.Raw), 0, 0, 0, 0
	record, err := f.next()
	if err != nil { // nothing is in it
		record = Record{Fault: FaultColumns}
	}
	if f.pos < f.end {
		record = Record{Fault: FaultQuote}
	}
	record.Line, record.Offset, record.Raw = k.Line, 0, k.Raw
	return record
}

// single reads the one record that k should be.
func (o *objects) single(k Kept) Record {
	return o.record(Record{Line: k.Line, Raw: k.Raw, Fault: faultOf(k.Raw)})
}

// Columns are the names of the fields.
func (r *Replay) Columns() []string { return r.reader.Columns() }

// Records is the number of records returned so far.
func (r *Replay) Records() int64 { return r.records }

// Next returns the next record.
func (r *Replay) Next() (Record, error) {
	line, err := r.kept.ReadBytes('\n')
	if err == io.EOF && len(line) > 0 { //nolint:errorlint // what wraps it is a failure
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return Record{}, err
	}
	var k Kept
	if err := json.Unmarshal(line, &k); err != nil {
		return Record{}, fmt.Errorf("a kept record cannot be read: %w", err)
	}
	r.records++
	return r.read(k), nil
}

// Keep is that of the file's records.
func (r *Replay) Keep(record Record, keep func(column string) bool) []byte {
	return r.reader.Keep(record, keep)
}

// Close has nothing to let go of.
func (r *Replay) Close() error { return nil }
