package pql

import (
	"slices"
	"strings"
	"time"

	"prospector/internal/audience/expression"
	"prospector/internal/xdm"
)

// spanned is the instant that begins this, the last or the next unit.
func spanned(at int, s *span) *node {
	start := &node{Op: expression.Trunc, Word: strings.TrimSuffix(s.Unit, "s"), At: at, Args: []*node{expression.New(at, expression.Now)}}
	switch s.Which {
	case "last":
		return expression.NewShift(at, start, -1, start.Word)
	case "next":
		return expression.NewShift(at, start, 1, start.Word)
	}
	return start
}

// occurs becomes comparisons of instants.
func (r reader) occurs(at int, what *node, o *occurs) (*node, error) {
	compare := func(op expression.Op, limit *node) *node { return expression.New(at, op, what, limit) }
	switch {
	case o.From != nil:
		from, err := r.sum(o.From)
		if err != nil {
			return nil, err
		}
		to, err := r.sum(o.To)
		if err != nil {
			return nil, err
		}
		return expression.New(at, expression.And, compare(expression.GreaterOrEqual, from), compare(expression.LessOrEqual, to)), nil
	case o.Limit != nil:
		limit, err := r.postfix(o.Limit)
		if err != nil {
			return nil, err
		}
		return compare(map[string]expression.Op{"before": expression.Less, "after": expression.Greater}[o.Side], limit), nil
	case o.On != nil:
		start, err := r.postfix(o.On)
		if err != nil {
			return nil, err
		}
		unit := "day"
		if s := o.On.Of.Span; s != nil {
			unit = strings.TrimSuffix(s.Unit, "s")
		} else {
			start = started(start, unit)
		}
		return within(at, what, start, unit), nil
	}
	reference, err := r.postfix(o.Time)
	if err != nil {
		return nil, err
	}
	n, err := count(at, o.Count)
	if err != nil {
		return nil, err
	}
	return distant(at, what, o, n, reference)
}

// distant compares how far an instant is before or after another one.
func distant(at int, what *node, o *occurs, n int64, reference *node) (*node, error) {
	compare := func(op expression.Op, limit *node) *node { return expression.New(at, op, what, limit) }
	moved := func(sign int64) *node { return expression.NewShift(at, reference, sign*n, o.Unit) }
	near := func(sign int64, op expression.Op) *node { // between the reference and so many units away from it
		towards := map[expression.Op]expression.Op{expression.Less: expression.Greater, expression.LessOrEqual: expression.GreaterOrEqual}[op]
		if sign < 0 {
			return expression.New(at, expression.And, compare(towards, moved(-1)), compare(expression.LessOrEqual, reference))
		}
		return expression.New(at, expression.And, compare(expression.GreaterOrEqual, reference), compare(op, moved(1)))
	}
	far := func(sign int64, op expression.Op) *node {
		if sign < 0 {
			return compare(map[expression.Op]expression.Op{expression.Greater: expression.Less, expression.GreaterOrEqual: expression.LessOrEqual}[op], moved(-1))
		}
		return compare(op, moved(1))
	}
	exact := func(sign int64) *node { // in the unit that is so many units away
		unit := expression.NewShift(at, reference, 1, o.Unit)
		if unit.Value != int64(1) { // decades and longer
			return within(at, what, expression.NewShift(at, started(reference, "year"), sign*n, o.Unit), "year")
		}
		return within(at, what, expression.NewShift(at, started(reference, unit.Word), sign*n, o.Unit), unit.Word)
	}
	sides := map[string][]int64{"before": {-1}, "after": {1}, "from": {-1, 1}}[o.Direction]
	out := expression.New(at, expression.Or)
	for _, sign := range sides {
		switch op := comparisons[o.Operator]; op {
		case expression.Less, expression.LessOrEqual:
			out.Args = append(out.Args, near(sign, op))
		case expression.Greater, expression.GreaterOrEqual:
			out.Args = append(out.Args, far(sign, op))
		default:
			out.Args = append(out.Args, exact(sign))
		}
	}
	if len(out.Args) == 1 {
		out = out.Args[0]
	}
	if o.Operator == "!=" {
		out = expression.New(at, expression.Not, out)
	}
	return out, nil
}

// within is true from an instant until one unit later.
func within(at int, what, start *node, unit string) *node {
	return expression.New(at, expression.And, expression.New(at, expression.GreaterOrEqual, what, start),
		expression.New(at, expression.Less, what, expression.NewShift(at, start, 1, unit)))
}

// calendar are the units that nest, from fine to coarse.
var calendar = []string{"minute", "hour", "day", "month", "year"}

// isDay reports whether a constant is a day, which is its beginning, rather than a time within one.
func isDay(n *node) bool {
	if n.Type == expression.Of(xdm.Date) {
		return n.Op == expression.Constant
	}
	text, ok := n.Value.(string)
	_, err := time.Parse(time.DateOnly, text)
	return n.Op == expression.Constant && ok && err == nil
}

// started is the instant that begins the unit of another one. Of the beginning of a unit that is as coarse it is that beginning.
func started(n *node, unit string) *node {
	if unit == "millisecond" || unit == "second" { // as exact as times are compared
		return n
	}
	if unit == "day" && isDay(n) {
		return n
	}
	if n.Op == expression.Trunc {
		has, wants := slices.Index(calendar, n.Word), slices.Index(calendar, unit)
		if n.Word == unit || has >= 0 && wants >= 0 && has >= wants {
			return n
		}
		if has >= 0 && (wants >= 0 || unit == "week") && n.Word != "month" && n.Word != "year" {
			n = n.Args[0]
		}
	}
	return &node{Op: expression.Trunc, Word: unit, At: n.At, Args: []*node{n}}
}
