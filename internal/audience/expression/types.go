package expression

import (
	"math"
	"strings"
	"time"
	"unicode"

	"prospector/internal/xdm"
)

// constant types a constant by its value.
func constant(n *Node) (*Node, error) {
	out := *n
	switch v := n.Value.(type) {
	case string:
		if strings.IndexFunc(v, func(c rune) bool { return c != '\n' && c != '\r' && c != '\t' && unicode.IsControl(c) }) >= 0 {
			return nil, Errorf(WrongValue, n.At, "leave it out", "this text holds a control character")
		}
		out.Type = Of(xdm.String)
	case int64:
		out.Type = Of(xdm.Integer)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, Errorf(WrongValue, n.At, "", "this number is too large")
		}
		out.Type = Of(xdm.Number)
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 { // 7.0 is 7
			out.Type, out.Value = Of(xdm.Integer), int64(v)
		}
	case bool:
		out.Type = Of(xdm.Boolean)
	case time.Time:
		if n.Type == Of(xdm.Date) {
			break
		}
		out.Type = Of(xdm.DateTime)
	default:
		return nil, Errorf(WrongValue, n.At, "write IS NULL to ask for a missing value", "null is no constant of a rule")
	}
	return &out, nil
}

// unified gives constants the type of what they stand beside, and refuses what cannot be compared.
func (c *checker) unified(at int, args []*Node) ([]*Node, error) {
	lead := args[0]
	for _, arg := range args {
		if arg.Op != Constant && (lead.Op == Constant || arg.Type == wider(lead.Type, arg.Type)) {
			lead = arg
		}
	}
	out := make([]*Node, len(args))
	for i, arg := range args {
		out[i] = arg
		switch {
		case arg.Type.Container != xdm.Single:
			return nil, Errorf(WrongType, at, listHint(arg), "%s takes several values (%s)", subject(arg), arg.Type)
		case arg.Op == Constant && lead.Op != Constant:
			converted, err := converted(arg, lead)
			if err != nil {
				return nil, err
			}
			out[i] = converted
		case wider(arg.Type, lead.Type) == Type{}:
			return nil, Errorf(WrongType, arg.At, "compare values of one type", "%s is %s, %s is %s", subject(lead), lead.Type, subject(arg), arg.Type)
		}
	}
	return out, nil
}

// wider is the type that two types are compared in; none if they cannot be.
func wider(a, b Type) Type {
	switch {
	case a == b:
		return a
	case a.numeric() && b.numeric():
		return Of(xdm.Number)
	case a.instant() && b.instant():
		return Of(xdm.DateTime)
	}
	return Type{}
}

var examples = map[xdm.Type]string{xdm.String: "a text in quotes, such as 'Y' (PQL: \"Y\")", xdm.Integer: "a number, such as 42", xdm.Number: "a number, such as 4.2",
	xdm.Boolean: "true or false", xdm.Date: "a date such as '1990-01-31'", xdm.DateTime: "a date such as '1990-01-31' or '1990-01-31T00:00:00Z'"}

// converted gives a constant the type of what it is compared with, so that a rule cannot mean two things.
func converted(n, with *Node) (*Node, error) {
	t := with.Type
	made := func(t xdm.Type, value any) (*Node, error) {
		return &Node{Op: Constant, Value: value, At: n.At, Type: Of(t)}, nil
	}
	switch v := n.Value.(type) {
	case string:
		if t.Scalar == xdm.String {
			return n, nil
		}
		if at, midnight, ok := instantOf(v); ok && t.instant() {
			if t.Scalar == xdm.Date && midnight {
				return made(xdm.Date, at)
			}
			return made(xdm.DateTime, at)
		}
	case bool:
		if t.Scalar == xdm.Boolean {
			return n, nil
		}
	case int64:
		if t.Scalar == xdm.Integer {
			return n, nil
		}
		if t.Scalar == xdm.Number {
			return made(xdm.Number, float64(v))
		}
	case float64:
		if t.Scalar == xdm.Integer && v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return made(xdm.Integer, int64(v))
		}
		if t.numeric() {
			return made(xdm.Number, v)
		}
	case time.Time:
		if t.Scalar == xdm.DateTime || t.Scalar == xdm.Date && n.Type.Scalar == xdm.Date {
			return made(t.Scalar, v)
		}
		if t.Scalar == xdm.Date {
			return made(xdm.DateTime, v)
		}
	}
	return nil, Errorf(WrongType, n.At, "write "+examples[t.Scalar], "%s is %s, the value is not", subject(with), t)
}

// instantOf reads a date or an instant of the years 1 to 9999; midnight of UTC in a text without a time.
func instantOf(text string) (at time.Time, midnight, ok bool) {
	if at, err := time.Parse(time.DateOnly, text); err == nil && at.Year() > 0 {
		return at, true, true
	}
	at, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "T", 1))
	at = at.UTC()
	return at.Truncate(time.Microsecond), false, err == nil && at.Year() > 0 && at.Year() <= 9999
}

func float(value any) float64 {
	if whole, ok := value.(int64); ok {
		return float64(whole)
	}
	return value.(float64)
}

// instant checks an argument that is a date or an instant.
func (c *checker) instant(n *Node) (*Node, error) {
	arg, err := c.value(n)
	if err != nil {
		return nil, err
	}
	if arg.Op == Constant && arg.Type == Of(xdm.String) {
		return converted(arg, &Node{Op: Now, Type: Of(xdm.DateTime)})
	}
	if !arg.Type.instant() {
		return nil, Errorf(WrongType, arg.At, "use an attribute of type date or date-time", "a date is needed, %s is %s", subject(arg), arg.Type)
	}
	return arg, nil
}

func (c *checker) time(n *Node) (*Node, error) {
	out := &Node{Op: n.Op, Word: n.Word, Value: n.Value, At: n.At, Type: Of(xdm.DateTime)}
	if n.Op == Now {
		return out, nil
	}
	arg, err := c.instant(n.Args[0])
	if err != nil {
		return nil, err
	}
	out.Args = []*Node{arg}
	switch n.Op {
	case Trunc:
		return out, known(n, "unit", truncUnits)
	case Part:
		out.Type = Of(xdm.Integer)
		return out, known(n, "part of a date", parts)
	case Age:
		out.Type = Of(xdm.Integer)
		return out, known(n, "unit of an age", ageUnits)
	}
	if err := known(n, "unit", unitNames()); err != nil {
		return nil, err
	}
	count := n.Value.(int64)
	if size := max(1, seconds[n.Word]); count > maxShift/size || count < -maxShift/size {
		return nil, Errorf(WrongValue, n.At, "", "%d %ss are too many", count, n.Word)
	}
	if arg.Type.Scalar == xdm.Date && seconds[n.Word] >= seconds["day"] {
		out.Type = Of(xdm.Date)
	}
	return out, nil
}
