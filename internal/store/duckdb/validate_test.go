package duckdb_test

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/stretchr/testify/require"

	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/xdm"
)

// writePart validates one record for each list of values, of fields in the same order; the first is the identity.
func (f *fixture) writePart(fields []xdm.Field, rows ...[]string) (store.Part, map[int64][]string) {
	f.Helper()
	dataset := store.Dataset{Name: "rows", Schema: &xdm.Schema{Fields: fields}}
	var columns []prospect.Column
	for _, field := range fields {
		columns = append(columns, prospect.Column{Field: field})
	}
	part, err := f.store.WritePart(f.Context(), dataset, "batch_r", columns, fields[0].Path, func(w io.Writer) error {
		return writeClean(w, rows...)
	})
	require.NoError(f, err)
	refused := map[int64][]string{}
	for line, err := range f.store.PartRejections(f.Context(), dataset.Name, "batch_r") {
		require.NoError(f, err)
		for _, reason := range line.Reasons {
			refused[line.Line] = append(refused[line.Line], reason.String())
		}
	}
	return part, refused
}

// BI-16, EC-19: an identity is there, and is one value to everybody who reads it. Nothing is done to it: leading
// zeroes stay, and so do digits that could be a number.
func TestIdentities(t *testing.T) {
	f := newFixture(t)
	const missing, malformed = "INGEST-1555-400 id", "PROSPECT-IDENTITY id"
	for value, want := range map[string]string{
		"": missing, " ": missing, "\u00a0 ": missing, "\t": missing, "\u2028": missing, "\u0085\n": missing, " a1": malformed, "a1 ": malformed, "a1\t": malformed, "\u2003a1": malformed, "a1\u00a0": malformed, "a\x01b": malformed,
		"a\nb": malformed, "a\u0085b": malformed, "a\x7f": malformed, strings.Repeat("a", 1001): malformed, strings.Repeat("ü", 501): malformed,
		strings.Repeat("a", 1000): "", strings.Repeat("ü", 500): "", "a b": "", "007": "", "1E5": "", "12345678901234567890123": "", "日本": "", `a"1`: "", "a,1": "", "-": "",
	} {
		part, refused := f.writePart([]xdm.Field{{Path: "id", Type: xdm.String}}, []string{value})
		require.EqualValues(t, oneIf(want == ""), part.Accepted, "%q", value)
		require.Equal(t, want, strings.Join(refused[1], ", "), "%q", value)
	}
}

// BI-3: white space alone, of whatever kind, is no value of a required field; to others it is a text.
func TestWhiteSpaceIsNoValue(t *testing.T) {
	f := newFixture(t)
	space := "\u2003\t"
	fields := []xdm.Field{{Path: "id", Type: xdm.String}, {Path: "state", Type: xdm.String, Required: true, Default: &space}, {Path: "note", Type: xdm.String}}
	_, refused := f.writePart(fields, []string{"a1", "MA", space}, []string{"a1", " ", ""}, []string{"a1", "\t", ""}, []string{"a1", "\u2028\n", ""}, []string{"a1", "", ""}, []string{"a1", "\u200b", ""})
	missing := []string{"INGEST-1555-400 state"}
	require.Equal(t, map[int64][]string{2: missing, 3: missing, 4: missing, 5: missing}, refused)
}

// BI-4: a number that is too large for a double is no number, and so neither above nor below a bound.
func TestNumbersThatNoDoubleHolds(t *testing.T) {
	f := newFixture(t)
	low, high := -1e9, 1e9
	fields := []xdm.Field{{Path: "id", Type: xdm.String}, {Path: "wealth", Type: xdm.Number, Minimum: &low, Maximum: &high}}
	_, refused := f.writePart(fields, []string{"a1", "1e400"}, []string{"a1", "-1e400"}, []string{"a1", "1.8e308"}, []string{"a1", "1e308"}, []string{"a1", "-1e308"}, []string{"a1", "1e-400"})
	wrong, outside := []string{"PROSPECT-TYPE wealth"}, []string{"PROSPECT-RANGE wealth"}
	require.Equal(t, map[int64][]string{1: wrong, 2: wrong, 3: wrong, 4: outside, 5: outside}, refused)
}

// Every broken field of a row has its reasons, the identity too.
func TestAllReasonsOfARow(t *testing.T) {
	f := newFixture(t)
	low, high := 0.0, 10.0
	fields := []xdm.Field{{Path: "id", Type: xdm.String, Pattern: "[a-z]+[0-9]"}, {Path: "age", Type: xdm.Integer, Minimum: &low, Maximum: &high, Required: true},
		{Path: "state", Type: xdm.String, Enum: []string{"MA", "CA"}, MaxLength: 2}, {Path: "born", Type: xdm.Date}, {Path: "mail", Type: xdm.String, Format: xdm.Email}}
	part, refused := f.writePart(fields, []string{"a1", "3", "MA", "2024-01-01", "a@b.de"}, []string{" a1", "11", "XXX", "soon", "nobody"}, []string{"", "", "", "", ""}, []string{"a1", "x", "", "", ""})
	require.Equal(t, store.Part{Accepted: 1, Rejected: 3}, part)
	require.Equal(t, map[int64][]string{
		2: {"PROSPECT-PATTERN id", "PROSPECT-IDENTITY id", "PROSPECT-RANGE age", "PROSPECT-ENUM state", "PROSPECT-LENGTH state", "PROSPECT-TYPE born", "PROSPECT-FORMAT mail"},
		3: {"INGEST-1555-400 id", "INGEST-1555-400 age"}, 4: {"PROSPECT-TYPE age"}}, refused)
}

// EC-20, BI-4: instants are kept as instants, whatever the offset, and as milliseconds; days are days. EC-19: text is
// kept as it came.
func TestTypedValues(t *testing.T) {
	f := newFixture(t)
	fields := []xdm.Field{{Path: "id", Type: xdm.String}, {Path: "at", Type: xdm.DateTime}, {Path: "day", Type: xdm.Date}}
	part, _ := f.writePart(fields, []string{"007", "2024-01-05T10:00:00+05:00", "2024-01-05"}, []string{"1.50", "2024-01-05", ""}, []string{"1E5", "1704448800123", ""},
		[]string{"9007199254740993", "2024-01-05 10:00:00.25-01:30", ""})
	require.EqualValues(t, 4, part.Accepted)
	reader, err := file.OpenParquetFile(filepath.Join(f.dir, "store", "rows", "parts", "batch_r.draft.parquet"), false)
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close()) }()
	arrow, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	require.NoError(t, err)
	table, err := arrow.ReadTable(t.Context())
	require.NoError(t, err)
	defer table.Release()
	var got []string
	for row := range 4 {
		text := ""
		for _, name := range []string{"id", "at", "day"} {
			text += table.Column(table.Schema().FieldIndices(name)[0]).Data().Chunk(0).(interface{ ValueStr(int) string }).ValueStr(row) + " "
		}
		got = append(got, text)
	}
	require.Equal(t, []string{"007 2024-01-05T05:00:00Z 2024-01-05 ", "1.50 2024-01-05T00:00:00Z (null) ", "1E5 2024-01-05T10:00:00.123Z (null) ",
		"9007199254740993 2024-01-05T11:30:00.25Z (null) "}, got)
}

// No text is taken for the end of its field or record, wherever the reader of a long part begins to read (EC-15): the values
// are what comes back, in the order of lines.
func TestTextStaysText(t *testing.T) {
	f := newFixture(t)
	texts := []string{" a", "a ", `"`, `"a"`, "a,b", "a\nb", "\n", "\r\n", "\x1f", "\x1a", "\x1a1", "\x1a\n\x1f0", "\\n", "'", "#", "NULL", "é\u2028",
		"x\n7\x1f\x1f\x1fa7\x1f7\n8\x1f\x1f\x1fa8\x1f8\n", strings.Repeat("\n1\x1f\x1f\x1fa1\x1f1", 10_000)}
	records := make([][]string, 60_000)
	for i := range records {
		text := texts[i%(len(texts)-1)] + strings.Repeat("-", 400)
		if i%5000 == 0 {
			text = texts[len(texts)-1]
		}
		records[i] = []string{strconv.Itoa(i + 1), text}
	}
	part, refused := f.writePart([]xdm.Field{{Path: "id", Type: xdm.String}, {Path: "note", Type: xdm.String}}, records...)
	require.Empty(t, refused)
	require.EqualValues(t, len(records), part.Accepted)
	reader, err := file.OpenParquetFile(filepath.Join(f.dir, "store", "rows", "parts", "batch_r.draft.parquet"), false)
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close()) }()
	arrow, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	require.NoError(t, err)
	table, err := arrow.ReadTable(t.Context())
	require.NoError(t, err)
	defer table.Release()
	row := 0
	notes := table.Column(table.Schema().FieldIndices("note")[0]).Data().Chunks()
	for i, ids := range table.Column(table.Schema().FieldIndices("id")[0]).Data().Chunks() {
		for j := range ids.Len() {
			require.Equal(t, records[row], []string{ids.ValueStr(j), notes[i].ValueStr(j)})
			row++
		}
	}
	require.Len(t, records, row)
}

// Formats tell values of another kind, and take what the standards take.
func TestFormats(t *testing.T) {
	f := newFixture(t)
	for format, values := range map[string]struct{ good, bad []string }{
		xdm.Email: {[]string{"ann@example.com", "a.b+c@mail.example.co.uk", "ä@exämple.de"}, []string{"ann", "@example.com", "ann@example", "a@b@c.de", "a b@c.de", "a@b..de", "a@.de", "a@b.de.", "a\u00a0@b.de", "a@b.de\u0001"}},
		xdm.URI: {[]string{"https://example.com/a?b=c#d", "urn:isbn:0451450523", "mailto:a@b.de", "https://[::1]:8080/%20"},
			[]string{"example.com", "/a", "https:", "https://exa mple.com", "https://example.com/%2", "https://a/<b>", "https://a#b#c", "1http://a", "https://a/\u0001", "https://exämple.de"}},
		xdm.URIReference: {[]string{"a", "/a/b?c", "#top", "https://example.com"}, []string{"a b", "#a#b", "%zz", "a\\b"}},
	} {
		fields := []xdm.Field{{Path: "id", Type: xdm.String}, {Path: "value", Type: xdm.String, Format: format}}
		for _, value := range append(values.good, values.bad...) {
			_, refused := f.writePart(fields, []string{"a1", value})
			want := fmt.Sprint([]string{"PROSPECT-FORMAT value"})
			for _, good := range values.good {
				if good == value {
					want = "[]"
				}
			}
			require.Equal(t, want, fmt.Sprint(refused[1]), "%s %q", format, value)
		}
	}
}

// A batch that is checked again is read as it is now, and not as its part was before under the same name.
func TestPartsAreReadAnew(t *testing.T) {
	f := newFixture(t)
	fields := []xdm.Field{{Path: "id", Type: xdm.String}}
	for i := range 60 {
		rows := make([][]string, 1+i%3)
		for n := range rows {
			rows[n] = []string{strings.Repeat("x", 1+n)}
		}
		part, _ := f.writePart(fields, rows...)
		require.EqualValues(t, len(rows), part.Accepted)
	}
}
