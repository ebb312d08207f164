package audience

import (
	"time"

	"prospector/internal/audience/expression"
	"prospector/internal/xdm"
)

// utc writes a date or an instant as a TIMESTAMP of UTC, so that no session's time zone has a say.
func (g *generator) utc(n *expression.Node) func() {
	return func() {
		if n.Type.Scalar == xdm.Date {
			g.format("%v::TIMESTAMP", n)
			return
		}
		g.format("(%v AT TIME ZONE 'UTC')", n)
	}
}

func (g *generator) time(n *expression.Node) {
	asOf := g.names.AsOf.UTC().Truncate(time.Microsecond)
	switch n.Op {
	case expression.Now:
		g.bind(asOf, "TIMESTAMPTZ")
	case expression.Trunc:
		g.format("(date_trunc('%v', %v) AT TIME ZONE 'UTC')", n.Word, g.utc(n.Args[0]))
	case expression.Part:
		g.format("date_part('%v', %v)", n.Word, g.utc(n.Args[0]))
	case expression.Age:
		g.age(n.Word, n.Args[0], asOf)
	default:
		g.shift(n)
	}
}

// age counts whole calendar days, months or years from a date to the evaluation's.
func (g *generator) age(unit string, from *expression.Node, asOf time.Time) {
	date := func() { g.format("(%v)::DATE", g.utc(from)) }
	whole := func(value int) func() { return func() { g.bind(int64(value), "BIGINT") } }
	switch unit {
	case "day":
		g.format("(%v - %v)", func() { g.bind(asOf.Truncate(24*time.Hour), "DATE") }, date)
	case "month":
		g.format("(%v - (year(%v) * 12 + month(%v)) - CASE WHEN %v < day(%v) THEN 1 ELSE 0 END)",
			whole(asOf.Year()*12+int(asOf.Month())), date, date, whole(asOf.Day()), date)
	default:
		g.format("(%v - year(%v) - CASE WHEN %v < month(%v) * 100 + day(%v) THEN 1 ELSE 0 END)",
			whole(asOf.Year()), date, whole(int(asOf.Month())*100+asOf.Day()), date, date)
	}
}

// Outside these years dates are not moved: the result is null, where DuckDB would fail.
var firstInstant, lastInstant = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)

func (g *generator) shift(n *expression.Node) {
	from := g.utc(n.Args[0])
	g.WriteString("(CASE WHEN ")
	g.format("%v BETWEEN %v AND %v THEN ", from, func() { g.bind(firstInstant, "TIMESTAMP") }, func() { g.bind(lastInstant, "TIMESTAMP") })
	unit, count := interval(n.Word, n.Value.(int64))
	moved := func() { g.format("(%v + %v(%v))", from, unit, count) }
	if n.Type.Scalar == xdm.Date {
		g.format("%v::DATE END)", moved)
		return
	}
	g.format("(%v AT TIME ZONE 'UTC') END)", moved)
}

// interval is a unit and a count in DuckDB's terms.
func interval(unit string, count int64) (string, int64) {
	switch unit {
	case "year":
		return "to_months", 12 * count
	case "month":
		return "to_months", count
	case "week":
		return "to_days", 7 * count
	case "day":
		return "to_days", count
	case "hour":
		return "to_microseconds", count * time.Hour.Microseconds()
	case "minute":
		return "to_microseconds", count * time.Minute.Microseconds()
	case "second":
		return "to_microseconds", count * time.Second.Microseconds()
	}
	return "to_microseconds", count * time.Millisecond.Microseconds()
}
