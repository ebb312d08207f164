package mapping

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/identity"
)

func text[T any](v T) *T { return &v }

func sha(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// Each step takes what it should and refuses the rest; null and what becomes empty pass it by.
func TestSteps(t *testing.T) {
	refused := "refused"
	for _, c := range []struct {
		steps []Step
		cases map[string]string
	}{
		{[]Step{{Word: "trim"}}, map[string]string{" a b ": "a b", "\u00a0x\t": "x", "  ": "", "": ""}},
		{[]Step{{Word: "lowercase"}}, map[string]string{"ÄB\xff": "äb\xff", "ok": "ok"}},
		{[]Step{{Word: "uppercase"}}, map[string]string{"straße": "STRAßE"}},
		{[]Step{{Word: "digits"}}, map[string]string{"(030) 12-3": "030123", "none": ""}},
		// ID-21
		{[]Step{{Word: "email"}, {Hash: text(identity.Algorithm("sha256"))}}, map[string]string{" Ann@Example.COM ": sha("ann@example.com"), "nobody": refused}},
		{[]Step{{Phone: text("49")}}, map[string]string{"030 / 123456": "+4930123456", "0049 30 123456": "+4930123456", "+1 (415) 555-0100": "+14155550100", "12": refused}},
		{[]Step{{Hashed: text(identity.Algorithm("sha256"))}}, map[string]string{strings.ToUpper(sha("x")): sha("x"), "x": refused}},
		{[]Step{{Date: text("DD.MM.YYYY")}}, map[string]string{"29.02.2024": "2024-02-29", "29.02.2023": refused, "1.2.2024": refused, "31.02.2024": refused, "01.02.2024 ": refused}},
		{[]Step{{Date: text("M/D/YY")}}, map[string]string{"2/9/68": "2068-02-09", "12/31/69": "1969-12-31"}},
		{[]Step{{DateTime: &DateTime{Format: "DD/MM/YYYY HH:mm", TimeZone: "Europe/Berlin"}}},
			map[string]string{"01/07/2024 12:00": "2024-07-01T10:00:00Z", "31/03/2024 02:30": refused, "27/10/2024 02:30": "2024-10-27T00:30:00Z"}},
		{[]Step{{DateTime: &DateTime{Format: "YYYY-MM-DDTHH:mm:ssZ"}}}, map[string]string{"2024-07-01T12:00:00+02:00": "2024-07-01T10:00:00Z", "2024-07-01T12:00:00": refused}},
		{[]Step{{Decimal: &Decimal{Point: ",", Group: "."}}}, map[string]string{"1.234,50": "1234.50", "-7": "-7", "12.34,5": refused, "1,2,3": refused, "abc": refused}},
		{[]Step{{Split: &Split{By: " ", Part: -1}}}, map[string]string{"Ann Lee Poe": "Poe", "Ann": "Ann"}},
		{[]Step{{Split: &Split{By: ";", Part: 2}}}, map[string]string{"a;b": "b", "a": ""}},
		{[]Step{{Lookup: &Lookup{Values: map[string]string{"M": "male"}}}}, map[string]string{"M": "male", "X": refused}},
	} {
		chain, err := CompileSteps(c.steps)
		require.NoError(t, err)
		for value, want := range c.cases {
			got, failed := chain.Apply([]byte(value))
			if want == refused {
				require.NotEmpty(t, failed, "%v of %q", c.steps, value)
				require.NotContains(t, failed, value)
				continue
			}
			require.Empty(t, failed, "%v of %q", c.steps, value)
			require.Equal(t, want, string(got), value)
			if want == "" {
				require.Nil(t, got)
			}
		}
	}
}

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

// A date is read as Go's own layouts read it, for formats that both know.
func TestDatesAgreeWithTheStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for format, layout := range map[string]string{"DD.MM.YYYY": "02.01.2006", "YYYYMMDD": "20060102", "MM/DD/YYYY": "01/02/2006", "YYYY-MM-DD": "2006-01-02"} {
		chain, err := CompileSteps([]Step{{Date: text(format)}})
		require.NoError(t, err)
		for range 5000 {
			value := []byte(time.Date(1, 1, 1+random.IntN(3_000_000), 0, 0, 0, 0, time.UTC).Format(layout))
			if random.IntN(2) == 0 {
				value[random.IntN(len(value))] = byte('0' + random.IntN(10)) // often no day
			}
			want, wrong := time.Parse(layout, string(value))
			got, failed := chain.Apply(value)
			if wrong != nil || want.Year() == 0 {
				require.NotEmpty(t, failed, "%s as %s", value, format)
				continue
			}
			require.Equal(t, want.Format(time.DateOnly), string(got), "%s as %s", value, format)
		}
	}
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
		m.Apply(record, func(v []byte) bool { return bytes.Equal(v, []byte("NULL")) }, out, func(target int, step string) { failures = append(failures, targets[target].Field+" "+step) })
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
