package differential

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/audience"
	"prospector/internal/xdm"
)

// AS-16, AS-17, EC-22: of 300 prospects with Y, 500 with N and 200 without a value, who qualifies; EC-23: what today is;
// a division by zero and what is no number qualify nobody, nor does their opposite.
func TestWhoQualifies(t *testing.T) {
	db := open(t)
	_, err := db.ExecContext(t.Context(), `CREATE TABLE prospects AS SELECT 'P' || i AS id, CASE WHEN i < 300 THEN 'Y' WHEN i < 800 THEN 'N' END AS "partner.hiking",
		i % 10 AS "_luma.visits", 9007199254740992 + i AS "_luma.large", TIMESTAMPTZ '2024-02-29 00:00:00+00' - to_microseconds(i) AS "_luma.seen",
		CASE i % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' ELSE '1' END::DOUBLE AS "_luma.value" FROM range(1000) AS t(i)`)
	require.NoError(t, err)
	fields := audience.Fields{"partner.hiking": {Type: xdm.String}, "_luma.visits": {Type: xdm.Integer}, "_luma.large": {Type: xdm.Integer}, "_luma.seen": {Type: xdm.DateTime}, "_luma.value": {Type: xdm.Number}}
	for rule, want := range map[string]int{
		`partner.hiking in ["Y"]`:                                  300,
		`partner.hiking notIn ["Y"]`:                               500,
		`not (partner.hiking in ["Y"])`:                            700,
		`partner.hiking != "Y"`:                                    500,
		`not (partner.hiking = "Y")`:                               700,
		`not (partner.hiking notIn ["Y"])`:                         500,
		`partner.hiking.contains("y")`:                             0,
		`partner.hiking.contains("y", false)`:                      300,
		`partner.hiking.doesNotContain("y", false)`:                500,
		`_luma.seen occurs on today`:                               1,
		`_luma.seen occurs on yesterday`:                           999,
		`_luma.seen occurs before today`:                           999,
		`sql: partner.hiking NOT IN ('Y')`:                         500,
		`sql: NOT (partner.hiking IN ('Y'))`:                       500,
		`sql: (partner.hiking IN ('Y')) IS NOT TRUE`:               700,
		`sql: 1 / _luma.visits > 0`:                                900,
		`sql: NOT (1 / _luma.visits > 0)`:                          0,
		`sql: 1 / (1 / _luma.visits) >= 0`:                         900,
		`sql: _luma.visits % 0 = 0 OR _luma.visits % 0 <> 0`:       0,
		`sql: _luma.value + 0 > 0 OR _luma.value + 0 <= 0`:         500,
		`sql: 1e308 * _luma.visits * 10 >= 0 AND _luma.visits > 0`: 0,
		`sql: split('a', 0, 50) AND split('a', 50, 100)`:           0,
		`sql: split('a', 0, 33.3) OR split('a', 33.3, 100)`:        1000,
		`sql: age_in_days(_luma.seen) = 1 AND _luma.seen < now()`:  999,
		`_luma.large = 9007199254740993.0`:                         1,
		`sql: _luma.large > 9007199254740992.0`:                    999,
	} {
		notation := audience.PQL
		if sql, ok := strings.CutPrefix(rule, "sql: "); ok {
			rule, notation = sql, audience.SQL
		}
		parsed, err := audience.Parse(rule, fields, audience.In(notation))
		require.NoError(t, err, rule)
		condition, values, err := parsed.SQL(names)
		require.NoError(t, err)
		got := 0
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM prospects AS p WHERE "+condition, values...).Scan(&got), rule)
		require.Equal(t, want, got, rule)
	}
}

// A split is the same everywhere: its members are written down here.
func TestSplitIsStable(t *testing.T) {
	db := open(t)
	rule, err := audience.Parse("split('holdout', 0, 10)", audience.Fields{})
	require.NoError(t, err)
	condition, values, err := rule.SQL(names)
	require.NoError(t, err)
	rows, err := db.QueryContext(t.Context(), "SELECT i FROM (SELECT i, format('P{:04d}', i) AS id FROM range(40) AS t(i)) AS p WHERE "+condition+" ORDER BY i", values...)
	require.NoError(t, err)
	defer rows.Close()
	var got []int
	for rows.Next() {
		var i int
		require.NoError(t, rows.Scan(&i))
		got = append(got, i)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []int{4, 10, 14}, got)
}
