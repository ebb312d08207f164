package parquetfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	others "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

// withFooter writes data again with a footer that was changed.
func withFooter(t testing.TB, data []byte, change func(*metadata.FileMetaData)) []byte {
	t.Helper()
	f, err := file.NewParquetReader(bytes.NewReader(data))
	require.NoError(t, err)
	change(f.MetaData())
	end := len(data) - 8 - int(binary.LittleEndian.Uint32(data[len(data)-8:]))
	out := bytes.NewBuffer(slices.Clone(data[:end]))
	n, err := f.MetaData().WriteTo(out, nil)
	require.NoError(t, err)
	out.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
	out.Write(magic)
	return out.Bytes()
}

// A footer is not believed: what it says must fit the file and itself.
func TestLyingFooters(t *testing.T) {
	data := writePeople(t, 3000, 2, parquet.WithDataPageSize(4096), parquet.WithBatchSize(100))
	_, lines, err := readFile(t, withFooter(t, data, func(*metadata.FileMetaData) {}), peopleColumns...)
	require.NoError(t, err)
	require.Len(t, lines, 6000)

	long, other := int64(1)<<40, "elsewhere.parquet"
	for want, change := range map[string]func(*metadata.FileMetaData){
		"announces 6001 rows, its row groups have 6000": func(m *metadata.FileMetaData) { m.NumRows++ },
		"announces 0 rows, its row groups have 6000":    func(m *metadata.FileMetaData) { m.NumRows = 0 },
		"announces -1 rows; 4294967296 is the limit":    func(m *metadata.FileMetaData) { m.NumRows = -1 },
		"announces 1099511627776 rows; 4294967296":      func(m *metadata.FileMetaData) { m.NumRows = long },
		"announces -3000 rows in row group 1":           func(m *metadata.FileMetaData) { m.RowGroups[0].NumRows = -3000 },
		"row group 2 has 6 columns; the schema has 7":   func(m *metadata.FileMetaData) { m.RowGroups[1].Columns = m.RowGroups[1].Columns[1:] },
		`"id": it has 3000 values for 2999 rows`:        func(m *metadata.FileMetaData) { m.NumRows--; m.RowGroups[0].NumRows-- },
		`"score": it has 2999 values for 3000 rows`:     func(m *metadata.FileMetaData) { m.RowGroups[1].Columns[2].MetaData.NumValues-- },
		`"id": its pages have 3000 values of 2999`: func(m *metadata.FileMetaData) {
			m.NumRows--
			m.RowGroups[0].NumRows--
			for _, c := range m.RowGroups[0].Columns {
				c.MetaData.NumValues--
			}
		},
		`"id": the footer places it at -4`:                 func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.DataPageOffset = -4 },
		"outside of the file":                              func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[2].MetaData.TotalCompressedSize = long },
		"its pages have 0 values":                          func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[2].MetaData.TotalCompressedSize = 0 },
		"1099511627776 bytes uncompressed in one row":      func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[2].MetaData.TotalUncompressedSize = long },
		"its values are in another file":                   func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[2].FilePath = &other },
		"the footer describes another column in its place": func(m *metadata.FileMetaData) { c := m.RowGroups[1].Columns; c[3], c[1] = c[1], c[3] },
	} {
		t.Run(want, func(t *testing.T) {
			_, _, err := readFile(t, withFooter(t, data, change), peopleColumns...)
			require.ErrorContains(t, err, want)
		})
	}
}

// damage returns the i-th way to break a file: cut off, or with bits turned over, bytes replaced or
// bytes missing, in every second one within the last tenth, where the footer is.
func damage(data []byte, i int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(i)))
	at := random.IntN(len(data))
	if i%2 == 0 {
		at = len(data) - 1 - random.IntN(len(data)/10)
	}
	out := slices.Clone(data)
	end := min(len(out), at+1+random.IntN(20))
	switch i % 10 {
	case 9:
		return out[:at]
	case 8:
		return slices.Delete(out, at, end)
	case 7:
		for j := at; j < end; j++ {
			out[j] = byte(random.Uint32())
		}
	default:
		out[at] ^= 1 << random.IntN(8)
	}
	return out
}

// Damaged pages that have checksums never give a wrong row without an error. A footer has no checksum:
// one whose schema says another thing and is whole, such as another scale of a decimal, cannot be told
// from a file that was meant so. Then rows are as many as announced, and what they hold is not proven.
func TestDamagedFilesWithChecksums(t *testing.T) {
	const rows = 1200
	want := peopleWanted(rows)
	for name, data := range map[string][]byte{
		"v1":   writePeopleWithChecksums(t, rows, others.PageBufferSize(2000), others.DataPageVersion(1), others.Compression(&others.Snappy)),
		"v2":   writePeopleWithChecksums(t, rows, others.PageBufferSize(2000), others.DataPageVersion(2), others.Compression(&others.Zstd)),
		"none": writePeopleWithChecksums(t, rows, others.PageBufferSize(2000)),
	} {
		t.Run(name, func(t *testing.T) {
			footer := len(data) - 8 - int(binary.LittleEndian.Uint32(data[len(data)-8:]))
			refused, wrong := 0, []string{}
			for i := range 600 {
				broken := damage(data, i)
				columns, lines, err := readFile(t, broken, peopleColumns...)
				switch {
				case err == nil && bytes.Equal(broken[:min(footer, len(broken))], data[:footer]): // only the footer is damaged
				case err == nil && !slices.Equal(columns, peopleColumns): // no longer the agreed layout
				case len(lines) > rows || !slices.Equal(want[:len(lines)], lines) || err == nil && len(lines) != rows:
					wrong = append(wrong, fmt.Sprintf("%d (error: %v)", i, err))
				case err != nil:
					refused++
				}
			}
			require.Empty(t, wrong)
			require.Greater(t, refused, 300)
		})
	}
}

// Without checksums broken values cannot always be told, but reading ends, and the number of rows is
// never wrong: readFile holds it against the footer.
func TestDamagedFilesWithoutChecksums(t *testing.T) {
	for name, codec := range allCodecs {
		t.Run(name, func(t *testing.T) {
			for _, version := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
				data := writePeople(t, 400, 2, parquet.WithCompression(codec), parquet.WithDataPageVersion(version), parquet.WithDataPageSize(1000), parquet.WithBatchSize(50))
				for i := range 100 {
					_, _, _ = readFile(t, damage(data, i), peopleColumns...)
				}
			}
		})
	}
}
