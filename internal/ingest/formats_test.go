package ingest_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/filecodec"
	"prospector/internal/filecodec/parquetfile"
	"prospector/internal/ingest"
	"prospector/internal/store"
	"prospector/internal/store/duckdb"
	"prospector/internal/workspace"
	"prospector/testdata"
)

// loading is a store with a source of the sample workspace that reads files as lines say.
type loading struct {
	*testing.T
	store *duckdb.Store
	file  ingest.File
}

func newLoading(t *testing.T, lines string) *loading {
	t.Helper()
	return newLoadingOf(t, lines, "")
}

// newLoadingOf is newLoading with fields of one more group.
func newLoadingOf(t *testing.T, lines, fields string) *loading {
	t.Helper()
	files := workspace.Files{}
	entries, err := testdata.Workspace.ReadDir("workspace")
	require.NoError(t, err)
	for _, entry := range entries {
		content, err := testdata.Workspace.ReadFile("workspace/" + entry.Name())
		require.NoError(t, err)
		files[entry.Name()] = string(content)
	}
	head, rest, _ := strings.Cut(files["sources.yaml"], "path: in/*.csv.gz\n")
	_, rest, ok := strings.Cut(rest, "errorThreshold: 5\n")
	require.True(t, ok)
	files["sources.yaml"] = head + "path: in/*\n" + lines + rest
	if fields != "" {
		files["more.yaml"] = "kind: FieldGroup\nname: More\nfields:\n" + fields
		files["schemas.yaml"] = strings.Replace(files["schemas.yaml"], "Luma Prospect Location]", "Luma Prospect Location, More]", 1)
	}
	w, err := workspace.Parse(files)
	require.NoError(t, err)
	dir := t.TempDir()
	s, err := duckdb.Open(t.Context(), dir, duckdb.Options{MemoryLimit: "512MB"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	d, err := w.Dataset("acme_2026")
	require.NoError(t, err)
	return &loading{T: t, store: s, file: ingest.File{Name: "in/file", Path: filepath.Join(dir, "raw"), Batch: "batch_1", Source: w.Sources[0], Identity: "partnerID",
		Dataset: store.Dataset{Name: d.Name, Schema: w.Schema(d).Composed}, Rejections: filepath.Join(dir, "rejections"), Parquet: func(r io.ReaderAt, size int64, wanted, whole []string) (filecodec.Reader, error) {
			opened, err := parquetfile.Open(r, size, wanted, whole)
			if err != nil {
				return nil, err
			}
			return opened, nil
		}}}
}

func (l *loading) validate(content []byte) (ingest.Counts, error) {
	l.Helper()
	require.NoError(l, os.WriteFile(l.file.Path, content, 0o600))
	return ingest.Validate(context.Background(), l.store, l.file, func(ingest.Progress) {})
}

// reasons are the texts of all reasons for which rows were refused, and the records as they are kept.
func (l *loading) reasons() (texts, raws []string) {
	l.Helper()
	data, err := os.ReadFile(l.file.Rejections)
	require.NoError(l, err)
	for line := range strings.Lines(string(data)) {
		var r struct {
			Line    int64
			Raw     []byte
			Reasons []struct{ Code, Field, Detail string }
		}
		require.NoError(l, json.Unmarshal([]byte(line), &r))
		for _, reason := range r.Reasons {
			texts = append(texts, strings.TrimSpace(reason.Code+" "+reason.Field+" "+reason.Detail))
		}
		raws = append(raws, string(r.Raw))
	}
	return texts, raws
}

const flat = "mapping: {pid: partnerID, hiking: partner.hiking}\nignoreColumns: [secret]\n"

func zipOf(t *testing.T, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range names {
		entry, err := w.Create(name)
		require.NoError(t, err)
		_, err = entry.Write([]byte("pid|hiking\na1|Y\na2|X\n"))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func utf16le(text string) []byte {
	out := []byte{0xFF, 0xFE}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return out
}

func parquetOf(t *testing.T) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "pid", Type: arrow.BinaryTypes.String}, {Name: "hiking", Type: arrow.BinaryTypes.String}, {Name: "secret", Type: arrow.PrimitiveTypes.Int32}}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.StringBuilder).AppendValues([]string{"a1", "a2"}, nil)
	builder.Field(1).(*array.StringBuilder).AppendValues([]string{"Y", "X"}, nil)
	builder.Field(2).(*array.Int32Builder).AppendValues([]int32{1, 2}, nil)
	record := builder.NewRecordBatch()
	defer record.Release()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, nil, pqarrow.DefaultWriterProps())
	require.NoError(t, err)
	require.NoError(t, w.Write(record))
	require.NoError(t, w.Close())
	return out.Bytes()
}

// SR-4, SR-11, SR-12: each way of writing the same two rows gives the same outcome: one accepted, one refused, and
// nothing of an ignored column is kept.
func TestFormats(t *testing.T) {
	for name, c := range map[string]struct {
		lines   string
		content []byte
	}{
		"tab, no quotes":    {"format: {delimiter: \"\\t\", quote: none}\n", []byte("pid\tsecret\thiking\na1\t\"s\tY\na2\ts\tX\n")},
		"escapes":           {`format: {escape: "\\"}` + "\n", []byte("pid,secret,hiking\n\"a1\",\"a \\\"quoted\\\" s\",Y\na2,s,X\n")},
		"beyond ASCII":      {"format: {delimiter: §, encoding: windows-1252}\n", []byte("pid\xa7secret\xa7hiking\na1\xa7\"s\"\xa7Y\na2\xa7s\xa7X\n")},
		"no header":         {"format: {columns: [pid, secret, hiking]}\n", []byte("a1,s,Y\na2,s,X\n")},
		"utf-16":            {"format: {encoding: utf-16}\n", utf16le("pid,secret,hiking\r\na1,ü,Y\r\na2,s,X\r\n")},
		"latin-1":           {"format: {encoding: latin-1}\n", []byte("pid,secret,hiking\na1,\xfc,Y\na2,s,X\n")},
		"windows-1252":      {"format: {encoding: windows-1252}\n", []byte("pid,secret,hiking\na1,\x80,Y\na2,s,X\n")},
		"json lines":        {"format: {records: jsonl}\n", []byte(`{"pid": "a1", "hiking": "Y", "secret": {"deep": 1}}` + "\n" + `{"pid": "a2", "hiking": "X", "secret": "s"}` + "\n")},
		"json":              {"format: {records: json}\n", []byte(`[{"pid": "a1", "hiking": "Y"}, {"hiking": "X", "pid": "a2", "secret": "s"}]`)},
		"parquet":           {"format: {records: parquet}\n", parquetOf(t)},
		"zip with one file": {"format: {delimiter: \"|\", compression: zip}\ndrift: {missing: ignore}\n", zipOf(t, "folder/a.csv")},
		"byte-order mark":   {"", []byte("\xef\xbb\xbfpid,secret,hiking\na1,s,Y\na2,s,X\n")},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoading(t, c.lines+flat)
			counts, err := l.validate(c.content)
			require.NoError(t, err)
			require.Equal(t, []int64{2, 1, 1}, []int64{counts.Read, counts.Accepted, counts.Rejected})
			texts, raws := l.reasons()
			require.Equal(t, []string{"PROSPECT-ENUM partner.hiking"}, texts)
			require.Contains(t, raws[0], "a2")
			require.NotContains(t, strings.ReplaceAll(raws[0], "secret", ""), "s")
		})
	}
}

// ID-21, SR-15: fields are calculated from columns through steps; a step that cannot take a value refuses its row,
// together with every other reason.
func TestCalculatedFields(t *testing.T) {
	l := newLoading(t, `mapping: {hiking: partner.hiking}
ignoreColumns: []
calculatedFields:
  - {field: partnerID, column: email, steps: [email, {hash: sha256}]}
  - {field: _luma.prospect.state, column: state, steps: [trim, uppercase, {lookup: {values: {MASS: MA}, otherwise: keep}}]}
  - {field: partner.householdID, concat: [house, flat], separator: "-"}
  - {field: _luma.prospect.postalCode, constant: "02139"}
`)
	counts, err := l.validate([]byte("email,state,house,flat,hiking\n Ann@Example.com ,mass ,h1,2,Y\nnobody,MA,h1,,X\n"))
	require.NoError(t, err)
	require.Equal(t, []int64{2, 1, 1}, []int64{counts.Read, counts.Accepted, counts.Rejected})
	texts, _ := l.reasons()
	require.Subset(t, texts, []string{"PROSPECT-MAPPING partnerID email", "PROSPECT-ENUM partner.hiking"})
	columns, err := l.file.Columns()
	require.NoError(t, err)
	_, err = l.store.Load(t.Context(), store.Load{Dataset: l.file.Dataset, Batch: store.Batch{ID: "batch_1", Source: "acme", File: "in/file"}, Columns: columns,
		Quarantine: l.file.Rejections, Read: 2, Accepted: 1, Rejected: 1, Status: store.Loaded, At: time.Now()}, nil)
	require.NoError(t, err)
}

// Columns that nobody told of, or that are not there, follow the source's policy.
func TestDrift(t *testing.T) {
	const more, less = "pid,hiking,secret,email\na1,Y,s,x\n", "pid,secret\na1,s\n"
	for _, c := range []struct{ drift, content, refused, aside string }{
		{"", more, `has the unmapped columns "email"`, ""},
		{"", less, `lacks the mapped columns "hiking"`, ""},
		{"drift: {unmapped: quarantine}\n", more, "", `has the unmapped columns "email"`},
		{"drift: {missing: quarantine}\n", less, "", `lacks the mapped columns "hiking"`},
		{"drift: {unmapped: ignore, missing: ignore}\n", more, "", ""},
		{"drift: {unmapped: ignore, missing: ignore}\n", less, "", ""},
	} {
		l := newLoading(t, c.drift+flat)
		counts, err := l.validate([]byte(c.content))
		if c.refused != "" {
			require.ErrorContains(t, err, c.refused)
			require.Equal(t, errkind.BadInput, errkind.Of(err))
			continue
		}
		require.NoError(t, err)
		if c.aside != "" {
			require.Contains(t, counts.SetAside, c.aside)
			continue
		}
		require.EqualValues(t, 1, counts.Accepted)
		require.NotNil(t, counts.Drift)
	}
}

// A JSON record drifts by itself: with quarantine it is refused and the others are taken.
func TestJSONDrift(t *testing.T) {
	const content = `{"pid": "a1", "hiking": "Y", "email": {"home": "x"}}` + "\n" + `{"pid": "a2"}` + "\n"
	_, err := newLoading(t, "format: {records: jsonl}\n"+flat).validate([]byte(content))
	require.ErrorContains(t, err, "email.home")
	l := newLoading(t, "format: {records: jsonl}\ndrift: {unmapped: quarantine}\n"+flat)
	counts, err := l.validate([]byte(content))
	require.NoError(t, err)
	require.Equal(t, []int64{2, 1, 1}, []int64{counts.Read, counts.Accepted, counts.Rejected})
	texts, _ := l.reasons()
	require.Equal(t, []string{"PROSPECT-DRIFT  unmapped keys"}, texts)
	l = newLoading(t, "format: {records: jsonl}\ndrift: {unmapped: ignore}\n"+flat)
	counts, err = l.validate([]byte(content))
	require.NoError(t, err)
	require.EqualValues(t, 2, counts.Accepted)
	require.Equal(t, []string{"email.home"}, counts.Drift.Unmapped)
}

// Files that cannot be read as a whole say why, and what would load of them is nothing.
func TestUnreadableFormats(t *testing.T) {
	for name, c := range map[string]struct{ lines, content, text string }{
		"two files in a zip": {"format: {delimiter: \"|\", compression: zip}\n", string(zipOf(t, "a.csv", "b.csv")), "2"},
		"no file in a zip":   {"format: {compression: zip}\n", string(zipOf(t)), ""},
		"a bomb":             {"format: {compression: zip, maxBytes: 10, delimiter: \"|\"}\n", string(zipOf(t, "a.csv")), "maxBytes"},
		"a lying footer":     {"format: {records: parquet}\n", strings.Repeat("PAR1", 20), "Parquet"},
		"an unclosed list":   {"format: {records: json}\n", `[{"pid": "a1", "hiking": "Y"}`, ""},
		"a manifest's rows":  {"", "pid,hiking,secret\na1,Y,s\n", "promises 5"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoading(t, c.lines+flat)
			if name == "a manifest's rows" {
				five := int64(5)
				l.file.Expected = &five
			}
			_, err := l.validate([]byte(c.content))
			require.Equal(t, errkind.BadInput, errkind.Of(err), "%v", err)
			require.ErrorContains(t, err, c.text)
			t.Log(err)
		})
	}
}
