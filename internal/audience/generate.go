package audience

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"prospector/internal/audience/expression"
	"prospector/internal/xdm"
)

// Names says what a rule's names stand for in generated SQL. They must come from the schema and the store, never from
// the rule.
type Names struct {
	Column   func(path string) string // SQL of an attribute
	Audience func(name string) string // SQL that is true for members of an audience
	ID       string                   // SQL of the prospect's id
	AsOf     time.Time                // the evaluation's instant: what now() is
}

// maxSQL bounds the generated text: arithmetic inside conditional values is written more than once.
const maxSQL = 1 << 20

// mostDivisors of one number: each is looked at once more, with all that it is made of.
const mostDivisors = 20

// SQL returns the rule as a DuckDB condition and its bound values. The condition never fails on a row: what cannot be
// computed is null.
func (r *Rule) SQL(n Names) (condition string, values []any, err error) { return generate(r.where, n) }

func generate(n *expression.Node, names Names) (string, []any, error) {
	if names.Column == nil { // a check: what it takes must not be refused when it runs
		names.Column = func(path string) string { return `fragment."` + path + `"` }
	}
	g := &generator{names: names}
	g.write(n)
	switch {
	case g.divided > mostDivisors:
		return "", nil, expression.Errorf(expression.TooLarge, n.At, "divide once, by a product", "a number of the rule has more than %d divisions by values", mostDivisors)
	case g.full():
		return "", nil, expression.Errorf(expression.TooLarge, n.At, "write it as several audiences", "the rule is too large to evaluate")
	case g.missing && names.Audience != nil:
		return "", nil, errors.New("an audience that the rule refers to is not known")
	}
	return g.String(), g.values, nil
}

// generator builds the SQL and collects the values to bind, in order.
type generator struct {
	strings.Builder
	names   Names
	values  []any
	missing bool
	divided int // divisors of the number that has most
}

func (g *generator) full() bool { return g.Len() > maxSQL }

var sqlTypes = map[xdm.Type]string{xdm.String: "VARCHAR", xdm.Integer: "BIGINT", xdm.Number: "DOUBLE",
	xdm.Boolean: "BOOLEAN", xdm.Date: "DATE", xdm.DateTime: "TIMESTAMPTZ"}

func sqlType(t expression.Type) string {
	switch t.Container {
	case xdm.Array:
		return sqlTypes[t.Scalar] + "[]"
	case xdm.Map:
		return "MAP(VARCHAR, " + sqlTypes[t.Scalar] + ")"
	}
	return sqlTypes[t.Scalar]
}

// bind writes a parameter. Every one is cast: DuckDB cannot infer the type of a bare one. The driver makes instants of
// dates, which the session's time zone could move to another day, so that dates are bound as texts.
func (g *generator) bind(value any, sqlType string) {
	if at, ok := value.(time.Time); ok && sqlType != "TIMESTAMPTZ" {
		value = at.Format(map[bool]string{true: time.DateOnly, false: "2006-01-02 15:04:05.999999"}[sqlType == "DATE"])
	}
	g.values = append(g.values, value)
	g.WriteString("?::" + sqlType)
}

// format writes SQL; a node in args is written at its %v.
func (g *generator) format(text string, args ...any) {
	for i, part := range strings.Split(text, "%v") {
		if i > 0 {
			switch arg := args[i-1].(type) {
			case *expression.Node:
				g.write(arg)
			case func():
				arg()
			default:
				fmt.Fprint(g, arg)
			}
		}
		g.WriteString(part)
	}
}

// as writes a node in a type that it converts to without loss.
func (g *generator) as(n *expression.Node, t expression.Type) func() {
	return func() {
		switch {
		case n.Type == t:
			g.write(n)
		case t.Scalar == xdm.DateTime && n.Op == expression.Constant:
			g.bind(n.Value, "TIMESTAMPTZ")
		case t.Scalar == xdm.DateTime: // midnight, whatever the session's time zone
			g.format("(%v::TIMESTAMP AT TIME ZONE 'UTC')", n)
		default:
			g.format("%v::%v", n, sqlType(t))
		}
	}
}

// common is the type that nodes are compared in.
func common(nodes []*expression.Node) expression.Type {
	t := nodes[0].Type
	for _, n := range nodes {
		if n.Type.Scalar == xdm.Number || n.Type.Scalar == xdm.DateTime {
			t = n.Type
		}
	}
	return t
}

func (g *generator) joined(separator string, nodes []*expression.Node, t expression.Type) func() {
	return func() {
		for i, n := range nodes {
			if i > 0 {
				g.WriteString(separator)
			}
			g.as(n, t)()
		}
	}
}

// templates of operations that are written one way for all types.
var templates = map[expression.Op]string{
	expression.Not: "(NOT %v)", expression.IsTrue: "(%v IS TRUE)", expression.IsNotTrue: "(%v IS NOT TRUE)",
	expression.IsNull: "(%v IS NULL)", expression.IsNotNull: "(%v IS NOT NULL)",
	expression.Matches: "regexp_matches(%v, %v)", expression.StartsWith: "starts_with(%v, %v)", expression.EndsWith: "ends_with(%v, %v)", expression.Contains: "contains(%v, %v)",
	expression.Lower: "lower(%v)", expression.Upper: "upper(%v)", expression.Trim: "trim(%v, ' ')", expression.Length: "length(%v)",
	expression.Intersects: "list_has_any(%v, %v)", expression.Distinct: "list_sort(list_distinct(%v))",
	expression.Count: "len(%v)", expression.Min: "list_min(%v)", expression.Max: "list_max(%v)", expression.First: "list_extract(%v, 1)",
	expression.Keys: "map_keys(%v)", expression.Values: "map_values(%v)",
}

func (g *generator) write(n *expression.Node) {
	if g.full() {
		return
	}
	args := n.Args
	switch n.Op {
	case expression.Attribute:
		g.format("%v::%v", g.names.Column(n.Word), sqlType(n.Type))
	case expression.Constant:
		g.bind(n.Value, sqlType(n.Type))
	case expression.List:
		g.format("[%v]", g.joined(", ", args, expression.Of(n.Type.Scalar)))
	case expression.And, expression.Or:
		g.format("(%v)", g.joined(" "+strings.ToUpper(string(n.Op))+" ", args, n.Type))
	case expression.Equal, expression.NotEqual, expression.Less, expression.LessOrEqual, expression.Greater, expression.GreaterOrEqual:
		g.format("(%v)", g.joined(" "+string(n.Op)+" ", args, common(args)))
	case expression.In:
		t := common(args)
		g.format("(%v IN (%v))", g.as(args[0], t), g.joined(", ", args[1:], t))
	case expression.Like, expression.ILike:
		g.format("(%v "+strings.ToUpper(string(n.Op))+" %v", args[0], args[1])
		if strings.Contains(args[1].Value.(string), `\`) {
			g.WriteString(` ESCAPE '\'`)
		}
		g.WriteByte(')')
	case expression.Group: // where nothing matches DuckDB has an empty text
		g.format("(CASE WHEN regexp_matches(%v, %v) THEN regexp_extract(%v, %v, %v) END)", args[0], args[1], args[0], args[1], args[2].Value)
	case expression.Add, expression.Subtract, expression.Multiply, expression.Divide, expression.Modulo, expression.Negate, expression.Sum, expression.Average:
		g.number(n)
	case expression.Coalesce:
		g.format("coalesce(%v)", g.joined(", ", args, n.Type))
	case expression.If:
		g.format("(CASE WHEN %v THEN %v ELSE %v END)", args[0], g.as(args[1], n.Type), g.as(args[2], n.Type))
	case expression.Now, expression.Trunc, expression.Shift, expression.Part, expression.Age:
		g.time(n)
	case expression.Includes:
		g.includes(args[0], args[1])
	case expression.Intersection: // of no list DuckDB makes an empty one
		g.format("(CASE WHEN %v IS NOT NULL AND %v IS NOT NULL THEN list_sort(list_distinct(list_intersect(%v, %v))) END)", args[0], args[1], args[0], args[1])
	case expression.SubsetOf:
		g.format("list_has_all(%v, %v)", args[1], args[0])
	case expression.Get:
		g.format("map_extract_value(%v, %v)", args[0], func() { g.bind(n.Word, "VARCHAR") })
	case expression.Member:
		g.member(n.Word)
	case expression.Split:
		g.split(n.Word, n.Value.(expression.Range))
	default:
		operands := make([]any, len(args))
		for i, arg := range args {
			operands[i] = arg
		}
		g.format(templates[n.Op], operands...)
	}
}

func (g *generator) includes(list, item *expression.Node) {
	if item.Op == expression.Constant {
		g.format("list_contains(%v, %v)", list, item)
		return
	}
	g.format("(CASE WHEN %v IS NOT NULL THEN list_contains(%v, %v) END)", item, list, item)
}

// roomForMembers is about as long as the SQL that reads an audience's members.
const roomForMembers = 400

func (g *generator) member(name string) {
	if g.names.Audience == nil {
		g.missing = true
		g.WriteString("false" + strings.Repeat(" ", roomForMembers))
		return
	}
	condition := g.names.Audience(name)
	g.missing = g.missing || condition == ""
	g.WriteString("(" + condition + ")")
}

var arithmetic = []expression.Op{expression.Add, expression.Subtract, expression.Multiply, expression.Divide, expression.Modulo, expression.Negate, expression.Sum, expression.Average}

// number writes arithmetic in double precision. It is null unless the result and every divisor are finite: a division by an
// infinity would be finite again.
func (g *generator) number(n *expression.Node) {
	by := divisors(n)
	if g.divided = max(g.divided, len(by)); g.divided > mostDivisors {
		return
	}
	g.WriteString("(CASE WHEN ")
	for _, divisor := range by {
		g.format("isfinite(%v) AND ", func() { g.raw(divisor) })
	}
	g.format("isfinite(%v) THEN %v END)", func() { g.raw(n) }, func() { g.raw(n) })
}

func divisors(n *expression.Node) (out []*expression.Node) {
	if !slices.Contains(arithmetic, n.Op) {
		return nil
	}
	if (n.Op == expression.Divide || n.Op == expression.Modulo) && n.Args[1].Op != expression.Constant {
		out = append(out, n.Args[1])
	}
	for _, arg := range n.Args {
		out = append(out, divisors(arg)...)
	}
	return out
}

func (g *generator) raw(n *expression.Node) {
	switch {
	case g.full():
	case !slices.Contains(arithmetic, n.Op):
		g.as(n, expression.Of(xdm.Number))()
	case n.Op == expression.Sum, n.Op == expression.Average:
		g.format(map[bool]string{true: "list_sum(%v::DOUBLE[])", false: "list_avg(%v::DOUBLE[])"}[n.Op == expression.Sum], n.Args[0])
	case n.Op == expression.Negate:
		g.format("(- %v)", func() { g.raw(n.Args[0]) })
	default:
		g.format("(%v "+string(n.Op)+" %v)", func() { g.raw(n.Args[0]) }, func() { g.raw(n.Args[1]) })
	}
}

// split compares the first eight hexadecimal digits of md5(seed:id) with the bounds' share of 2³².
func (g *generator) split(seed string, share expression.Range) {
	digits := "substr(md5(%v || %v), 1, 8)"
	prefix := func() { g.bind(seed+":", "VARCHAR") }
	id := func() { g.WriteString(g.names.ID + "::VARCHAR") }
	g.format("("+digits+" >= %v", prefix, id, func() { g.bind(bound(share.From), "VARCHAR") })
	if share.To < 100 {
		g.format(" AND "+digits+" < %v", prefix, id, func() { g.bind(bound(share.To), "VARCHAR") })
	}
	g.WriteByte(')')
}

func bound(percent float64) string {
	return fmt.Sprintf("%08x", uint64(math.Ceil(percent/100*(1<<32))))
}
