package mapping

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/xdm"
)

// SC-32: a list or map of a field comes as JSON or, of a list, as a text with separators; its elements go through the steps, and one
// that cannot be taken is said without its value.
func TestContainers(t *testing.T) {
	separated := Target{Container: xdm.Array, Column: "c", Steps: []Step{{Word: "lowercase"}, {List: text("|")}, {Word: "trim"}}}
	dates := Target{Container: xdm.Array, Column: "c", Steps: []Step{{List: text("; ")}, {Date: text("DD.MM.YYYY")}}}
	list, object := Target{Container: xdm.Array, Column: "c"}, Target{Container: xdm.Map, Column: "c"}
	shouted := Target{Container: xdm.Map, Column: "c", Steps: []Step{{Word: "uppercase"}}}
	joined := Target{Container: xdm.Array, Concat: []string{"c", "d"}, Separator: "|", Steps: []Step{{List: text("|")}}}
	for _, c := range []struct {
		target           Target
		value            string
		want, step, what string
	}{
		{list, `["a","b"]`, `["a","b"]`, "", ""},
		{list, ` [ "\u0041\n" , 1.10, -0E+2, true ] `, `["A\n","1.10","-0E+2","true"]`, "", ""},
		{list, `["\u2028","😀","\\\""]`, "[\"\u2028\",\"😀\",\"\\\\\\\"\"]", "", ""},
		{list, `[]`, `[]`, "", ""},
		{list, ``, "", "", ""},
		{list, `NULL`, "", "", ""},
		{list, `["a",null]`, "", "", NoElement},
		{list, `["a",""]`, "", "", NoElement},
		{list, `["NULL"]`, "", "", NoElement},
		{list, `[["a"]]`, "", "", Nested},
		{list, `[{"a":1}]`, "", "", Nested},
		{list, `{"a":1}`, "", "", NotList},
		{list, `a`, "", "", NotList},
		{list, `12`, "", "", NotList},
		{list, `"a"`, "", "", NotList},
		{list, `["a",]`, "", "", NotList},
		{list, `["a"`, "", "", NotList},
		{list, `["a"] x`, "", "", NotList},
		{list, `["\ud83d"]`, "", "", NotList},
		{list, `["\u0000"]`, "", "", NULInElement},
		{list, "[" + strings.Repeat("1,", MostElements-1) + "1]", "[" + strings.Repeat(`"1",`, MostElements-1) + `"1"]`, "", ""},
		{list, "[" + strings.Repeat("1,", MostElements) + "1]", "", "", TooMany},
		{object, `{"b":1,"a":"x","":"y"}`, "", "", NoKey},
		{object, ` {"b" : 1.0, "\u0061":"x"} `, `{"a":"x","b":"1.0"}`, "", ""},
		{object, `{}`, `{}`, "", ""},
		{object, `{"a":1,"\u0061":1}`, "", "", RepeatedKey},
		{object, `{"a":null}`, "", "", NoElement},
		{object, `{"a":"NULL"}`, "", "", NoElement},
		{object, `{"a":[1]}`, "", "", Nested},
		{object, `{"a":{}}`, "", "", Nested},
		{object, `{"a\u0000":1}`, "", "", NULInElement},
		{object, `["a"]`, "", "", NotMap},
		{object, `{a:1}`, "", "", NotMap},
		{object, `{"a":1`, "", "", NotMap},
		{object, `{"a":1}}`, "", "", NotMap},
		{object, `{"kk":1,"k":1}`, `{"k":"1","kk":"1"}`, "", ""},
		{shouted, `{"k":"a"}`, `{"k":"A"}`, "", ""},
		{separated, `A | B`, `["a","b"]`, "", ""},
		{separated, `A`, `["a"]`, "", ""},
		{separated, `A||B`, "", "", NoElement},
		{separated, `A| `, "", "", NoElement},
		{separated, `["A"]`, `["[\"a\"]"]`, "", ""},
		{separated, strings.Repeat("a|", MostElements) + "a", "", "", TooMany},
		{dates, `01.02.2024; 02.02.2024`, `["2024-02-01","2024-02-02"]`, "", ""},
		{dates, `01.02.2024; soon`, "", "date", ""},
		{joined, `x`, `["x"]`, "", ""},
	} {
		c.target.Field = "f"
		m, err := Compile([]Target{c.target}, []string{"c", "d"})
		require.NoError(t, err)
		out := make([][]byte, 1)
		for range 2 { // buffers are used again
			var why Failure
			m.Apply([][]byte{[]byte(c.value), nil}, NullMarkers([]string{"NULL"}), out, func(_ int, w Failure) { why = w })
			require.Equal(t, Failure{c.step, c.what}, why, c.value)
			if why != (Failure{}) {
				require.Contains(t, []string{"[null]", `{"":null}`}, string(out[0]), "it is there and holds nothing")
				continue
			}
			require.Equal(t, c.want, string(out[0]), c.value)
			require.Equal(t, c.want == "", out[0] == nil)
		}
	}
}

// A target that no list or map can come of is refused, and says what to write.
func TestContainersThatCannotBe(t *testing.T) {
	for want, target := range map[string]Target{
		"f: the step list does not go with a field that is no list":                         {Column: "c", Steps: []Step{{List: text("|")}}},
		"f: the step list does not go with a field that is no list; ":                       {Column: "c", Container: xdm.Map, Steps: []Step{{List: text("|")}}},
		"f: the step list stands twice":                                                     {Column: "c", Container: xdm.Array, Steps: []Step{{List: text("|")}, {List: text(",")}}},
		"f: list: the separator is empty; write it like":                                    {Column: "c", Container: xdm.Array, Steps: []Step{{List: text("")}}},
		"f: joined columns are one text":                                                    {Concat: []string{"c"}, Container: xdm.Array},
		"f: the constant is no value of the field: a JSON list is expected, such as [\"a\"": {Constant: text("a"), Container: xdm.Array},
		"f: step date cannot take the constant":                                             {Constant: text(`["a"]`), Container: xdm.Array, Steps: []Step{{Date: text("DD.MM.YYYY")}}},
	} {
		target.Field = "f"
		err := target.Check()
		require.ErrorContains(t, err, strings.TrimSuffix(want, "; "))
		require.Equal(t, errkind.Invalid, errkind.Of(err))
	}
	m, err := Compile([]Target{{Field: "f", Constant: text(`{"b":2,"a":1}`), Container: xdm.Map}}, nil)
	require.NoError(t, err)
	out := make([][]byte, 1)
	m.Apply(nil, nil, out, nil)
	require.Equal(t, `{"a":"1","b":"2"}`, string(out[0]))
	require.True(t, Target{Column: "c", Container: xdm.Map}.Whole())
	require.False(t, Target{Column: "c"}.Whole() || Target{Column: "c", Container: xdm.Array, Steps: []Step{{List: text("|")}}}.Whole())
}
