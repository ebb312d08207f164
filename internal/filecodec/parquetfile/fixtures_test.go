package parquetfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
	others "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
	legacyparquet "github.com/xitongsys/parquet-go/parquet"
	legacytypes "github.com/xitongsys/parquet-go/types"
	legacywriter "github.com/xitongsys/parquet-go/writer"

	"prospector/internal/filecodec"
)

var _ filecodec.Reader = (*Reader)(nil)

// values is a column to be written: its values, and for each row its definition level.
type values struct {
	node   schema.Node
	values any
	levels []int16
	repeat []int16
}

// writeFile writes columns with the library's lowest level, which can write whatever a file can hold.
func writeFile(t testing.TB, groups int, columns []values, options ...parquet.WriterProperty) []byte {
	t.Helper()
	nodes := schema.FieldList{}
	for _, c := range columns {
		nodes = append(nodes, c.node)
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	require.NoError(t, err)
	var out bytes.Buffer
	w := file.NewParquetWriter(&out, root, file.WithWriterProps(parquet.NewWriterProperties(options...)))
	for range groups {
		group, err := w.AppendRowGroupChecked()
		require.NoError(t, err)
		for _, c := range columns {
			writer, err := group.NextColumn()
			require.NoError(t, err)
			writeColumn(t, writer, c)
			require.NoError(t, writer.Close())
		}
		require.NoError(t, group.Close())
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func writeColumn(t testing.TB, writer file.ColumnChunkWriter, c values) {
	var err error
	switch w := writer.(type) {
	case *file.BooleanColumnChunkWriter:
		_, err = w.WriteBatch(c.values.([]bool), c.levels, c.repeat)
	case *file.Int32ColumnChunkWriter:
		_, err = w.WriteBatch(c.values.([]int32), c.levels, c.repeat)
	case *file.Int64ColumnChunkWriter:
		_, err = w.WriteBatch(c.values.([]int64), c.levels, c.repeat)
	case *file.Int96ColumnChunkWriter:
		_, err = w.WriteBatch(c.values.([]parquet.Int96), c.levels, c.repeat)
	case *file.Float32ColumnChunkWriter:
		_, err = w.WriteBatch(c.values.([]float32), c.levels, c.repeat)
	case *file.Float64ColumnChunkWriter:
		_, err = w.WriteBatch(c.values.([]float64), c.levels, c.repeat)
	case *file.ByteArrayColumnChunkWriter:
		_, err = w.WriteBatch(c.values.([]parquet.ByteArray), c.levels, c.repeat)
	case *file.FixedLenByteArrayColumnChunkWriter:
		_, err = w.WriteBatch(c.values.([]parquet.FixedLenByteArray), c.levels, c.repeat)
	default:
		t.Fatalf("%T", writer)
	}
	require.NoError(t, err)
}

func optional(t testing.TB, name string, logical schema.LogicalType, kind parquet.Type, length int) schema.Node {
	t.Helper()
	node, err := schema.NewPrimitiveNodeLogical(name, parquet.Repetitions.Optional, logical, kind, length, -1)
	require.NoError(t, err)
	return node
}

func required(t testing.TB, name string, logical schema.LogicalType, kind parquet.Type) schema.Node {
	t.Helper()
	node, err := schema.NewPrimitiveNodeLogical(name, parquet.Repetitions.Required, logical, kind, 0, -1)
	require.NoError(t, err)
	return node
}

// people are rows as partners have them, the same whoever writes them.
type person struct {
	ID     string
	Age    *int32
	Score  float64
	Born   int32
	Seen   int64
	Income int64
	Active bool
}

func personOf(i int) person {
	p := person{ID: fmt.Sprintf("%032x", i*7919), Score: float64(i) / 8, Born: int32(i % 20_000), Seen: 1_704_448_800_000 + int64(i), Income: int64(i) * 101, Active: i%3 == 0}
	if i%5 != 0 {
		age := int32(i % 90)
		p.Age = &age
	}
	return p
}

var peopleColumns = []string{"id", "age", "score", "born", "seen", "income", "active"}

func (p person) fields() string {
	age := "∅"
	if p.Age != nil {
		age = fmt.Sprint(*p.Age)
	}
	return fmt.Sprintf("%s|%s|%v|%s|%s|%d.%02d|%v", p.ID, age, p.Score, time.Unix(int64(p.Born)*86400, 0).UTC().Format(time.DateOnly),
		time.UnixMilli(p.Seen).UTC().Format(time.RFC3339Nano), p.Income/100, p.Income%100, p.Active)
}

func peopleWanted(rows int) (lines []string) {
	for i := range rows {
		lines = append(lines, personOf(i).fields())
	}
	return lines
}

// writePeople writes rows in each of the row groups with the library that reads them.
func writePeople(t testing.TB, rows, groups int, options ...parquet.WriterProperty) []byte {
	var ids []parquet.ByteArray
	var ages, born []int32
	var levels []int16
	var scores []float64
	var seen, income []int64
	var active []bool
	for i := range rows {
		p := personOf(i)
		ids = append(ids, parquet.ByteArray(p.ID))
		if levels = append(levels, 0); p.Age != nil {
			ages, levels[i] = append(ages, *p.Age), 1
		}
		scores, born, seen, income, active = append(scores, p.Score), append(born, p.Born), append(seen, p.Seen), append(income, p.Income), append(active, p.Active)
	}
	return writeFile(t, groups, []values{
		{node: required(t, "id", schema.StringLogicalType{}, parquet.Types.ByteArray), values: ids},
		{node: optional(t, "age", nil, parquet.Types.Int32, 0), values: ages, levels: levels},
		{node: required(t, "score", nil, parquet.Types.Double), values: scores},
		{node: required(t, "born", schema.DateLogicalType{}, parquet.Types.Int32), values: born},
		{node: required(t, "seen", schema.NewTimestampLogicalType(true, schema.TimeUnitMillis), parquet.Types.Int64), values: seen},
		{node: required(t, "income", schema.NewDecimalLogicalType(12, 2), parquet.Types.Int64), values: income},
		{node: required(t, "active", nil, parquet.Types.Boolean), values: active},
	}, options...)
}

// otherPerson is for the other library, which writes checksums of pages.
type otherPerson struct {
	ID     string    `parquet:"id,dict"`
	Age    *int32    `parquet:"age"`
	Score  float64   `parquet:"score"`
	Born   int32     `parquet:"born,date"`
	Seen   time.Time `parquet:"seen,timestamp(millisecond)"`
	Income int64     `parquet:"income,decimal(2:12)"`
	Active bool      `parquet:"active"`
}

func writePeopleWithChecksums(t testing.TB, rows int, options ...others.WriterOption) []byte {
	t.Helper()
	var out bytes.Buffer
	w := others.NewGenericWriter[otherPerson](&out, options...)
	for i := range rows {
		p := personOf(i)
		_, err := w.Write([]otherPerson{{p.ID, p.Age, p.Score, p.Born, time.UnixMilli(p.Seen).UTC(), p.Income, p.Active}})
		require.NoError(t, err)
		if i > 0 && i%1000 == 0 {
			require.NoError(t, w.Flush()) // a row group
		}
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// legacyPerson is for the library that a partner may still use. It is in tests only.
type legacyPerson struct {
	ID     string  `parquet:"name=id, type=BYTE_ARRAY, convertedtype=UTF8, encoding=PLAIN_DICTIONARY"`
	Age    *int32  `parquet:"name=age, type=INT32"`
	Score  float64 `parquet:"name=score, type=DOUBLE"`
	Born   int32   `parquet:"name=born, type=INT32, convertedtype=DATE"`
	Seen   string  `parquet:"name=seen, type=INT96"`
	Income string  `parquet:"name=income, type=BYTE_ARRAY, convertedtype=DECIMAL, scale=2, precision=12"`
	Active bool    `parquet:"name=active, type=BOOLEAN"`
}

func writePeopleAsEver(t testing.TB, rows int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := legacywriter.NewParquetWriterFromWriter(&out, new(legacyPerson), 1)
	require.NoError(t, err)
	w.CompressionType = legacyparquet.CompressionCodec_SNAPPY
	w.PageSize = 4096
	for i := range rows {
		p := personOf(i)
		require.NoError(t, w.Write(legacyPerson{p.ID, p.Age, p.Score, p.Born, legacytypes.TimeToINT96(time.UnixMilli(p.Seen)),
			legacytypes.StrIntToBinary(fmt.Sprint(p.Income), "BigEndian", 0, true), p.Active}))
	}
	require.NoError(t, w.WriteStop())
	return out.Bytes()
}

// readFile returns the fields of the wanted columns of all rows, joined by |, or the fault, and how
// reading ended. It holds every reader to the footer's number of rows.
func readFile(t testing.TB, data []byte, wanted ...string) (columns, lines []string, err error) {
	t.Helper()
	r, err := Open(bytes.NewReader(data), int64(len(data)), wanted, nil)
	if err != nil {
		return nil, nil, err
	}
	defer func() { require.NoError(t, r.Close()) }()
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			require.Equal(t, r.Rows(), int64(len(lines)), "rows of a file without an error")
			require.Equal(t, r.Rows(), r.Records())
			return r.Columns(), lines, nil
		}
		if err != nil {
			_, again := r.Next()
			require.Equal(t, err, again)
			return r.Columns(), lines, err
		}
		require.Equal(t, int64(len(lines)+1), record.Line)
		lines = append(lines, show(r, record))
	}
}

func show(r *Reader, record filecodec.Record) string {
	if record.Fault != "" {
		return string(record.Fault)
	}
	var line []byte
	for i, c := range r.columns {
		if i > 0 {
			line = append(line, '|')
		}
		if record.Fields[c.position] == nil {
			line = append(line, "∅"...)
		}
		line = append(line, record.Fields[c.position]...)
	}
	return string(line)
}

var allCodecs = map[string]compress.Compression{"none": compress.Codecs.Uncompressed, "snappy": compress.Codecs.Snappy, "gzip": compress.Codecs.Gzip,
	"brotli": compress.Codecs.Brotli, "zstd": compress.Codecs.Zstd, "lz4": compress.Codecs.Lz4Raw}
