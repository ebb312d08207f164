package filecodec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// readAll returns what a reader makes of a file, fields joined by |, and how it ended.
func readAll(t testing.TB, data []byte, f Format) (columns []string, records []got, err error) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(data), f)
	if err != nil {
		return nil, nil, err
	}
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			require.Equal(t, int64(len(records)), r.Records())
			require.NoError(t, r.Close())
			return r.Columns(), records, nil
		}
		if err != nil {
			return r.Columns(), records, err
		}
		fields := make([]string, len(record.Fields))
		for i, field := range record.Fields {
			if fields[i] = string(field); field == nil {
				fields[i] = "∅"
			}
		}
		records = append(records, got{record.Line, record.Fault, strings.Join(fields, "|")})
	}
}

func delimited(d Dialect) Format { return Format{Records: Delimited, Encoding: UTF8, Dialect: d} }

// SR-11, EC-15: any single character separates, and records are as the source says they are written.
func TestDialects(t *testing.T) {
	backslash := Dialect{Delimiter: ',', Quote: '"', Escape: '\\'}
	for _, c := range []struct {
		name, file string
		dialect    Dialect
		want       []got
	}{
		{"tab", "a\tb\n1\t\"x\ty\"\n", Dialect{Delimiter: '\t', Quote: '"'}, []got{{2, "", "1|x\ty"}}},
		{"control character", "a\x01b\n1\x012,3\n", Dialect{Delimiter: 1, Quote: '"'}, []got{{2, "", "1|2,3"}}},
		{"other quote", "a;b\n'it''s';\"2\"\n", Dialect{Delimiter: ';', Quote: '\''}, []got{{2, "", `it's|"2"`}}},
		{"no quotes at all", "a|b\n\"1|2\"\n1|2|3\n", Dialect{Delimiter: '|'}, []got{{2, "", `"1|2"`}, {3, FaultColumns, ""}}},
		{"escaped quote and escape", `a,b` + "\n" + `"he said \"hi\", twice","C:\\"` + "\n", backslash, []got{{2, "", `he said "hi", twice|C:\`}}},
		{"escape in front of others, and outside quotes", `a,b` + "\n" + `"C:\new",\"` + "\n" + `"C:\new",x\y` + "\n", backslash, []got{{2, FaultQuote, ""}, {3, "", `C:\new|x\y`}}},
		{"escape and a field of two lines", "a,b\n\"x\\\"\ny\",2\n3,4\n", backslash, []got{{2, "", "x\"\ny|2"}, {4, "", "3|4"}}},
		{"quotes are not doubled where they are escaped", "a,b\n\"x\"\"y\",2\n3,4\n", backslash, []got{{2, FaultQuote, ""}, {3, "", "3|4"}}},
		{"escaped closing quote costs its line only", "a,b\n\"x\\\",2\n3,4\n", backslash, []got{{2, FaultQuote, ""}, {3, "", "3|4"}}},
		{"escape same as quote means doubled", "a,b\n\"x\"\"y\",2\n", Dialect{Delimiter: ',', Quote: '"', Escape: '"'}, []got{{2, "", `x"y|2`}}},
		{"no header line", "\uFEFF1,2\n3\n4,5,6\n7,8", Dialect{Delimiter: ',', Quote: '"', Columns: []string{"a", "b"}},
			[]got{{1, "", "1|2"}, {2, FaultColumns, ""}, {3, FaultColumns, ""}, {4, "", "7|8"}}},
		{"quotes in fields are kept", "a,b\n12\" pipe,x\"\n\"1\"x,2\n\"\"\"\",\"x\"\n \"y\",\n", Dialect{Delimiter: ',', Quote: '"', QuotesInFields: true},
			[]got{{2, "", `12" pipe|x"`}, {3, FaultQuote, ""}, {4, "", `"|x`}, {5, "", ` "y"|`}}},
		{"quotes in fields are kept and swallow nothing", "a,b\n\"1,2\n3\",4\n5,\"6\n7,8\n", Dialect{Delimiter: ',', Quote: '"', QuotesInFields: true},
			[]got{{2, "", "1,2\n3|4"}, {4, FaultQuote, ""}, {5, "", "7|8"}}},
		{"beyond ASCII", "a§b\nç§\xc3\xa7\n\"1§\"\"\"§2\n§\n1§2§3\n\"x\n§\"§3\n\"1\"ç2\n4§\"5\"", Dialect{Quote: '"'}.Delimited("§"),
			[]got{{2, "", "ç|ç"}, {3, "", `1§"|2`}, {4, "", "|"}, {5, FaultColumns, ""}, {6, "", "x\n§|3"}, {8, FaultQuote, ""}, {9, "", "4|5"}}},
		{"beyond ASCII, no quotes", "a€b\n\"1€2\"\n", Dialect{}.Delimited("€"), []got{{2, "", `"1|2"`}}},
		{"carriage returns end lines", "a,b\r1,2\r\r\"x\ry\",3\r4,5", comma, []got{{2, "", "1|2"}, {4, "", "x\ry|3"}, {6, "", "4|5"}}},
		{"a stray quote among carriage returns", "a,b\r\"1,2\r3,4\r", comma, []got{{2, FaultQuote, ""}, {3, "", "3|4"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			columns, records, err := readAll(t, []byte(c.file), delimited(c.dialect))
			require.NoError(t, err)
			require.Equal(t, []string{"a", "b"}, columns)
			require.Equal(t, c.want, records)
		})
	}
}

// EC-15: a carriage return ends lines only when the beginning of a file says so, and then it does so
// to the end.
func TestCarriageReturnsAreNotGuessed(t *testing.T) {
	_, records, err := readAll(t, []byte("a,b\n1,x\ry\n"), delimited(comma))
	require.NoError(t, err)
	require.Equal(t, []got{{2, "", "1|x\ry"}}, records)

	long := "a,b\r" + strings.Repeat("1,2\r", bufferSize/4)
	_, records, err = readAll(t, []byte(long+"3,4\r\n5,6\r\"\n\",7\r\"\n\",8\n\r9,0\r"), delimited(comma))
	require.NoError(t, err)
	require.Equal(t, []got{
		{bufferSize/4 + 2, "", "3|4"}, {bufferSize/4 + 3, FaultLineEnd, ""}, {bufferSize/4 + 4, "", "\n|7"},
		{bufferSize/4 + 5, FaultLineEnd, ""}, {bufferSize/4 + 6, "", "9|0"}}, records[bufferSize/4:])
}

// EC-15: each record knows where in the text it begins, as it knows its line.
func TestOffsets(t *testing.T) {
	long := strings.Repeat("x", 2*bufferSize)
	for _, c := range []struct {
		name, file string
		format     Format
		want       []int64
	}{
		{"line feeds", "a,b\n1,2\n\n3,4", delimited(comma), []int64{4, 9}},
		{"byte-order mark and mixed line ends", "\uFEFFa,b\r\n1,2\n\"x\r\ny\",2\r\n3,4\r\n", delimited(comma), []int64{8, 12, 22}},
		{"carriage returns", "a,b\r1,2\r\r3,4", delimited(comma), []int64{4, 9}},
		{"no header line", "\uFEFF1,2\n\"3,4\n5,6", delimited(Dialect{Delimiter: ',', Quote: '"', Columns: []string{"a", "b"}}), []int64{3, 7, 12}},
		{"behind a line larger than any buffer", "a,b\n" + long + "\n1,é\n1,2\n", delimited(comma), []int64{4, int64(len(long)) + 5, int64(len(long)) + 10}},
		{"another encoding: in the text that it is decoded to", string(utf16Text(binary.LittleEndian, "\uFEFFa,b\né,2\n3,4\n")), Format{Records: Delimited, Encoding: UTF16, Dialect: comma}, []int64{4, 9}},
		{"JSON lines", "\uFEFF{}\r\n\n" + `{"a":"` + long + "\"}\n [1]\n{}", asLines("a"), []int64{3, 8, int64(len(long)) + 17, int64(len(long)) + 22}},
		{"JSON list", "\uFEFF [\n{} ,{\n},\"" + long + "\" , {}]", asList("a"), []int64{6, 10, 14, int64(len(long)) + 19}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := NewReader(strings.NewReader(c.file), c.format)
			require.NoError(t, err)
			var offsets []int64
			for {
				record, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				require.NoError(t, err)
				offsets = append(offsets, record.Offset)
			}
			require.Equal(t, c.want, offsets)
		})
	}
}

func TestDialectsThatCannotBeRead(t *testing.T) {
	for want, d := range map[string]Dialect{
		"'\\x00' cannot be the delimiter":       {Quote: '"'},
		"'\\n' cannot be the delimiter":         {Delimiter: '\n', Quote: '"'},
		"'\\u00a7' cannot be the delimiter":     {Delimiter: 0xA7, Quote: '"'},
		"\"§§\" cannot be the delimiter":        {Wide: "§§", Quote: '"'},
		"\"\\xa7\" cannot be the delimiter":     {Wide: "\xA7", Quote: '"'},
		"\"§\" cannot be the delimiter":         {Wide: "§", Delimiter: ','},
		"'\\r' cannot be the quote":             {Delimiter: ',', Quote: '\r'},
		"delimiter and quote must be two":       {Delimiter: '"', Quote: '"'},
		"delimiter and escape must be two":      {Delimiter: ',', Quote: '"', Escape: ','},
		"nothing to escape in fields that are ": {Delimiter: ',', Escape: '\\'},
	} {
		_, err := NewReader(strings.NewReader("a,b\n"), delimited(d))
		require.ErrorContains(t, err, want)
	}
}

// What is kept of a record reads as the record did, without the values that must go.
func TestKeepDelimited(t *testing.T) {
	for _, c := range []struct {
		name, file, want string
		dialect          Dialect
	}{
		{"doubled", "a,b,c\n1,\"x\"\"y\",\"2,3\"\n", `,"x""y","2,3"`, comma},
		{"escaped", "a,b,c\n1,\"x\\\"\\\\y\",\\\n", `,"x\"\\y",\`, Dialect{Delimiter: ',', Quote: '"', Escape: '\\'}},
		{"not quoted", "a\tb\tc\n1\t\"x\t2\n", "\t\"x\t2", Dialect{Delimiter: '\t'}},
		{"beyond ASCII", "a§b§c\n1§\"x§y\"§2\n", "§\"x§y\"§2", Dialect{Quote: '"'}.Delimited("§")},
		{"faulty", "a,b,c\n1,2\n", "1,2", comma},
		{"one column", "a\n1\n", `""`, comma}, // not a blank line
		{"one column, not quoted", "a\n1\n", "", Dialect{Delimiter: ','}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := NewReader(strings.NewReader(c.file), delimited(c.dialect))
			require.NoError(t, err)
			record, err := r.Next()
			require.NoError(t, err)
			raw, fields := string(record.Raw), slices.Clone(record.Fields)
			require.Equal(t, raw, string(r.Keep(record, func(string) bool { return true })))
			kept := r.Keep(record, func(column string) bool { return column != "a" })
			require.Equal(t, c.want, string(kept))
			require.NotNil(t, kept, "there is a record")
			require.Equal(t, fields, record.Fields)
		})
	}
}

func utf16Text(order binary.AppendByteOrder, text string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return out
}

// EC-15: files in other encodings, with and without a byte-order mark. A broken character costs its
// record only and is never replaced by another one.
func TestEncodings(t *testing.T) {
	text := "näme,b\r\n€,\U0001F600\r\n\"x\n\",\uFEFF\r\n"
	want := []got{{2, "", "€|\U0001F600"}, {3, "", "x\n|\uFEFF"}}
	half := utf16Text(binary.LittleEndian, "a,b\n1,2\n3,?\n?,4\n5,6\n7,8?")
	binary.LittleEndian.PutUint16(half[2*10:], 0xD83D)
	binary.LittleEndian.PutUint16(half[2*12:], 0xDE00)
	binary.LittleEndian.PutUint16(half[2*23:], 0xD83D)
	for _, c := range []struct {
		name, encoding string
		file           []byte
		want           []got
	}{
		{"UTF-16 little endian", UTF16, utf16Text(binary.LittleEndian, "\uFEFF"+text), want},
		{"UTF-16 big endian", UTF16, utf16Text(binary.BigEndian, "\uFEFF"+text), want},
		{"UTF-16 without a mark", UTF16, utf16Text(binary.LittleEndian, text), want},
		{"halves of pairs", UTF16, half, []got{{2, "", "1|2"}, {3, FaultEncoding, ""}, {4, FaultEncoding, ""}, {5, "", "5|6"}, {6, FaultEncoding, ""}}},
		{"Latin-1", Latin1, []byte("n\xe4me,b\n\xa0,\xff\n1,\x80\n2,\xc3\x83\n"), []got{{2, "", "\u00a0|ÿ"}, {3, FaultEncoding, ""}, {4, FaultEncoding, ""}}},
		{"Windows-1252", Windows1252, []byte("n\xe4me,b\n\xa0,\xff\n1,\x80\n2,\x93\xfc\x94\n3,\x81\n4,\x9f\n"), []got{{2, "", "\u00a0|ÿ"}, {3, "", "1|€"}, {4, "", "2|“ü”"}, {5, FaultEncoding, ""}, {6, "", "4|Ÿ"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			columns, records, err := readAll(t, c.file, Format{Records: Delimited, Encoding: c.encoding, Dialect: comma})
			require.NoError(t, err)
			require.Equal(t, "b", columns[1])
			require.Equal(t, c.want, records)
			text, err := decode(iotest.OneByteReader(bytes.NewReader(c.file)), c.encoding)
			require.NoError(t, err)
			slow, err := io.ReadAll(text)
			require.NoError(t, err)
			text, err = decode(bytes.NewReader(c.file), c.encoding)
			require.NoError(t, err)
			fast, err := io.ReadAll(text)
			require.NoError(t, err)
			require.Equal(t, fast, slow)
		})
	}
}

// A file that is not in the encoding that it should be in, or lacks bytes, is refused: line ends that
// are no longer seen would make one faulty record of many.
func TestWrongEncodings(t *testing.T) {
	whole := utf16Text(binary.LittleEndian, "a,b\n1,2\n3,4\n5,6\n")
	for _, c := range []struct {
		encoding, want string
		file           []byte
	}{
		{UTF8, "the file is UTF-16", utf16Text(binary.BigEndian, "\uFEFFa,b\n")},
		{UTF16, "the file is UTF-8", []byte("\uFEFFa,b\n")},
		{Latin1, "the file is UTF-8", []byte("\uFEFFa,b\n")},
		{Latin1, "the header line cannot be read: control characters of Latin-1, bytes 0x80 to 0x9F: is it windows-1252?", []byte("a,\x80\n")},
		{Windows1252, "the header line cannot be read: not Windows-1252", []byte("a,\x81\n")},
		{UTF8, "the header line cannot be read: not UTF-8", []byte("a,\x81\n")},
		{Windows1252, "the file is UTF-8", []byte("\uFEFFa,b\n")},
		{Latin1, "the file is UTF-16", utf16Text(binary.LittleEndian, "\uFEFFa,b\n")},
		{"ebcdic", "unknown encoding", []byte("a,b\n")},
		{UTF16, "the file is empty", nil},
		{UTF16, "bytes swapped", utf16Text(binary.BigEndian, "a,b\n1,2\n")},
		{UTF16, "bytes swapped", slices.Concat(whole[:10], whole[11:])},
		{UTF16, "ends within a UTF-16 character", whole[:len(whole)-1]},
	} {
		_, _, err := readAll(t, c.file, Format{Records: Delimited, Encoding: c.encoding, Dialect: comma})
		require.ErrorContains(t, err, c.want)
	}
}
