package filecodec

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Kept records are read as they were in their file, each alone, whatever stands in the one before.
func TestReplay(t *testing.T) {
	const text = "id,note\n1,plain\n2,\"a, \"\"b\"\"\nc\"\n3\n\"4,stray\n5,\"x\"y\n6,\n7,\x00\n8,ok\n"
	format := Format{Records: Delimited, Encoding: UTF8, Dialect: Dialect{Delimiter: ',', Quote: '"'}}
	file, err := NewReader(strings.NewReader(text), format)
	require.NoError(t, err)
	var kept bytes.Buffer
	encoder := json.NewEncoder(&kept)
	type read struct {
		line   int64
		fields []string
		fault  Fault
	}
	var want []read
	collect := func(r Record) read {
		out := read{line: r.Line, fault: r.Fault}
		for _, field := range r.Fields {
			out.fields = append(out.fields, string(field))
		}
		return out
	}
	for {
		record, err := file.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		want = append(want, collect(record))
		require.NoError(t, encoder.Encode(Kept{Line: record.Line, Raw: file.Keep(record, func(string) bool { return true })}))
	}
	require.Len(t, want, 8)
	long := strings.Repeat("x", MaxRecord+1)
	for n, raw := range []string{"", "9,a\n10,b", "11," + long, "\n", "12,é"} {
		require.NoError(t, encoder.Encode(Kept{Line: int64(100 + n), Raw: []byte(raw)}))
	}
	want = append(want, read{line: 100, fault: FaultColumns}, read{line: 101, fault: FaultQuote}, read{line: 102, fault: FaultTooLarge}, read{line: 103, fault: FaultColumns},
		read{line: 104, fields: []string{"12", "é"}})
	replay, err := NewReplay(&kept, format, []string{"id", "note"})
	require.NoError(t, err)
	for _, each := range want {
		record, err := replay.Next()
		require.NoError(t, err)
		require.Equal(t, each, collect(record))
	}
	_, err = replay.Next()
	require.Equal(t, io.EOF, err)
	require.EqualValues(t, len(want), replay.Records())
}

// Records of JSON files name their own fields; a file that ends within a record is not whole.
func TestReplayOfJSON(t *testing.T) {
	replay, err := NewReplay(strings.NewReader(`{"line":7,"raw":"eyJhIjoxfQ=="}`+"\n"+`{"line":9,"raw":"W10="}`+"\n"+`{"line":`), Format{Records: Parquet, Wanted: []string{"a"}}, nil)
	require.NoError(t, err)
	record, err := replay.Next()
	require.NoError(t, err)
	require.Equal(t, int64(7), record.Line)
	require.Equal(t, "1", string(record.Fields[0]))
	record, err = replay.Next()
	require.NoError(t, err)
	require.Equal(t, FaultSyntax, record.Fault)
	_, err = replay.Next()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
