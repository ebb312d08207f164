package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/identity"
	"prospector/internal/yamldoc"
)

// steps reads a list of steps as it stands in a workspace.
func steps(t testing.TB, list string) []Step {
	t.Helper()
	documents, problems := yamldoc.Parse("steps.yaml", []byte("steps: "+list))
	require.Empty(t, problems, list)
	require.Len(t, documents, 1)
	var out struct {
		Steps []Step `yaml:"steps"`
	}
	require.NoError(t, documents[0].Decode(&out), list)
	return out.Steps
}

func chain(t testing.TB, list string) *Chain {
	t.Helper()
	c, err := CompileSteps(steps(t, list))
	require.NoError(t, err, list)
	return c
}

// SR-15: calculated fields. A value that begins with ! fails in the named step, ~ is no value.
func TestWhatStepsMake(t *testing.T) {
	for _, c := range []struct {
		steps  string
		values map[string]string
	}{
		{"[]", map[string]string{" As it is ": " As it is "}},
		{"[trim]", map[string]string{"a": "a", " \t\u00a0a b\r\n": "a b", " \t ": "~"}},
		{"[lowercase]", map[string]string{"abc 1": "abc 1", "ABC": "abc", "xÄÖÜ É": "xäöü é", "A\xffB": "a\xffb"}},
		{"[uppercase]", map[string]string{"ABC 1": "ABC 1", "abc": "ABC", "äöü ß é": "ÄÖÜ ß É", "a\xffb": "A\xffB"}},
		{"[digits]", map[string]string{"+49 30-12": "493012", "123": "123", "none": "~", "٣": "~"}},
		{`[{split: {by: " ", part: 1}}]`, map[string]string{"Jane Mary Doe": "Jane", "Jane": "Jane", " Doe": "~"}},
		{`[{split: {by: " ", part: 2}}]`, map[string]string{"Jane Mary Doe": "Mary", "Jane": "~", "Jane ": "~"}},
		{`[{split: {by: " ", part: 3}}]`, map[string]string{"Jane Mary Doe": "Doe", "Jane Doe": "~"}},
		{`[{split: {by: " ", part: -1}}]`, map[string]string{"Jane Mary Doe": "Doe", "Doe": "Doe", "Jane ": "~"}},
		{`[{split: {by: " ", part: -3}}]`, map[string]string{"Jane Mary Doe": "Jane", "Jane Doe": "~"}},
		{`[{split: {by: "::", part: -2}}]`, map[string]string{"a::b::c": "b", "a:b": "~"}},
		{"[{lookup: {values: {M: male, F: female, U: ''}}}]", map[string]string{"M": "male", "F": "female", "U": "~", "m": "!lookup", "male": "!lookup"}},
		{"[{lookup: {values: {M: male}, otherwise: refuse}}]", map[string]string{"M": "male", "X": "!lookup"}},
		{"[{lookup: {values: {M: male}, otherwise: keep}}]", map[string]string{"M": "male", "X": "X"}},
		{`[{lookup: {values: {M: male}, otherwise: "null"}}]`, map[string]string{"M": "male", "X": "~"}},
		{`[{decimal: {point: ",", group: "."}}]`, map[string]string{"1.234,50": "1234.50", "1234,50": "1234.50", "1.234.567": "1234567", "-1,5": "-1.5",
			"+7": "7", ",50": "0.50", "-,5": "-0.5", "0": "0", "1.23": "!decimal", "1.2345": "!decimal", "1234.567,0": "!decimal", "1,234.50": "!decimal", "1,": "!decimal",
			",": "!decimal", ".123": "!decimal", "-": "!decimal", "": "~", "1,5,0": "!decimal", "1.234,5.0": "!decimal", "1e3": "!decimal", " 1": "!decimal", "--1": "!decimal", "€1": "!decimal", ".,5": "!decimal"}},
		{`[{decimal: {group: "\u00a0"}}]`, map[string]string{"1\u00a0234.5": "1234.5", "1 234.5": "!decimal"}},
		{"[{decimal: {}}]", map[string]string{"1234.5": "1234.5", "1,234.5": "!decimal"}},
		{"[{date: DD.MM.YYYY}]", map[string]string{"05.01.2024": "2024-01-05", "29.02.2024": "2024-02-29", "29.02.2023": "!date", "31.02.2024": "!date", "5.1.2024": "!date",
			"05.01.24": "!date", "00.01.2024": "!date", "01.00.2024": "!date", "01.13.2024": "!date", "05.01.0000": "!date", " 05.01.2024": "!date", "05.01.2024 ": "!date", "05/01/2024": "!date"}},
		{"[{date: M/D/YY}]", map[string]string{"1/5/24": "2024-01-05", "01/05/24": "2024-01-05", "12/31/68": "2068-12-31", "12/31/69": "1969-12-31", "1/32/24": "!date", "1/5/2024": "!date", "/5/24": "!date", "1/005/24": "!date"}},
		{"[{date: YYYYMMDD}]", map[string]string{"20240105": "2024-01-05", "2024015": "!date", "202401055": "!date"}},
		{"[{date: '[Tag ]D. M. YYYY'}]", map[string]string{"Tag 5. 1. 2024": "2024-01-05", "5. 1. 2024": "!date"}},
		{`[{dateTime: {format: "DD/MM/YYYY HH:mm", timeZone: Europe/Berlin}}]`, map[string]string{"05/01/2024 13:30": "2024-01-05T12:30:00Z", "05/07/2024 13:30": "2024-07-05T11:30:00Z",
			"31/12/2024 00:30": "2024-12-30T23:30:00Z", "05/01/2024 24:00": "!dateTime", "05/01/2024 13:60": "!dateTime", "05/01/2024": "!dateTime", "05/01/2024 9:30": "!dateTime",
			"27/10/2024 01:59": "2024-10-26T23:59:00Z", "27/10/2024 02:00": "2024-10-27T00:00:00Z", "27/10/2024 02:30": "2024-10-27T00:30:00Z", "27/10/2024 03:00": "2024-10-27T02:00:00Z", // 02:00 to 03:00 comes twice
			"31/03/2024 01:59": "2024-03-31T00:59:00Z", "31/03/2024 02:00": "!dateTime", "31/03/2024 02:30": "!dateTime", "31/03/2024 03:00": "2024-03-31T01:00:00Z"}}, // 02:00 to 03:00 does not come
		{`[{dateTime: {format: "YYYY-MM-DD HH:mm", timeZone: Pacific/Apia}}]`, map[string]string{"2011-12-29 12:00": "2011-12-29T22:00:00Z", "2011-12-30 12:00": "!dateTime", "2011-12-31 12:00": "2011-12-30T22:00:00Z"}},
		{`[{dateTime: {format: "YYYY-MM-DD HH:mm", timeZone: Europe/Berlin}}]`, map[string]string{"1890-01-01 12:00": "1890-01-01T11:06:32Z"}}, // an offset with seconds
		{`[{dateTime: {format: "M/D/YYYY H:mm A", timeZone: UTC}}]`, map[string]string{"1/5/2024 1:30 PM": "2024-01-05T13:30:00Z", "1/5/2024 12:30 am": "2024-01-05T00:30:00Z", "1/5/2024 12:30 pm": "2024-01-05T12:30:00Z",
			"1/5/2024 0:30 AM": "!dateTime", "1/5/2024 13:30 PM": "!dateTime", "1/5/2024 1:30": "!dateTime", "1/5/2024 1:30 Pm": "!dateTime", "1/5/2024 1:30 P": "!dateTime"}},
		{"[{dateTime: {format: YYYY-MM-DDTHH:mm:ss.SSSZ}}]", map[string]string{"2024-01-05T13:30:15.120Z": "2024-01-05T13:30:15.120Z", "2024-01-05T13:30:15.120+01:00": "2024-01-05T12:30:15.120Z",
			"2024-01-05T13:30:15.120-0330": "2024-01-05T17:00:15.120Z", "2024-01-05T13:30:15.12Z": "!dateTime", "2024-01-05T13:30:60.120Z": "!dateTime", "2024-01-05T13:30:15.120": "!dateTime",
			"2024-01-05T13:30:15.120+24:00": "!dateTime", "2024-01-05T13:30:15.120+01": "!dateTime", "2024-01-05T13:30:15.120 01:00": "!dateTime", "9999-12-31T23:30:00.000-01:00": "!dateTime", "0001-01-01T00:00:00.000+01:00": "!dateTime"}},
		{`[{dateTime: {format: "YYYY-MM-DD HH:mm:ss,SSSSSS", timeZone: UTC}}]`, map[string]string{"2024-01-05 13:30:15,000123": "2024-01-05T13:30:15.000123Z"}},

		// in their order, and no further than no value or a failure
		{"[trim, uppercase, {lookup: {values: {YES: 'true'}}}]", map[string]string{" yes": "true", " ": "~", "no": "!lookup"}},
		{`[{split: {by: ";", part: 2}}, {decimal: {point: ","}}]`, map[string]string{"a;1,5": "1.5", "a": "~", "a;b": "!decimal"}},
		{`[lowercase, trim, uppercase, {split: {by: " ", part: -1}}, lowercase]`, map[string]string{" Jane Doe ": "doe", "ÄÖ": "äö"}},
	} {
		compiled := chain(t, c.steps)
		for value, want := range c.values {
			given := []byte(value)
			out, failed := compiled.Apply(given)
			require.Equal(t, value, string(given), "the value belongs to the caller")
			got := string(out)
			switch {
			case failed != "":
				require.Nil(t, out)
				got = "!" + failed
			case out == nil:
				got = "~"
			}
			require.Equal(t, want, got, "%s of %q", c.steps, value)
		}
		out, failed := compiled.Apply(nil)
		require.Empty(t, failed)
		require.Nil(t, out, "no value stays no value")
	}
}

// ID-21: the hashed namespaces hold the hashes of normalised values.
func TestHashedNamespaces(t *testing.T) {
	hash := func(text string) string { return identity.Hash(identity.SHA256, text) }
	for _, c := range []struct{ namespace, steps, value, want string }{
		{"Email_LC_SHA256", "[email, {hash: sha256}]", " Jane.Doe@Example.COM ", hash("jane.doe@example.com")},
		{"Email_LC_SHA256", "[email, {hash: sha256}]", "jane.doe", "!email"},
		{"Phone_SHA256", `[{phone: "49"}, digits, {hash: sha256}]`, "(030) 12 34-56", hash("4930123456")},
		{"Phone_SHA256_E.164", `[{phone: "49"}, {hash: sha256}]`, "(030) 12 34-56", hash("+4930123456")},
		{"Phone_SHA256_E.164", `[{phone: 49}, {hash: sha256}]`, "+49 (0) 30 123456", hash("+4930123456")},
		{"Phone_E.164", "[phone]", "0049 30 123456", "+4930123456"},
		{"Phone_E.164", "[phone]", "030 123456", "!phone"},
		{"Phone_E.164", `[{phone: "49"}]`, "12", "!phone"},
		{"Email", "[email, {hash: md5}]", "A@b.de", identity.Hash(identity.MD5, "a@b.de")},
		{"Email", "[email, {hash: sha1}]", "A@b.de", identity.Hash(identity.SHA1, "a@b.de")},
		{"Email_LC_SHA256", "[{hashed: sha256}]", strings.ToUpper(hash("x")), hash("x")},
		{"Email_LC_SHA256", "[{hashed: sha256}]", "jane.doe@example.com", "!hashed"},
		{"Email_LC_SHA256", "[trim, {hashed: md5}]", hash("x"), "!hashed"},
	} {
		out, failed := chain(t, c.steps).Apply([]byte(c.value))
		if failed != "" {
			out = []byte("!" + failed)
		}
		require.Equal(t, c.want, string(out), "%s: %s of %q", c.namespace, c.steps, c.value)
	}
}

// Whoever writes a step that is none is told what is wrong with it and what there is.
func TestStepsThatAreNone(t *testing.T) {
	for _, c := range []struct {
		step          Step
		message, hint string
	}{
		{Step{Word: "lowrcase"}, `there is no step "lowrcase"`, "did you mean lowercase? known are the words trim, lowercase, uppercase, digits, email, phone, and with a value date, dateTime, decimal, phone, split, list, lookup, hash, hashed"},
		{Step{Word: "capitalisation"}, `there is no step "capitalisation"`, "known are the words trim, "},
		{Step{Word: "hash"}, "the step hash needs a value", "write it like {hash: sha256}"},
		{Step{}, "a step is empty", "known are the words trim, "},
		{Step{Phone: text("49"), Hash: text(identity.SHA256)}, "a step does several things: phone, hash", "make each a step of its own"},
		{Step{Word: "trim", Hash: text(identity.SHA256)}, "a step does several things: hash, trim", "make each a step of its own"},
		{Step{Hash: text(identity.Algorithm("sha512"))}, `hash: no hash is called "sha512", but [sha256 sha1 md5]`, "write it like {hash: sha256}"},
		{Step{Hashed: text(identity.Algorithm(""))}, `hashed: no hash is called ""`, "write it like {hashed: sha256}"},
		{Step{Phone: text("")}, `phone: "" is not the calling code of a country`, `write it like {phone: "49"}`},
		{Step{Phone: text("DE")}, `phone: "DE" is not the calling code of a country`, ""},
		{Step{Split: &Split{Part: 1}}, "split: by is empty", "write it like {split:"},
		{Step{Split: &Split{By: ","}}, "split: parts are counted from 1", ""},
		{Step{Lookup: &Lookup{}}, "lookup: no values are listed", ""},
		{Step{Lookup: &Lookup{Values: map[string]string{"": "x"}}}, "lookup: an empty value is null", ""},
		{Step{Lookup: &Lookup{Values: map[string]string{"a": "x"}, Otherwise: "drop"}}, `lookup: otherwise cannot be "drop"`, ""},
		{Step{Decimal: &Decimal{Point: ",", Group: ","}}, "decimal: point and group are the same", ""},
		{Step{Decimal: &Decimal{Group: "."}}, "decimal: point and group are the same", ""},
		{Step{Decimal: &Decimal{Point: "::"}}, "decimal: point and group must be one character each", ""},
		{Step{Decimal: &Decimal{Group: "0"}}, "decimal: point and group must be one character each", ""},
		{Step{Decimal: &Decimal{Point: "-"}}, "decimal: point and group must be one character each", ""},
		{Step{Date: text("")}, `date: format "" needs a year, a month and a day`, "write it like {date: DD.MM.YYYY}"},
		{Step{Date: text("DD.MM.")}, "needs a year, a month and a day", ""},
		{Step{Date: text("DD-MMM-YYYY")}, "date: there is no MMM in formats; a format is made of YYYY YY MM", ""},
		{Step{Date: text("dd.mm.yyyy")}, "date: there is no dd in formats", ""},
		{Step{Date: text("DMYYYY")}, "date: digits follow D directly, so that it is not clear where it ends; write DD", ""},
		{Step{Date: text("D[]MYYYY")}, "date: digits follow D directly", ""},
		{Step{Date: text("D[1]MM.YYYY")}, "date: digits follow D directly", ""},
		{Step{Date: text("D.MM.YYYY YY")}, "date: Y stands twice", ""},
		{Step{Date: text("D.M.YYYY [at")}, "has a bracket that is not closed", ""},
		{Step{Date: text("D.M.YYYY HH")}, "has a time of day; use dateTime", ""},
		{Step{Date: text("D.M.YYYYZ")}, "has a time of day; use dateTime", ""},
		{Step{DateTime: &DateTime{Format: "YYYY-MM-DD"}}, "has no time of day; use date", "write it like {dateTime: {format:"},
		{Step{DateTime: &DateTime{Format: "YYYY-MM-DD HH:mm"}}, "dateTime: timeZone is missing", ""},
		{Step{DateTime: &DateTime{Format: "YYYY-MM-DD HH:mmZ", TimeZone: "UTC"}}, "not both", ""},
		{Step{DateTime: &DateTime{Format: "YYYY-MM-DD HH:mm", TimeZone: "Europe/Berlim"}}, `there is no time zone "Europe/Berlim"`, ""},
		{Step{DateTime: &DateTime{Format: "YYYY-MM-DD HH:mm", TimeZone: "Local"}}, `there is no time zone "Local"`, ""},
		{Step{DateTime: &DateTime{Format: "YYYY-MM-DD HH:ss", TimeZone: "UTC"}}, "has s without m", ""},
		{Step{DateTime: &DateTime{Format: "YYYY-MM-DD A", TimeZone: "UTC"}}, "has A without H", ""},
	} {
		err := c.step.Check()
		var known *errkind.Error
		require.True(t, errors.As(err, &known), c.message)
		require.Equal(t, errkind.Invalid, known.Kind)
		require.Contains(t, known.Err.Error(), c.message)
		require.NotEmpty(t, known.Hint, c.message)
		require.Contains(t, known.Hint, c.hint)
		_, err = CompileSteps([]Step{{Word: "trim"}, c.step})
		require.ErrorContains(t, err, "step 2: ")
		require.Equal(t, errkind.Invalid, errkind.Of(err))
	}
}

// A step's key that is none is not passed over, which would lose a hash.
func TestUnknownKeysAreNotPassedOver(t *testing.T) {
	for list, message := range map[string]string{
		"[{hsah: sha256}]":               `there is no step "hsah"; did you mean hash?`,
		"[{trim: true}]":                 "the step trim takes no value; write the bare word trim",
		"[{hash: sha256, bytes: upper}]": `there is no step "bytes"`,
	} {
		require.ErrorContains(t, steps(t, list)[0].Check(), message, list)
	}
	require.Equal(t, []Step{{Word: "trim"}, {Hash: text(identity.SHA256)}}, steps(t, "\n- trim\n- hash: sha256\n"))
	require.Equal(t, []Step{{}, {}}, steps(t, "[~, {}]"))
}

// Every word and every function that is listed is one.
func TestListedStepsExist(t *testing.T) {
	for _, word := range Words {
		require.NoError(t, Step{Word: word}.Check(), word)
	}
	require.Len(t, examples, len(Functions))
	for _, name := range Functions {
		read := steps(t, "["+examples[name]+"]")
		require.Equal(t, []string{name}, read[0].given())
		require.NoError(t, read[0].Check(), name)
	}
}
