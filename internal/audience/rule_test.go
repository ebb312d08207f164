package audience

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/xdm"
)

var fields = func() Fields {
	out := Fields{}
	for _, f := range []xdm.Field{
		{Path: "partner.hiking", Type: xdm.String, Suggested: []string{"Y", "N"}}, {Path: "partner.householdID", Type: xdm.String},
		{Path: "partner.buyerRating", Type: xdm.String, Enum: []string{"1", "2", "3", "4", "5"}},
		{Path: "merkle.demographics.age.age", Type: xdm.Integer}, {Path: "merkle.demographics.age.birthdate", Type: xdm.DateTime},
		{Path: "merkle.homeValue.marketTotalValue", Type: xdm.Number}, {Path: "_luma.joined", Type: xdm.Date}, {Path: "_luma.optedIn", Type: xdm.Boolean},
		{Path: "_luma.interests", Type: xdm.String, Container: xdm.Array}, {Path: "_luma.tags", Type: xdm.String, Container: xdm.Array, Enum: []string{"a", "b"}}, {Path: "_luma.scores", Type: xdm.Number, Container: xdm.Map},
	} {
		out.Add(f)
	}
	return out
}()

var asOf = time.Date(2026, 5, 4, 10, 30, 0, 0, time.UTC)

var names = Names{Column: func(path string) string { return `"` + path + `"` }, Audience: func(name string) string { return "in_" + name }, ID: "id", AsOf: asOf}

// AU-2, AU-5, AU-13 to AU-20: the rule becomes generated SQL with bound values.
func TestRuleBecomesGeneratedSQL(t *testing.T) {
	for _, c := range []struct {
		rule, sql string
		values    []any
	}{
		{"partner.hiking = 'Y'", `("partner.hiking"::VARCHAR = ?::VARCHAR)`, []any{"Y"}},
		{"partner.hiking = 'Y' AND merkle.demographics.age.age BETWEEN 25 AND 44",
			`(("partner.hiking"::VARCHAR = ?::VARCHAR) AND ("merkle.demographics.age.age"::BIGINT >= ?::BIGINT) AND ("merkle.demographics.age.age"::BIGINT <= ?::BIGINT))`, []any{"Y", int64(25), int64(44)}},
		{"NOT (partner.buyerRating in ('4','5')) or partner.householdID is not null",
			`((NOT ("partner.buyerRating"::VARCHAR IN (?::VARCHAR, ?::VARCHAR))) OR ("partner.householdID"::VARCHAR IS NOT NULL))`, []any{"4", "5"}},
		{"25 < merkle.demographics.age.age", `("merkle.demographics.age.age"::BIGINT > ?::BIGINT)`, []any{int64(25)}},
		{"partner.hiking LIKE 'O''Br%'", `("partner.hiking"::VARCHAR LIKE ?::VARCHAR)`, []any{"O'Br%"}},
		{"_luma.optedIn", `"_luma.optedIn"::BOOLEAN`, nil},
		{"_luma.optedIn <> true", `(NOT "_luma.optedIn"::BOOLEAN)`, nil},
		{"merkle.demographics.age.age = 1.5", `("merkle.demographics.age.age"::BIGINT::DOUBLE = ?::DOUBLE)`, []any{1.5}},
		{"partner.hiking <> partner.householdID", `("partner.hiking"::VARCHAR <> "partner.householdID"::VARCHAR)`, nil},
		{"_luma.joined > now() - interval '3 days'", `(("_luma.joined"::DATE::TIMESTAMP AT TIME ZONE 'UTC') > ` +
			`(CASE WHEN (?::TIMESTAMPTZ AT TIME ZONE 'UTC') BETWEEN ?::TIMESTAMP AND ?::TIMESTAMP THEN (((?::TIMESTAMPTZ AT TIME ZONE 'UTC') + to_days(-3)) AT TIME ZONE 'UTC') END))`,
			[]any{asOf, "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", asOf}},
		{"audience('walkers') OR split('a', 25, 50)", `((in_walkers) OR (substr(md5(?::VARCHAR || id::VARCHAR), 1, 8) >= ?::VARCHAR AND substr(md5(?::VARCHAR || id::VARCHAR), 1, 8) < ?::VARCHAR))`,
			[]any{"a:", "40000000", "a:", "80000000"}},
	} {
		rule, err := Parse(c.rule, fields, MayRefer("walkers"))
		require.NoError(t, err, c.rule)
		sql, values, err := rule.SQL(names)
		require.NoError(t, err)
		require.Equal(t, c.sql, sql)
		require.Equal(t, c.values, values)
	}
	rule, err := Parse("partner.hiking = 'Y' or partner.hiking = 'N' or merkle.demographics.age.age > 3 OR audience('b') OR audience('a')", fields, MayRefer("a", "b"))
	require.NoError(t, err)
	require.Equal(t, []string{"merkle.demographics.age.age", "partner.hiking"}, rule.Columns)
	require.Equal(t, []string{"a", "b"}, rule.Audiences)
}

// AU-2, AU-4, AU-26, AS-16: what is not a condition over prospect attributes is refused, with its kind, its place and a hint.
func TestRuleRefusesEverythingElse(t *testing.T) {
	for rule, want := range map[string]string{
		"":                                                     "the rule is empty",
		"1 = 1":                                                "this condition uses no attribute",
		"partner.hiking = 'Y' OR 1 = 1":                        "column 25: this condition uses no attribute",
		"true":                                                 "a constant is no condition",
		"partner.hikking = 'Y'":                                "did you mean partner.hiking?",
		"partner.householdId = 'x'":                            "did you mean partner.householdID?",
		"person.name.firstName = 'x'":                          "no prospect schema has an attribute person.name.firstName",
		"xEvent.type = 'x'":                                    "rules of prospects cannot use events",
		`partner.hiking = "Y"`:                                 "a text is written in single quotes",
		"partner.hiking = 1":                                   "partner.hiking is string",
		"partner.hiking = NULL":                                "write IS NULL",
		"partner.buyerRating = '6'":                            "partner.buyerRating is never 6; its values are 1, 2, 3, 4, 5",
		"'c' = ANY(_luma.tags)":                                "_luma.tags is never c; its values are a, b",
		"ARRAY['a', 'c'] && _luma.tags":                        "_luma.tags is never c",
		"partner.buyerRating IN ('1', 'x')":                    "column 30: partner.buyerRating is never x",
		"merkle.demographics.age.age = 'x'":                    "merkle.demographics.age.age is integer",
		"merkle.demographics.age.age LIKE 'x'":                 "LIKE needs text",
		"partner.hiking = merkle.demographics.age.age":         "partner.hiking is string, merkle.demographics.age.age is integer",
		"partner.hiking + 1 = 2":                               "+ needs numbers, partner.hiking is string",
		"_luma.interests = 'golf'":                             "_luma.interests takes several values (array of string); 'x' = ANY(_luma.interests)",
		"_luma.scores['a'] = 'x'":                              "is number",
		"partner.hiking = (select 1)":                          "subqueries are not allowed",
		"exists (select 1 from x)":                             "subqueries are not allowed",
		"pg_sleep(10)":                                         "function pg_sleep is not allowed",
		"lowr(partner.hiking) = 'y'":                           "did you mean lower?",
		"audience('walkers')":                                  "cannot refer to an audience walkers",
		"split('a b', 0, 10)":                                  "cannot name a split",
		"split('a', 10, 10)":                                   "a smaller to a larger percent",
		"date_part('epoch', now()) > 1":                        "epoch is not a known part of a date",
		"now() - interval '3 fortnights' > now()":              "fortnights is not a known unit",
		"now() - interval '1 day 2 hours' > now()":             "one number and one unit",
		"partner.hiking ~ '(?=a)'":                             "no regular expression",
		"partner.hiking ~ 'a{1000}{1000}'":                     "no regular expression",
		`partner.hiking LIKE 'a\'`:                             "must not end with",
		"partner.hiking = 'Y' -- all":                          "comments are not allowed",
		"partner.hiking = 'Y') union select from x where (1=1": "more than one condition",
		"partner.hiking = 'Y'); drop table x; select (1":       "more than one condition",
		"partner.hiking = ":                                    "the rule is not finished",
		"partner.hiking = 'Y":                                  "a text has no end",
		"partner.hiking = 'Y' AND\n  AND":                      "line 2, column 3: this is no SQL condition",
		"partner.hiking = 'é' AND nope = 'x'":                  "column 26: no prospect schema",
		"partner.hiking = 'é' = = ":                            "column 22:",
		"merkle.demographics.age.birthdate > 'soon'":           "is date-time",
		"_luma.joined > '2024-02-30'":                          "is date",
	} {
		_, err := Parse(rule, fields)
		var parse *ParseError
		require.True(t, errors.As(err, &parse), "%s: %v", rule, err)
		require.NotEmpty(t, parse.Kind)
		require.Contains(t, err.Error(), want, rule)
	}
}

// AU-9: a value that is only not suggested is taken, with a warning.
func TestSuggestedValues(t *testing.T) {
	rule, err := Parse("partner.hiking IN ('Y', 'maybe')", fields)
	require.NoError(t, err)
	require.Equal(t, []Warning{{Offset: 24, Message: "maybe is none of the suggested values of partner.hiking"}}, rule.Warnings)
}

// The conditions of a rule can be asked one by one, and give its verdict.
func TestPredicates(t *testing.T) {
	rule, err := Parse("(partner.hiking = 'Y' OR _luma.optedIn) AND NOT merkle.demographics.age.age > 64", fields)
	require.NoError(t, err)
	var texts []string
	for _, p := range rule.Predicates() {
		sql, values, err := p.SQL(names)
		require.NoError(t, err)
		require.NotContains(t, sql, " OR ")
		require.Len(t, p.Columns, 1)
		require.LessOrEqual(t, len(values), 1)
		texts = append(texts, p.Text)
	}
	require.Equal(t, []string{"partner.hiking = 'Y'", "_luma.optedIn", "merkle.demographics.age.age <= 64"}, texts)
	require.EqualValues(t, "true", rule.Verdict([]Verdict{"unknown", "true", "true"}))
	require.EqualValues(t, "unknown", rule.Verdict([]Verdict{"unknown", "false", "true"}))
	require.EqualValues(t, "false", rule.Verdict([]Verdict{"unknown", "true", "false"}))
}
