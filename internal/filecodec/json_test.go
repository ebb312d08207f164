package filecodec

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func asLines(wanted ...string) Format {
	return Format{Records: JSONLines, Encoding: UTF8, Wanted: wanted}
}
func asList(wanted ...string) Format {
	return Format{Records: JSONList, Encoding: UTF8, Wanted: wanted}
}

// SR-4: the values of JSON objects, as they are written. In Lines and in a list they are the same.
func TestJSONObjects(t *testing.T) {
	deep := strings.Repeat(`{"a":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth)
	for _, c := range []struct{ name, object, fields string }{
		{"strings, numbers, booleans, null", `{"a":"x","b":12345678901234567890,"c.d":null}`, "x|12345678901234567890|∅"},
		{"digits are kept", ` { "a" : 1.10 , "b" : -0E+2 } `, "1.10|-0E+2|∅"},
		{"truth", `{"a":true,"b":false}`, "true|false|∅"},
		{"empty text is no null", `{"a":""}`, "|∅|∅"},
		{"escapes", `{"a":"\u0041\n\"\\\/\ud83d\ude00","\u0062":"é"}`, "A\n\"\\/\U0001F600|é|∅"},
		{"nested", `{"c":{"x":[{"d":3}],"d":2},"a":1}`, "1|∅|2"},
		{"a dotted name", `{"c.d":"x"}`, "∅|∅|x"},
		{"nothing wanted", `{}`, "∅|∅|∅"},
		{"null in place of an object", `{"c":null}`, "∅|∅|∅"},
		{"lists that nobody wants", `{"l":[[1,{"a":2}],{}],"a":1}`, "1|∅|∅"},
		{"as deep as may be", strings.Replace(deep, `{"a":`, `{"z":`, MaxDepth), "∅|∅|∅"},

		{"a list", `{"a":[1]}`, string(FaultNested)},
		{"an object", `{"a":{"b":1}}`, string(FaultNested)},
		{"an empty object", `{"a":{}}`, string(FaultNested)},
		{"a nested and a dotted name", `{"c":{"d":1},"c.d":1}`, string(FaultRepeated)},
		{"a nested and a dotted name, null", `{"c.d":null,"c":{"d":null}}`, string(FaultRepeated)},
		{"a name twice", `{"a":1,"a":1}`, string(FaultRepeated)},
		{"a name twice that nobody wants", `{"z":{"y":1,"\u0079":1}}`, string(FaultRepeated)},
		{"a name twice inside a list", `{"z":[{"y":1,"y":1}]}`, string(FaultRepeated)},
		{"NUL", "{\"a\":\"\x00\"}", string(FaultNUL)},
		{"escaped NUL", `{"a":"x\u0000"}`, string(FaultNUL)},
		{"NUL in a name", `{"x\u0000":1}`, string(FaultNUL)},
		{"not UTF-8", "{\"z\":\"\xff\"}", string(FaultEncoding)},
		{"half a surrogate pair", `{"z":"\ud83d"}`, string(FaultEncoding)},
		{"half a surrogate pair in a name", `{"\ud83d":1}`, string(FaultEncoding)},
		{"too deep", `{"a":` + deep + `}`, string(FaultDepth)},
		{"a number that is none", `{"a":01}`, string(FaultSyntax)},
		{"a word that is none", `{"a":NaN}`, string(FaultSyntax)},
		{"a comma too many", `{"a":1,}`, string(FaultSyntax)},
		{"a name without quotes", `{a:1}`, string(FaultSyntax)},
		{"a bad escape", `{"a":"\x"}`, string(FaultSyntax)},
		{"a tab in a text", "{\"a\":\"x\ty\"}", string(FaultSyntax)},
		{"a text", `"a"`, string(FaultSyntax)},
		{"a number", `12`, string(FaultSyntax)},
		{"null", `null`, string(FaultSyntax)},
		{"a list of lists", `[{"a":1}]`, string(FaultSyntax)},
		{"something behind it", `{"a":1}x`, string(FaultSyntax)},
		{"a word", `abc`, string(FaultSyntax)},
		{"too large", `{"z":"` + strings.Repeat("x", MaxRecord) + `"}`, string(FaultTooLarge)},
		{"larger than any buffer", `{"z":"` + strings.Repeat("x", 3*bufferSize) + `"}`, string(FaultTooLarge)},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := func(line int64) []got {
				one := got{line, "", c.fields}
				if strings.Count(c.fields, "|") != 2 {
					one = got{line, Fault(c.fields), ""}
				}
				return []got{{1, "", "0|∅|∅"}, one, {line + 1, "", "9|∅|∅"}}
			}
			_, records, err := readAll(t, []byte("\uFEFF"+`{"a":0}`+"\n"+c.object+"\r\n"+`{"a":9}`), asLines("a", "b", "c.d"))
			require.NoError(t, err)
			require.Equal(t, want(2), records)
			_, records, err = readAll(t, []byte("\uFEFF"+`[{"a":0},`+"\n"+c.object+"\r\n,\n"+`{"a":9}]`+"\n"), asList("a", "b", "c.d"))
			require.NoError(t, err)
			require.Equal(t, want(2)[:2], records[:2])
			require.Equal(t, []got{{4, "", "9|∅|∅"}}, records[2:])
		})
	}
}

// SC-32: of names that are wanted whole a list or an object is the value, as it is written; what is in it has no name.
func TestWholeValues(t *testing.T) {
	for object, want := range map[string]string{
		`{"a":[1, "x"],"c":{"d":{"k": 1.10}}}`: `[1, "x"]|∅|{"k": 1.10}`,
		`{"a":{},"b":2,"c.d":[]}`:              "{}|2|[]",
		`{"a":"[1]","c":{"d":null}}`:           "[1]|∅|∅",
		`{"a":[[1]],"c":{"d":{"a":{"b":1}}}}`:  `[[1]]|∅|{"a":{"b":1}}`,
		`{"a":{"k":1,"\u006b":2}}`:             string(FaultRepeated),
		`{"c.d":{},"c":{"d":[]}}`:              string(FaultRepeated),
		`{"a":[1],"b":[1]}`:                    string(FaultNested),
		`{"a":[1,]}`:                           string(FaultSyntax),
		`{"a":["\ud83d"]}`:                     string(FaultEncoding),
	} {
		f := asLines("a", "b", "c.d")
		f.Whole = []string{"a", "c.d"}
		r, err := NewReader(strings.NewReader(object), f)
		require.NoError(t, err)
		record, err := r.Next()
		require.NoError(t, err)
		got := string(record.Fault)
		if got == "" {
			texts := make([]string, len(record.Fields))
			for i, value := range record.Fields {
				if texts[i] = string(value); value == nil {
					texts[i] = "∅"
				}
			}
			got = strings.Join(texts, "|")
			require.Equal(t, object, string(r.Keep(record, func(column string) bool { return slices.Contains(f.Wanted, column) })))
		}
		require.Equal(t, want, got, object)
		require.Empty(t, record.Extra)
		requireSlowly(t, f, record)
	}
}

// EC-15: names that the source does not know are reported with each record, in bounded number.
func TestExtraNames(t *testing.T) {
	many := `{"a":1`
	for i := range 2 * MaxExtra {
		many += fmt.Sprintf(`,"n%d":{}`, i)
	}
	for object, want := range map[string][]string{
		`{"a":1,"c":{"d":2}}`: nil,
		`{"c":{"e":null,"f":{"g":1},"d":1},"h":[{"i":1}],"j":{}}`: {"c.e", "c.f.g", "h", "j"},
		`{"c":"no object","k":{"l":{}}}`:                          {"c", "k.l"},
		`{"m.n":1,"m":{"n":2}}`:                                   {"m.n"},
		many + "}":                                                nil,
	} {
		r, err := NewReader(strings.NewReader(object), asLines("a", "c.d"))
		require.NoError(t, err)
		record, err := r.Next()
		require.NoError(t, err)
		require.Empty(t, record.Fault)
		if strings.HasPrefix(object, many) {
			require.Len(t, record.Extra, MaxExtra)
			continue
		}
		require.Equal(t, want, record.Extra)
	}
}

func TestJSONLines(t *testing.T) {
	columns, records, err := readAll(t, []byte("\n{\"a\":1}\n \t\r\n{\"a\":\n2}\n{\"a\":3} {\"a\":4}\n{\"a\":5}"), asLines("a"))
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, columns)
	require.Equal(t, []got{{2, "", "1"}, {4, FaultSyntax, ""}, {5, FaultSyntax, ""}, {6, FaultSyntax, ""}, {7, "", "5"}}, records)

	_, _, err = readAll(t, nil, asLines("a"))
	require.EqualError(t, err, "the file is empty")
	_, records, err = readAll(t, utf16Text(binary.BigEndian, "\uFEFF{\"a\":\"é\"}\n"), Format{Records: JSONLines, Encoding: UTF16, Wanted: []string{"a"}})
	require.NoError(t, err)
	require.Equal(t, []got{{1, "", "é"}}, records)
}

func TestJSONList(t *testing.T) {
	for file, want := range map[string][]got{
		"[]":         nil,
		" [ \n ] \n": nil,
		"[\n\n{\"a\":1},{\"a\":2}\n,\n\n{\n\"a\"\n:\n3}]": {{3, "", "1"}, {3, "", "2"}, {6, "", "3"}},
		`[1,"]",[{"a":1}],{"a":"]},{\"\\"}]`:              {{1, FaultSyntax, ""}, {1, FaultSyntax, ""}, {1, FaultSyntax, ""}, {1, "", `]},{"\`}},
	} {
		_, records, err := readAll(t, []byte(file), asList("a"))
		require.NoError(t, err)
		require.Equal(t, want, records)
	}
}

// A list in which it cannot be known where records end is not read on: two missing quotes would make
// one faulty record of all that stand between them.
func TestJSONListsThatCannotBeFollowed(t *testing.T) {
	for _, c := range []struct {
		file, want string
		before     int
	}{
		{"", "the file is empty", 0},
		{`{"a":1}`, "the file is not a JSON list", 0},
		{"\n \n", "the file is not a JSON list", 0},
		{"[", "line 1: the list is not closed: unexpected EOF", 0},
		{"[{\"a\":1},\n", "line 2: the list is not closed", 1},
		{"[{\"a\":1}\n", "line 2: the list is not closed", 1},
		{`[{"a":1},{"a":2}`, "line 1: the list is not closed", 2},
		{`[{"a":1},{"a":{}`, "line 1: the list is not closed", 1},
		{"[1", "line 1: the list is not closed", 0},
		{`[{"a":1},{"a":"x`, "the list is not closed", 1},
		{`[{"a":1},{"a":2]`, "a bracket is missing", 1},
		{`[{"a":1},{"a":2}}]`, "a bracket is missing", 1},
		{`[{"a":1},{"a":1]},{"a":1}]`, "a bracket is missing", 1},
		{`[{"a":1},{"a":2,{"a":3}},{"a":4}]`, "a bracket is missing", 1},
		{`[{"a":1}{"a":2}]`, "a bracket is missing", 0},
		{`[{"a":1} "a":2}]`, "a quote is missing", 0},
		{`[{"a":1},]`, "a record is missing", 1},
		{`[{"a":1},,{"a":1}]`, "a record is missing", 1},
		{`[,{"a":1}]`, "a record is missing", 0},
		{"[{\"a\":1},\n{\"a\":\"x},\n{\"a\":\"y\"},\n{\"a\":\"z}]", "line 3: a quote is missing", 1},
		{`[{"a":1},{"a":x"},{"a":"y"},{"a":z"}]`, "a quote is missing", 1},
		{`[{"a":1},{a":"x"},{"a":"y"}]`, "a quote is missing", 1},
		{`[{"a":1},{"a:"x"},{"a":"y"}]`, "a quote is missing", 1},
		{`[{"a":1},{"a":"C:\"},{"a":"y"}]`, "a quote is missing", 1},
		{`[{"a":1}] x`, "something stands behind the list", 1},
		{`[{"a":1}][`, "something stands behind the list", 1},
		{"[" + strings.Repeat("[", maxNesting+1), "brackets are nested more than 10000 deep", 0},
	} {
		_, records, err := readAll(t, []byte(c.file), asList("a"))
		require.ErrorContains(t, err, c.want)
		require.Len(t, records, c.before)
	}
	r, err := NewReader(strings.NewReader(`[{"a":1},`), asList("a"))
	require.NoError(t, err)
	_, _ = r.Next()
	_, first := r.Next()
	_, second := r.Next()
	require.Equal(t, first, second, "an error is said again")
}

// A stream that breaks is an error, also behind the last record.
func TestBrokenJSONStreams(t *testing.T) {
	broken := errors.New("connection lost")
	for file, f := range map[string]Format{"{\"a\":1}\n": asLines("a"), "[{\"a\":1}]\n": asList("a"), "[{\"a\":1},{\"a\"": asList("a"), "[": asList("a")} {
		r, err := NewReader(io.MultiReader(strings.NewReader(file), iotest.ErrReader(broken)), f)
		for err == nil {
			_, err = r.Next()
		}
		require.ErrorIs(t, err, broken)
	}
}

func TestKeepJSON(t *testing.T) {
	object := ` { "a": "x", "c":{"d" : [1, 2],"e":{},"f":"\ud83d\ude00" } ,"g":7} `
	for _, c := range []struct {
		want string
		drop []string
	}{
		{object, nil},
		{` { "a": null, "c":{"d" : null,"e":{},"f":"\ud83d\ude00" } ,"g":null} `, []string{"a", "c.d", "g", "c"}},
		{` { "a": "x", "c":{"d" : [1, 2],"e":{},"f":null } ,"g":7} `, []string{"c.f"}},
	} {
		r, err := NewReader(strings.NewReader(object), asLines("a"))
		require.NoError(t, err)
		record, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, c.want, string(r.Keep(record, func(column string) bool { return !slices.Contains(c.drop, column) })))
		require.Equal(t, "x", string(record.Fields[0]))
	}
	r, err := NewReader(strings.NewReader(`{"a":[1]}`), asLines("a"))
	require.NoError(t, err)
	record, err := r.Next()
	require.NoError(t, err)
	require.Equal(t, `{"a":[1]}`, string(r.Keep(record, func(string) bool { return false })), "a faulty record stays as it came")
}

// BI-14 in a list as long as the memory is not.
func TestLargeList(t *testing.T) {
	var file bytes.Buffer
	file.WriteString("[")
	const rows = 50_000
	for i := range rows {
		if i > 0 {
			file.WriteString(",\n")
		}
		if i == rows/2 {
			fmt.Fprintf(&file, `{"a":[%s{"a":"]"}]}`, strings.Repeat(`{"a":"]}"},`, bufferSize/10))
			continue
		}
		fmt.Fprintf(&file, `{"a":%d,"b":"x"}`, i)
	}
	file.WriteString("]")
	_, records, err := readAll(t, file.Bytes(), asList("a"))
	require.NoError(t, err)
	require.Len(t, records, rows)
	for i, r := range records {
		want := got{int64(i + 1), "", fmt.Sprint(i)}
		if i == rows/2 {
			want = got{int64(i + 1), FaultTooLarge, ""}
		}
		require.Equal(t, want, r)
	}
}

// flat is what the standard library finds in an object: text by path. clash says that two members have
// the same path.
func flat(t *testing.T, path string, object map[string]any, whole []string, into map[string]string) (clash bool) {
	for name, value := range object {
		here := path + name
		text := "∅"
		switch v := value.(type) {
		case map[string]any:
			if len(v) > 0 && !slices.Contains(whole, here) {
				clash = flat(t, here+".", v, whole, into) || clash
				continue
			}
			text = written(t, v)
		case []any:
			text = written(t, v)
		case json.Number:
			text = v.String()
		case string:
			text = v
		case bool:
			text = fmt.Sprint(v)
		}
		_, known := into[here]
		into[here], clash = text, clash || known
	}
	return clash
}

// written is a value as the standard library writes it.
func written(t *testing.T, v any) string {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// judge holds one record against the standard library.
func judge(t *testing.T, raw []byte, f Format, record Record) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var object map[string]any
	err := decoder.Decode(&object)
	valid := json.Valid(raw) && err == nil && object != nil
	if !valid {
		require.NotEmpty(t, record.Fault, "a record that the standard library refuses")
		return
	}
	found := map[string]string{}
	clash := flat(t, "", object, f.Whole, found)
	if record.Fault != "" {
		require.NotEqual(t, FaultSyntax, record.Fault)
		require.NotEqual(t, FaultColumns, record.Fault)
		return
	}
	names := maps.Clone(found)
	for i, name := range f.Wanted {
		want, present := found[name]
		if !present {
			want = "∅"
		}
		got := "∅"
		if record.Fields[i] != nil {
			got = string(record.Fields[i])
		}
		if strings.HasPrefix(want, "[") || strings.HasPrefix(want, "{") { // or a text that begins like one
			decoder := json.NewDecoder(bytes.NewReader(record.Fields[i]))
			decoder.UseNumber()
			var v any
			if slices.Contains(f.Whole, name) && decoder.Decode(&v) == nil && !decoder.More() {
				got = written(t, v)
				if got != want { // it is a text
					got = string(record.Fields[i])
				}
			}
		}
		if !clash {
			require.Equal(t, want, got)
		}
		delete(names, name)
	}
	if len(names) < MaxExtra {
		require.ElementsMatch(t, slices.Collect(maps.Keys(names)), record.Extra)
	}
}

var fuzzedNames = []string{"a", "b", "c.d", "c", "c.d.e"}

func wantedBy(choice uint8) (wanted []string) {
	for i, name := range fuzzedNames {
		if choice&(1<<i) != 0 {
			wanted = append(wanted, name)
		}
	}
	return wanted
}

// chosen is a format by the names that are wanted, and by those that are wanted whole.
func chosen(format func(...string) Format, choice uint8) Format {
	f := format(wantedBy(choice)...)
	for i, name := range []string{"a", "c.d", "c"} {
		if choice&(32<<i) != 0 && slices.Contains(f.Wanted, name) {
			f.Whole = append(f.Whole, name)
		}
	}
	return f
}

// FuzzJSONLines compares every line with what the standard library makes of it.
func FuzzJSONLines(f *testing.F) {
	f.Add([]byte("{\"a\":\"x\\u0041\",\"c\":{\"d\":1.10}}\n\n[1]\n{\"a\":1,\"a\":2}\n{\"b\":[{}]}\r\n{"), uint8(7))
	f.Add([]byte("{\"a\":[1,{\"b\":[\"\\u00e9\"]}],\"c\":{\"d\":{},\"e\":1.0}}\n{\"a\":{\"k\":1,\"k\":1}}\n{\"a\":\"[1]\",\"c\":[]}"), uint8(0xff))
	f.Add([]byte("{\"c\":{\"d\":{\"e\":null}},\"c.d\":{\"e\":1}}\n{\"z\":{}}"), uint8(16))
	f.Add([]byte("{\"a\":\"\\ud83d\\ude00\\ud83d\"}\n{\"a\":\"\xff\\u0000\"}"), uint8(1))
	f.Add([]byte(strings.Repeat("{\"a\":-1.5e3,\"c\":{\"d\":true,\"x\":\"long enough\\n\"},\"l\":[{\"k\":1},[2,null]]}\n", 3)+"{\"c\":{\"x\":1},\"a\":\"\",\"y\":{}}\n{\"a\":1,\"a\":1}\n"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, choice uint8) {
		requireLinesOnce(t, data, chosen(asLines, choice))
		r, err := newReader(newWindowOf(bytes.NewReader(data), roomyBuffer, roomyRecord), chosen(asLines, choice))
		if err != nil || len(data) > roomyRecord {
			return
		}
		for i, line := range bytes.Split(bytes.TrimPrefix(data, utf8BOM), []byte{'\n'}) {
			if len(bytes.Trim(line, " \t\r")) == 0 {
				continue
			}
			record, err := r.Next()
			require.NoError(t, err)
			require.Equal(t, int64(i+1), record.Line)
			require.Equal(t, string(bytes.TrimSuffix(line, []byte{'\r'})), string(record.Raw))
			judge(t, line, chosen(asLines, choice), record)
			requireSlowly(t, chosen(asLines, choice), record)
			requireKeptJSON(t, r, record)
		}
		_, err = r.Next()
		require.ErrorIs(t, err, io.EOF)
	})
}

// requireLinesOnce holds that every line that is not blank is one record, wherever windows end.
func requireLinesOnce(t *testing.T, data []byte, f Format) {
	t.Helper()
	read := readHowever(t, data, smallBuffer, smallRecord, f)
	if read.Err != "" {
		require.Empty(t, read.Records)
		return
	}
	read.Begin = int64(len(data) - len(bytes.TrimPrefix(data, utf8BOM)))
	requireOnce(t, data, read, '\n', smallRecord, func(text []byte) bool { return len(bytes.Trim(text, " \t\r\n")) == 0 })
	for _, r := range read.Records {
		require.True(t, len(r.Raw) <= smallRecord || r.Fault == FaultTooLarge)
	}
}

// requireElements holds that a list is read the same wherever windows end, and that offsets and lines are
// the elements'.
func requireElements(t *testing.T, data []byte, f Format) {
	t.Helper()
	small, roomy := readHowever(t, data, smallBuffer, smallRecord, f), readHowever(t, data, roomyBuffer, roomyRecord, f)
	require.Equal(t, roomy.Err, small.Err)
	require.Len(t, small.Records, len(roomy.Records))
	end := int64(0)
	for i, r := range roomy.Records {
		require.LessOrEqual(t, end, r.Offset)
		end = r.Offset + int64(len(r.Raw))
		require.Equal(t, string(data[r.Offset:end]), r.Raw)
		require.Equal(t, int64(1+bytes.Count(data[:r.Offset], []byte{'\n'})), r.Line)
		if len(r.Raw) > smallRecord {
			r.Fault, r.Raw, r.Fields, r.Extra = FaultTooLarge, r.Raw[:len(small.Records[i].Raw)], nil, nil
		}
		require.Equal(t, r, small.Records[i])
	}
}

// requireSlowly holds a record against what the decoder finds alone.
func requireSlowly(t *testing.T, f Format, record Record) {
	t.Helper()
	if record.Fault == FaultTooLarge || faultOf(record.Raw) != "" {
		return // nobody looks into it
	}
	slow := newObjects(f.Wanted, f.Whole)
	fault := slow.walk(record.Raw, slow.take)
	require.Equal(t, fault, record.Fault)
	if fault == "" {
		require.Equal(t, slow.fields, record.Fields)
		require.ElementsMatch(t, slow.extra, record.Extra)
	}
}

// Records with known names are read without the decoder, as long as they are plainly right.
func TestKnownNamesAreReadQuickly(t *testing.T) {
	o := newObjects([]string{"a", "c.d", "w"}, []string{"w"})
	for _, c := range []struct {
		object  string
		quickly bool
	}{
		{`{"a":1,"c":{"d":"x\n"},"l":[1,{"k":[true]},{"k":null}],"e":{}}`, true},
		{` { "c" : { "d" : -1.5e+3 } , "a" : null } `, true},
		{`{"w":{"d":{"a":[1]},"e":{}},"a":1}`, true},
		{`{"w":[1,{"a":[]}]}`, true},
		{`{"w":{"d":1,"d":1}}`, false},
		{`{"w":[1],"w":[1]}`, false},
		{`{"a":1,"a":2}`, false},
		{`{"a":1,"\u0061":2}`, false},
		{`{"l":[{"k":1,"k":2}]}`, false},
		{`{"c.d":1,"c":{"d":1}}`, false},
		{`{"c":{"d":{"x":1}}}`, false},
		{`{"a":[1]}`, false},
		{`{"a":01}`, false},
		{`{"a":"\ud83d"}`, false},
		{`{"a":"\u0000"}`, false},
		{"{\"a\":\"\t\"}", false},
		{`{"a":nul}`, false},
		{`{"a":1}}`, false},
	} {
		o.reset()
		require.Equal(t, c.quickly, o.quickly([]byte(c.object)), c.object)
	}
}

// A file in which every record has names of its own costs no memory without end.
func TestNamesAreRememberedInBoundedNumber(t *testing.T) {
	var file bytes.Buffer
	const rows = 2 * rememberedNames
	for i := range rows {
		fmt.Fprintf(&file, "{\"a\":%d,\"n%d\":{\"m\":1}}\n", i, i)
	}
	r, err := newLines(newWindow(&file), asLines("a"))
	require.NoError(t, err)
	for i := range rows {
		record, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i), string(record.Fields[0]))
		require.Equal(t, []string{fmt.Sprintf("n%d.m", i)}, record.Extra)
	}
	require.Equal(t, rememberedNames, r.(*lines).remembered)
	require.Len(t, r.(*lines).names, rememberedNames)
}

func requireKeptJSON(t *testing.T, r Reader, record Record) {
	raw := string(record.Raw)
	require.Equal(t, raw, string(r.Keep(record, func(string) bool { return true })))
	if record.Fault == "" {
		require.True(t, json.Valid(r.Keep(record, func(string) bool { return false })))
	}
}

// FuzzJSONList compares a list with what the standard library makes of it: a valid one has the same
// elements, and one in which all records are good is valid.
func FuzzJSONList(f *testing.F) {
	for _, seed := range []string{`[]`, `[{"a":"x"},{"c":{"d":1}} , {"a":[{"b":"]"}]}]`, `[1,"x",null,[],{}]`, `[{"a":"\"},{"},{"a":tru}]`, `[{"a":1},]`, `[{"a":"x},{"a":"y}]`, `[{"a":1]}`} {
		f.Add([]byte(seed), uint8(7))
	}
	f.Add([]byte(`[{"a":"x"`+strings.Repeat(" ", 2*smallRecord)+`},{"a":1}`+strings.Repeat("\n", 2*smallBuffer)+`]`), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, choice uint8) {
		var elements []json.RawMessage
		text := bytes.TrimPrefix(data, utf8BOM)
		valid := json.Unmarshal(text, &elements) == nil && bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte{'['})
		if len(data) > roomyRecord {
			return
		}
		requireElements(t, data, chosen(asList, choice))
		r, err := newReader(newWindowOf(bytes.NewReader(data), roomyBuffer, roomyRecord), chosen(asList, choice))
		if err != nil {
			require.False(t, valid, "a valid list is refused")
			return
		}
		good, count := true, 0
		for {
			record, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				require.False(t, valid, "a valid list cannot be followed")
				return
			}
			if valid {
				require.Less(t, count, len(elements))
				require.Equal(t, string(elements[count]), string(record.Raw))
			}
			judge(t, record.Raw, chosen(asList, choice), record)
			requireSlowly(t, chosen(asLines, choice), record)
			requireKeptJSON(t, r, record)
			good = good && record.Fault == ""
			count++
		}
		if valid {
			require.Len(t, elements, count)
		}
		if good {
			require.True(t, json.Valid(text), "records are good in a list that is not")
		}
	})
}
