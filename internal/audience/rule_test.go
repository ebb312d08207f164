package audience

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/xdm"
)

var fields = Fields{
	"partner.hiking": xdm.String, "partner.householdID": xdm.String, "partner.buyerRating": xdm.String,
	"merkle.demographics.age.age": xdm.Integer, "merkle.demographics.age.birthdate": xdm.DateTime, "_luma.optedIn": xdm.Boolean,
}

func quoted(path string) string { return `"` + path + `"` }

// AU-2, AU-5: the rule becomes generated SQL with bound values.
func TestRuleBecomesGeneratedSQL(t *testing.T) {
	for _, c := range []struct {
		rule, sql string
		values    []any
	}{
		{"partner.hiking = 'Y'", `("partner.hiking" = ?::VARCHAR)`, []any{"Y"}},
		{"partner.hiking = 'Y' AND merkle.demographics.age.age BETWEEN 25 AND 44",
			`(("partner.hiking" = ?::VARCHAR) AND ("merkle.demographics.age.age" BETWEEN ?::BIGINT AND ?::BIGINT))`, []any{"Y", int64(25), int64(44)}},
		{"NOT (partner.buyerRating in ('4','5')) or partner.householdID is not null",
			`((NOT ("partner.buyerRating" IN (?::VARCHAR, ?::VARCHAR))) OR ("partner.householdID" IS NOT NULL))`, []any{"4", "5"}},
		{"25 < merkle.demographics.age.age", `("merkle.demographics.age.age" > ?::BIGINT)`, []any{int64(25)}},
		{"partner.hiking LIKE 'O''Br%' -- a comment", `("partner.hiking" LIKE ?::VARCHAR)`, []any{"O'Br%"}},
		{"_luma.optedIn", `("_luma.optedIn" = ?::BOOLEAN)`, []any{true}},
		{"merkle.demographics.age.age = 1.5", `("merkle.demographics.age.age" = ?::DOUBLE)`, []any{1.5}},
	} {
		rule, err := Parse(c.rule, fields)
		require.NoError(t, err, c.rule)
		sql, values := rule.SQL(quoted)
		require.Equal(t, c.sql, sql)
		require.Equal(t, c.values, values)
	}
	rule, err := Parse("partner.hiking = 'Y' or partner.hiking = 'N' or merkle.demographics.age.age > 3", fields)
	require.NoError(t, err)
	require.Equal(t, []string{"merkle.demographics.age.age", "partner.hiking"}, rule.Columns)
}

// AU-4, AS-16: what is not a condition over prospect attributes is refused, with its place and a hint.
func TestRuleRefusesEverythingElse(t *testing.T) {
	for rule, want := range map[string]string{
		"":                                     "the rule is empty",
		"1 = 1":                                "expected an attribute",
		"partner.hikking = 'Y'":                "did you mean partner.hiking?",
		"partner.householdId = 'x'":            "did you mean partner.householdID?",
		"person.name.firstName = 'x'":          "no prospect schema has an attribute person.name.firstName",
		"partner.hiking = 1":                   "partner.hiking is string",
		"merkle.demographics.age.age = 'x'":    "merkle.demographics.age.age is integer",
		"merkle.demographics.age.age LIKE 'x'": "LIKE needs text",
		"partner.hiking = partner.householdID": "must be compared with a constant",
		"partner.hiking = (select 1)":          "must be compared with a constant",
		"exists (select 1 from x)":             "subqueries are not allowed",
		"pg_sleep(10)":                         "functions are not allowed",
		"partner.hiking = 'Y') union select from x where (1=1": "more than one condition",
		"partner.hiking = 'Y'); drop table x; select (1":       "more than one condition",
		"partner.hiking = ":                          "syntax error",
		"partner.hiking ~ 'x'":                       "operator ~ is not allowed",
		"merkle.demographics.age.birthdate > 'soon'": "is date-time",
	} {
		_, err := Parse(rule, fields)
		var parse *ParseError
		require.True(t, errors.As(err, &parse), "%s: %v", rule, err)
		require.Contains(t, err.Error(), want, rule)
	}
	_, err := Parse("partner.hiking = 'Y' AND nope = 'x'", fields)
	require.Contains(t, err.Error(), "column 26:")
}
