// Package filecodec turns a partner's bytes into records: it undoes compression, finds where each
// record of a delimited, JSON or Parquet file begins and ends, numbers physical lines, and says what
// is wrong with a record that cannot be read. It never guesses a format and never skips a record:
// what it cannot read it returns as faulty, with its raw bytes, and goes on with the next one.
package filecodec

import (
	"errors"
	"fmt"
	"io"
)

// How the records of a file are written.
const (
	Delimited = "delimited"
	JSONLines = "jsonl"   // one object a line
	JSONList  = "json"    // one list of objects
	Parquet   = "parquet" // see package parquetfile, which needs random access
)

// Format says how the records of a text file are written.
type Format struct {
	Records  string   // Delimited, JSONLines or JSONList
	Encoding string   // UTF8, UTF16, Latin1 or Windows1252
	Dialect  Dialect  // of delimited files
	Wanted   []string // columns to read from JSON; names with dots reach into nested objects
	Whole    []string // of these, whose lists and objects are values, as they are written
}

// Fault says why a record cannot be read; empty for a good one.
type Fault string

// The faults.
const (
	FaultColumns  Fault = "column count"     // more or fewer fields than the header
	FaultQuote    Fault = "quoting"          // a quote that is not closed, or text beside one
	FaultLineEnd  Fault = "mixed line ends"  // a line feed outside quotes, in a file whose lines end with carriage returns
	FaultEncoding Fault = "not UTF-8"        // bytes that are no text in the file's encoding
	FaultNUL      Fault = "NUL byte"         // never text
	FaultTooLarge Fault = "record too large" // above MaxRecord
	FaultSyntax   Fault = "not a JSON object"
	FaultNested   Fault = "list or object where one value is expected"
	FaultRepeated Fault = "repeated name"     // of two members of an object, or of a nested and a dotted one
	FaultDepth    Fault = "nested too deeply" // above MaxDepth
)

// Limits of a record. One above 100 KB is refused (BI-14).
const (
	MaxRecord = 100 * 1024
	MaxDepth  = 100 // objects within objects
	MaxExtra  = 20  // names in Record.Extra
)

// Record is one record of a file. Its slices are valid until the next call of Next.
type Record struct {
	Line   int64    // physical line on which it begins, or the row of a file without lines; from 1
	Offset int64    // of its first byte in the text: the decompressed file in UTF-8, its byte-order mark counted, or what another encoding is decoded to. 0 in a Parquet file, which is no text
	Raw    []byte   // as in the file, in UTF-8, without its line end; of a too large record its beginning
	Fields [][]byte // values in the order of the reader's columns, nil for null or absent; nil when faulty
	Extra  []string // names in the record that are no columns, MaxExtra at most
	Fault  Fault
}

// Reader reads the records of one file, good and faulty; it never skips one.
type Reader interface {
	// Columns are the names of Record.Fields, in order, as the file or the format gives them.
	Columns() []string
	// Next returns the next record, and io.EOF after the last one. Any other error is the stream's: then
	// not every record was seen.
	Next() (Record, error)
	// Records is the number of records returned so far, good and faulty.
	Records() int64
	// Keep returns the record as it came, without the values of columns that keep refuses. Of a faulty
	// record it is the record as it came.
	Keep(r Record, keep func(column string) bool) []byte
	// Close lets go of what the reader holds. The stream stays open.
	Close() error
}

// Files without anything to read (BI-10).
var (
	ErrEmpty    = errors.New("the file is empty")
	ErrNoHeader = errors.New("the file has no header line")
)

// NewReader begins to read the text file r, which must already be decompressed. An empty file and a
// header that cannot be read are errors.
func NewReader(r io.Reader, f Format) (Reader, error) {
	text, err := decode(r, f.Encoding)
	if err != nil {
		return nil, err
	}
	reader, err := newReader(newWindow(text), f)
	var header *headerError
	if errors.As(err, &header) {
		err = fmt.Errorf("the header line cannot be read: %s", header.record.FaultIn(f.Encoding))
	}
	return reader, err
}

// headerError is a header line that is a faulty record.
type headerError struct{ record Record }

func (e *headerError) Error() string {
	return "the header line cannot be read: " + string(e.record.Fault)
}

func newReader(text window, f Format) (Reader, error) {
	switch f.Records {
	case Delimited:
		framer := newFramer(text, f.Dialect)
		if _, err := framer.Header(); err != nil {
			return nil, err
		}
		return framer, nil
	case JSONLines:
		return newLines(text, f)
	case JSONList:
		return newList(text, f)
	}
	return nil, fmt.Errorf("records written as %q cannot be read from a stream", f.Records)
}
