package filecodec

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// A small window and small records bring every end of a buffer into files that a fuzzer writes.
const (
	smallBuffer = 160
	smallRecord = 50
	roomyBuffer = 1 << 14
	roomyRecord = 1 << 13
)

// taken is a record that lasts.
type taken struct {
	Line, Offset int64
	Fault        Fault
	Raw          string
	Fields       []string // ∅ for null
	Extra        []string
}

// fuzzed is what a reader made of a file.
type fuzzed struct {
	Records []taken
	Err     string
	Begin   int64 // where the first record may begin
}

func readWindow(w window, f Format) (out fuzzed) {
	r, err := newReader(w, f)
	if err != nil {
		return fuzzed{Err: err.Error()}
	}
	if framer, ok := r.(*Framer); ok {
		out.Begin = framer.offset()
	}
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return out
		}
		if err != nil {
			out.Err = err.Error()
			return out
		}
		one := taken{Line: record.Line, Offset: record.Offset, Fault: record.Fault, Raw: string(record.Raw), Extra: append([]string(nil), record.Extra...)}
		for _, field := range record.Fields {
			if field == nil {
				one.Fields = append(one.Fields, "∅")
			} else {
				one.Fields = append(one.Fields, string(field))
			}
		}
		out.Records = append(out.Records, one)
	}
}

// readHowever reads data as streams may deliver it and requires that it makes no difference.
func readHowever(t *testing.T, data []byte, size, maxRecord int, f Format) fuzzed {
	t.Helper()
	whole := readWindow(newWindowOf(bytes.NewReader(data), size, maxRecord), f)
	for name, r := range map[string]io.Reader{
		"byte by byte":           iotest.OneByteReader(bytes.NewReader(data)),
		"by halves":              iotest.HalfReader(bytes.NewReader(data)),
		"the end with last byte": iotest.DataErrReader(bytes.NewReader(data)),
	} {
		require.Equal(t, whole, readWindow(newWindowOf(r, size, maxRecord), f), name)
	}
	return whole
}

// requireOnce holds that every byte is in exactly one record, in a line end or in a blank line, and that
// offsets and line numbers are the records'.
func requireOnce(t *testing.T, data []byte, read fuzzed, newline byte, maxRecord int, blank func(text []byte) bool) {
	t.Helper()
	at := read.Begin
	for _, r := range read.Records {
		require.True(t, blank(data[at:r.Offset]), "bytes are in no record: %q", data[at:r.Offset])
		require.True(t, r.Offset == read.Begin || data[r.Offset-1] == newline, "a record begins within a line")
		require.Equal(t, int64(1+bytes.Count(data[:r.Offset], []byte{newline})), r.Line)
		at = r.Offset + int64(len(r.Raw))
		require.Equal(t, string(data[r.Offset:at]), r.Raw)
		if r.Fault == FaultTooLarge && len(r.Raw) == maxRecord { // its beginning
			at += int64(lineLength(data[at:], newline))
		}
	}
	require.True(t, blank(data[at:]), "bytes are in no record: %q", data[at:])
}

func dialectOf(choice uint8) Dialect {
	d := Dialect{Delimiter: []byte{',', '\t', '|', 1}[choice%4], Quote: []byte{'"', '"', '\'', 0}[choice/4%4]}
	if choice&16 != 0 && d.Quote != 0 {
		d.Escape = '\\'
	}
	if choice&32 != 0 {
		d.Columns = []string{"a", "b"}
	}
	d.QuotesInFields = choice&64 != 0
	return d
}

// FuzzDelimited holds every dialect to a reader that is as plain as can be, and to the truth that all bytes
// are in some record, however the stream comes and wherever windows end.
func FuzzDelimited(f *testing.F) {
	for choice := range uint8(128) {
		f.Add([]byte("a,b\n1,2\n\"x\ny\",\"3\\\"\"\n\"stray\r\n\r\n'4\t5|6\x017\n\"x\"\"y\",z\"z\n"), choice)
		f.Add([]byte("a,b\r1,2\r\"x\ry\",3\r\xff,\x00\r"), choice)
	}
	f.Add([]byte("\uFEFFa,b\n"+strings.Repeat("é,", smallRecord)+"\n1,\""+strings.Repeat("x", smallRecord-4)+"\"\n\"1\n"+strings.Repeat("y", smallRecord)+"\",2\n"+strings.Repeat("z", 2*smallBuffer)+"\n1,2"), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, choice uint8) {
		format := delimited(dialectOf(choice))
		for size, maxRecord := range map[int]int{smallBuffer: smallRecord, roomyBuffer: roomyRecord} {
			if len(data) > roomyRecord {
				return
			}
			read := readHowever(t, data, size, maxRecord, format)
			framer := newFramer(newWindowOf(bytes.NewReader(data), size, maxRecord), format.Dialect)
			if _, err := framer.Header(); err != nil {
				continue
			}
			requireOnce(t, data, read, framer.newline, maxRecord, func(text []byte) bool { return len(skipLineEnds(text, framer.newline)) == 0 })
			for _, r := range read.Records {
				requirePlain(t, data[r.Offset:], r, framer)
			}
		}
	})
}

// requirePlain holds a record against what the plain reader finds where it begins.
func requirePlain(t *testing.T, text []byte, r taken, f *Framer) {
	t.Helper()
	line := f.trimLineEnd(text[:lineLength(text, f.newline)])
	fields, raw, fault := readPlainly(text, f.dialect, f.newline)
	severalLines := fault == "" && len(raw) > len(line)
	if severalLines && (len(fields) != f.columns || len(raw) > f.maxRecord) {
		fault, raw = FaultQuote, line
	} else if !severalLines {
		raw = line
	}
	switch {
	case bytes.IndexByte(raw, 0) >= 0:
		fault = FaultNUL
	case !utf8.Valid(raw):
		fault = FaultEncoding
	case fault != "":
	case len(raw) > f.maxRecord:
		fault = FaultTooLarge
	case len(fields) != f.columns:
		fault = FaultColumns
	}
	if len(line) > f.maxRecord {
		require.NotEmpty(t, r.Fault)
		require.NotEmpty(t, fault)
		return
	}
	if fault == FaultLineEnd && len(text) > f.lookAhead() && r.Fault == FaultQuote {
		fault = FaultQuote // the framer does not look as far as the line feed
	}
	require.Equal(t, fault, r.Fault)
	if fault != "" {
		require.Nil(t, r.Fields)
		return
	}
	require.Equal(t, fields, r.Fields)
	requireKept(t, f, fields, r)
	requireClean(t, r.Line, "", fieldsOf(fields))
}

func fieldsOf(fields []string) [][]byte {
	out := make([][]byte, len(fields))
	for i, field := range fields {
		out[i] = []byte(field)
	}
	return out
}

// readPlainly reads one record, byte by byte, as the dialect's description has it.
func readPlainly(text []byte, d Dialect, newline byte) (fields []string, raw []byte, fault Fault) {
	if d.Escape == d.Quote {
		d.Escape = 0
	}
	lineEndAt := func(i int) int {
		switch rest := text[i:]; {
		case len(rest) == 0:
			return 0
		case rest[0] == newline:
			return 1
		case newline == '\n' && (bytes.HasPrefix(rest, []byte("\r\n")) || string(rest) == "\r"):
			return len("\r\n")
		}
		return -1
	}
	for i := 0; ; i++ {
		var value []byte
		if i < len(text) && d.Quote != 0 && text[i] == d.Quote {
			for i++; ; i++ {
				if i >= len(text) {
					return nil, nil, FaultQuote
				}
				next := byte(0)
				if i+1 < len(text) {
					next = text[i+1]
				}
				if d.Escape != 0 && text[i] == d.Escape && (next == d.Quote || next == d.Escape) || d.Escape == 0 && text[i] == d.Quote && next == d.Quote {
					i++
				} else if text[i] == d.Quote {
					break
				}
				value = append(value, text[i])
			}
			i++
		} else {
			for lineEndAt(i) < 0 && text[i] != d.Delimiter {
				if d.Quote != 0 && text[i] == d.Quote && !d.QuotesInFields {
					return nil, nil, FaultQuote
				}
				value = append(value, text[i])
				i++
			}
			if newline == '\r' && bytes.IndexByte(value, '\n') >= 0 {
				return nil, nil, FaultLineEnd
			}
		}
		fields = append(fields, string(value))
		if lineEndAt(i) >= 0 {
			return fields, text[:i], ""
		}
		if text[i] != d.Delimiter {
			return nil, nil, FaultQuote
		}
	}
}

// requireKept reads again what is kept of a record without its first column.
func requireKept(t *testing.T, framer *Framer, fields []string, r taken) {
	t.Helper()
	want := slices.Clone(fields)
	for i, name := range framer.names {
		if name == framer.names[0] {
			want[i] = ""
		}
	}
	given := Record{Raw: []byte(r.Raw), Fields: fieldsOf(fields)}
	kept := framer.Keep(given, func(column string) bool { return column != framer.names[0] })
	require.Equal(t, r.Raw, string(framer.Keep(given, func(string) bool { return true })))
	if len(kept) == 0 {
		return // of a single column
	}
	kept = append(bytes.Clone(kept), map[byte]string{'\n': "\r\n", '\r': "\r"}[framer.newline]...)
	again, _, fault := readPlainly(kept, framer.dialect, framer.newline)
	require.Empty(t, fault)
	require.Equal(t, want, again)
}

func skipLineEnds(rest []byte, newline byte) []byte {
	if newline == '\r' {
		return bytes.TrimLeft(rest, "\r")
	}
	for {
		trimmed := bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte{'\r', '\n'}), []byte{'\n'})
		if bytes.Equal(trimmed, []byte{'\r'}) { // at the end of a file
			trimmed = nil
		}
		if len(trimmed) == len(rest) {
			return rest
		}
		rest = trimmed
	}
}

// FuzzWellFormed compares the framer with the standard library's reader on what that one wrote.
func FuzzWellFormed(f *testing.F) {
	f.Add("x", "he said \"hi\"", "two\nlines", uint8(3), false)
	f.Add(" ", "", "\u00e9", uint8(1), true)
	f.Fuzz(func(t *testing.T, a, b, c string, rows uint8, crlf bool) {
		var file bytes.Buffer
		w := csv.NewWriter(&file)
		w.UseCRLF = crlf
		require.NoError(t, w.Write([]string{"a", "b", "c"}))
		for i := range rows {
			require.NoError(t, w.Write([]string{fmt.Sprint(i), a, b + c}))
		}
		w.Flush()
		records := readHowever(t, file.Bytes(), roomyBuffer, roomyRecord, delimited(comma)).Records
		if len(a+b+c) > roomyRecord/3 {
			return
		}
		isText := utf8.Valid(file.Bytes()) && !bytes.Contains(file.Bytes(), []byte{0})
		require.Len(t, records, int(rows))
		reader := csv.NewReader(&file)
		_, err := reader.Read()
		require.NoError(t, err)
		for _, r := range records {
			want, err := reader.Read()
			require.NoError(t, err)
			if !isText {
				require.NotEmpty(t, r.Fault)
				continue
			}
			require.Empty(t, r.Fault)
			if !strings.Contains(a+b+c, "\r") { // which the standard library drops
				require.Equal(t, strings.Join(want, "|"), strings.ReplaceAll(strings.Join(r.Fields, "|"), "\r\n", "\n"))
			}
		}
	})
}

// FuzzClean reads clean records back: no value ends its field or its record, and null is not the empty text.
func FuzzClean(f *testing.F) {
	f.Add(int64(7), "required a.b", "x\x1d\x1e\x1d\x1da,b\x1d \x1d\"\x1d\r\n")
	f.Add(int64(2), "", "plain\x1dplain\x1d\x1e")
	f.Add(int64(1), "a\nb", strings.Repeat("é,\"", 30))
	f.Add(int64(3), "", "\x1a1\x1d\x1d\x1a\x1dx\x1a0\n\x1f1")
	f.Fuzz(func(t *testing.T, line int64, reasons, text string) {
		fields := fieldsOf(strings.Split(text, "\x1d"))
		for i, field := range fields {
			if string(field) == "\x1e" {
				fields[i] = nil
			}
		}
		requireClean(t, line, reasons, fields)
	})
}

// requireClean writes a clean record and reads it with a strict reader, twice over.
func requireClean(t *testing.T, line int64, reasons string, fields [][]byte) {
	t.Helper()
	text := string(AppendClean(AppendClean(nil, line, reasons, fields), line, reasons, fields))
	lines := strings.SplitAfter(text, "\n")
	require.Len(t, lines, 3, "each record is one line")
	require.Empty(t, lines[2])
	for _, record := range lines[:2] {
		require.NotContains(t, record, "\r")
		got := strings.Split(strings.TrimSuffix(record, "\n"), "\x1f")
		require.Len(t, got, 3+len(fields))
		require.Equal(t, strconv.FormatInt(line, 10), got[0])
		escaped := got[2] == "true"
		require.Equal(t, reasons, string(unescaped(t, got[1], escaped)))
		for i, field := range fields {
			require.Equal(t, field, unescaped(t, got[3+i], escaped))
		}
	}
}

// unescaped reads a field of the clean dialect, by character: the store replaces one escape after the other.
func unescaped(t *testing.T, text string, escaped bool) []byte {
	t.Helper()
	if text == "" {
		return nil
	}
	if !escaped {
		require.NotContains(t, text, "\x1a")
		return []byte(text)
	}
	out := []byte{}
	for i := 0; i < len(text); i++ {
		if text[i] != 0x1a {
			out = append(out, text[i])
			continue
		}
		i++
		out = append(out, map[byte]string{'0': "", '1': "\n", '2': "\r", '3': "\x1f", '4': "\x1a"}[text[i]]...)
	}
	return out
}
