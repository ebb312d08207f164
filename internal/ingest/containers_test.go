package ingest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/stretchr/testify/require"

	"prospector/internal/filecodec"
	"prospector/internal/ingest"
	"prospector/internal/mapping"
	"prospector/internal/store"
)

const containers = `  - {path: _luma.tags, type: string, container: array, enum: [a, bc, "d|e"], maxLength: 2}
  - {path: _luma.mails, type: string, container: array, format: email}
  - {path: _luma.scores, type: integer, container: map, minimum: 0, maximum: 10}
  - {path: _luma.days, type: date, container: array}
  - {path: _luma.seen, type: date-time, container: map}
  - {path: _luma.ratio, type: number, container: array}
  - {path: _luma.flags, type: boolean, container: map}
`

const intoContainers = `mapping: {pid: partnerID, tags: _luma.tags, mails: _luma.mails, scores: _luma.scores, days: _luma.days, seen: _luma.seen, ratio: _luma.ratio, flags: _luma.flags}
ignoreColumns: []
nullMarkers: ["NULL"]
`

var columnsOfContainers = []string{"pid", "tags", "mails", "scores", "days", "seen", "ratio", "flags"}

// rowsOfContainers are JSON values of the columns but the identity, an empty text where there is none, and why the row is refused.
var rowsOfContainers = []struct {
	values  string
	reasons []string
}{
	{`["a","bc"] ["x@y.de"] {"k":1,"b":10} ["2024-02-29"] {"t":"2024-02-29T10:00:00+02:00"} [1.5,2] {"x":true}`, nil},
	{`[] [] {} [] {} [] {}`, nil},
	{`- - - - - - -`, nil},
	{`["x"] - - - - - -`, []string{"PROSPECT-ENUM _luma.tags"}},
	{`["a","d|e"] - - - - - -`, []string{"PROSPECT-LENGTH _luma.tags"}},
	{`- ["x@y.de","nobody"] {"a":-1,"b":11} - - - -`, []string{"PROSPECT-FORMAT _luma.mails", "PROSPECT-RANGE _luma.scores"}},
	{`- - {"a":"x"} ["2024-02-30"] {"a":"soon"} ["1,5"] {"a":"yes"}`, []string{"PROSPECT-TYPE _luma.days", "PROSPECT-TYPE _luma.flags", "PROSPECT-TYPE _luma.ratio", "PROSPECT-TYPE _luma.scores", "PROSPECT-TYPE _luma.seen"}},
	{`["a",null] [""] {"a":"NULL"} - - - -`, []string{"PROSPECT-TYPE _luma.mails " + mapping.NoElement, "PROSPECT-TYPE _luma.scores " + mapping.NoElement, "PROSPECT-TYPE _luma.tags " + mapping.NoElement}},
}

// wantedOfContainers are the profiles of the accepted rows.
var wantedOfContainers = []string{
	`{"_luma.days":["2024-02-29"],"_luma.flags":{"x":true},"_luma.mails":["x@y.de"],"_luma.ratio":[1.5,2],"_luma.scores":{"b":10,"k":1},"_luma.seen":{"t":"2024-02-29T08:00:00Z"},"_luma.tags":["a","bc"]}`,
	`{"_luma.days":[],"_luma.flags":{},"_luma.mails":[],"_luma.ratio":[],"_luma.scores":{},"_luma.seen":{},"_luma.tags":[]}`,
	`{}`,
}

// csvOfContainers writes rows as a delimited file.
func csvOfContainers(quote func(string) string, rows []string) []byte {
	out := strings.Join(columnsOfContainers, ";") + "\n"
	for i, row := range rows {
		out += fmt.Sprintf("p%d", i+1)
		for _, value := range strings.Fields(row) {
			if value == "-" {
				value = ""
			}
			out += ";" + quote(value)
		}
		out += "\n"
	}
	return []byte(out)
}

func objectsOfContainers(rows []string) (out []string) {
	for i, row := range rows {
		object := fmt.Sprintf(`{"pid":"p%d"`, i+1)
		for n, value := range strings.Fields(row) {
			if value != "-" {
				object += fmt.Sprintf(",%q:%s", columnsOfContainers[n+1], value)
			}
		}
		out = append(out, object+"}")
	}
	return out
}

// parquetOfContainers has texts for the elements; types that Parquet has for them are tested with its reader.
func parquetOfContainers(t *testing.T, rows []string) []byte {
	t.Helper()
	list, object := arrow.ListOf(arrow.BinaryTypes.String), arrow.MapOf(arrow.BinaryTypes.String, arrow.BinaryTypes.String)
	types := []arrow.DataType{arrow.BinaryTypes.String, list, list, object, list, object, list, object}
	fields := make([]arrow.Field, len(types))
	for i, name := range columnsOfContainers {
		fields[i] = arrow.Field{Name: name, Type: types[i], Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	appendTo := func(to array.Builder, v any) {
		if text, ok := v.(string); ok {
			to.(*array.StringBuilder).Append(text)
		} else if v == nil {
			to.AppendNull()
		} else {
			to.(*array.StringBuilder).Append(fmt.Sprint(v))
		}
	}
	for i, row := range rows {
		builder.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("p%d", i+1))
		for n, value := range strings.Fields(row) {
			field := builder.Field(n + 1)
			if value == "-" {
				field.AppendNull()
				continue
			}
			var v any
			require.NoError(t, json.Unmarshal([]byte(value), &v))
			switch v := v.(type) {
			case []any:
				to := field.(*array.ListBuilder)
				to.Append(true)
				for _, each := range v {
					appendTo(to.ValueBuilder(), each)
				}
			case map[string]any:
				to := field.(*array.MapBuilder)
				to.Append(true)
				for key, each := range v {
					appendTo(to.KeyBuilder(), key)
					appendTo(to.ItemBuilder(), each)
				}
			}
		}
	}
	record := builder.NewRecordBatch()
	defer record.Release()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, nil, pqarrow.DefaultWriterProps())
	require.NoError(t, err)
	require.NoError(t, w.Write(record))
	require.NoError(t, w.Close())
	return out.Bytes()
}

// attributes are those of a profile as JSON says them, without the identity.
func (l *loading) attributes(id string) string {
	l.Helper()
	f, ok, err := l.store.Fragment(l.Context(), l.file.Dataset, id)
	require.NoError(l, err)
	require.True(l, ok, id)
	delete(f.Attributes, "partnerID")
	data, err := json.Marshal(f.Attributes)
	require.NoError(l, err)
	return string(data)
}

// SC-32, SR-4: lists and maps come from each way of writing a file, every element is judged as a value of the field's type, and what
// is refused can be taken again.
func TestListsAndMaps(t *testing.T) {
	var rows []string
	var reasons []string
	for i, row := range rowsOfContainers {
		rows = append(rows, row.values)
		for _, reason := range row.reasons {
			reasons = append(reasons, fmt.Sprintf("p%d %s", i+1, reason))
		}
	}
	doubled := func(value string) string { return `"` + strings.ReplaceAll(value, `"`, `""`) + `"` }
	bare := func(value string) string { return value }
	for name, c := range map[string]struct {
		lines   string
		content []byte
	}{
		"delimited":            {"format: {delimiter: \";\"}\n", csvOfContainers(doubled, rows)},
		"delimited, no quotes": {"format: {delimiter: \";\", quote: none}\n", csvOfContainers(bare, rows)},
		"json lines":           {"format: {records: jsonl}\n", []byte(strings.Join(objectsOfContainers(rows), "\n"))},
		"json":                 {"format: {records: json}\n", []byte("[" + strings.Join(objectsOfContainers(rows), ",\n") + "]")},
		"parquet":              {"format: {records: parquet}\n", parquetOfContainers(t, rows)},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoadingOf(t, c.lines+intoContainers, containers)
			counts, err := l.validate(c.content)
			require.NoError(t, err)
			require.EqualValues(t, len(wantedOfContainers), counts.Accepted)
			texts, raws := l.reasonsByRow()
			require.Equal(t, reasons, texts)
			outcome := l.load(counts, store.Loaded)
			require.EqualValues(t, len(wantedOfContainers), outcome.Created)
			for i, want := range wantedOfContainers {
				require.JSONEq(t, want, l.attributes(fmt.Sprintf("p%d", i+1)))
			}

			l.file.Batch = "batch_2"
			counts, err = l.validate(c.content)
			require.NoError(t, err)
			require.EqualValues(t, len(wantedOfContainers), l.load(counts, store.Loaded).Unchanged, "the same values again")

			header, err := l.file.Header()
			require.NoError(t, err)
			var kept bytes.Buffer
			for i, raw := range raws {
				require.NoError(t, json.NewEncoder(&kept).Encode(filecodec.Kept{Line: int64(i + 1), Raw: []byte(raw)}))
			}
			for i := range l.file.Dataset.Schema.Fields { // what was refused is now right, but for elements without a value
				f := &l.file.Dataset.Schema.Fields[i]
				f.Enum, f.Format, f.Minimum, f.Maximum, f.MaxLength = nil, "", nil, nil, 0
			}
			l.file.Batch, l.file.Replay = "batch_3", &ingest.Replay{Header: header}
			counts, err = l.validate(kept.Bytes())
			require.NoError(t, err)
			require.EqualValues(t, 3, counts.Accepted)
			require.EqualValues(t, 2, counts.Rejected)
		})
	}
}

// reasonsByRow are the reasons with the identity of their rows.
func (l *loading) reasonsByRow() (texts, raws []string) {
	l.Helper()
	data, err := os.ReadFile(l.file.Rejections)
	require.NoError(l, err)
	for line := range strings.Lines(string(data)) {
		var r struct {
			Raw     []byte
			Reasons []struct{ Code, Field, Detail string }
		}
		require.NoError(l, json.Unmarshal([]byte(line), &r))
		id := string(r.Raw[bytes.IndexByte(r.Raw, 'p'):])
		if i := strings.Index(id, `:"p`); i >= 0 {
			id = id[i+2:]
		}
		for _, reason := range r.Reasons {
			texts = append(texts, strings.TrimSpace(id[:2]+" "+reason.Code+" "+reason.Field+" "+reason.Detail))
		}
		raws = append(raws, string(r.Raw))
	}
	return texts, raws
}
