package audience

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/audience/expression"
)

// Every rule of testdata/hostile.txt is refused, with an error that says why: none gets as far as SQL.
func TestHostileRulesAreRefused(t *testing.T) {
	file, err := os.Open("testdata/hostile.txt")
	require.NoError(t, err)
	defer file.Close()
	count := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		count++
		notation, text, _ := strings.Cut(lines.Text(), " ")
		rule, err := Parse(text, fields, In(Notation(notation)), MayRefer("outdoor"))
		if err == nil {
			sql, _, _ := rule.SQL(names)
			t.Errorf("%s: %s is taken, as %s", notation, text, sql)
			continue
		}
		var wrong *ParseError
		require.ErrorAs(t, err, &wrong, text)
		require.NotEmpty(t, wrong.Kind, text)
		require.Less(t, len(err.Error()), 600, text)
	}
	require.GreaterOrEqual(t, count, 300)
}

// Rules that are large, deep or heavy are refused in no time.
func TestBoundsOfRules(t *testing.T) {
	nested := func(open, inner, end string, depth int) string {
		return strings.Repeat(open, depth) + inner + strings.Repeat(end, depth)
	}
	long := func(one, separator string, count int) string {
		return strings.TrimSuffix(strings.Repeat(one+separator, count), separator)
	}
	for name, c := range map[string]struct{ sql, pql string }{
		"a megabyte":          {"partner.hiking = '" + strings.Repeat("a", 1<<20) + "'", `partner.hiking = "` + strings.Repeat("a", 1<<20) + `"`},
		"a megabyte of AND":   {long("partner.hiking = 'Y'", " AND ", 40_000), long(`partner.hiking = "Y"`, " and ", 40_000)},
		"parentheses":         {nested("(", "partner.hiking = 'Y'", ")", 10_000), nested("(", `partner.hiking = "Y"`, ")", 10_000)},
		"NOT":                 {strings.Repeat("NOT ", 10_000) + "partner.hiking = 'Y'", strings.Repeat("not ", 10_000) + `partner.hiking = "Y"`},
		"NOT, some":           {strings.Repeat("NOT ", 900) + "partner.hiking = 'Y' OR lower(" + nested("(", "partner.hiking", ")", 90) + ") = 'y' OR " + nested("trim(", "partner.hiking", ")", 100) + " = 'y'", strings.Repeat("!", 20_000) + `partner.hiking = "Y"`},
		"calls":               {nested("lower(", "partner.hiking", ")", 9_000) + " = 'y'", nested("if(_luma.optedIn, ", "1", ", 2)", 2_500) + " = 1"},
		"CASE":                {nested("CASE WHEN _luma.optedIn THEN ", "1", " ELSE 2 END", 1_500) + " = 1", nested("[", "1", "]", 10_000)},
		"plus":                {long("merkle.demographics.age.age", "+", 2_000) + " > 1", long("merkle.demographics.age.age", "+", 2_000) + " > 1"},
		"minus":               {strings.Repeat("- ", 10_000) + "merkle.demographics.age.age > 1", strings.Repeat("- ", 10_000) + "merkle.demographics.age.age > 1"},
		"a list":              {"merkle.demographics.age.age IN (" + long("1", ",", 6_000) + ")", "merkle.demographics.age.age in [" + long("1", ",", 6_000) + "]"},
		"parts":               {long("_luma.optedIn", " OR ", 3_600) + " OR merkle.demographics.age.age IN (" + long("1", ",", 4_900) + ") OR merkle.demographics.age.age IN (" + long("1", ",", 1_600) + ")", long("5 days before ", "", 4_000) + "now > now"},
		"subscripts":          {"_luma.scores" + strings.Repeat("['a']", 10_000) + " = 1", "_luma.scores" + strings.Repeat(`.get("a")`, 5_000) + " = 1"},
		"a pattern":           {"partner.hiking ~ '" + strings.Repeat("a", 1_001) + "'", `partner.hiking.matches("` + strings.Repeat("a", 1_001) + `")`},
		"a large expression":  {"partner.hiking ~ '" + strings.Repeat(`\pL{100}`, 50) + "'", `partner.hiking.matches("` + strings.Repeat(`\pL{100}`, 50) + `")`},
		"a name":              {strings.Repeat("a", 60_000) + " = 'Y'", strings.Repeat("a", 60_000) + ` = "Y"`},
		"a path":              {strings.Repeat("a.", 30_000) + "a = 'Y'", strings.Repeat("a.", 30_000) + `a = "Y"`},
		"NUL":                 {"partner.hiking = 'Y\x00' OR 1=1", "partner.hiking = \"Y\x00\""},
		"no UTF-8":            {"partner.hiking = '\xff'", "partner.hiking = \"\xff\""},
		"a right-to-left NUL": {"partner.hiking = 'Y'\x00) UNION SELECT (1", "partner.hiking = \"Y\"\x00"},
		"more plus":           {long("merkle.demographics.age.age", "+", 2_300) + " > 1", long("merkle.demographics.age.age", "+", 2_300) + " > 1"},
		"plus one":            {"merkle.demographics.age.age > 1" + strings.Repeat("+1", 30_000), "merkle.demographics.age.age > 1" + strings.Repeat("+1", 30_000)},
		"IS TRUE":             {"_luma.optedIn" + strings.Repeat(" IS TRUE", 8_000), strings.Repeat("!", 60_000) + "_luma.optedIn"},
		"signs":               {"merkle.demographics.age.age > " + strings.Repeat("- ", 30_000) + "1", "merkle.demographics.age.age > " + strings.Repeat("- ", 30_000) + "1"},
		"casts":               {"merkle.demographics.age.age" + strings.Repeat("::int", 12_000) + " = 1", strings.Repeat("1 + ", 15_000) + "merkle.demographics.age.age > 1"},
		"UNION":               {"1=1) " + strings.Repeat("UNION SELECT 1, 2 ", 3_000) + "UNION SELECT (1", strings.Repeat("1 in [", 10_000)},
		"JOIN":                {"1=1) OR EXISTS (SELECT FROM a " + strings.Repeat("JOIN b ON (true) ", 3_500), strings.Repeat("1 = ", 15_000) + "1"},
		"operators":           {"partner.hiking = " + strings.Repeat("~ ", 30_000) + "1", strings.Repeat("1 * ", 15_000) + "merkle.demographics.age.age > 1"},
		"behind an escape":    {`partner.hiking = E'\'' || ` + long("'a'", "||", 10_000), `partner.hiking = "\"" + ` + long("1", "+", 10_000)},
		"behind a $":          {"partner.hiking = $$'$$ || " + long("'a'", "||", 10_000), strings.Repeat("$1.", 20_000) + "a"},
		"divisions":           {strings.Repeat("1 / (merkle.demographics.age.age / (", 20) + "merkle.demographics.age.age" + strings.Repeat("))", 20) + " > 1", strings.Repeat("1 / (merkle.demographics.age.age / (", 20) + "merkle.demographics.age.age" + strings.Repeat("))", 20) + " > 1"},
		"open brackets":       {strings.Repeat("(", 60_000), strings.Repeat("[", 60_000)},
		"open quotes":         {strings.Repeat("'", 60_001), strings.Repeat(`"`, 60_001)},
		"chains of =":         {long("partner.hiking", " = ", 4_000), long("partner.hiking", " = ", 3_000)},
		"arithmetic in CASE":  {strings.Repeat("CASE WHEN _luma.optedIn THEN 1 + ", 60) + "merkle.demographics.age.age" + strings.Repeat(" ELSE 2 END", 60) + " > 1", strings.Repeat("if(_luma.optedIn, 1 + ", 40) + "merkle.demographics.age.age" + strings.Repeat(", 2)", 40) + " > 1"},
	} {
		for notation, text := range map[Notation]string{SQL: c.sql, PQL: c.pql} {
			started := time.Now()
			_, err := Parse(text, fields, In(notation))
			require.Less(t, time.Since(started), 10*time.Second, "%s in %s", name, notation) // fractions of a second, on any machine
			var wrong *ParseError
			require.ErrorAs(t, err, &wrong, "%s in %s", name, notation)
			require.Less(t, len(err.Error()), 600, "%s in %s", name, notation)
			t.Log(name, notation, time.Since(started).Round(time.Millisecond), wrong.Kind)
			_, err = Parse("partner.hiking = 'Y'", fields)
			require.NoError(t, err, "after %s in %s", name, notation)
		}
	}
}

// What is large without being deep is taken.
func TestLargeRules(t *testing.T) {
	for name, rule := range map[string]string{
		"a list":     "partner.hiking IN ('x'" + strings.Repeat(", 'it''s'", 4_990) + ")",
		"conditions": "partner.hiking = 'Y'" + strings.Repeat(" AND merkle.demographics.age.age > 1", 1_500),
		"brackets":   "partner.hiking = 'Y'" + strings.Repeat(" OR (partner.hiking = 'Y' AND merkle.demographics.age.age > 1 + 2 * 3)", 800),
		"a sum":      "merkle.demographics.age.age" + strings.Repeat(" + merkle.demographics.age.age", 80) + " > 1",
		"an escape":  `partner.hiking IN (E'a\'b', E'\\', 'E')`,
		"quotes":     `partner.hiking = '$' AND partner.hiking <> 'a""$' AND "partner"."hiking" <> ''`,
	} {
		_, err := Parse(rule, fields)
		require.NoError(t, err, name)
	}
}

// What is dangerous only as text is a value like another.
func TestTextsAreBound(t *testing.T) {
	for _, text := range []string{"' OR 1=1 --", `"; DROP TABLE profiles; --`, "$1", "?", "%s", "{{.}}", "\\", "Robert'); DROP TABLE Students;--", "�", "line\nbreak"} {
		rule := &Rule{where: &expression.Node{Op: expression.Equal, Args: []*expression.Node{{Op: expression.Attribute, Word: "partner.householdID", Type: expression.Of("string")},
			{Op: expression.Constant, Value: text, Type: expression.Of("string")}}, Type: expression.Of("boolean")}}
		for _, notation := range []Notation{SQL, PQL} {
			printed, err := rule.Print(notation)
			require.NoError(t, err)
			again, err := Parse(printed, fields, In(notation))
			require.NoError(t, err, printed)
			require.True(t, rule.Same(again), printed)
			sql, values, err := again.SQL(names)
			require.NoError(t, err)
			require.Equal(t, `("partner.householdID"::VARCHAR = ?::VARCHAR)`, sql)
			require.Equal(t, []any{text}, values)
		}
	}
}
