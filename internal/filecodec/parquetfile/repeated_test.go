package parquetfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	others "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"prospector/internal/filecodec"
)

// readWhole is readFile with columns that may be lists and maps.
func readWhole(t testing.TB, data []byte, wanted ...string) (lines []string, err error) {
	t.Helper()
	r, err := Open(bytes.NewReader(data), int64(len(data)), wanted, wanted)
	if err != nil {
		return nil, err
	}
	defer func() { require.NoError(t, r.Close()) }()
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			require.Equal(t, r.Rows(), int64(len(lines)))
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		require.LessOrEqual(t, len(record.Raw), filecodec.MaxRecord)
		lines = append(lines, show(r, record))
		if record.Fault == "" {
			require.Equal(t, string(record.Raw), string(r.Keep(record, func(string) bool { return true })))
		}
	}
}

// listsOf is what row i of the tests' files has: texts, numbers, and points by name.
func listsOf(i int) (tags []string, scores []int64, points map[string]float64) {
	for n := range i % 7 {
		tags = append(tags, fmt.Sprintf("t%d \"%d\"", i, n))
	}
	if i%500 == 3 { // longer than a page
		for n := range 3000 {
			scores = append(scores, int64(n))
		}
	}
	if i%3 == 1 {
		points = map[string]float64{"k": float64(i) / 2}
	}
	return tags, scores, points
}

func listsWanted(rows int) (lines []string) {
	for i := range rows {
		tags, scores, points := listsOf(i)
		line := []string{"[]", "[]", "{}"}
		for n, tag := range tags {
			line[0] = strings.TrimSuffix(line[0], "]") + strings.Repeat(",", min(n, 1)) + fmt.Sprintf("%q]", tag)
		}
		if len(scores) > 0 {
			line[1] = strings.ReplaceAll(fmt.Sprint(scores), " ", ",")
		}
		for key, value := range points {
			line[2] = fmt.Sprintf(`{"%s":%v}`, key, value)
		}
		if i%11 == 5 {
			line = []string{"∅", "∅", "∅"}
		}
		lines = append(lines, strings.Join(line, "|"))
	}
	return lines
}

// listsByArrow writes row groups of lists and maps, of which some rows have none.
func listsByArrow(t testing.TB, rows int, options ...parquet.WriterProperty) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
		{Name: "scores", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true}, {Name: "points", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float64), Nullable: true}}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	tags, scores, points := builder.Field(0).(*array.ListBuilder), builder.Field(1).(*array.ListBuilder), builder.Field(2).(*array.MapBuilder)
	for i := range rows {
		some := i%11 != 5
		tags.Append(some)
		scores.Append(some)
		points.Append(some)
		if !some {
			continue
		}
		ofTags, ofScores, ofPoints := listsOf(i)
		for _, tag := range ofTags {
			tags.ValueBuilder().(*array.StringBuilder).Append(tag)
		}
		for _, score := range ofScores {
			scores.ValueBuilder().(*array.Int64Builder).Append(score)
		}
		for key, value := range ofPoints {
			points.KeyBuilder().(*array.StringBuilder).Append(key)
			points.ItemBuilder().(*array.Float64Builder).Append(value)
		}
	}
	record := builder.NewRecordBatch()
	defer record.Release()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, parquet.NewWriterProperties(append(options, parquet.WithMaxRowGroupLength(int64(rows/2+7)))...), pqarrow.DefaultWriterProps())
	require.NoError(t, err)
	require.NoError(t, w.Write(record))
	require.NoError(t, w.Close())
	return out.Bytes()
}

// SC-32, SR-4: lists and maps are values, as JSON, however the file is packed: lists go on behind pages, and batches end between rows.
func TestListsAndMaps(t *testing.T) {
	const rows = 2500
	for _, version := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
		for _, dictionary := range []bool{true, false} {
			data := listsByArrow(t, rows, parquet.WithDataPageVersion(version), parquet.WithDictionaryDefault(dictionary), parquet.WithDataPageSize(2048), parquet.WithBatchSize(64))
			lines, err := readWhole(t, data, "tags", "scores", "points")
			require.NoError(t, err)
			require.Equal(t, listsWanted(rows), lines)
		}
	}
	type row struct {
		Tags   []string           `parquet:"tags,list"`
		Scores []int64            `parquet:"scores"`
		Points map[string]float64 `parquet:"points"`
	}
	for _, version := range []int{1, 2} {
		var out bytes.Buffer
		w := others.NewGenericWriter[row](&out, others.PageBufferSize(2000), others.DataPageVersion(version), others.MaxRowsPerRowGroup(1001))
		for i := range rows {
			tags, scores, points := listsOf(i)
			_, err := w.Write([]row{{tags, scores, points}})
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		lines, err := readWhole(t, out.Bytes(), "tags", "scores", "points")
		require.NoError(t, err)
		for i, want := range listsWanted(rows) {
			if i%11 != 5 {
				require.Equal(t, want, lines[i])
			}
		}
	}
}

// What is no list of single values, and no map from texts, is refused with its name; a list within a group is one.
func TestListsOfWhat(t *testing.T) {
	data := nested(t)
	lines, err := readWhole(t, data, "tags", "props", "old", "home.city")
	require.NoError(t, err)
	require.Equal(t, []string{`Rome|["x","y"]|{"k":"v"}|["o"]`, `∅|[]|{}|[]`, `∅|∅|∅|[]`}, lines)
	_, err = readWhole(t, data, "pets")
	require.ErrorContains(t, err, `column "pets" has lists or groups within its list`)

	type row struct {
		Matrix []struct{ Row []int64 } `parquet:"matrix"`
		One    []struct{ X int }       `parquet:"one,list"`
		ByDay  map[int64]string        `parquet:"byday"`
		In     struct {
			Tags []string `parquet:"tags"`
		} `parquet:"in"`
	}
	var out bytes.Buffer
	w := others.NewGenericWriter[row](&out)
	given := row{Matrix: []struct{ Row []int64 }{{[]int64{1}}}, ByDay: map[int64]string{1: "x"}}
	given.In.Tags = []string{"a\x00", "\xff"}
	last := row{}
	last.In.Tags = []string{"\xc3", "\xa9"} // no text each, and é together
	_, err = w.Write([]row{given, last})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for name, want := range map[string]string{"one": "has lists or groups within its list", "matrix": "has lists or groups within its list", "byday": `column "byday" is a map whose keys are no texts`} {
		_, err = readWhole(t, out.Bytes(), name)
		require.ErrorContains(t, err, want)
	}
	lines, err = readWhole(t, out.Bytes(), "in.tags")
	require.NoError(t, err)
	require.Equal(t, []string{string(filecodec.FaultNUL), string(filecodec.FaultEncoding)}, lines)
}

// A long list takes no more memory than a record may (BI-14), and the rows beside it are read.
func TestLongLists(t *testing.T) {
	type row struct {
		Tags []string `parquet:"tags"`
		None []*int64 `parquet:"none,list"`
	}
	var out bytes.Buffer
	w := others.NewGenericWriter[row](&out)
	many := make([]string, 1_000_000)
	for i := range many {
		many[i] = "x"
	}
	_, err := w.Write([]row{{Tags: []string{"a"}}, {Tags: many}, {None: make([]*int64, 1_000_000)}, {Tags: []string{"b"}}})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	r, err := Open(bytes.NewReader(out.Bytes()), int64(out.Len()), []string{"tags", "none"}, []string{"tags", "none"})
	require.NoError(t, err)
	var lines []string
	for range 4 {
		record, err := r.Next()
		require.NoError(t, err)
		lines = append(lines, show(r, record))
	}
	require.Equal(t, []string{`["a"]|[]`, string(filecodec.FaultTooLarge), string(filecodec.FaultTooLarge), `["b"]|[]`}, lines)
	require.Less(t, cap(r.columns[0].repeated.elements), 100_000)
	require.Less(t, cap(r.columns[1].repeated.elements), 100_000)
}

// Whatever is changed in a file with lists, what is read of it is right or an error.
func TestDamagedLists(t *testing.T) {
	data := listsByArrow(t, 300, parquet.WithDataPageSize(512), parquet.WithBatchSize(32))
	want, err := readWhole(t, data, "tags", "scores", "points")
	require.NoError(t, err)
	for name, change := range map[string]func(*metadata.FileMetaData){
		"entries":     func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.NumValues-- },
		"few entries": func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.NumValues = 1 },
		"rows":        func(m *metadata.FileMetaData) { m.NumRows--; m.RowGroups[0].NumRows-- },
	} {
		_, err := readWhole(t, withFooter(t, data, change), "tags")
		require.Error(t, err, name)
	}
	refused := 0
	for i := 4; i < len(data)-1; i += 31 {
		bent := bytes.Clone(data)
		bent[i] ^= 0x55
		lines, err := readWhole(t, bent, "tags", "scores", "points")
		if err != nil {
			refused++
			continue
		}
		require.Len(t, lines, len(want), "byte %d", i)
	}
	require.Positive(t, refused)
}
