package ingest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/ingest"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/workspace"
	"prospector/internal/xdm"
)

// typed is a loading whose files have, beside the id and a code, a whole number, an instant and a boolean.
func typed(t *testing.T, lines string) *loading {
	l := newLoading(t, lines+flat)
	s := l.file.Dataset.Schema
	for column, kind := range map[string]xdm.Type{"age": xdm.Integer, "born": xdm.DateTime, "member": xdm.Boolean} {
		s.Fields = append(s.Fields, xdm.Field{Path: "_luma." + column, Type: kind})
		l.file.Source.Mapping[column] = "_luma." + column
	}
	slices.SortFunc(s.Fields, func(a, b xdm.Field) int { return strings.Compare(a.Path, b.Path) })
	return l
}

// refused are the rows in the rejections file: line, then all reasons.
func (l *loading) refused() (out []string) {
	l.Helper()
	data, err := os.ReadFile(l.file.Rejections)
	require.NoError(l, err)
	for line := range strings.Lines(string(data)) {
		var r struct {
			Line    int64
			Reasons []prospect.Reason
		}
		require.NoError(l, json.Unmarshal([]byte(line), &r))
		var texts []string
		for _, reason := range r.Reasons {
			require.NotEmpty(l, reason.Code.Meaning(), "%s is a code that nobody explains", reason.Code)
			texts = append(texts, reason.String())
		}
		out = append(out, fmt.Sprintf("%d: %s", r.Line, strings.Join(texts, ", ")))
	}
	return out
}

// load loads what validation wrote.
func (l *loading) load(counts ingest.Counts, status string) store.Outcome {
	l.Helper()
	columns, err := l.file.Columns()
	require.NoError(l, err)
	out, err := l.store.Load(l.Context(), store.Load{Dataset: l.file.Dataset, Batch: store.Batch{ID: l.file.Batch, Source: "acme", File: l.file.Name}, Columns: columns,
		Quarantine: l.file.Rejections, Read: counts.Read, Accepted: counts.Accepted, Rejected: counts.Rejected, Status: status, At: time.Now()}, nil)
	require.NoError(l, err)
	return out
}

const (
	head    = "pid,age,born,hiking,member,secret\n"
	good    = "a1,7,2024-01-05,Y,true,s\n"
	columns = "INGEST-1401-400 (column count)"
	quoting = "INGEST-1401-400 (quoting)"
	large   = "PROSPECT-SIZE (above 102400 bytes, guardrails.recordBytes)"
	jsonl   = "format: {records: jsonl}\n"
)

func object(pid string) string { return `{"pid": "` + pid + `", "age": 7, "hiking": "Y"}` + "\n" }

// BI-3, BI-10, BI-11, EC-15: what partners break in files, one kind at a time. No row is lost: each is accepted, or
// rejected with all its reasons at the physical line on which it begins, and a file that cannot be read as a whole is
// refused with one error.
func TestBrokenInput(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	many := strings.Repeat(good, 100_000)
	for name, c := range map[string]struct {
		lines, content string
		accepted       int64
		refused        []string
		file           string // what the error says of the whole file
	}{
		"byte-order mark":           {"", "\ufeff" + head + good, 1, nil, ""},
		"CRLF":                      {"", strings.ReplaceAll(head+good+good, "\n", "\r\n"), 2, nil, ""},
		"CR":                        {"", strings.ReplaceAll(head+good+good, "\n", "\r"), 2, nil, ""},
		"LF, then one CRLF":         {"", head + good + strings.Replace(good, "\n", "\r\n", 1) + good, 3, nil, ""},
		"no final line end":         {"", head + strings.TrimSuffix(good, "\n"), 1, nil, ""},
		"header only":               {"", head, 0, nil, ""},
		"blank lines":               {"", head + "\n" + good + "\n\n" + "a2,x,,Y,,\n", 1, []string{"6: PROSPECT-TYPE _luma.age"}, ""},
		"empty":                     {"", "", 0, nil, "the file is empty (106)"},
		"only a byte-order mark":    {"", "\ufeff", 0, nil, "the file has no header line (118)"},
		"only line ends":            {"", "\n\n", 0, nil, "the file has no header line (118)"},
		"a header of delimiters":    {"", ",,\na1,2,3\n", 0, nil, "the file has no header line (118)"},
		"empty JSON lines":          {jsonl, "", 0, nil, "the file is empty (106)"},
		"empty gzip":                {"format: {compression: gzip}\n", "", 0, nil, "the file is empty (106)"},
		"columns in another order":  {"", "member,secret,hiking,born,age,pid\ntrue,s,Y,2024-01-05,7,a1\n", 1, nil, ""},
		"spaces around names":       {"", strings.ReplaceAll(head, ",", " , ") + good, 1, nil, ""},
		"names in another case":     {"", strings.Replace(head, "age", "Age", 1) + good, 0, nil, `unmapped columns "Age" and it lacks the mapped columns "age"`},
		"a name twice":              {"", strings.Replace(head, "age", "pid", 1) + good, 0, nil, `repeats the columns "pid"`},
		"UTF-16":                    {"", "\xff\xfea\x00", 0, nil, "UTF-16"},
		"too few and too many":      {"", head + "a1,7\n" + good + "a1,7,,Y,true,s,more\n", 1, []string{"2: " + columns, "4: " + columns}, ""},
		"text behind a quote":       {"", head + `"a1"x,7,,Y,true,s` + "\n" + good, 1, []string{"2: " + quoting}, ""},
		"a quote inside a field":    {"", head + `a"1,7,,Y,true,s` + "\n" + good, 1, []string{"2: " + quoting}, ""},
		"a stray quote":             {"", head + many + `"a1,7,,Y,true,s` + "\n" + many, 200_000, []string{"100002: " + quoting}, ""},
		"an unclosed quote, last":   {"", head + good + `a1,7,,Y,true,"s`, 1, []string{"3: " + quoting}, ""},
		"line feeds in a field":     {"", head + "a1,7,,Y,true,\"s\n\ns\"\na2,x,,Y,,\n" + good, 2, []string{"5: PROSPECT-TYPE _luma.age"}, ""},
		"not UTF-8":                 {"", head + "a\xff,7,,Y,true,s\n" + good, 1, []string{"2: INGEST-1401-400 (not UTF-8)"}, ""},
		"a NUL byte":                {"", head + "a\x00,7,,Y,true,s\n" + good, 1, []string{"2: INGEST-1401-400 (NUL byte)"}, ""},
		"a line of 3 MB":            {"", head + good + "a1,7,,Y,true," + long + "\n" + good, 2, []string{"3: " + large}, ""},
		"a record of 100 KB":        {"", head + "a1,7,,Y,true," + long[:102400-13] + "\na1,7,,Y,true," + long[:102401-13] + "\n", 1, []string{"3: " + large}, ""},
		"bent numbers":              {"", head + "a1,12.6,,Y,,\na1,1e3,,Y,,\na1,1_000,,Y,,\na1,0x1F,,Y,,\na1, 12 ,,Y,,\n" + good, 1, []string{"2: PROSPECT-TYPE _luma.age", "3: PROSPECT-TYPE _luma.age", "4: PROSPECT-TYPE _luma.age", "5: PROSPECT-TYPE _luma.age", "6: PROSPECT-TYPE _luma.age"}, ""},
		"bent dates":                {"", head + "a1,,2024-1-5,Y,,\na1,,2024/01/05,Y,,\na1,,epoch,Y,,\na1,,2024-01-05T10:00:00,Y,,\na1,,99999-01-01,Y,,\na1,,1704448800,Y,,\na1,,1704448800123,Y,,\n", 1, []string{"2: PROSPECT-TYPE _luma.born", "3: PROSPECT-TYPE _luma.born", "4: PROSPECT-TYPE _luma.born", "5: PROSPECT-TYPE _luma.born", "6: PROSPECT-TYPE _luma.born", "7: PROSPECT-TYPE _luma.born"}, ""},
		"bent booleans":             {"", head + "a1,,,Y,1,\na1,,,Y,t,\na1,,,Y,yes,\na1,,,Y,TRUE,\na1,,,Y,false,\n", 1, []string{"2: PROSPECT-TYPE _luma.member", "3: PROSPECT-TYPE _luma.member", "4: PROSPECT-TYPE _luma.member", "5: PROSPECT-TYPE _luma.member"}, ""},
		"all that a row can have":   {"", head + " ,x,soon,X,1,s\n a1,x,soon,X,1,s\n", 0, []string{"2: PROSPECT-TYPE _luma.age, PROSPECT-TYPE _luma.born, PROSPECT-TYPE _luma.member, PROSPECT-ENUM partner.hiking, INGEST-1555-400 partnerID", "3: PROSPECT-TYPE _luma.age, PROSPECT-TYPE _luma.born, PROSPECT-TYPE _luma.member, PROSPECT-ENUM partner.hiking, PROSPECT-IDENTITY partnerID"}, ""},
		"an identity map, ignored":  {"drift: {unmapped: ignore}\n", "pid,age,born,hiking,member,identityMap.Email\na1,7,,Y,true,x\n", 0, nil, `it has the column "identityMap.Email" (PROSPECT-IDENTITYMAP)`},
		"JSON: broken, no object":   {jsonl, object("a1") + "{\"pid\": \n[1,2]\n\"str\"\n7\n" + object("a2"), 2, []string{"2: INGEST-1401-400 (not a JSON object)", "3: INGEST-1401-400 (not a JSON object)", "4: INGEST-1401-400 (not a JSON object)", "5: INGEST-1401-400 (not a JSON object)"}, ""},
		"JSON: two on a line":       {jsonl, strings.TrimSpace(object("a1")) + object("a2"), 0, []string{"1: INGEST-1401-400 (not a JSON object)"}, ""},
		"JSON: another type":        {jsonl, `{"pid": "a1", "age": "xx"}` + "\n" + `{"pid": "a2", "age": 12.6}` + "\n" + `{"pid": "a3", "age": true}` + "\n" + `{"pid": "a4", "member": 1}` + "\n" + `{"pid": "a5", "member": true, "born": 1704448800123}` + "\n", 1, []string{"1: PROSPECT-TYPE _luma.age", "2: PROSPECT-TYPE _luma.age", "3: PROSPECT-TYPE _luma.age", "4: PROSPECT-TYPE _luma.member"}, ""},
		"JSON: blank lines":         {jsonl, "\n  \n" + object("a1") + "\n" + `{"age": 7}`, 1, []string{"5: INGEST-1555-400 partnerID"}, ""},
		"JSON: a key twice":         {jsonl, `{"pid": "a1", "age": 5, "age": 6}` + "\n" + object("a1"), 1, []string{"1: INGEST-1401-400 (repeated name)"}, ""},
		"JSON: an object, a list":   {jsonl, `{"pid": {"x": "a1"}}` + "\n" + `{"pid": ["a1"]}` + "\n" + object("a1"), 1, []string{"1: INGEST-1401-400 (list or object where one value is expected)", "2: INGEST-1401-400 (list or object where one value is expected)"}, ""},
		"Latin-1, or not":           {"format: {encoding: latin-1}\n", head + "a\x80,7,,Y,true,s\n" + good, 1, []string{"2: INGEST-1401-400 (control characters of Latin-1, bytes 0x80 to 0x9F: is it windows-1252?)"}, ""},
		"not Windows-1252":          {"format: {encoding: windows-1252}\n", head + "a\x81,7,,Y,true,s\n" + good, 1, []string{"2: INGEST-1401-400 (not Windows-1252)"}, ""},
		"JSON: NUL and surrogates":  {jsonl, `{"pid": "a\u0000"}` + "\n" + `{"pid": "a\ud800"}` + "\n" + object("a1"), 1, []string{"1: INGEST-1401-400 (NUL byte)", "2: INGEST-1401-400 (not UTF-8)"}, ""},
		"JSON: nested without end":  {jsonl, `{"secret": ` + strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 201) + "\n" + object("a1"), 1, []string{"1: INGEST-1401-400 (nested too deeply)"}, ""},
		"JSON: a line of 3 MB":      {jsonl, object("a1") + `{"pid": "` + long + `"}` + "\n" + object("a2"), 2, []string{"2: " + large}, ""},
		"JSON: null, missing, zero": {jsonl, `{"pid": null}` + "\n" + `{}` + "\n" + `{"pid": ""}` + "\n" + `{"pid": 0}` + "\n", 1, []string{"1: INGEST-1555-400 partnerID", "2: INGEST-1555-400 partnerID", "3: INGEST-1555-400 partnerID"}, ""},
		"JSON list: one is none":    {"format: {records: json}\n", "[" + strings.TrimSpace(object("a1")) + ", 7,\n{\"pid\": \"a2\", \"age\": \"x\"}]", 1, []string{"2: INGEST-1401-400 (not a JSON object)", "3: PROSPECT-TYPE _luma.age"}, ""},
		"JSON list: no comma":       {"format: {records: json}\n", "[" + object("a1") + object("a2") + "]", 0, nil, "where the record ends cannot be known"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := typed(t, c.lines)
			counts, err := l.validate([]byte(c.content))
			if c.file != "" {
				require.ErrorContains(t, err, c.file)
				require.Equal(t, errkind.BadInput, errkind.Of(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.refused, l.refused())
			require.Equal(t, []int64{c.accepted + int64(len(c.refused)), c.accepted, int64(len(c.refused))}, []int64{counts.Read, counts.Accepted, counts.Rejected})
			outcome := l.load(counts, store.Loaded)
			require.Equal(t, c.accepted, outcome.Created+outcome.Updated+outcome.Superseded)
			kept, err := l.store.RejectionCounts(t.Context(), l.file.Dataset, l.file.Batch)
			require.NoError(t, err)
			require.Equal(t, len(c.refused) > 0, len(kept) > 0)
		})
	}
}

// EC-1, AS-1: a record with an identity map is refused wherever the map lies, and whatever is ignored; other reasons
// come with it. The words in a value are none.
func TestIdentityMapsInRecords(t *testing.T) {
	for _, drift := range []string{"ignore", "quarantine", "fail"} {
		l := newLoading(t, jsonl+"drift: {unmapped: "+drift+"}\n"+strings.Replace(flat, "[secret]", "[secret, identityMap, email]", 1))
		counts, err := l.validate([]byte(strings.Join([]string{
			`{"pid": "a1", "identityMap": {"Email": [{"id": "x"}]}}`, `{"pid": "a2", "identityMap.Email": "x"}`, `{"pid": "a3", "secret": {"identityMap": {}}}`,
			`{"pid": "a4", "secret": [{"identityMap": null}]}`, `{"pid": " a5", "hiking": "X", "identity\u004dap": 1}`, `{"pid": "a6", "hiking": "Y", "secret": "identityMap"}`,
			`{"pid": "a7", "secret": ["identityMap", {"x": "identityMap"}]}`, `{"pid": "a8", "email": "\u0041"}`,
		}, "\n")))
		require.NoError(t, err)
		require.Equal(t, []int64{8, 3, 5}, []int64{counts.Read, counts.Accepted, counts.Rejected})
		require.Equal(t, []string{"1: PROSPECT-IDENTITYMAP", "2: PROSPECT-IDENTITYMAP", "3: PROSPECT-IDENTITYMAP", "4: PROSPECT-IDENTITYMAP",
			"5: PROSPECT-IDENTITYMAP, PROSPECT-ENUM partner.hiking, PROSPECT-IDENTITY partnerID"}, l.refused())
	}
}

// The reasons of the keys, of the mapping, of the identity and of the schema are told together.
func TestReasonsOfAllKindsAreToldTogether(t *testing.T) {
	l := newLoading(t, jsonl+`drift: {unmapped: quarantine}
mapping: {pid: partnerID, hiking: partner.hiking}
ignoreColumns: []
calculatedFields: [{field: _luma.prospect.state, column: state, steps: [{lookup: {values: {MASS: MA}}}]}]
`)
	_, err := l.validate([]byte(`{"pid": "a1 ", "hiking": "X", "state": "?", "more": 1}`))
	require.NoError(t, err)
	require.Equal(t, []string{"1: PROSPECT-DRIFT (unmapped keys), PROSPECT-MAPPING _luma.prospect.state (lookup), PROSPECT-ENUM partner.hiking, PROSPECT-IDENTITY partnerID"}, l.refused())
}

// GR-14, GR-20, BI-6, BI-14: what is larger than the Sandbox allows is refused, with the limit and the key that sets it.
func TestGuardrails(t *testing.T) {
	l := newLoading(t, flat)
	l.file.Guardrails = workspace.Guardrails{FieldsPerRow: 2}
	_, err := l.validate([]byte("pid,secret,hiking\na1,s,Y\n"))
	require.ErrorContains(t, err, "it has 3 columns, and 2 is the limit; ask the partner for fewer columns, or raise guardrails.fieldsPerRow of the Sandbox")
	require.Equal(t, errkind.BadInput, errkind.Of(err))

	l = newLoading(t, flat)
	l.file.Guardrails = workspace.Guardrails{RecordBytes: 8}
	counts, err := l.validate([]byte("pid,secret,hiking\na1,sss,Y\na1,ssss,Y\n"))
	require.NoError(t, err)
	require.EqualValues(t, 1, counts.Accepted)
	require.Equal(t, []string{"3: PROSPECT-SIZE (above 8 bytes, guardrails.recordBytes)"}, l.refused())

	l = newLoading(t, jsonl+flat)
	l.file.Guardrails = workspace.Guardrails{FieldsPerRow: 3}
	counts, err = l.validate([]byte(`{"pid": "a:1", "hiking": "Y", "secret": "\":::"}` + "\n" + `{"pid": "a1", "hiking": "Y", "secret": {"x": 1}}`))
	require.NoError(t, err)
	require.EqualValues(t, 1, counts.Accepted)
	require.Equal(t, []string{"2: PROSPECT-FIELDS (above 3, guardrails.fieldsPerRow)"}, l.refused())

	l = newLoading(t, "format: {records: parquet}\n"+flat)
	l.file.Guardrails = workspace.Guardrails{RecordBytes: 2}
	counts, err = l.validate(parquetOf(t))
	require.NoError(t, err)
	require.EqualValues(t, 2, counts.Rejected)
	l.file.Guardrails = workspace.Guardrails{FieldsPerRow: 2}
	_, err = l.validate(parquetOf(t))
	require.ErrorContains(t, err, "it has 3 columns")
}

// GR-14: a row of 10,000 fields is one within the limit of a source that sets none.
func TestTenThousandFields(t *testing.T) {
	for fields, allowed := range map[int]bool{10_000: true, 10_001: false} {
		l := newLoading(t, "drift: {unmapped: ignore}\n"+flat)
		names, values := []string{"pid", "hiking"}, []string{"a1", "Y"}
		for i := 2; i < fields; i++ {
			names, values = append(names, fmt.Sprint("c", i)), append(values, "")
		}
		counts, err := l.validate([]byte(strings.Join(names, ",") + "\n" + strings.Join(values, ",") + "\n"))
		if !allowed {
			require.ErrorContains(t, err, "it has 10001 columns, and 10000 is the limit")
			continue
		}
		require.NoError(t, err)
		require.EqualValues(t, 1, counts.Accepted)
	}
}

// AS-13, EC-16, BI-7: a share that is the threshold exactly is within it, for thresholds with a fraction too; the
// arithmetic of tiny files is the same.
func TestThresholdIsExact(t *testing.T) {
	for _, c := range []struct {
		rejected, read int64
		threshold      float64
		exceeds        bool
	}{
		{50, 1000, 5, false}, {51, 1000, 5, true}, {40, 1000, 5, false}, {60, 1000, 5, true}, {1, 10, 5, true}, {1, 20, 5, false}, {1, 19, 5, true}, {0, 0, 0, false},
		{0, 1, 0, false}, {1, 1_000_000_000, 0, true}, {3, 1000, 0.3, false}, {7, 1000, 0.7, false}, {1, 1000, 0.1, false}, {11, 10_000, 0.1, true}, {100, 100, 100, false},
		{150_000_001, 3_000_000_000, 5, true}, {150_000_000, 3_000_000_000, 5, false},
	} {
		require.Equal(t, c.exceeds, ingest.Counts{Read: c.read, Accepted: c.read - c.rejected, Rejected: c.rejected}.Exceeds(c.threshold), "%d of %d at %g", c.rejected, c.read, c.threshold)
	}
}

// SC-32, PF-19: a default stands in also for a column that the file lacks. With upsert such a column is left as it was, so
// that a required one refuses the rows.
func TestDefaultsOfMissingColumns(t *testing.T) {
	for merge, want := range map[store.Merge]string{store.Replace: "updated: 7", store.Full: "updated: 7", store.Upsert: "unchanged: 9"} {
		l := typed(t, "drift: {missing: ignore}\n")
		l.file.Dataset.Merge = merge
		fields := l.file.Dataset.Schema.Fields
		i := slices.IndexFunc(fields, func(f xdm.Field) bool { return f.Path == "_luma.age" })
		seven := "7"
		fields[i].Default = &seven
		counts, err := l.validate([]byte(head + strings.Replace(good, "7", "9", 1)))
		require.NoError(t, err)
		l.load(counts, store.Loaded)

		l.file.Batch = "batch_2"
		less := []byte("pid,born,hiking,member,secret\na1,2024-01-05,Y,true,s\n")
		counts, err = l.validate(less)
		require.NoError(t, err)
		out := l.load(counts, store.Loaded)
		fragment, _, err := l.store.Fragment(t.Context(), l.file.Dataset, "a1")
		require.NoError(t, err)
		effect := map[bool]string{out.Updated == 1: "updated", out.Unchanged == 1: "unchanged"}[true]
		require.Equal(t, want, fmt.Sprintf("%s: %v", effect, fragment.Attributes["_luma.age"]), merge)

		l.file.Batch, fields[i].Required = "batch_3", true
		_, err = l.validate(less)
		require.NoError(t, err)
		require.Equal(t, merge == store.Upsert, slices.Equal([]string{"2: INGEST-1555-400 _luma.age"}, l.refused()), "%s: %v", merge, l.refused())
	}
}

// BI-12: a rejected row of which nothing may be kept is in quarantine all the same, with its reasons.
func TestRejectedRowsWithoutKeptValues(t *testing.T) {
	for _, quote := range []string{"'\"'", "none"} {
		l := newLoading(t, "format: {quote: "+quote+"}\ndrift: {missing: ignore}\n"+flat)
		counts, err := l.validate([]byte("secret\ns\n"))
		require.NoError(t, err)
		require.EqualValues(t, 1, counts.Rejected)
		l.load(counts, store.Failed)
		kept, err := l.store.RejectionCounts(t.Context(), l.file.Dataset, l.file.Batch)
		require.NoError(t, err)
		require.Equal(t, []store.RejectionCount{{Reason: prospect.Reason{Code: prospect.Required, Field: "partnerID"}, Rows: 1}}, kept)
	}
}

// Nothing of rejected rows is kept where no file for them is named; they are counted all the same.
func TestWithoutDiagnostics(t *testing.T) {
	l := newLoading(t, flat)
	rejections := l.file.Rejections
	l.file.Rejections = ""
	counts, err := l.validate([]byte("pid,secret,hiking\na1,s,Y\na2,s,X\na3\n"))
	require.NoError(t, err)
	require.Equal(t, []int64{3, 1, 2}, []int64{counts.Read, counts.Accepted, counts.Rejected})
	require.NoFileExists(t, rejections)
	require.EqualValues(t, 2, l.load(counts, store.Failed).Rejected)
	kept, err := l.store.RejectionCounts(t.Context(), l.file.Dataset, l.file.Batch)
	require.NoError(t, err)
	require.Empty(t, kept)
}

// A record that comes to more than the store takes in a line, through many fields filled from it, is an error that
// says so.
func TestRecordsThatGrow(t *testing.T) {
	l := newLoading(t, flat)
	for i := range 60 {
		path := fmt.Sprintf("_luma.copy%02d", i)
		l.file.Dataset.Schema.Fields = append(l.file.Dataset.Schema.Fields, xdm.Field{Path: path, Type: xdm.String})
		l.file.Source.CalculatedFields = append(l.file.Source.CalculatedFields, l.file.Source.Targets()[0])
		l.file.Source.CalculatedFields[i].Field, l.file.Source.CalculatedFields[i].Column = path, "hiking"
	}
	slices.SortFunc(l.file.Dataset.Schema.Fields, func(a, b xdm.Field) int { return strings.Compare(a.Path, b.Path) })
	_, err := l.validate([]byte("pid,secret,hiking\na1,s,Y\na2,s," + strings.Repeat("x", 100_000) + "\n"))
	require.ErrorContains(t, err, "line 3 comes to 61")
	require.Equal(t, errkind.BadInput, errkind.Of(err))
}

// What is in the documentation is every code that there is.
func TestCodesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/rows.md")
	require.NoError(t, err)
	for _, code := range slices.Concat(prospect.Codes, prospect.BatchCodes) {
		require.Contains(t, string(page), "| `"+string(code)+"` |")
		require.NotEmpty(t, code.Meaning())
	}
	require.Len(t, regexp.MustCompile("(?m)^[|] `(INGEST-|PROSPECT-|[0-9])").FindAllString(string(page), -1), len(prospect.Codes)+len(prospect.BatchCodes))
}
