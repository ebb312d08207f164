package parquetfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
	others "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"prospector/internal/filecodec"
)

// SR-4: rows of a file, however it is packed, in row groups and pages that end where batches do not.
func TestPeople(t *testing.T) {
	const rows = 2500
	for name, codec := range allCodecs {
		for _, version := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
			for _, dictionary := range []bool{true, false} {
				t.Run(fmt.Sprint(name, version, dictionary), func(t *testing.T) {
					data := writePeople(t, rows, 2, parquet.WithCompression(codec), parquet.WithDataPageVersion(version),
						parquet.WithDictionaryDefault(dictionary), parquet.WithDataPageSize(4096), parquet.WithBatchSize(100))
					columns, lines, err := readFile(t, data, peopleColumns...)
					require.NoError(t, err)
					require.Equal(t, peopleColumns, columns)
					require.Equal(t, append(peopleWanted(rows), peopleWanted(rows)...), lines)
				})
			}
		}
	}
}

// Files of other writers, one of them the one that a partner may have used since 2021.
func TestOtherWriters(t *testing.T) {
	const rows = 3500
	for name, data := range map[string][]byte{
		"parquet-go":            writePeopleWithChecksums(t, rows),
		"parquet-go, pages":     writePeopleWithChecksums(t, rows, others.PageBufferSize(2000), others.Compression(&others.Zstd), others.DataPageVersion(1)),
		"parquet-go, two pages": writePeopleWithChecksums(t, rows, others.PageBufferSize(9000), others.Compression(&others.Snappy), others.DataPageVersion(2)),
		"xitongsys":             writePeopleAsEver(t, rows),
	} {
		t.Run(name, func(t *testing.T) {
			columns, lines, err := readFile(t, data, peopleColumns...)
			require.NoError(t, err)
			require.Equal(t, peopleColumns, columns)
			require.Equal(t, peopleWanted(rows), lines)
		})
	}
}

func TestOnlyWantedColumns(t *testing.T) {
	data := writePeople(t, 10, 1)
	r, err := Open(bytes.NewReader(data), int64(len(data)), []string{"income", "born", "nowhere"}, nil)
	require.NoError(t, err)
	require.Equal(t, peopleColumns, r.Columns())
	record, err := r.Next()
	require.NoError(t, err)
	require.Equal(t, [][]byte{nil, nil, nil, []byte("1970-01-01"), nil, []byte("0.00"), nil}, record.Fields)
	require.JSONEq(t, `{"born":"1970-01-01","income":0.00}`, string(record.Raw))
	require.Equal(t, `{"born":null,"income":0.00}`, string(r.Keep(record, func(c string) bool { return c == "income" })))
	require.Equal(t, "1970-01-01", string(record.Fields[3]))

	_, _, err = readFile(t, data, "nowhere")
	require.ErrorContains(t, err, "none of the mapped columns is in the file")
}

func bytesOf(number string, length int) []byte {
	n, _ := new(big.Int).SetString(number, 10)
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*length)))
	}
	return n.FillBytes(make([]byte, length))
}

// Values are the texts that a delimited file would hold: exact, and never in another zone.
func TestForms(t *testing.T) {
	moment := time.Date(2024, 1, 5, 9, 59, 59, 123456789, time.UTC)
	int96 := parquet.Int96{}
	binary.LittleEndian.PutUint64(int96[:8], uint64(moment.Sub(time.Date(2024, 1, 5, 0, 0, 0, 0, time.UTC))))
	binary.LittleEndian.PutUint32(int96[8:], uint32(moment.Unix()/86400+2_440_588))
	fixed := func(v ...[]byte) (out []parquet.FixedLenByteArray) {
		for _, b := range v {
			out = append(out, b)
		}
		return out
	}
	half := binary.LittleEndian.AppendUint16(nil, float16.New(1.5).Uint16())
	stamp := func(utc bool, unit schema.TimeUnitType) schema.LogicalType {
		return schema.NewTimestampLogicalType(utc, unit)
	}
	for _, c := range []struct {
		name    string
		logical schema.LogicalType
		kind    parquet.Type
		length  int
		values  any
		want    string
		raw     string
	}{
		{"boolean", nil, parquet.Types.Boolean, 0, []bool{true, false}, "true false", "[true,false]"},
		{"int32", nil, parquet.Types.Int32, 0, []int32{math.MinInt32, 7}, "-2147483648 7", "[-2147483648,7]"},
		{"int64", nil, parquet.Types.Int64, 0, []int64{math.MinInt64, math.MaxInt64}, "-9223372036854775808 9223372036854775807", ""},
		{"int8", schema.NewIntLogicalType(8, true), parquet.Types.Int32, 0, []int32{-128, 127}, "-128 127", ""},
		{"uint32", schema.NewIntLogicalType(32, false), parquet.Types.Int32, 0, []int32{-1, 1}, "4294967295 1", ""},
		{"uint64", schema.NewIntLogicalType(64, false), parquet.Types.Int64, 0, []int64{-1, 1}, "18446744073709551615 1", ""},
		{"float", nil, parquet.Types.Float, 0, []float32{0.1, 16777216}, "0.1 16777216", "[0.1,16777216]"},
		{"double", nil, parquet.Types.Double, 0, []float64{1234567, -1e-7, 0.30000000000000004, math.MaxFloat64, math.NaN(), math.Inf(-1)},
			"1234567 -1e-07 0.30000000000000004 1.7976931348623157e+308 NaN -Inf", `[1234567,-1e-07,0.30000000000000004,1.7976931348623157e+308,"NaN","-Inf"]`},
		{"float16", schema.Float16LogicalType{}, parquet.Types.FixedLenByteArray, 2, fixed(half), "1.5", ""},
		{"date", schema.DateLogicalType{}, parquet.Types.Int32, 0, []int32{19727, -1}, "2024-01-05 1969-12-31", `["2024-01-05","1969-12-31"]`},
		{"instant, ms", stamp(true, schema.TimeUnitMillis), parquet.Types.Int64, 0, []int64{moment.UnixMilli(), -1}, "2024-01-05T09:59:59.123Z 1969-12-31T23:59:59.999Z", ""},
		{"instant, µs", stamp(true, schema.TimeUnitMicros), parquet.Types.Int64, 0, []int64{moment.UnixMicro(), 0}, "2024-01-05T09:59:59.123456Z 1970-01-01T00:00:00Z", ""},
		{"instant, ns", stamp(true, schema.TimeUnitNanos), parquet.Types.Int64, 0, []int64{moment.UnixNano()}, "2024-01-05T09:59:59.123456789Z", ""},
		{"no zone, none invented", stamp(false, schema.TimeUnitMicros), parquet.Types.Int64, 0, []int64{moment.UnixMicro()}, "2024-01-05T09:59:59.123456", ""},
		{"int96", nil, parquet.Types.Int96, 0, []parquet.Int96{int96}, "2024-01-05T09:59:59.123456789Z", ""},
		{"time, ms", schema.NewTimeLogicalType(true, schema.TimeUnitMillis), parquet.Types.Int32, 0, []int32{3_723_000, 90_000_500}, "01:02:03 25:00:00.5", ""},
		{"time, ns", schema.NewTimeLogicalType(false, schema.TimeUnitNanos), parquet.Types.Int64, 0, []int64{1}, "00:00:00.000000001", ""},
		{"decimal, int32", schema.NewDecimalLogicalType(9, 2), parquet.Types.Int32, 0, []int32{110, -5, 0}, "1.10 -0.05 0.00", "[1.10,-0.05,0.00]"},
		{"decimal, int64", schema.NewDecimalLogicalType(18, 0), parquet.Types.Int64, 0, []int64{math.MinInt64}, "-9223372036854775808", ""},
		{"decimal, fixed", schema.NewDecimalLogicalType(38, 10), parquet.Types.FixedLenByteArray, 16,
			fixed(bytesOf("12345678901234567890123456789012345678", 16), bytesOf("-1", 16)), "1234567890123456789012345678.9012345678 -0.0000000001", ""},
		{"decimal, bytes", schema.NewDecimalLogicalType(38, 2), parquet.Types.ByteArray, 0, []parquet.ByteArray{{0x80}, {0x00, 0x80}}, "-1.28 1.28", ""},
		{"uuid", schema.UUIDLogicalType{}, parquet.Types.FixedLenByteArray, 16, fixed([]byte("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff")), "00112233-4455-6677-8899-aabbccddeeff", ""},
		{"string", schema.StringLogicalType{}, parquet.Types.ByteArray, 0, []parquet.ByteArray{[]byte("é\"\n"), {}}, "é\"\n ", `["é\"\n",""]`},
		{"bytes without a type", nil, parquet.Types.ByteArray, 0, []parquet.ByteArray{[]byte("abc")}, "abc", ""},
		{"fixed without a type", nil, parquet.Types.FixedLenByteArray, 3, fixed([]byte("abc")), "abc", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows := len(strings.Split(c.want, " "))
			levels := bytes16(rows+1, 1)
			levels[rows] = 0
			data := writeFile(t, 1, []values{{node: optional(t, "v", c.logical, c.kind, c.length), values: c.values, levels: levels}})
			r, err := Open(bytes.NewReader(data), int64(len(data)), []string{"v"}, nil)
			require.NoError(t, err)
			var got, raw []string
			for range rows {
				record, err := r.Next()
				require.NoError(t, err)
				require.Empty(t, record.Fault)
				require.NotNil(t, record.Fields[0])
				got = append(got, string(record.Fields[0]))
				require.True(t, json.Valid(record.Raw), string(record.Raw))
				raw = append(raw, strings.TrimSuffix(strings.TrimPrefix(string(record.Raw), `{"v":`), "}"))
			}
			record, err := r.Next()
			require.NoError(t, err)
			require.Nil(t, record.Fields[0])
			require.Equal(t, `{"v":null}`, string(record.Raw))
			require.Equal(t, c.want, strings.Join(got, " "))
			if c.raw != "" {
				require.Equal(t, c.raw, "["+strings.Join(raw, ",")+"]")
			}
			_, err = r.Next()
			require.ErrorIs(t, err, io.EOF)
		})
	}
}

func bytes16(n int, level int16) []int16 {
	levels := make([]int16, n)
	for i := range levels {
		levels[i] = level
	}
	return levels
}

// Rows that are no text, or too large (BI-14), are faulty; the rows beside them are not.
func TestFaultyRows(t *testing.T) {
	large := strings.Repeat("x", filecodec.MaxRecord+10)
	texts := []parquet.ByteArray{[]byte("a"), []byte("\xff"), []byte("a\x00"), []byte(large), []byte("b"), []byte(large[:filecodec.MaxRecord-1])}
	second := []parquet.ByteArray{[]byte("1"), []byte("2"), []byte("3"), []byte("4"), []byte("5"), []byte("six")}
	data := writeFile(t, 1, []values{
		{node: required(t, "a", schema.StringLogicalType{}, parquet.Types.ByteArray), values: texts},
		{node: required(t, "b", nil, parquet.Types.ByteArray), values: second},
	})
	_, lines, err := readFile(t, data, "a", "b")
	require.NoError(t, err)
	require.Equal(t, []string{"a|1", string(filecodec.FaultEncoding), string(filecodec.FaultNUL), string(filecodec.FaultTooLarge), "b|5", string(filecodec.FaultTooLarge)}, lines)

	r, err := Open(bytes.NewReader(data), int64(len(data)), []string{"a", "b"}, nil)
	require.NoError(t, err)
	_, err = r.Next()
	require.NoError(t, err)
	record, err := r.Next()
	require.NoError(t, err)
	require.Equal(t, "{\"a\":\"\uFFFD\",\"b\":\"2\"}", string(record.Raw))
	require.Equal(t, record.Raw, r.Keep(record, func(string) bool { return false }))
}

// A value in a dictionary that stands for many rows does not unfold in memory.
func TestOneLargeValueManyTimes(t *testing.T) {
	const rows = 3 * batchRows
	texts := make([]parquet.ByteArray, rows)
	for i := range texts {
		texts[i] = bytes.Repeat([]byte("x"), filecodec.MaxRecord*3/2)
	}
	data := writeFile(t, 1, []values{{node: required(t, "a", schema.StringLogicalType{}, parquet.Types.ByteArray), values: texts}})
	require.Less(t, len(data), 1<<20)
	r, err := Open(bytes.NewReader(data), int64(len(data)), []string{"a"}, nil)
	require.NoError(t, err)
	for range rows {
		record, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, filecodec.FaultTooLarge, record.Fault)
		require.Len(t, record.Raw, filecodec.MaxRecord)
		require.LessOrEqual(t, len(r.columns[0].text), batchRows*(filecodec.MaxRecord+1))
	}
	_, err = r.Next()
	require.ErrorIs(t, err, io.EOF)
}

// nested is {home: {city, geo: {lat}}, tags: list of strings, pets: list of {name, age}, props: map, old: repeated}.
func nested(t *testing.T) []byte {
	group := func(name string, repetition parquet.Repetition, logical schema.LogicalType, fields ...schema.Node) schema.Node {
		node, err := schema.NewGroupNodeLogical(name, repetition, fields, logical, -1)
		require.NoError(t, err)
		return node
	}
	text := func(name string) schema.Node {
		return optional(t, name, schema.StringLogicalType{}, parquet.Types.ByteArray, 0)
	}
	opt, rep := parquet.Repetitions.Optional, parquet.Repetitions.Repeated
	old, err := schema.NewPrimitiveNodeLogical("old", rep, schema.StringLogicalType{}, parquet.Types.ByteArray, 0, -1)
	require.NoError(t, err)
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, schema.FieldList{
		group("home", opt, nil, text("city"), group("geo", opt, nil, optional(t, "lat", nil, parquet.Types.Double, 0))),
		group("tags", opt, schema.ListLogicalType{}, group("list", rep, nil, text("element"))),
		group("pets", opt, schema.ListLogicalType{}, group("list", rep, nil, group("element", opt, nil, text("name"), text("age")))),
		group("props", opt, schema.MapLogicalType{}, group("key_value", rep, nil, required(t, "key", schema.StringLogicalType{}, parquet.Types.ByteArray), text("value"))),
		old, text("home.city2"),
	}, -1)
	require.NoError(t, err)
	var out bytes.Buffer
	w := file.NewParquetWriter(&out, root)
	rows, err := w.AppendRowGroupChecked()
	require.NoError(t, err)
	texts := func(s ...string) (out []parquet.ByteArray) {
		for _, v := range s {
			out = append(out, []byte(v))
		}
		return out
	}
	for _, c := range []values{
		{values: texts("Rome"), levels: []int16{2, 1, 0}},                                   // home.city
		{values: []float64{41.9}, levels: []int16{3, 1, 0}},                                 // home.geo.lat
		{values: texts("x", "y"), levels: []int16{3, 3, 1, 0}, repeat: []int16{0, 1, 0, 0}}, // tags
		{values: texts("Rex"), levels: []int16{4, 1, 0}, repeat: []int16{0, 0, 0}},          // pets.name
		{values: texts("3"), levels: []int16{4, 1, 0}, repeat: []int16{0, 0, 0}},            // pets.age
		{values: texts("k"), levels: []int16{2, 1, 0}, repeat: []int16{0, 0, 0}},            // props.key
		{values: texts("v"), levels: []int16{3, 1, 0}, repeat: []int16{0, 0, 0}},            // props.value
		{values: texts("o"), levels: []int16{1, 0, 0}, repeat: []int16{0, 0, 0}},            // old
		{values: texts("a", "b", "c"), levels: []int16{1, 1, 1}},                            // home.city2
	} {
		column, err := rows.NextColumn()
		require.NoError(t, err)
		writeColumn(t, column, c)
		require.NoError(t, column.Close())
	}
	require.NoError(t, rows.Close())
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestNestedColumns(t *testing.T) {
	data := nested(t)
	columns, lines, err := readFile(t, data, "home.city", "home.geo.lat", "home.city2")
	require.NoError(t, err)
	require.Equal(t, []string{"home.city", "home.geo.lat", "tags", "pets", "props", "old", "home.city2"}, columns)
	require.Equal(t, []string{"Rome|41.9|a", "∅|∅|b", "∅|∅|c"}, lines)

	for wanted, want := range map[string]string{
		"tags": `column "tags" is a list`, "tags.list.element": `column "tags" is a list`, "pets.name": `column "pets" is a list`,
		"props": `column "props" is a list`, "old": `column "old" is a list`,
		"home": `column "home" is a group of columns; name one of them, such as "home.city"`, "home.geo": `such as "home.geo.lat"`,
	} {
		_, _, err := readFile(t, data, wanted)
		require.ErrorContains(t, err, want)
	}
}

func TestTypesThatCannotBeRead(t *testing.T) {
	data := writeFile(t, 1, []values{{node: optional(t, "v", schema.IntervalLogicalType{}, parquet.Types.FixedLenByteArray, 12),
		values: []parquet.FixedLenByteArray{}, levels: []int16{0}}})
	_, _, err := readFile(t, data, "v")
	require.ErrorContains(t, err, `column "v": values of type FIXED_LEN_BYTE_ARRAY, Interval, cannot be read`)
	_, _, err = readFile(t, data, "w")
	require.ErrorContains(t, err, "none of the mapped columns")
}

// EC-15 for Parquet: what is no Parquet file, or an empty one.
func TestFilesWithoutRows(t *testing.T) {
	for want, data := range map[string][]byte{
		"the file is empty":              {},
		"the file is not Parquet":        []byte("a,b\n1,2\n3,4\n"),
		"does not end with a footer":     []byte("PAR1 and then nothing"),
		"is encrypted":                   []byte("PARE\x00\x00\x00\x00\x00\x00\x00\x00PARE"),
		"its footer would have 65536 by": []byte("PAR1\x00\x00\x01\x00PAR1"),
		"the footer has no schema":       []byte("PAR1\x00\x01\x00\x00\x00PAR1"),
	} {
		_, _, err := readFile(t, data, "id")
		require.ErrorContains(t, err, want)
	}
	columns, lines, err := readFile(t, writePeople(t, 0, 1), peopleColumns...)
	require.NoError(t, err)
	require.Equal(t, peopleColumns, columns)
	require.Empty(t, lines)
	_, lines, err = readFile(t, writeFile(t, 0, []values{{node: required(t, "id", nil, parquet.Types.Int32)}}), "id")
	require.NoError(t, err)
	require.Empty(t, lines)
}

func TestClosedReader(t *testing.T) {
	data := writePeople(t, 10, 1)
	r, err := Open(bytes.NewReader(data), int64(len(data)), peopleColumns, nil)
	require.NoError(t, err)
	_, err = r.Next()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	_, err = r.Next()
	require.ErrorContains(t, err, "closed")
}

func BenchmarkReader(b *testing.B) {
	data := writePeople(b, 200_000, 1, parquet.WithCompression(allCodecs["snappy"]))
	bytes := int64(len(strings.Join(peopleWanted(200_000), "\n")))
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, lines, err := readFileCount(data); err != nil || lines != 200_000 {
			b.Fatal(err)
		}
	}
}

func readFileCount(data []byte) (*Reader, int, error) {
	r, err := Open(bytes.NewReader(data), int64(len(data)), peopleColumns, nil)
	if err != nil {
		return nil, 0, err
	}
	for n := 0; ; n++ {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return r, n, nil
		} else if err != nil {
			return r, n, err
		}
	}
}
