package filecodec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

type got struct {
	Line   int64
	Fault  Fault
	Fields string
}

var comma = Dialect{Delimiter: ',', Quote: '"'}

func frame(t *testing.T, r io.Reader) ([]string, []got, *Framer) {
	t.Helper()
	f := NewFramer(r, comma)
	header, err := f.Header()
	require.NoError(t, err)
	var out []got
	for {
		record, err := f.Next()
		if errors.Is(err, io.EOF) {
			return header, out, f
		}
		require.NoError(t, err)
		out = append(out, got{record.Line, record.Fault, string(bytes.Join(record.Fields, []byte{'|'}))})
	}
}

// EC-15 and the table of faults: each record keeps its physical line, and a fault costs one record.
func TestFramer(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       []got
	}{
		{"plain", "a,b\n1,2\n3,4", []got{{2, "", "1|2"}, {3, "", "3|4"}}},
		{"byte-order mark, CRLF and LF mixed", "\uFEFFa,b\r\n1,2\r\n3,4\n5,6\r\n", []got{{2, "", "1|2"}, {3, "", "3|4"}, {4, "", "5|6"}}},
		{"quotes, doubled quotes, delimiters", "a,b\n\"x,y\",\"he said \"\"hi\"\"\"\n\"\",\"\"\n", []got{{2, "", `x,y|he said "hi"`}, {3, "", "|"}}},
		{"a quoted field over two lines", "a,b\n\"x\ny\",2\n3,4\n", []got{{2, "", "x\ny|2"}, {4, "", "3|4"}}},
		{"too few and too many", "a,b\n1\n1,2,3\n4,5\n", []got{{2, FaultColumns, ""}, {3, FaultColumns, ""}, {4, "", "4|5"}}},
		{"stray opening quote costs its line only", "a,b\n\"1,2\n3,4\n5,6\n", []got{{2, FaultQuote, ""}, {3, "", "3|4"}, {4, "", "5|6"}}},
		{"stray quote before a quoted line", "a,b\n1,\"2\n3,\"4\"\n5,6\n", []got{{2, FaultQuote, ""}, {3, "", "3|4"}, {4, "", "5|6"}}},
		{"text behind a closing quote", "a,b\n\"1\"x,2\n3,4\n", []got{{2, FaultQuote, ""}, {3, "", "3|4"}}},
		{"quote inside an unquoted field", "a,b\n1\"2,3\n4,5\n", []got{{2, FaultQuote, ""}, {3, "", "4|5"}}},
		{"not UTF-8, NUL", "a,b\n\xff,2\n1,\x00\n3,4\n", []got{{2, FaultEncoding, ""}, {3, FaultNUL, ""}, {4, "", "3|4"}}},
		{"blank lines are no records", "a,b\n\n1,2\n\r\n", []got{{3, "", "1|2"}}},
		{"header only", "a,b\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, reader := range []io.Reader{strings.NewReader(c.file), iotest.OneByteReader(strings.NewReader(c.file))} {
				_, records, f := frame(t, reader)
				require.Equal(t, c.want, records)
				require.Equal(t, int64(len(c.want)), f.Records())
			}
		})
	}
}

// A stray quote must not swallow the rest, however long that is (a known way of losing rows).
func TestStrayQuoteInALongFile(t *testing.T) {
	var file bytes.Buffer
	file.WriteString("a,b\n")
	const rows = 200_000
	for i := range rows {
		if i == rows/2 {
			file.WriteString("\"stray,1\n")
			continue
		}
		fmt.Fprintf(&file, "%d,x\n", i)
	}
	_, records, _ := frame(t, &file)
	require.Len(t, records, rows)
	for i, r := range records {
		require.Equal(t, int64(i+2), r.Line)
		require.Equal(t, i == rows/2, r.Fault == FaultQuote)
	}
}

// BI-14: a record above 100 KB is refused and the rest continues, also when it exceeds every buffer.
// A record of several lines is never cut where a window of the reader happens to end: every length
// around the look-ahead either comes whole or is refused.
func TestRecordsOfSeveralLinesAreNeverCut(t *testing.T) {
	const id = "id-0123456789-0123456789"
	for _, window := range []int{64 * 1024, MaxRecord + 2} {
		for length := window - 40; length < window+40; length++ {
			text := "a\n" + strings.Repeat("x", length-len(`"a\n`)-len(`",`))
			for _, end := range []string{"\n", "\r\n", ""} {
				_, records, _ := frame(t, strings.NewReader("a,b\n\""+text+"\","+id+end))
				for _, r := range records {
					if r.Fault == "" {
						require.Equal(t, text+"|"+id, r.Fields)
					}
				}
				require.NotEmpty(t, records)
				if length+len(id) <= MaxRecord {
					require.Equal(t, []got{{2, "", text + "|" + id}}, records)
				}
			}
		}
	}
}

func TestLargeRecords(t *testing.T) {
	for _, size := range []int{MaxRecord + 1, 3 << 20} {
		_, records, _ := frame(t, strings.NewReader("a,b\n1,"+strings.Repeat("x", size)+"\n3,4\n"))
		require.Equal(t, []got{{2, FaultTooLarge, ""}, {3, "", "3|4"}}, records)
	}
	_, records, _ := frame(t, strings.NewReader("a,b\n1,\""+strings.Repeat("x", 80_000)+"\"\n3,4\n"))
	require.Equal(t, Fault(""), records[0].Fault)
}

func TestUnreadableFiles(t *testing.T) {
	for file, want := range map[string]string{"": "the file is empty", "\n\n": "no header line", "\xff\xfea\x00": "UTF-16", "\"a,b\n1,2\n": "header line cannot be read"} {
		_, err := NewFramer(strings.NewReader(file), comma).Header()
		require.ErrorContains(t, err, want)
	}
}

func TestAppendCleanTellsNullFromEmpty(t *testing.T) {
	require.Equal(t, "7\x1f\x1f\x1f\x1fa,\"b\"\x1f x\n", string(AppendClean(nil, 7, "", [][]byte{nil, []byte("a,\"b\""), []byte(" x")})))
	require.Equal(t, "7\x1f\x1ftrue\x1f\x1f\x1a0\x1fa\x1a1b\n", string(AppendClean(nil, 7, "", [][]byte{nil, {}, []byte("a\nb")})))
}
