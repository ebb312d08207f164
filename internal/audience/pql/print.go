package pql

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"prospector/internal/audience/expression"
	"prospector/internal/xdm"
)

// Print writes a checked tree; parsed and checked again, it is the same tree. Where PQL has no word it is an error.
func Print(n *node) (string, error) {
	var w printer
	w.print(n)
	if w.err != nil {
		return "", w.err
	}
	return w.String(), nil
}

type printer struct {
	strings.Builder
	err error
}

func (w *printer) none(n *node, what string) {
	if w.err == nil {
		w.err = expression.Errorf(expression.NoWord, n.At, "keep this rule in SQL", "PQL has no word for %s", what)
	}
}

// methods are written behind their first argument.
var methods = map[expression.Op]string{expression.Matches: "matches", expression.Group: "regexGroup", expression.StartsWith: "startsWith", expression.EndsWith: "endsWith", expression.Contains: "contains",
	expression.Includes: "includes", expression.Intersects: "intersects", expression.Intersection: "intersection", expression.SubsetOf: "subsetOf", expression.Distinct: "distinct",
	expression.Count: "count", expression.Sum: "sum", expression.Average: "average", expression.Min: "min", expression.Max: "max", expression.First: "head",
	expression.Keys: "keys", expression.Values: "values"}

var negations = map[expression.Op]string{expression.StartsWith: "doesNotStartWith", expression.EndsWith: "doesNotEndWith", expression.Contains: "doesNotContain"}

func (w *printer) print(n *node) {
	switch n.Op {
	case expression.Attribute:
		w.WriteString(path(n.Word))
	case expression.Constant:
		w.WriteString(constant(n))
	case expression.List:
		w.list(n.Args)
	case expression.And, expression.Or:
		for i, arg := range n.Args {
			if i > 0 {
				w.WriteString(" " + string(n.Op) + " ")
			}
			w.condition(arg)
		}
	case expression.Not:
		w.not(n.Args[0])
	case expression.IsTrue:
		w.around("not (not (", n.Args[0], "))")
	case expression.IsNotTrue:
		w.around("not (", n.Args[0], ")")
	case expression.IsNull:
		w.around("isNull(", n.Args[0], ")")
	case expression.IsNotNull:
		w.around("isNotNull(", n.Args[0], ")")
	case expression.Equal, expression.NotEqual:
		if folded(n) {
			w.method(n, map[expression.Op]string{expression.Equal: "equals", expression.NotEqual: "notEqualTo"}[n.Op])
			return
		}
		w.infix(n, map[expression.Op]string{expression.Equal: "=", expression.NotEqual: "!="}[n.Op])
	case expression.Less, expression.LessOrEqual, expression.Greater, expression.GreaterOrEqual, expression.Like,
		expression.Add, expression.Subtract, expression.Multiply, expression.Divide, expression.Modulo:
		w.infix(n, string(n.Op))
	case expression.Negate:
		w.around("-(", n.Args[0], ")")
	case expression.In:
		w.in(n, " in ")
	case expression.If:
		w.around("if(", n.Args[0], ", ")
		w.print(n.Args[1])
		w.around(", ", n.Args[2], ")")
	case expression.Now, expression.Trunc, expression.Shift, expression.Part:
		w.time(n)
	case expression.Get:
		w.operand(n.Args[0])
		w.WriteString(".get(" + quoted(n.Word) + ")")
	case expression.Member:
		w.WriteString("inSegment(" + quoted(n.Word) + ")")
	case expression.SubsetOf:
		if n.Args[0].Op == expression.List && n.Args[1].Op != expression.List {
			w.operand(n.Args[1])
			w.around(".supersetOf(", n.Args[0], ")")
			return
		}
		w.method(n, "subsetOf")
	default:
		name, ok := methods[n.Op]
		if !ok {
			w.none(n, string(n.Op)+"()")
			return
		}
		w.method(n, name)
	}
}

func (w *printer) around(before string, n *node, after string) {
	w.WriteString(before)
	w.print(n)
	w.WriteString(after)
}

func (w *printer) list(items []*node) {
	w.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			w.WriteString(", ")
		}
		w.print(item)
	}
	w.WriteByte(']')
}

// operand writes a part of an operation, in parentheses unless it is one word.
func (w *printer) operand(n *node) {
	_, called := methods[n.Op]
	simple := called || n.Op == expression.Attribute || n.Op == expression.List || n.Op == expression.Get || n.Op == expression.If || n.Op == expression.Now ||
		n.Op == expression.Part || n.Op == expression.Constant && !strings.HasPrefix(constant(n), "-") || n.Op == expression.Trunc && n.Word == "day"
	if simple {
		w.print(n)
		return
	}
	w.around("(", n, ")")
}

func (w *printer) condition(n *node) {
	if n.Op == expression.And || n.Op == expression.Or {
		w.around("(", n, ")")
		return
	}
	w.print(n)
}

func (w *printer) infix(n *node, operator string) {
	w.operand(n.Args[0])
	w.WriteString(" " + operator + " ")
	w.operand(n.Args[1])
}

// folded reports whether both texts are compared in lower case: PQL says so with an argument.
func folded(n *node) bool {
	return len(n.Args) == 2 && n.Args[0].Op == expression.Lower && n.Args[1].Op == expression.Lower
}

func (w *printer) method(n *node, name string) {
	receiver, rest, after := n.Args[0], n.Args[1:], ")"
	if _, cased := negations[n.Op]; (cased || n.Op == expression.Equal || n.Op == expression.NotEqual) && folded(n) {
		receiver, rest, after = receiver.Args[0], rest[0].Args, ", false)"
	}
	w.operand(receiver)
	w.WriteString("." + name + "(")
	for i, arg := range rest {
		if i > 0 {
			w.WriteString(", ")
		}
		w.print(arg)
	}
	w.WriteString(after)
}

func (w *printer) in(n *node, operator string) {
	w.operand(n.Args[0])
	w.WriteString(operator)
	w.list(n.Args[1:])
}

// not writes the opposite of a condition, unknown where it is unknown: PQL's own "not" is another one.
func (w *printer) not(n *node) {
	switch name := negations[n.Op]; {
	case n.Op == expression.In:
		w.in(n, " notIn ")
	case n.Op == expression.Includes:
		w.operand(n.Args[1])
		w.WriteString(" notIn ")
		w.operand(n.Args[0])
	case name != "":
		w.method(n, name)
	case n.Op == expression.Attribute:
		w.around("", n, " = false")
	default:
		w.around("(", n, ") = false")
	}
}

func (w *printer) time(n *node) {
	switch n.Op {
	case expression.Now:
		w.WriteString("now")
	case expression.Shift:
		count, direction := n.Value.(int64), "after"
		if count < 0 {
			count, direction = -count, "before"
		}
		fmt.Fprintf(w, "%d %ss %s ", count, n.Word, direction)
		w.operand(n.Args[0])
	case expression.Trunc:
		switch {
		case n.Args[0].Op != expression.Now || n.Word == "quarter":
			w.none(n, "the beginning of the "+n.Word+" of a date")
		case n.Word == "day":
			w.WriteString("today")
		default:
			w.WriteString("this " + n.Word)
		}
	default:
		for name, part := range dateParts {
			if part != n.Word {
				continue
			}
			if n.Args[0].Op == expression.Now {
				w.WriteString("current" + name + "()")
				return
			}
			w.operand(n.Args[0])
			w.WriteString(".get" + name + "()")
			return
		}
		w.none(n, "the "+n.Word+" of a date")
	}
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

func constant(n *node) string {
	switch v := n.Value.(type) {
	case string:
		return quoted(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		if n.Type.Scalar == xdm.Date {
			return fmt.Sprintf("date(%d, %d, %d)", v.Year(), v.Month(), v.Day())
		}
		return quoted(v.Format(time.RFC3339Nano))
	}
	return fmt.Sprint(n.Value)
}

var plain = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_]*$`)

func path(path string) string {
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if !plain.MatchString(part) || i == 0 && isKeyword(part) {
			parts[i] = "`" + part + "`"
		}
	}
	return strings.Join(parts, ".")
}
