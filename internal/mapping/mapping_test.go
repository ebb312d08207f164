package mapping

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
)

func text[T any](v T) *T { return &v }

// EC-20: instants that are counted since 1970 say in which unit; nothing is guessed by their size.
func TestEpochs(t *testing.T) {
	for format, values := range map[string]map[string]string{
		"epochMilliseconds": {"1704448800123": "2024-01-05T10:00:00.123Z", "0": "1970-01-01T00:00:00.000Z", "-1": "1969-12-31T23:59:59.999Z", "1704448800": "1970-01-20T17:27:28.800Z",
			"253402300799999": "9999-12-31T23:59:59.999Z", "253402300800000": "", "-62135596800000": "0001-01-01T00:00:00.000Z", "-62135596800001": "", "1.5": "", "+1": "", " 1": "", "1e3": "", "-": "", "1704448800123000": ""},
		"epochSeconds": {"1704448800": "2024-01-05T10:00:00Z", "-86400": "1969-12-31T00:00:00Z", "253402300799": "9999-12-31T23:59:59Z", "253402300800": "", "999999999999999": "", "x": ""},
	} {
		chain, err := CompileSteps([]Step{{DateTime: &DateTime{Format: format}}})
		require.NoError(t, err)
		for value, want := range values {
			got, failed := chain.Apply([]byte(value))
			require.Equal(t, want, string(got), "%s as %s", value, format)
			require.Equal(t, want == "", failed == "dateTime")
		}
	}
	require.ErrorContains(t, Step{DateTime: &DateTime{Format: "epochSeconds", TimeZone: "Europe/Berlin"}}.Check(), "leave timeZone out")
}

func TestMapping(t *testing.T) {
	targets := []Target{{Field: "id", Column: "pid"}, {Field: "name", Concat: []string{"first", "last"}, Separator: " "}, {Field: "origin", Constant: text("acme")},
		{Field: "born", Column: "born", Steps: []Step{{Date: text("DD.MM.YYYY")}}}}
	m, err := Compile(targets, []string{"last", " pid ", "first", "born"})
	require.NoError(t, err)
	out := make([][]byte, len(targets))
	var failures []string
	apply := func(fields ...string) []string {
		failures = nil
		record := make([][]byte, len(fields))
		for i, f := range fields {
			record[i] = []byte(f)
		}
		m.Apply(record, func(v []byte) bool { return bytes.Equal(v, []byte("NULL")) }, out, func(target int, why Failure) { failures = append(failures, targets[target].Field+" "+why.Step) })
		texts := make([]string, len(out))
		for i, v := range out {
			texts[i] = string(v)
			if v == nil {
				texts[i] = "∅"
			}
		}
		return texts
	}
	require.Equal(t, []string{"p1", "Ann Lee", "acme", "2024-02-01"}, apply("Lee", "p1", "Ann", "01.02.2024"))
	require.Equal(t, []string{"∅", "Ann", "acme", "∅"}, apply("NULL", "", "Ann", "soon"))
	require.Equal(t, []string{"born date"}, failures)
	require.Equal(t, []string{"∅", "∅", "acme", "∅"}, apply("", "", "NULL", ""))
}

func TestWrongMappings(t *testing.T) {
	for want, target := range map[string]Target{
		"no field":              {Column: "a"},
		"filled in 0 ways":      {Field: "x"},
		"filled in 2 ways":      {Field: "x", Column: "a", Constant: text("b")},
		"joins no columns":      {Field: "x", Column: "a", Separator: "-"},
		`did you mean trim`:     {Field: "x", Column: "a", Steps: []Step{{Word: "trin"}}},
		"needs a value":         {Field: "x", Column: "a", Steps: []Step{{Word: "hash"}}},
		"several things":        {Field: "x", Column: "a", Steps: []Step{{Word: "trim", Phone: text("49")}}},
		"timeZone is missing":   {Field: "x", Column: "a", Steps: []Step{{DateTime: &DateTime{Format: "YYYY-MM-DD HH:mm"}}}},
		"counted from 1":        {Field: "x", Column: "a", Steps: []Step{{Split: &Split{By: "-"}}}},
		"same":                  {Field: "x", Column: "a", Steps: []Step{{Decimal: &Decimal{Point: ",", Group: ","}}}},
		"year, a month":         {Field: "x", Column: "a", Steps: []Step{{Date: text("DD.MM")}}},
		"calling code":          {Field: "x", Column: "a", Steps: []Step{{Phone: text("0x")}}},
		"cannot take the const": {Field: "x", Constant: text("soon"), Steps: []Step{{Date: text("DD.MM.YYYY")}}},
	} {
		err := target.Check()
		require.ErrorContains(t, err, want)
		require.Equal(t, errkind.Invalid, errkind.Of(err), "%v", err)
	}
	_, err := Compile([]Target{{Field: "x", Column: "hikng"}}, []string{"hiking"})
	require.ErrorContains(t, err, `"hiking"`)
	require.Equal(t, errkind.BadInput, errkind.Of(err))
}

func TestStepsAreReadFromYAML(t *testing.T) {
	read := func(word string, keys map[string]any) (s Step, err error) {
		err = s.UnmarshalYAML(func(into any) error {
			switch v := into.(type) {
			case *string:
				if word == "" {
					return errkind.Newf(errkind.Invalid, "not a text")
				}
				*v = word
			case *map[string]any:
				*v = keys
			}
			return nil
		})
		return s, err
	}
	s, err := read("trim", nil)
	require.NoError(t, err)
	require.Equal(t, Step{Word: "trim"}, s)
	s, err = read("", map[string]any{"hsh": "sha256"})
	require.NoError(t, err)
	require.ErrorContains(t, s.Check(), "did you mean hash")
	s, err = read("", map[string]any{"trim": true})
	require.NoError(t, err)
	require.ErrorContains(t, s.Check(), "takes no value")
}

// Markers are compared as they stand, whatever their length; the empty one needs no listing.
func TestNullMarkers(t *testing.T) {
	require.Nil(t, NullMarkers(nil))
	require.Nil(t, NullMarkers([]string{""}))
	long := strings.Repeat("x", 63)
	null := NullMarkers([]string{"NULL", "-", "", long + "y"})
	for _, value := range []string{"NULL", "-", long + "y"} {
		require.True(t, null([]byte(value)), value)
	}
	for _, value := range []string{"null", "N", " -", "LLUN", long, long + "z", long + "yy"} {
		require.False(t, null([]byte(value)), value)
	}
	m, err := Compile([]Target{{Field: "a", Column: "a"}, {Field: "b", Concat: []string{"a", "b"}, Separator: "+"}}, []string{"a", "b"})
	require.NoError(t, err)
	out := make([][]byte, 2)
	m.Apply([][]byte{[]byte("-"), {}}, nil, out, func(int, Failure) { require.Fail(t, "there are no steps") })
	require.Equal(t, [][]byte{[]byte("-"), []byte("-")}, out, "without markers only what is empty is null")
	m.Apply([][]byte{[]byte("-"), []byte("x")}, null, out, func(int, Failure) { require.Fail(t, "there are no steps") })
	require.Equal(t, [][]byte{nil, []byte("x")}, out)
}

// FuzzMapping takes any values through every step: records are not changed, a record's values depend on no
// other record, none is empty, and a target has a value, none, or a step that failed.
func FuzzMapping(f *testing.F) {
	f.Add(" Ann ", "01.02.2024", "1.234,50", "0")
	f.Add("ann@example.com", "31/3/24 2:30", "+49 (0) 30 12345", "")
	f.Add("\xff\u00a0", "NULL", "", "\u0130;\u01c5")
	named := map[string]string{"trim": "[trim]", "case": "[lowercase, uppercase]", "digits": "[digits]", "email": "[trim, email, {hash: sha256}]", "phone": `[{phone: "49"}]`, "date": "[{date: D.M.YYYY}]",
		"time": `[{dateTime: {format: "D/M/YY H:mm", timeZone: Europe/Berlin}}]`, "decimal": `[{decimal: {point: ",", group: "."}}, trim]`,
		"split": `[{split: {by: ";", part: -1}}, lowercase]`, "lookup": `[{lookup: {values: {"0": no, "1": ""}, otherwise: keep}}]`, "hashed": "[{hashed: md5}]", "plain": "[]"}
	columns := []string{"a", "b", "c", "d"}
	targets := []Target{{Field: "constant", Constant: text("x")}, {Field: "joined", Concat: columns, Separator: ", "}, {Field: "joined and cut", Concat: []string{"a", "d"}, Steps: steps(f, named["split"])}}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		for _, column := range columns {
			targets = append(targets, Target{Field: name + " " + column, Column: column, Steps: steps(f, named[name])})
		}
	}
	null := NullMarkers([]string{"NULL", "0"})
	apply := func(t *testing.T, m *Mapping, record []string) (out []string) {
		fields := make([][]byte, len(record))
		for i, value := range record {
			fields[i] = []byte(value)
		}
		failed := map[int]bool{}
		values := make([][]byte, len(targets))
		m.Apply(fields, null, values, func(target int, why Failure) {
			require.NotEmpty(t, why.Step)
			failed[target] = true
		})
		for i, value := range record {
			require.Equal(t, value, string(fields[i]), "a record is changed")
		}
		for i, value := range values {
			require.False(t, value != nil && (len(value) == 0 || failed[i]), targets[i].Field)
			out = append(out, fmt.Sprintf("%s: %t %q", targets[i].Field, failed[i], value))
		}
		return out
	}
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		used, err := Compile(targets, columns)
		require.NoError(t, err)
		fresh, err := Compile(targets, columns)
		require.NoError(t, err)
		apply(t, used, []string{d, c, b, a})
		require.Equal(t, apply(t, fresh, []string{a, b, c, d}), apply(t, used, []string{a, b, c, d}))
	})
}

func FuzzSteps(f *testing.F) {
	f.Add("01.02.2024")
	f.Add("+49 (0) 30 123")
	var chains []*Chain
	for _, s := range []Step{{Date: text("DD.MM.YYYY")}, {DateTime: &DateTime{Format: "D/M/YY H:mm A", TimeZone: "America/New_York"}}, {Phone: text("49")}, {Word: "email"}, {Decimal: &Decimal{}}} {
		if s.DateTime != nil {
			s.DateTime.Format = "D/M/YY H:mm"
		}
		c, err := CompileSteps([]Step{s})
		if err != nil {
			f.Fatal(err)
		}
		chains = append(chains, c)
	}
	phone, email := 2, 3
	f.Fuzz(func(t *testing.T, value string) {
		for i, c := range chains {
			got, failed := c.Apply([]byte(value))
			if failed != "" || i != phone && i != email {
				continue
			}
			once := string(got)
			again, failed := c.Apply([]byte(once))
			if once != "" && (failed != "" || string(again) != once) {
				t.Fatalf("%q is normalised to %q, and that to %q", value, once, again)
			}
		}
	})
}
