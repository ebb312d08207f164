package parquetfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/stretchr/testify/require"
)

var person = arrow.StructOf(arrow.Field{Name: "first", Type: arrow.BinaryTypes.String, Nullable: true})

func parquetSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String}, {Name: "age", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "score", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, {Name: "active", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "born", Type: arrow.FixedWidthTypes.Date32, Nullable: true}, {Name: "seen", Type: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, Nullable: true},
		{Name: "local", Type: &arrow.TimestampType{Unit: arrow.Millisecond}, Nullable: true}, {Name: "amount", Type: &arrow.Decimal128Type{Precision: 12, Scale: 2}, Nullable: true},
		{Name: "name", Type: person, Nullable: true}, {Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	}, nil)
}

// parquetFile writes rows in row groups of 100.
func parquetFile(t *testing.T, rows int) []byte {
	t.Helper()
	builder := array.NewRecordBuilder(memory.DefaultAllocator, parquetSchema())
	defer builder.Release()
	for i := range rows {
		builder.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("p%d", i))
		if i%7 == 3 { // nulls
			for _, f := range builder.Fields()[1:] {
				f.AppendNull()
			}
			continue
		}
		builder.Field(1).(*array.Int64Builder).Append(int64(i))
		builder.Field(2).(*array.Float64Builder).Append(float64(i) + 0.25)
		builder.Field(3).(*array.BooleanBuilder).Append(i%2 == 0)
		builder.Field(4).(*array.Date32Builder).Append(arrow.Date32FromTime(time.Date(1980, 1, 1+i%28, 0, 0, 0, 0, time.UTC)))
		at, err := arrow.TimestampFromTime(time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC), arrow.Millisecond)
		require.NoError(t, err)
		builder.Field(5).(*array.TimestampBuilder).Append(at)
		builder.Field(6).(*array.TimestampBuilder).Append(at)
		builder.Field(7).(*array.Decimal128Builder).Append(decimal128.FromI64(int64(i)*100 + 50))
		name := builder.Field(8).(*array.StructBuilder)
		name.Append(true)
		name.FieldBuilder(0).(*array.StringBuilder).Append("Ann")
		tags := builder.Field(9).(*array.ListBuilder)
		tags.Append(true)
		tags.ValueBuilder().(*array.StringBuilder).Append("x")
	}
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(parquetSchema(), &out, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(100), parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.DefaultWriterProps())
	require.NoError(t, err)
	record := builder.NewRecordBatch()
	defer record.Release()
	require.NoError(t, w.Write(record))
	require.NoError(t, w.Close())
	return out.Bytes()
}

var wantedColumns = []string{"id", "age", "score", "active", "born", "seen", "local", "amount", "name.first"}

// readParquet reads all rows as texts; what is null is "∅".
func readParquet(data []byte, wanted []string) (rows [][]string, err error) {
	r, err := New(bytes.NewReader(data), int64(len(data)), wanted)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			if int64(len(rows)) != r.Records() {
				return nil, errors.New("records are not counted")
			}
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		if record.Fault != "" {
			rows = append(rows, []string{string(record.Fault)})
			continue
		}
		var row []string
		for i, name := range r.Columns() {
			for _, w := range wanted {
				if w != name {
					continue
				}
				if record.Fields[i] == nil {
					row = append(row, "∅")
				} else {
					row = append(row, string(record.Fields[i]))
				}
			}
		}
		rows = append(rows, row)
	}
}

// SR-4: values come as texts in the forms of delimited files, nested ones by dotted names.
func TestParquet(t *testing.T) {
	rows, err := readParquet(parquetFile(t, 250), wantedColumns)
	require.NoError(t, err)
	require.Len(t, rows, 250)
	require.Equal(t, []string{"p2", "2", "2.25", "true", "1980-01-03", "2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.6", "2.50", "Ann"}, rows[2])
	require.Equal(t, []string{"p3", "∅", "∅", "∅", "∅", "∅", "∅", "∅", "∅"}, rows[3])
}

func TestParquetColumns(t *testing.T) {
	data := parquetFile(t, 3)
	r, err := New(bytes.NewReader(data), int64(len(data)), []string{"id"})
	require.NoError(t, err)
	require.Contains(t, r.Columns(), "name.first")
	require.Contains(t, r.Columns(), "tags.list.element")
	record, err := r.Next()
	require.NoError(t, err)
	require.EqualValues(t, 1, record.Line)
	require.JSONEq(t, `{"id": "p0"}`, string(record.Raw))
	require.Equal(t, "{}", string(r.Keep(record, func(string) bool { return false })))
	require.NoError(t, r.Close())
	_, err = readParquet(data, []string{"id", "tags"})
	require.ErrorContains(t, err, "lists or maps")
}

// A damaged file, or a footer that lies, is an error: never a panic, never more or fewer rows. A flipped bit in a value
// can pass where the partner's file has no checksum of it.
func TestDamagedParquet(t *testing.T) {
	data := parquetFile(t, 250)
	want, err := readParquet(data, wantedColumns)
	require.NoError(t, err)
	for cut := 0; cut < len(data); cut += 1 + len(data)/60 {
		_, err := readParquet(data[:cut], wantedColumns)
		require.Error(t, err, "cut at %d", cut)
	}
	random := rand.New(rand.NewPCG(3, 4))
	refused := 0
	for range 400 {
		broken := bytes.Clone(data)
		at := random.IntN(len(broken))
		broken[at] ^= 1 << random.IntN(8)
		rows, err := readParquet(broken, wantedColumns)
		if err != nil {
			refused++
			continue
		}
		require.Len(t, rows, len(want), "byte %d", at)
	}
	require.Greater(t, refused, 100)
}
