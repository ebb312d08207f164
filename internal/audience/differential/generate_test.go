package differential

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"prospector/internal/audience"
	"prospector/internal/audience/expression"
	"prospector/internal/xdm"
)

var asOf = time.Date(2024, 2, 29, 13, 14, 15, 161718000, time.UTC)

// fields have two of each type, so that attributes can be compared with each other.
var fields = func() audience.Fields {
	out := audience.Fields{}
	for _, t := range xdm.Types {
		for i := range 2 {
			out.Add(xdm.Field{Path: fmt.Sprintf("_luma.%s%d", t, i), Type: t})
		}
	}
	for _, f := range []xdm.Field{
		{Path: "_luma.texts", Type: xdm.String, Container: xdm.Array}, {Path: "_luma.others", Type: xdm.String, Container: xdm.Array},
		{Path: "_luma.numbers", Type: xdm.Integer, Container: xdm.Array}, {Path: "order.Scores", Type: xdm.Number, Container: xdm.Map},
		{Path: "user", Type: xdm.String}, {Path: "_luma.Über-Kopf", Type: xdm.String},
	} {
		out.Add(f)
	}
	return out
}()

var audiences = []string{"outdoor-families", "it's"}

// random makes trees as parsers do. It knows nothing of how they are written or evaluated.
type random struct{ *rand.Rand }

func pick[T any](r random, from ...T) T { return from[r.IntN(len(from))] }

var texts = []string{"", "a", "A", "Y", "N", "golf", "Golf", "100%", `back\slash`, "it's", `"`, " padded ", "a\nb", "straße", "STRASSE", "é", "💡", "_", "5"}

func (r random) constant(t xdm.Type) *expression.Node {
	switch t {
	case xdm.String:
		return expression.NewConstant(0, pick(r, texts...))
	case xdm.Integer:
		return expression.NewConstant(0, pick[int64](r, 0, 1, -1, 5, 7, 44, 1<<53+1, -1<<63))
	case xdm.Number:
		return expression.NewConstant(0, pick(r, 0, 0.5, -1.5, 7, 1e300, 1e-9))
	case xdm.Boolean:
		return expression.NewConstant(0, r.IntN(2) == 0)
	}
	return expression.NewConstant(0, pick(r, "2024-02-29", "2023-02-28", "1990-01-31", "0001-01-01", "9999-12-31"))
}

func (r random) attribute(t xdm.Type) *expression.Node {
	if t == xdm.String && r.IntN(6) == 0 {
		return &expression.Node{Op: expression.Attribute, Word: pick(r, "user", "_luma.Über-Kopf")}
	}
	return &expression.Node{Op: expression.Attribute, Word: fmt.Sprintf("_luma.%s%d", t, r.IntN(2))}
}

func (r random) list(t xdm.Type) *expression.Node {
	switch {
	case r.IntN(8) == 0:
		return expression.New(0, expression.Distinct, r.list(t))
	case t == xdm.Integer:
		return &expression.Node{Op: expression.Attribute, Word: "_luma.numbers"}
	case r.IntN(10) == 0:
		return expression.New(0, expression.Intersection, r.list(t), r.list(t))
	case r.IntN(10) == 0:
		return expression.New(0, expression.Keys, r.scores())
	}
	return &expression.Node{Op: expression.Attribute, Word: pick(r, "_luma.texts", "_luma.others")}
}

func (r random) scores() *expression.Node {
	return &expression.Node{Op: expression.Attribute, Word: "order.Scores"}
}

func (r random) constants(t xdm.Type) *expression.Node {
	out := expression.New(0, expression.List)
	for range 1 + r.IntN(3) {
		out.Args = append(out.Args, r.constant(t))
	}
	return out
}

func (r random) node(op expression.Op, word string, value any, args ...*expression.Node) *expression.Node {
	return &expression.Node{Op: op, Word: word, Value: value, Args: args}
}

// value makes an expression of a type. Now and then it is wrong for where it stands: Check has to say so.
func (r random) value(t xdm.Type, depth int) *expression.Node {
	switch n := r.IntN(10); {
	case depth <= 0 || n < 5:
		return r.attribute(t)
	case n == 5:
		return r.constant(t)
	case n == 6:
		return expression.New(0, expression.If, r.condition(depth-1), r.value(t, depth-1), r.value(t, depth-1))
	case n == 7:
		return expression.New(0, expression.Coalesce, r.attribute(t), r.value(t, depth-1))
	}
	switch t {
	case xdm.String:
		if r.IntN(4) == 0 {
			return expression.New(0, pick(r, expression.Min, expression.Max, expression.First), r.list(t))
		}
		if r.IntN(4) == 0 {
			return expression.New(0, expression.Group, r.value(t, depth-1), expression.NewConstant(0, pick(r, "(o)(l)?", "^([a-z])(.)|(.)", "(?i)(G|é)()", "((a)|b)+")), expression.NewConstant(0, int64(r.IntN(3))))
		}
		return expression.New(0, pick(r, expression.Lower, expression.Upper, expression.Trim), r.value(t, depth-1))
	case xdm.Integer:
		switch r.IntN(6) {
		case 0:
			return expression.New(0, expression.Length, r.value(xdm.String, depth-1))
		case 1:
			return expression.New(0, expression.Count, r.list(pick(r, xdm.String, xdm.Integer)))
		case 2:
			return expression.New(0, pick(r, expression.Min, expression.Max, expression.First), r.list(t))
		case 3:
			return r.node(expression.Age, pick(r, "day", "month", "year"), nil, r.value(pick(r, xdm.Date, xdm.DateTime), depth-1))
		}
		return r.node(expression.Part, pick(r, "year", "quarter", "month", "week", "day", "dow", "isodow", "doy", "hour", "minute"), nil, r.date(depth-1))
	case xdm.Number:
		switch r.IntN(5) {
		case 0:
			return expression.New(0, expression.Negate, r.number(depth-1))
		case 1:
			return r.node(expression.Get, pick(r, "a", "b", "it's"), nil, r.scores())
		case 2:
			return expression.New(0, pick(r, expression.Sum, expression.Average), pick(r, r.list(xdm.Integer), expression.New(0, expression.Values, r.scores())))
		}
		return expression.New(0, pick(r, expression.Add, expression.Subtract, expression.Multiply, expression.Divide, expression.Modulo), r.number(depth-1), r.number(depth-1))
	case xdm.Date, xdm.DateTime:
		return r.date(depth)
	}
	return r.condition(depth - 1)
}

func (r random) number(depth int) *expression.Node {
	return r.value(pick(r, xdm.Integer, xdm.Number), depth)
}

func (r random) date(depth int) *expression.Node {
	now := expression.New(0, expression.Now)
	units := []string{"minute", "hour", "day", "week", "month", "quarter", "year"}
	switch r.IntN(8) {
	case 0:
		return now
	case 1:
		return r.node(expression.Trunc, pick(r, units...), nil, now)
	case 2:
		return r.node(expression.Trunc, pick(r, units...), nil, r.value(pick(r, xdm.Date, xdm.DateTime), depth-1))
	case 3, 4:
		from := now
		if r.IntN(2) == 0 {
			from = r.value(pick(r, xdm.Date, xdm.DateTime), depth-1)
		}
		return r.node(expression.Shift, pick(r, "millisecond", "second", "minute", "hour", "day", "week", "month", "year"), pick[int64](r, -400, -25, -1, 0, 1, 7, 13), from)
	case 5:
		day, _ := expression.Day(0, pick[int64](r, 1990, 2024), pick[int64](r, 1, 2, 12), pick[int64](r, 1, 28))
		return day
	}
	return r.attribute(pick(r, xdm.Date, xdm.DateTime))
}

func (r random) condition(depth int) *expression.Node {
	if depth > 0 && r.IntN(2) == 0 {
		switch r.IntN(6) {
		case 0, 1, 2:
			out := expression.New(0, pick(r, expression.And, expression.Or))
			for range 2 + r.IntN(3) {
				out.Args = append(out.Args, r.condition(depth-1))
			}
			return out
		}
		return expression.New(0, pick(r, expression.Not, expression.IsTrue, expression.IsNotTrue, expression.IsNull), r.condition(depth-1))
	}
	t := pick(r, xdm.String, xdm.String, xdm.Integer, xdm.Number, xdm.Boolean, xdm.Date, xdm.DateTime)
	other := t
	if numbers := []xdm.Type{xdm.Integer, xdm.Number}; slices.Contains(numbers, t) {
		other = pick(r, numbers...)
	}
	switch r.IntN(16) {
	case 0:
		return expression.New(0, pick(r, expression.IsNull, expression.IsNotNull), r.value(t, depth))
	case 1, 2:
		return expression.New(0, expression.In, append([]*expression.Node{r.value(t, depth)}, r.constants(other).Args...)...)
	case 3:
		return expression.New(0, expression.Between, r.value(t, depth), r.value(other, 0), r.value(other, 0))
	case 4, 5:
		return expression.New(0, pick(r, expression.StartsWith, expression.EndsWith, expression.Contains), r.value(xdm.String, depth), pick(r, r.constant(xdm.String), r.value(xdm.String, depth)))
	case 6:
		return expression.New(0, pick(r, expression.StartsWith, expression.EndsWith, expression.Contains, expression.Equal, expression.NotEqual),
			expression.New(0, expression.Lower, r.attribute(xdm.String)), expression.New(0, expression.Lower, r.constant(xdm.String)))
	case 7:
		return expression.New(0, pick(r, expression.Like, expression.ILike), r.value(xdm.String, depth), expression.NewConstant(0, pick(r, "%", "a%", "_", "G_lf", `100\%`, "%a%b%", "", "é%", "%SS%", `back\\%`)))
	case 8:
		return expression.New(0, expression.Matches, r.value(xdm.String, depth), expression.NewConstant(0, pick(r, "^[a-z]+$", "(?i)golf", `\d`, ".", "(?s)a.b", "a|b|é", `^\s`, "^$")))
	case 9:
		return expression.New(0, expression.Includes, r.list(xdm.String), r.value(xdm.String, depth))
	case 10:
		return expression.New(0, pick(r, expression.Intersects, expression.SubsetOf, expression.SupersetOf), r.list(xdm.String), pick(r, r.list(xdm.String), r.constants(xdm.String)))
	case 11:
		if r.IntN(2) == 0 {
			return r.node(expression.Member, pick(r, audiences...), nil)
		}
		from := float64(r.IntN(80))
		return r.node(expression.Split, pick(r, "test", "hold.out-1"), expression.Range{From: from, To: from + pick(r, 0.5, 10, 20)})
	}
	op := pick(r, expression.Equal, expression.NotEqual, expression.Less, expression.LessOrEqual, expression.Greater, expression.GreaterOrEqual)
	if t == xdm.Boolean {
		if r.IntN(2) == 0 {
			return r.attribute(t)
		}
		op = pick(r, expression.Equal, expression.NotEqual)
	}
	return expression.New(0, op, r.value(t, depth), r.value(other, depth))
}

// row makes a prospect; a fifth of the values is missing.
func (r random) row(i int) row {
	out := row{id: fmt.Sprintf("P%04d", i), values: map[string]any{}, audiences: map[string]bool{}}
	for path, field := range fields {
		switch {
		case r.IntN(5) == 0:
			out.values[path] = nil
		case field.Container == xdm.Array:
			list := []any{}
			for range r.IntN(4) {
				list = append(list, r.scalar(field.Type))
			}
			out.values[path] = list
		case field.Container == xdm.Map:
			out.values[path] = map[string]any{}
			for _, key := range []string{"a", "b", "it's"} {
				if r.IntN(2) == 0 {
					out.values[path].(map[string]any)[key] = r.scalar(field.Type)
				}
			}
		default:
			out.values[path] = r.scalar(field.Type)
		}
	}
	for _, name := range audiences {
		out.audiences[name] = r.IntN(2) == 0
	}
	return out
}

func (r random) scalar(t xdm.Type) any {
	switch t {
	case xdm.String:
		return pick(r, texts...)
	case xdm.Integer:
		return pick[int64](r, 0, 1, -1, 5, 7, 44, 1<<53+1, -1<<63, 1<<63-1, 42)
	case xdm.Number:
		return pick(r, 0, 0.5, -1.5, 7, 44, 1e300, -1e308, 1e-9, 5e-324)
	case xdm.Boolean:
		return r.IntN(2) == 0
	case xdm.Date:
		return pick(r, date(2024, 2, 29), date(2023, 2, 28), date(1990, 1, 31), date(2024, 3, 1), date(1, 1, 1), date(9999, 12, 31), date(2000, 2, 29), date(2024, 1, 31))
	}
	return pick(r, asOf, asOf.Add(-time.Microsecond), asOf.AddDate(0, 0, -1), asOf.AddDate(0, -1, 0), asOf.AddDate(-25, 0, 0), date(2024, 2, 29), date(2024, 1, 1), date(1969, 12, 31), date(9999, 12, 31))
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
