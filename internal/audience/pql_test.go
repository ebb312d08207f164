package audience

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// AU-13 to AU-20, AU-22, AS-16, AS-17, EC-22, EC-23: PQL, and what it is in SQL.
func TestPQL(t *testing.T) {
	for rule, want := range map[string]string{
		`partner.hiking = "Y" and partner.buyerRating in ["4","5"]`:             `partner.hiking = 'Y' AND partner.buyerRating IN ('4', '5')`,
		`partner.hiking in ["Y"]`:                                               `partner.hiking IN ('Y')`,
		`partner.hiking notIn ["Y"]`:                                            `partner.hiking NOT IN ('Y')`,
		`not (partner.hiking in ["Y"])`:                                         `(partner.hiking IN ('Y')) IS NOT TRUE`,
		`!(partner.hiking = "Y" or _luma.optedIn)`:                              `(partner.hiking = 'Y' OR _luma.optedIn) IS NOT TRUE`,
		`partner.hiking != "Y"`:                                                 `partner.hiking <> 'Y'`,
		`partner.hiking.contains("y")`:                                          `contains(partner.hiking, 'y')`,
		`partner.hiking.contains("y", false)`:                                   `contains(lower(partner.hiking), lower('y'))`,
		`partner.hiking.contains("y", true)`:                                    `contains(partner.hiking, 'y')`,
		`partner.hiking.doesNotContain("y")`:                                    `NOT (contains(partner.hiking, 'y'))`,
		`partner.hiking.startsWith("y")`:                                        `starts_with(partner.hiking, 'y')`,
		`partner.hiking.doesNotStartWith("y", false)`:                           `NOT (starts_with(lower(partner.hiking), lower('y')))`,
		`partner.hiking.endsWith("y")`:                                          `ends_with(partner.hiking, 'y')`,
		`partner.hiking.doesNotEndWith("y")`:                                    `NOT (ends_with(partner.hiking, 'y'))`,
		`partner.hiking.equals("Y")`:                                            `partner.hiking = 'Y'`,
		`partner.hiking.notEqualTo("Y", false)`:                                 `lower(partner.hiking) <> lower('Y')`,
		`partner.hiking like "%es%"`:                                            `partner.hiking LIKE '%es%'`,
		`partner.hiking.matches("(?i)^John")`:                                   `partner.hiking ~ '(?i)^John'`,
		`partner.hiking.regexGroup("@(\w+)", 1) = "x"`:                          `regexp_group(partner.hiking, '@(\w+)', 1) = 'x'`,
		`partner.hiking.matches("@(\w+)")`:                                      `partner.hiking ~ '@(\w+)'`,
		`partner.hiking = "say \"\\\""`:                                         `partner.hiking = 'say "\"'`,
		`isNull(partner.hiking)`:                                                `partner.hiking IS NULL`,
		`partner.hiking.isNotNull()`:                                            `partner.hiking IS NOT NULL`,
		`$1.partner.hiking = "Y"`:                                               `partner.hiking = 'Y'`,
		`(Profile) => Profile.partner.hiking = "Y"`:                             `partner.hiking = 'Y'`,
		`if(_luma.optedIn, partner.hiking, "N") = "Y"`:                          `(CASE WHEN _luma.optedIn THEN partner.hiking ELSE 'N' END) = 'Y'`,
		`merkle.demographics.age.age * 2 + 1 > -5`:                              `((merkle.demographics.age.age * 2) + 1) > -5`,
		`_luma.optedIn = false`:                                                 `NOT (_luma.optedIn)`,
		`merkle.demographics.age.birthdate.getMonth() = currentMonth()`:         `date_part('month', merkle.demographics.age.birthdate) = date_part('month', now())`,
		`merkle.demographics.age.birthdate.getYear() in [1991, 1992]`:           `date_part('year', merkle.demographics.age.birthdate) IN (1991, 1992)`,
		`_luma.joined = date(2020, 3, 14)`:                                      `_luma.joined = DATE '2020-03-14'`,
		`_luma.joined occurs before today`:                                      `_luma.joined < current_date`,
		`_luma.joined occurs after yesterday`:                                   `_luma.joined > (current_date + interval '-1 days')`,
		`_luma.joined occurs on today`:                                          `_luma.joined >= current_date AND _luma.joined < (current_date + interval '1 days')`,
		`_luma.joined occurs last month`:                                        `_luma.joined >= (date_trunc('month', now()) + interval '-1 months') AND _luma.joined < ((date_trunc('month', now()) + interval '-1 months') + interval '1 months')`,
		`_luma.joined occurs <= 3 days before now`:                              `_luma.joined BETWEEN (now() + interval '-3 days') AND now()`,
		`_luma.joined occurs > 2 decades before now`:                            `_luma.joined < (now() + interval '-20 years')`,
		`_luma.joined occurs < 2 weeks from now`:                                `(_luma.joined > (now() + interval '-2 weeks') AND _luma.joined <= now()) OR (_luma.joined >= now() AND _luma.joined < (now() + interval '2 weeks'))`,
		`_luma.joined occurs = 3 days before today`:                             `_luma.joined >= (current_date + interval '-3 days') AND _luma.joined < ((current_date + interval '-3 days') + interval '1 days')`,
		`_luma.joined occurs = 3 hours before now`:                              `_luma.joined >= (date_trunc('hour', now()) + interval '-3 hours') AND _luma.joined < ((date_trunc('hour', now()) + interval '-3 hours') + interval '1 hours')`,
		`_luma.joined occurs between date(2015, 1, 8) and date(2017, 7, 1)`:     `_luma.joined BETWEEN DATE '2015-01-08' AND DATE '2017-07-01'`,
		`"golf" in _luma.interests`:                                             `'golf' = ANY(_luma.interests)`,
		`_luma.interests.includes("golf")`:                                      `'golf' = ANY(_luma.interests)`,
		`_luma.interests.intersects(["golf", "x"])`:                             `_luma.interests && ARRAY['golf', 'x']`,
		`_luma.interests.supersetOf(["golf"])`:                                  `ARRAY['golf'] <@ _luma.interests`,
		`_luma.interests.distinct().count() > 1`:                                `cardinality(array_distinct(_luma.interests)) > 1`,
		`_luma.interests.head() = "golf"`:                                       `_luma.interests[1] = 'golf'`,
		`_luma.scores.get("a") > 0.5`:                                           `_luma.scores['a'] > 0.5`,
		`_luma.scores.keys().includes("a")`:                                     `'a' = ANY(map_keys(_luma.scores))`,
		`sum(_luma.scores.values()) > 5`:                                        `array_sum(map_values(_luma.scores)) > 5`,
		`inSegment("walkers") and not inSegment("runners")`:                     `audience('walkers') AND NOT (audience('runners'))`,
		`let h = partner.hiking in (h = "Y" or h = "N")`:                        `partner.hiking = 'Y' OR partner.hiking = 'N'`,
		`let p = partner in (p.hiking = "Y") and _luma.optedIn`:                 `partner.hiking = 'Y' AND _luma.optedIn`,
		`let a = merkle.demographics.age.age + 1 in (let b = a * a in (b > a))`: `((merkle.demographics.age.age + 1) * (merkle.demographics.age.age + 1)) > (merkle.demographics.age.age + 1)`,
		`let x = 1 in (let x = x + 1 in (merkle.demographics.age.age = x))`:     `merkle.demographics.age.age = (1 + 1)`,
		`let scores = _luma.scores.values() in (scores.sum() > 5)`:              `array_sum(map_values(_luma.scores)) > 5`,
	} {
		one, err := Parse(rule, fields, In(PQL), MayRefer("walkers", "runners"))
		require.NoError(t, err, rule)
		sql, err := one.Print(SQL)
		require.NoError(t, err)
		require.Equal(t, want, sql)
		two, err := Parse(sql, fields, MayRefer("walkers", "runners"))
		require.NoError(t, err, sql)
		require.True(t, one.Same(two), sql)
		back, err := two.Print(PQL)
		require.NoError(t, err, rule)
		three, err := Parse(back, fields, In(PQL), MayRefer("walkers", "runners"))
		require.NoError(t, err, back)
		require.True(t, one.Same(three), back)
	}
}

// AU-4, AU-26, EC-21: what PQL has for events and lists of objects is refused, and so is what RE2 cannot do.
func TestPQLRefusesEverythingElse(t *testing.T) {
	for rule, want := range map[string]string{
		`xEvent.eventType = "purchase"`:                   "rules of prospects cannot use events",
		`xEvent[eventType = "purchase"].count() > 2`:      "filters are not allowed",
		`exists X from xEvent where X.eventType = "a"`:    "this is no PQL condition",
		`exists(partner.hiking)`:                          "exists is not allowed in a rule",
		`_luma.interests.filter(true).count() > 1`:        "filter is not allowed in a rule",
		`_luma.interests.topN(price, 5).count() > 1`:      "topN is not allowed in a rule",
		`partner.hiking.regexGroup("a", 1) = "a"`:         "the pattern has 0 groups, and this is none of them",
		`partner.hiking.regexGroup("(a)", -1) = "a"`:      "this is none of them",
		`partner.hiking.regexGroup("(a)", 0.5) = "a"`:     "this is none of them",
		`partner.hiking.matches("(?=a)")`:                 "no look-around",
		`partner.hiking.matches("(a)\\1")`:                "no back-references",
		`person.name.firstName = "x"`:                     "no prospect schema has an attribute person.name.firstName",
		`partner.hikng = "x"`:                             "did you mean partner.hiking?",
		`partner.hiking.startWith("x")`:                   "did you mean startsWith?",
		`partner.buyerRating = "6"`:                       "its values are 1, 2, 3, 4, 5",
		`partner.hiking = 'Y'`:                            "texts are in double quotes",
		`partner.hiking = "Y`:                             "a text has no end",
		`partner.hiking = `:                               "the rule is not finished",
		`partner.hiking = null`:                           "write IS NULL",
		`partner.hiking = "Y" partner.hiking`:             "column 22: this is no PQL condition",
		`date(2023, 2, 29) = _luma.joined`:                "there is no such date",
		`_luma.joined occurs <= 1.5 days before now`:      "a whole number of units",
		`_luma.joined occurs <= 3 fortnights before now`:  "fortnights is not a known unit",
		`partner.hiking.contains("x", 1)`:                 "whether case counts",
		`1 = 1`:                                           "this condition uses no attribute",
		`partner.hiking = "Y" // all`:                     "comments are not allowed",
		`partner.hiking = "Y" /* all */`:                  "comments are not allowed",
		`partner.hiking = "Y" AND _luma.optedIn`:          "and, or, not, in, like and occurs are in lower case",
		`NOT _luma.optedIn`:                               "are in lower case",
		`let h = partner.hiking`:                          "the rule is not finished",
		`let h = partner.hiking in h = "Y"`:               "this is no PQL condition",
		`let today = partner.hiking in (today = "Y")`:     "today has a meaning already",
		`let h = partner.hiking in (h = "Y") and h = "Y"`: "no prospect schema has an attribute h",
		`let h = partner.hikng in (h = "Y")`:              "did you mean partner.hiking?",
		// 2 to the power of 40 values
		"let v0 = merkle.demographics.age.age + 1 in (" + doubled(40) + " v40 > 1" + strings.Repeat(")", 41): "the names of the rule stand for more than 10000 values and operators",
	} {
		_, err := Parse(rule, fields, In(PQL))
		require.ErrorContains(t, err, want, rule)
		require.IsType(t, &ParseError{}, err)
	}
}

func doubled(times int) (out string) {
	for i := range times {
		out += fmt.Sprintf("let v%d = v%d + v%d in (", i+1, i, i)
	}
	return out
}

// What PQL cannot say is an error that names it.
func TestPQLHasNoWord(t *testing.T) {
	for rule, want := range map[string]string{
		"lower(partner.hiking) = 'y'":                         "PQL has no word for lower()",
		"partner.hiking ILIKE 'y%'":                           "PQL has no word for ilike()",
		"coalesce(partner.hiking, 'N') = 'N'":                 "PQL has no word for coalesce()",
		"split('test', 0, 10)":                                "PQL has no word for split()",
		"age_in_years(_luma.joined) > 3":                      "PQL has no word for age()",
		"date_part('hour', now()) > 3":                        "PQL has no word for the hour of a date",
		"date_trunc('month', _luma.joined) < now()":           "PQL has no word for the beginning of the month of a date",
		"length(trim(upper(partner.hiking))) BETWEEN 1 AND 2": "PQL has no word for length()",
	} {
		rule, err := Parse(rule, fields)
		require.NoError(t, err)
		_, err = rule.Print(PQL)
		require.ErrorContains(t, err, want)
	}
}
