// Package filecodec turns a partner's bytes into records: it undoes compression, finds where each
// delimited record begins and ends, numbers physical lines, and says what is wrong with a record
// that cannot be read. It never guesses a dialect and never skips a record: what it cannot read it
// returns as faulty, with its raw bytes, and goes on with the next line.
package filecodec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Dialect is how a delimited file is written. Quotes inside quoted fields are doubled.
type Dialect struct {
	Delimiter byte
	Quote     byte
	Escape byte
	Columns []string
}

// Fault says why a record cannot be read; empty for a good one.
type Fault string

// The faults.
const (
	FaultColumns  Fault = "column count"     // more or fewer fields than the header
	FaultQuote    Fault = "quoting"          // a quote that is not closed, or text beside one
	FaultEncoding Fault = "not UTF-8"        // bytes that are not UTF-8
	FaultNUL      Fault = "NUL byte"         // never text
	FaultTooLarge Fault = "record too large" // above MaxRecord
)

// Limits. A record above 100 KB is refused (BI-14). A quoted field may span lines, but a record of
// several lines that does not end within lookAhead bytes is taken for a stray quote: its first line
// is refused and reading goes on behind it, so that one stray quote never swallows the rest of a file.
const (
	MaxRecord  = 100 * 1024
	lookAhead  = MaxRecord + 2 // and its line end
	bufferSize = 1 << 20
)

// Record is one record of the file. Its slices are valid until the next call of Next.
type Record struct {
	Line   int64    // physical line on which it begins, from 1
	Raw    []byte   // as in the file, without its line end; of a too large record its beginning
	Fields [][]byte // unquoted; nil when faulty
	Fault  Fault
	Extra []string
}

// Framer reads records from a stream in bounded memory.
type Framer struct {
	source  io.Reader
	dialect Dialect
	columns int // fields that a record must have, set by Header

	buffer   []byte
	pos, end int
	eof      bool
	line     int64 // physical lines consumed
	records  int64
	blank    int64
	fields   [][]byte
	unquoted []byte
}

// NewFramer reads delimited records from r, which must already be decompressed.
func NewFramer(r io.Reader, d Dialect) *Framer {
	return &Framer{source: r, dialect: d, buffer: make([]byte, bufferSize)}
}

// Records is the number of data records returned so far, good and faulty.
func (f *Framer) Records() int64 { return f.records }

// BlankLines is the number of empty lines passed over: they are no records.
func (f *Framer) BlankLines() int64 { return f.blank }

var utf8BOM = []byte{0xEF, 0xBB, 0xBF}

// Header reads the first record as column names. Its length is what every record must have.
func (f *Framer) Header() ([]string, error) {
	if err := f.fill(lookAhead); err != nil {
		return nil, err
	}
	window := f.buffer[f.pos:f.end]
	if len(window) == 0 {
		return nil, errors.New("the file is empty") // 106 of BI-10
	}
	if bytes.HasPrefix(window, []byte{0xFF, 0xFE}) || bytes.HasPrefix(window, []byte{0xFE, 0xFF}) {
		return nil, errors.New("the file is UTF-16; it must be UTF-8")
	}
	if bytes.HasPrefix(window, utf8BOM) {
		f.pos += len(utf8BOM)
	}
	record, err := f.next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file has no header line") // 118 of BI-10
	}
	if err != nil {
		return nil, err
	}
	if record.Fault != "" {
		return nil, fmt.Errorf("the header line cannot be read: %s", record.Fault)
	}
	f.columns = len(record.Fields)
	names := make([]string, len(record.Fields))
	for i, field := range record.Fields {
		names[i] = string(field)
	}
	return names, nil
}

// Next returns the next data record, good or faulty, and io.EOF after the last one. Any other error
// is the stream's: then not every record was seen.
func (f *Framer) Next() (Record, error) {
	record, err := f.next()
	if err == nil {
		f.records++
	}
	return record, err
}

func (f *Framer) next() (Record, error) {
	for {
		if err := f.fill(lookAhead + 2); err != nil {
			return Record{}, err
		}
		window := f.buffer[f.pos:f.end]
		if len(window) == 0 {
			return Record{}, io.EOF
		}
		lineEnd, tooLong, err := f.physicalLine()
		if err != nil {
			return Record{}, err
		}
		if tooLong {
			return f.skipLongLine()
		}
		window = f.buffer[f.pos:f.end] // physicalLine may have moved it
		line := trimLineEnd(window[:lineEnd])
		if len(line) == 0 {
			f.advance(lineEnd)
			f.blank++
			continue
		}
		return f.parse(window, line, lineEnd), nil
	}
}

// parse reads the record that begins at window's start. line is its first physical line.
func (f *Framer) parse(window, line []byte, lineEnd int) Record {
	record := Record{Line: f.line + 1, Raw: line}
	consumed := lineEnd
	fields, fault := f.fields[:0], Fault("")
	if bytes.IndexByte(line, f.dialect.Quote) < 0 {
		fields = split(fields, line, f.dialect.Delimiter)
	} else {
		limit := len(window)
		if limit > lookAhead {
			limit = max(lookAhead, lineEnd)
		}
		var n int
		fields, n, fault = f.parseQuoted(fields, window[:limit], f.eof && limit == len(window))
		if fault == "" && n > lineEnd { // a quoted field spans lines
			if f.columns > 0 && len(fields) != f.columns {
				fault = FaultQuote // more likely a stray quote than a record of several lines
			} else {
				consumed = n
				record.Raw = trimLineEnd(window[:n])
			}
		}
	}
	f.fields = fields
	switch {
	case fault != "":
	case len(record.Raw) > MaxRecord:
		fault = FaultTooLarge
	case f.columns > 0 && len(fields) != f.columns:
		fault = FaultColumns
	}
	// What is not text is said first: it is the cause where bytes are broken.
	if bytes.IndexByte(record.Raw, 0) >= 0 {
		fault = FaultNUL
	} else if !utf8.Valid(record.Raw) {
		fault = FaultEncoding
	}
	if record.Fault = fault; fault == "" {
		record.Fields = fields
	}
	f.advance(consumed)
	return record
}

// parseQuoted reads fields up to the first line end outside quotes and returns the bytes consumed.
// last says that the window ends where the file does; elsewhere its end ends no record.
func (f *Framer) parseQuoted(fields [][]byte, window []byte, last bool) ([][]byte, int, Fault) {
	quote, delimiter := f.dialect.Quote, f.dialect.Delimiter
	f.unquoted = f.unquoted[:0]
	for i := 0; ; {
		if i < len(window) && window[i] == quote {
			value, next, ok := f.quotedField(window, i+1)
			if !ok {
				return fields, 0, FaultQuote
			}
			fields, i = append(fields, value), next
		} else {
			start := i
			for i < len(window) && window[i] != delimiter && window[i] != '\n' {
				if window[i] == quote {
					return fields, 0, FaultQuote
				}
				i++
			}
			value := window[start:i]
			if i >= len(window) || window[i] == '\n' {
				value = bytes.TrimSuffix(value, []byte{'\r'})
			}
			fields = append(fields, value)
		}
		switch {
		case i >= len(window) && !last:
			return fields, 0, FaultQuote
		case i >= len(window):
			return fields, i, ""
		case window[i] == delimiter:
			i++
		case window[i] == '\n':
			return fields, i + 1, ""
		case window[i] == '\r' && i+1 < len(window) && window[i+1] == '\n':
			return fields, i + 2, ""
		case window[i] == '\r' && i+1 == len(window) && last:
			return fields, i + 1, ""
		default:
			return fields, 0, FaultQuote // text behind a closing quote
		}
	}
}

// quotedField reads from behind an opening quote to behind the closing one.
func (f *Framer) quotedField(window []byte, start int) (value []byte, next int, ok bool) {
	doubled := false
	for i := start; ; {
		j := bytes.IndexByte(window[i:], f.dialect.Quote)
		if j < 0 {
			return nil, 0, false
		}
		i += j
		if i+1 < len(window) && window[i+1] == f.dialect.Quote {
			doubled = true
			i += 2
			continue
		}
		value = window[start:i]
		if doubled {
			from := len(f.unquoted)
			for k := 0; k < len(value); k++ {
				f.unquoted = append(f.unquoted, value[k])
				if value[k] == f.dialect.Quote {
					k++
				}
			}
			value = f.unquoted[from:]
		}
		return value, i + 1, true
	}
}

func split(fields [][]byte, line []byte, delimiter byte) [][]byte {
	for {
		i := bytes.IndexByte(line, delimiter)
		if i < 0 {
			return append(fields, line)
		}
		fields, line = append(fields, line[:i]), line[i+1:]
	}
}

func trimLineEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'})
}

// physicalLine returns the length of the next physical line with its line end.
func (f *Framer) physicalLine() (length int, tooLong bool, err error) {
	for searched := 0; ; {
		window := f.buffer[f.pos:f.end]
		if i := bytes.IndexByte(window[searched:], '\n'); i >= 0 {
			return searched + i + 1, false, nil
		}
		searched = len(window)
		if f.eof {
			return len(window), false, nil
		}
		if len(window) >= bufferSize {
			return 0, true, nil
		}
		if err := f.fill(len(window) + 1); err != nil {
			return 0, false, err
		}
	}
}

// skipLongLine passes over a line that does not fit the buffer and returns it as a faulty record.
func (f *Framer) skipLongLine() (Record, error) {
	record := Record{Line: f.line + 1, Fault: FaultTooLarge, Raw: bytes.Clone(f.buffer[f.pos : f.pos+MaxRecord])}
	for {
		window := f.buffer[f.pos:f.end]
		if i := bytes.IndexByte(window, '\n'); i >= 0 {
			f.pos += i + 1
			break
		}
		f.pos = f.end
		if f.eof {
			break
		}
		if err := f.fill(1); err != nil {
			return Record{}, err
		}
	}
	f.line++
	return record, nil
}

func (f *Framer) advance(n int) {
	f.line += int64(bytes.Count(f.buffer[f.pos:f.pos+n], []byte{'\n'}))
	if n > 0 && f.buffer[f.pos+n-1] != '\n' {
		f.line++ // the last line of a file without a line end
	}
	f.pos += n
}

// fill makes at least n bytes available, or all that are left.
func (f *Framer) fill(n int) error {
	if f.end-f.pos >= n || f.eof {
		return nil
	}
	copy(f.buffer, f.buffer[f.pos:f.end])
	f.pos, f.end = 0, f.end-f.pos
	for f.end < n && f.end < len(f.buffer) {
		read, err := f.source.Read(f.buffer[f.end:])
		f.end += read
		if errors.Is(err, io.EOF) {
			f.eof = true
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
