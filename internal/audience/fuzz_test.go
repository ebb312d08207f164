package audience

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fuzz holds a notation against itself: what is read is printed, and reads back as the same rule; in the other notation too,
// where that has the words.
func fuzz(f *testing.F, notation Notation, rules ...string) {
	for _, rule := range rules {
		f.Add(rule)
	}
	file, err := os.Open("testdata/hostile.txt")
	require.NoError(f, err)
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rule, ok := strings.CutPrefix(lines.Text(), string(notation)+" "); ok {
			f.Add(rule)
		}
	}
	_, err = Parse("partner.hiking = 'Y'", fields) // starts PostgreSQL's parser: an input that takes ten seconds counts as hanging
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := Parse(text, fields, In(notation), MayRefer("walkers"))
		if err != nil {
			var wrong *ParseError
			require.ErrorAs(t, err, &wrong)
			require.LessOrEqual(t, wrong.Offset, len(text))
			return
		}
		condition, values, err := rule.SQL(names)
		require.NoError(t, err)
		require.Equal(t, strings.Count(condition, "?"), len(values))
		require.NotContains(t, condition, ";")
		for _, other := range []Notation{SQL, PQL} {
			printed, err := rule.Print(other)
			if err != nil {
				require.Equal(t, PQL, other)
				continue
			}
			again, err := Parse(printed, fields, In(other), MayRefer("walkers"))
			require.NoError(t, err, printed)
			require.True(t, rule.Same(again), "%s\nis printed as\n%s", text, printed)
		}
		require.NotEmpty(t, rule.Predicates())
	})
}

func FuzzSQL(f *testing.F) {
	fuzz(f, SQL, "partner.hiking = 'Y' AND merkle.demographics.age.age BETWEEN 25 AND 44", "NOT (partner.hiking IN ('Y', 'N')) IS TRUE OR _luma.optedIn",
		"lower(trim(partner.householdID)) LIKE 'a%' AND partner.hiking !~* 'x'", "_luma.joined + interval '3 months' > now() AND age_in_years(_luma.joined) > 3",
		"merkle.demographics.age.age / 2 - 1 > -0.5", "CASE WHEN _luma.optedIn THEN 1 ELSE 2 END = 1", "'golf' = ANY(_luma.interests) AND _luma.scores['a'] > 1",
		"_luma.interests @> ARRAY['x'] AND cardinality(_luma.interests) = 1", "audience('walkers') AND split('a', 0, 12.5)", "date_trunc('month', now()) = TIMESTAMPTZ '2026-05-01T00:00:00Z'",
		"extract(year from _luma.joined) = 2026", "coalesce(partner.hiking, 'N') <> 'Y'", `_luma."optedIn" = false`)
}

func FuzzPQL(f *testing.F) {
	fuzz(f, PQL, `partner.hiking = "Y" and merkle.demographics.age.age >= 25`, `not (partner.hiking in ["Y", "N"]) or partner.hiking notIn ["x"]`,
		`partner.hiking.contains("y", false)`, `_luma.joined occurs <= 3 days before now`, `_luma.joined occurs last month or _luma.joined occurs between date(2015, 1, 8) and today`,
		`merkle.demographics.age.age * 2 % 3 > -1.5`, `if(_luma.optedIn, 1, 2) = 1`, `_luma.interests.supersetOf(["golf"]) and _luma.scores.get("a") > 1`,
		`inSegment("walkers")`, `(P) => P.partner.hiking like "%\\_"`, `_luma.interests.distinct().count() > 1`, `_luma.joined > 2 weeks from yesterday`)
}
