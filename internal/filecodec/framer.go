package filecodec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Dialect is how a delimited file is written. All three characters are ASCII, and neither NUL (which
// stands for "none") nor a line end; only the delimiter may be another one instead.
type Dialect struct {
	Delimiter      byte
	Wide           string   // instead of Delimiter: a character beyond ASCII, such as §, in UTF-8
	Quote          byte     // 0: fields are never quoted, and quotes are characters as others
	QuotesInFields bool     // a quote that does not begin a field is a character as others; otherwise it makes its record faulty
	Escape         byte     // inside quoted fields, in front of a quote or of itself; elsewhere it is a character as others. 0: quotes are doubled
	Columns        []string // names of a file without a header line; empty: the first record is the header
}

// Delimited returns the dialect with the one character that text is as its delimiter.
func (d Dialect) Delimited(text string) Dialect {
	d.Delimiter, d.Wide = 0, text
	if len(text) == 1 {
		d.Delimiter, d.Wide = text[0], ""
	}
	return d
}

func (d Dialect) check() error {
	if d.Wide != "" {
		if r, n := utf8.DecodeRuneInString(d.Wide); d.Delimiter != 0 || n != len(d.Wide) || n == 1 || r == '\uFEFF' {
			return fmt.Errorf("%q cannot be the delimiter: it must be one character", d.Wide)
		}
	}
	for name, b := range map[string]byte{"delimiter": d.Delimiter, "quote": d.Quote, "escape": d.Escape} {
		if b == '\n' || b == '\r' || b >= utf8.RuneSelf || b == 0 && name == "delimiter" && d.Wide == "" {
			return fmt.Errorf("%s cannot be the %s: it must be an ASCII character and no line end", strconv.QuoteRuneToASCII(rune(b)), name)
		}
	}
	switch {
	case d.Quote == d.Delimiter && d.Quote != 0:
		return errors.New("delimiter and quote must be two characters")
	case d.Escape == d.Delimiter && d.Escape != 0:
		return errors.New("delimiter and escape must be two characters")
	case d.Escape != 0 && d.Quote == 0:
		return errors.New("there is nothing to escape in fields that are never quoted")
	}
	return nil
}

// Framer reads delimited records from a stream in bounded memory. A quoted field may span lines, but a
// record of several lines that does not end within MaxRecord bytes is taken for a stray quote: its
// first line is refused and reading goes on behind it, so that one stray quote never swallows the rest
// of a file. Lines end with LF or CRLF, or with CR in a file that begins with 1 MiB without any LF.
type Framer struct {
	window
	dialect Dialect
	wide    []byte // of the dialect
	names   []string
	columns int // fields that a record must have, set by Header

	records  int64
	blank    int64
	fields   [][]byte
	unquoted []byte
}

// NewFramer reads delimited records from r, which must already be decompressed and UTF-8.
func NewFramer(r io.Reader, d Dialect) *Framer { return newFramer(newWindow(r), d) }

func newFramer(w window, d Dialect) *Framer {
	if d.Escape == d.Quote {
		d.Escape = 0
	}
	return &Framer{window: w, dialect: d, wide: []byte(d.Wide)}
}

// Columns returns the names that Header found.
func (f *Framer) Columns() []string { return f.names }

// Records is the number of data records returned so far, good and faulty.
func (f *Framer) Records() int64 { return f.records }

// BlankLines is the number of empty lines passed over: they are no records.
func (f *Framer) BlankLines() int64 { return f.blank }

// Close has nothing to let go of.
func (f *Framer) Close() error { return nil }

// Header returns the column names: the dialect's, or those of the first record, which it reads. A
// record must have as many fields. It comes before the first Next.
func (f *Framer) Header() ([]string, error) {
	if err := f.dialect.check(); err != nil {
		return nil, err
	}
	if err := f.start(); err != nil {
		return nil, err
	}
	if err := f.findLineEnd(); err != nil {
		return nil, err
	}
	if f.names = f.dialect.Columns; len(f.names) == 0 {
		record, err := f.next()
		if errors.Is(err, io.EOF) {
			return nil, ErrNoHeader
		}
		if err != nil {
			return nil, err
		}
		if record.Fault != "" {
			return nil, &headerError{record}
		}
		f.names = make([]string, len(record.Fields))
		for i, field := range record.Fields {
			f.names[i] = string(field)
		}
	}
	f.columns = len(f.names)
	return f.names, nil
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

// Keep writes a good record again, in its dialect, with the values of the columns that keep allows.
func (f *Framer) Keep(r Record, keep func(column string) bool) []byte {
	if r.Fault != "" || !slices.ContainsFunc(f.names, func(name string) bool { return !keep(name) }) {
		return r.Raw
	}
	fields := slices.Clone(r.Fields)
	for i, name := range f.names {
		if !keep(name) {
			fields[i] = nil
		}
	}
	return AppendRecord([]byte{}, fields, f.dialect) // which may be empty, and is a record all the same
}

func (f *Framer) next() (Record, error) {
	for {
		if err := f.fill(f.lookAhead() + 2); err != nil {
			return Record{}, err
		}
		if len(f.rest()) == 0 {
			return Record{}, io.EOF
		}
		lineEnd, tooLong, err := f.physicalLine()
		if err != nil {
			return Record{}, err
		}
		if tooLong {
			return f.skipLongLine()
		}
		window := f.rest()
		line := f.trimLineEnd(window[:lineEnd])
		if len(line) == 0 {
			f.advance(lineEnd, 1)
			f.blank++
			continue
		}
		return f.parse(window, line, lineEnd), nil
	}
}

// parse reads the record that begins at window's start. line is its first physical line.
func (f *Framer) parse(window, line []byte, lineEnd int) Record {
	record := Record{Line: f.line + 1, Offset: f.offset(), Raw: line}
	consumed, lines := lineEnd, 1
	fields, fault := f.fields[:0], Fault("")
	if f.dialect.Quote == 0 || bytes.IndexByte(line, f.dialect.Quote) < 0 {
		if f.dialect.Wide == "" {
			fields = split(fields, line, f.dialect.Delimiter)
		} else {
			fields = splitWide(fields, line, f.wide)
		}
		if f.mixedLineEnds(line) {
			fault = FaultLineEnd
		}
	} else {
		limit := len(window)
		if limit > f.lookAhead() {
			limit = max(f.lookAhead(), lineEnd)
		}
		var n int
		fields, n, fault = f.parseQuoted(fields, window[:limit], lineEnd, f.eof && limit == len(window))
		if fault == "" && n > lineEnd { // a quoted field spans lines
			whole := f.trimLineEnd(window[:n])
			if f.columns > 0 && len(fields) != f.columns || len(whole) > f.maxRecord {
				fault = FaultQuote // more likely a stray quote than a record of several lines
			} else {
				consumed, lines, record.Raw = n, f.lines(window[:n]), whole
			}
		}
	}
	f.fields = fields
	switch {
	case fault != "":
	case len(record.Raw) > f.maxRecord:
		fault = FaultTooLarge
	case f.columns > 0 && len(fields) != f.columns:
		fault = FaultColumns
	}
	if broken := f.faultOf(consumed); broken != "" {
		fault = broken // what is not text is said first: it is the cause where bytes are broken
	}
	if record.Fault = fault; fault == "" {
		record.Fields = fields
	}
	f.advance(consumed, lines)
	return record
}

// parseQuoted reads fields up to the first line end outside quotes and returns the bytes consumed. The first
// line ends in front of lineEnd. last says that the window ends where the file does; elsewhere its end ends
// no record.
func (f *Framer) parseQuoted(fields [][]byte, window []byte, lineEnd int, last bool) ([][]byte, int, Fault) {
	quote, delimiter, newline := f.dialect.Quote, f.dialect.Delimiter, f.newline
	f.unquoted = f.unquoted[:0]
	nextQuote := -1
	for i := 0; ; {
		if i < len(window) && window[i] == quote {
			value, next, ok := f.quotedField(window, i+1)
			if !ok {
				return fields, 0, FaultQuote
			}
			fields, i = append(fields, value), next
		} else {
			if i >= lineEnd { // a quoted field has led into another line
				lineEnd = i + lineLength(window[i:], newline)
			}
			if nextQuote < i {
				nextQuote = i + indexOrEnd(window[i:lineEnd], quote)
			}
			start := i
			if len(f.wide) == 0 {
				i += indexOrEnd(window[i:lineEnd], delimiter)
			} else if j := bytes.Index(window[i:lineEnd], f.wide); j >= 0 {
				i += j
			} else {
				i = lineEnd
			}
			value := window[start:i]
			if i == lineEnd {
				value = f.trimLineEnd(value)
				if i > start && window[i-1] == newline {
					i--
				}
			}
			if nextQuote < i && !f.dialect.QuotesInFields {
				return fields, 0, FaultQuote
			}
			if f.mixedLineEnds(value) {
				return fields, 0, FaultLineEnd
			}
			fields = append(fields, value)
		}
		switch {
		case i >= len(window) && !last:
			return fields, 0, FaultQuote
		case i >= len(window):
			return fields, i, ""
		case window[i] == delimiter && len(f.wide) == 0:
			i++
		case len(f.wide) > 0 && bytes.HasPrefix(window[i:], f.wide):
			i += len(f.wide)
		case window[i] == newline:
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
	if f.dialect.Escape != 0 {
		return f.escapedField(window, start)
	}
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

// escapedField is quotedField for a dialect with an escape character.
func (f *Framer) escapedField(window []byte, start int) (value []byte, next int, ok bool) {
	quote, escape := f.dialect.Quote, f.dialect.Escape
	from, copied := len(f.unquoted), start
	for i := start; i < len(window); i++ {
		switch window[i] {
		case escape:
			if i++; i < len(window) && (window[i] == quote || window[i] == escape) {
				f.unquoted = append(f.unquoted, window[copied:i-1]...)
				copied = i
			}
		case quote:
			if copied == start {
				return window[start:i], i + 1, true
			}
			f.unquoted = append(f.unquoted, window[copied:i]...)
			return f.unquoted[from:], i + 1, true
		}
	}
	return nil, 0, false
}

// mixedLineEnds finds a line feed in text outside quotes, which is a line end that the file's beginning
// did not announce.
func (f *Framer) mixedLineEnds(text []byte) bool {
	return f.newline == '\r' && bytes.IndexByte(text, '\n') >= 0
}

// lineLength is that of a text's first line with its line end.
func lineLength(text []byte, newline byte) int {
	return min(indexOrEnd(text, newline)+1, len(text))
}

// indexOrEnd is where in text b stands, or the length of text.
func indexOrEnd(text []byte, b byte) int {
	if i := bytes.IndexByte(text, b); i >= 0 {
		return i
	}
	return len(text)
}

// split appends the fields of a line without quotes. Fields are short, so that a call of bytes.IndexByte for
// each would take longer than to look at eight bytes at a time.
func split(fields [][]byte, line []byte, delimiter byte) [][]byte {
	pattern := uint64(delimiter) * 0x0101_0101_0101_0101
	start, i := 0, 0
	for ; i+8 <= len(line); i += 8 {
		for found := zeroBytes(binary.LittleEndian.Uint64(line[i:]) ^ pattern); found != 0; found &= found - 1 {
			at := i + bits.TrailingZeros64(found)/8
			fields, start = append(fields, line[start:at]), at+1
		}
	}
	for ; i < len(line); i++ {
		if line[i] == delimiter {
			fields, start = append(fields, line[start:i]), i+1
		}
	}
	return append(fields, line[start:])
}

// splitWide is split for a delimiter of several bytes. In UTF-8 no character has another one's bytes within it.
func splitWide(fields [][]byte, line, delimiter []byte) [][]byte {
	for {
		i := bytes.Index(line, delimiter)
		if i < 0 {
			return append(fields, line)
		}
		fields, line = append(fields, line[:i]), line[i+len(delimiter):]
	}
}
