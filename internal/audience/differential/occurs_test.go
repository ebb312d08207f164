package differential

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/audience"
	"prospector/internal/xdm"
)

// moment is a time as PQL writes it, and what it is.
type moment struct {
	text string
	at   time.Time
}

func (r random) moment() moment {
	day := truncated(asOf, "day")
	random := day.AddDate(0, 0, r.IntN(60)-30).Add(time.Duration(r.IntN(86400)) * time.Second)
	m := pick(r,
		moment{"now", asOf}, moment{"today", day}, moment{"yesterday", day.AddDate(0, 0, -1)}, moment{"tomorrow", day.AddDate(0, 0, 1)},
		moment{random.Format("date(2006, 1, 2)"), truncated(random, "day")},
		moment{`"` + random.Format(time.DateOnly) + `"`, truncated(random, "day")},
		moment{`"` + random.In(time.FixedZone("", 2*3600)).Format(time.RFC3339) + `"`, random})
	if r.IntN(4) > 0 {
		return m
	}
	n, unit := r.IntN(4), pick(r, "hour", "day", "week", "month", "year")
	sign, word := 1, "after"
	if r.IntN(2) == 0 {
		sign, word = -1, "before"
	}
	return moment{fmt.Sprintf("(%d %ss %s %s)", n, unit, word, m.text), shifted(m.at, unit, sign*n).(time.Time)}
}

// occurs is a random condition on x with what it says, written from the words of the documentation.
func (r random) occurs() (text string, holds func(x time.Time) bool) {
	in := func(from time.Time, unit string, n int) func(x time.Time) bool {
		to := shifted(from, unit, n).(time.Time)
		return func(x time.Time) bool { return !x.Before(from) && x.Before(to) }
	}
	t := r.moment()
	switch r.IntN(6) {
	case 0:
		return "before " + t.text, func(x time.Time) bool { return x.Before(t.at) }
	case 1:
		return "after " + t.text, func(x time.Time) bool { return x.After(t.at) }
	case 2:
		return "on " + t.text, in(truncated(t.at, "day"), "day", 1)
	case 3:
		which, unit := pick(r, "last", "this", "next"), pick(r, "day", "week", "month", "year")
		n := map[string]int{"last": -1, "next": 1}[which]
		return which + " " + unit, in(shifted(truncated(asOf, unit), unit, n).(time.Time), unit, 1)
	case 4:
		u := r.moment()
		return "between " + t.text + " and " + u.text, func(x time.Time) bool { return !x.Before(t.at) && !x.After(u.at) }
	}
	n, unit, operator, direction := r.IntN(4), pick(r, "second", "minute", "hour", "day", "week", "month", "year", "decade"), pick(r, "=", "!=", "<", "<=", ">", ">="), pick(r, "before", "after", "from")
	text = fmt.Sprintf("%s %d %ss %s %s", operator, n, unit, direction, t.text)
	window, years := unit, 1
	if unit == "decade" {
		window, years = "year", 10
	}
	one := func(sign int) func(x time.Time) bool {
		limit := shifted(t.at, window, sign*n*years).(time.Time)
		beyond := func(x time.Time) bool { return x.Before(limit) }
		if sign > 0 {
			beyond = func(x time.Time) bool { return x.After(limit) }
		}
		here := func(x time.Time) bool { return !x.After(t.at) }
		if sign > 0 {
			here = func(x time.Time) bool { return !x.Before(t.at) }
		}
		switch operator {
		case ">":
			return beyond
		case ">=":
			return func(x time.Time) bool { return beyond(x) || x.Equal(limit) }
		case "<":
			return func(x time.Time) bool { return !beyond(x) && !x.Equal(limit) && here(x) }
		case "<=":
			return func(x time.Time) bool { return !beyond(x) && here(x) }
		}
		start := t.at
		if unit != "second" {
			start = truncated(t.at, window)
		}
		return in(shifted(start, window, sign*n*years).(time.Time), window, 1)
	}
	signs := map[string][]int{"before": {-1}, "after": {1}, "from": {-1, 1}}[direction]
	return text, func(x time.Time) bool {
		found := false
		for _, sign := range signs {
			found = found || one(sign)(x)
		}
		return found != (operator == "!=")
	}
}

// AU-22, EC-23: what occurs means, against the words of the documentation, for random times and texts.
func TestOccursAgainstOracle(t *testing.T) {
	r := random{rand.New(rand.NewPCG(22, 23))}
	db := open(t)
	_, err := db.ExecContext(t.Context(), `CREATE TABLE p (id INTEGER, x TIMESTAMPTZ, d DATE)`)
	require.NoError(t, err)
	var rows []time.Time
	for i := range 80 {
		at := truncated(asOf, pick(r, "minute", "hour", "day", "month", "year")).AddDate(pick(r, 0, 0, 0, -10, 10), pick(r, 0, 0, -1, 1), r.IntN(9)-4)
		if r.IntN(2) == 0 {
			at = at.Add(time.Duration(r.IntN(7*86400)-3*86400) * time.Second)
		}
		rows = append(rows, at)
		_, err := db.ExecContext(t.Context(), `INSERT INTO p VALUES (?, ?, ?)`, i, at, truncated(at, "day"))
		require.NoError(t, err)
	}
	fields := audience.Fields{"x": {Type: xdm.DateTime}, "d": {Type: xdm.Date}}
	hold := 0
	for range 40 {
		var texts, conditions []string
		var values []any
		var holds []func(time.Time) bool
		for range 50 {
			text, want := r.occurs()
			field := pick(r, "x", "d")
			if text = field + " occurs " + text; field == "d" {
				exact := want
				want = func(x time.Time) bool { return exact(truncated(x, "day")) }
			}
			rule, err := audience.Parse(text, fields, audience.In(audience.PQL))
			require.NoError(t, err, text)
			condition, bound, err := rule.SQL(names)
			require.NoError(t, err, text)
			texts, conditions, values, holds = append(texts, text), append(conditions, condition), append(values, bound...), append(holds, want)
		}
		hold += heldAgainst(t, db, rows, texts, conditions, values, holds)
	}
	require.Greater(t, hold, 40*50*len(rows)/20)
}

// heldAgainst asks for all conditions at once, and counts how often one held.
func heldAgainst(t *testing.T, db *sql.DB, rows []time.Time, texts, conditions []string, values []any, holds []func(time.Time) bool) (held int) {
	t.Helper()
	found, err := db.QueryContext(t.Context(), "SELECT "+strings.Join(conditions, ", ")+" FROM p ORDER BY id", values...)
	require.NoError(t, err)
	defer found.Close()
	got, into := make([]sql.NullBool, len(texts)), make([]any, len(texts))
	for i := range got {
		into[i] = &got[i]
	}
	for _, x := range rows {
		require.True(t, found.Next(), "%v", found.Err())
		require.NoError(t, found.Scan(into...))
		for i, text := range texts {
			require.Equal(t, sql.NullBool{Bool: holds[i](x), Valid: true}, got[i], "%s: %s as of %s", x, text, asOf)
			if got[i].Bool {
				held++
			}
		}
	}
	return held
}
