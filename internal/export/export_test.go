package export

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
)

type memory map[string]*bytes.Buffer

type closing struct{ *bytes.Buffer }

func (closing) Close() error { return nil }

func (m memory) create(name string) (io.WriteCloser, error) {
	m[name] = &bytes.Buffer{}
	return closing{m[name]}, nil
}

// FX-6: files of RowsPerFile rows, named _2, _3, each with the header; quotes are honoured however the
// stream is cut, and a second reader counts the same rows.
func TestSplit(t *testing.T) {
	var rows strings.Builder
	for i := range 10 {
		fmt.Fprintf(&rows, "id%d,\"two\nlines, \"\"quoted\"\"\",x\n", i)
	}
	for _, cut := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, func(r io.Reader) io.Reader { return r }} {
		for _, compression := range []string{"none", "gzip"} {
			m := memory{}
			layout := Layout{Header: "a,b,c\n", RowsPerFile: 4, Compression: compression,
				Name: func(part int) string { return AudienceFile("d", "a", time.Unix(0, 0), part, compression) }}
			files, err := Split(cut(strings.NewReader(rows.String())), layout, m.create, func(int64) {})
			require.NoError(t, err)
			require.Len(t, files, 3)
			var ids []string
			for i, f := range files {
				require.EqualValues(t, []int64{4, 4, 2}[i], f.Rows)
				require.EqualValues(t, m[f.Name].Len(), f.Bytes)
				var r io.Reader = bytes.NewReader(m[f.Name].Bytes())
				if compression == "gzip" {
					r, err = gzip.NewReader(r)
					require.NoError(t, err)
				}
				records, err := csv.NewReader(r).ReadAll()
				require.NoError(t, err)
				require.Equal(t, []string{"a", "b", "c"}, records[0])
				for _, record := range records[1:] {
					require.Equal(t, "two\nlines, \"quoted\"", record[1])
					ids = append(ids, record[0])
				}
			}
			require.Equal(t, "[id0 id1 id2 id3 id4 id5 id6 id7 id8 id9]", fmt.Sprint(ids))
		}
	}
}

// An audience without members is a file with a header; exactly one file's worth makes no empty second.
func TestSplitAtTheEdges(t *testing.T) {
	for rows, want := range map[string]int{"": 1, "a\nb\n": 1, "a\nb\nc\n": 2} {
		files, err := Split(strings.NewReader(rows), Layout{Header: "h\n", RowsPerFile: 2, Name: func(p int) string { return fmt.Sprint(p) }}, memory{}.create, func(int64) {})
		require.NoError(t, err)
		require.Len(t, files, want, "%q", rows)
	}
	_, err := Split(strings.NewReader("a\nb"), Layout{Header: "h\n", RowsPerFile: 2, Name: func(p int) string { return fmt.Sprint(p) }}, memory{}.create, func(int64) {})
	require.ErrorContains(t, err, "middle")
}

// FX-1, DE-21, FX-14.
func TestNames(t *testing.T) {
	at := time.Date(2023, 3, 30, 15, 38, 57, 0, time.UTC)
	require.Equal(t, "media_segmentsailors_20230330153857.csv.gz", AudienceFile("media", "sailors", at, 1, "gzip"))
	require.Equal(t, "media_segmentsailors_20230330153857_2.csv", AudienceFile("media", "sailors", at, 2, "none"))
	require.Equal(t, "Luma_LiveRamp_5213_20230330_153857.csv", LiveRampFile("Luma", "LiveRamp", "5213", at, 1))
	require.Equal(t, "manifest-media-dlv_1.json", ManifestFile("media", "dlv_1"))
	require.Equal(t, "a|\"b|c\"\n", Header([]string{"a", "b|c"}, "|"))
	data, err := NewManifest("dlv_1", at, "/out", []File{{Name: "f", Rows: 1, Bytes: 2, SHA256: "aa"}}).JSON()
	require.NoError(t, err)
	require.Contains(t, string(data), `"scheduledTime": "2023-03-30T15:38:57Z"`)
	require.NotContains(t, string(data), "attribution")
	require.NotContains(t, string(data), "derivedFrom")
	m := NewManifest("dlv_1", at, "/out", nil)
	m.Attribution = []string{"Data by Acme"}
	data, err = m.JSON()
	require.NoError(t, err)
	require.Contains(t, string(data), `"attribution": [
    "Data by Acme"
  ]`)
}
