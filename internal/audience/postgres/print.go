package postgres

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"prospector/internal/audience/expression"
	"prospector/internal/xdm"
)

// Print writes a checked tree; parsed and checked again, it is the same tree.
func Print(n *node) string {
	var w printer
	w.print(n)
	return w.String()
}

type printer struct{ strings.Builder }

// operand writes a part of an operation, in parentheses unless it is one word.
func (w *printer) operand(n *node) {
	if simple(n) {
		w.print(n)
		return
	}
	w.WriteByte('(')
	w.print(n)
	w.WriteByte(')')
}

func simple(n *node) bool {
	_, called := names[n.Op]
	return called || slices.Contains([]expression.Op{expression.Attribute, expression.Constant, expression.List, expression.Get, expression.First}, n.Op)
}

// names of operations that are written as functions.
var names = map[expression.Op]string{expression.Lower: "lower", expression.Upper: "upper", expression.Trim: "trim", expression.Length: "length",
	expression.StartsWith: "starts_with", expression.EndsWith: "ends_with", expression.Contains: "contains", expression.Coalesce: "coalesce",
	expression.Group: "regexp_group", expression.Now: "now", expression.Count: "cardinality", expression.Sum: "array_sum", expression.Average: "array_average", expression.Min: "array_min",
	expression.Max: "array_max", expression.Distinct: "array_distinct", expression.Intersection: "array_intersection", expression.Keys: "map_keys",
	expression.Values: "map_values", expression.Part: "date_part", expression.Trunc: "date_trunc", expression.Age: "age_in_", expression.Member: "audience", expression.Split: "split"}

var operators = map[expression.Op]string{expression.Like: "LIKE", expression.ILike: "ILIKE", expression.Matches: "~", expression.Intersects: "&&", expression.SubsetOf: "<@"}

var negations = map[expression.Op]string{expression.Like: "NOT LIKE", expression.ILike: "NOT ILIKE", expression.Matches: "!~", expression.In: "NOT IN"}

func (w *printer) print(n *node) {
	switch n.Op {
	case expression.Attribute:
		w.WriteString(path(n.Word))
	case expression.Constant:
		w.WriteString(constantText(n))
	case expression.List:
		w.WriteString("ARRAY[")
		w.joined(", ", n.Args)
		w.WriteByte(']')
	case expression.And, expression.Or:
		w.conditions(n)
	case expression.Not:
		w.not(n.Args[0])
	case expression.IsTrue, expression.IsNotTrue, expression.IsNull, expression.IsNotNull:
		w.operand(n.Args[0])
		w.WriteString(map[expression.Op]string{expression.IsTrue: " IS TRUE", expression.IsNotTrue: " IS NOT TRUE", expression.IsNull: " IS NULL", expression.IsNotNull: " IS NOT NULL"}[n.Op])
	case expression.In:
		w.in(n, "IN")
	case expression.Negate:
		w.WriteString("- ")
		w.operand(n.Args[0])
	case expression.If:
		w.WriteString("CASE WHEN ")
		w.print(n.Args[0])
		w.WriteString(" THEN ")
		w.print(n.Args[1])
		w.WriteString(" ELSE ")
		w.print(n.Args[2])
		w.WriteString(" END")
	case expression.Shift:
		w.operand(n.Args[0])
		fmt.Fprintf(w, " + interval '%d %ss'", n.Value, n.Word)
	case expression.Includes:
		w.operand(n.Args[1])
		w.WriteString(" = ANY(")
		w.print(n.Args[0])
		w.WriteByte(')')
	case expression.Get, expression.First:
		if n.Args[0].Op == expression.Attribute {
			w.print(n.Args[0])
		} else {
			w.WriteByte('(')
			w.print(n.Args[0])
			w.WriteByte(')')
		}
		w.WriteString(map[bool]string{true: "[1]", false: "[" + quoted(n.Word) + "]"}[n.Op == expression.First])
	default:
		if name, ok := names[n.Op]; ok {
			w.call(n, name)
			return
		}
		w.infix(n, operators[n.Op])
	}
}

func (w *printer) infix(n *node, operator string) {
	if operator == "" {
		operator = string(n.Op)
	}
	w.operand(n.Args[0])
	w.WriteString(" " + operator + " ")
	w.operand(n.Args[1])
}

func (w *printer) call(n *node, name string) {
	switch n.Op {
	case expression.Age:
		name += n.Word + "s"
	case expression.Trunc:
		if n.Word == "day" && n.Args[0].Op == expression.Now {
			w.WriteString("current_date")
			return
		}
	}
	w.WriteString(name + "(")
	switch n.Op {
	case expression.Part, expression.Trunc:
		w.WriteString(quoted(n.Word) + ", ")
	case expression.Member:
		w.WriteString(quoted(n.Word))
	case expression.Split:
		share := n.Value.(expression.Range)
		w.WriteString(quoted(n.Word) + ", " + number(share.From) + ", " + number(share.To))
	}
	w.joined(", ", n.Args)
	w.WriteByte(')')
}

func (w *printer) joined(separator string, nodes []*node) {
	for i, n := range nodes {
		if i > 0 {
			w.WriteString(separator)
		}
		w.print(n)
	}
}

// conditions writes AND and OR, and two limits of one value as BETWEEN.
func (w *printer) conditions(n *node) {
	for i := 0; i < len(n.Args); i++ {
		if i > 0 {
			w.WriteString(" " + strings.ToUpper(string(n.Op)) + " ")
		}
		arg := n.Args[i]
		if n.Op == expression.And && i+1 < len(n.Args) && limits(arg, n.Args[i+1]) {
			w.operand(arg.Args[0])
			w.WriteString(" BETWEEN ")
			w.operand(arg.Args[1])
			w.WriteString(" AND ")
			w.operand(n.Args[i+1].Args[1])
			i++
			continue
		}
		if arg.Op == expression.And || arg.Op == expression.Or || arg.Op == expression.If {
			w.operand(arg)
			continue
		}
		w.print(arg)
	}
}

func limits(low, high *node) bool {
	return low.Op == expression.GreaterOrEqual && high.Op == expression.LessOrEqual && expression.Same(low.Args[0], high.Args[0])
}

func (w *printer) not(n *node) {
	switch operator := negations[n.Op]; {
	case n.Op == expression.In:
		w.in(n, operator)
	case operator != "":
		w.infix(n, operator)
	default:
		w.WriteString("NOT (")
		w.print(n)
		w.WriteByte(')')
	}
}

func (w *printer) in(n *node, operator string) {
	w.operand(n.Args[0])
	w.WriteString(" " + operator + " (")
	w.joined(", ", n.Args[1:])
	w.WriteByte(')')
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func constantText(n *node) string {
	switch v := n.Value.(type) {
	case string:
		return quoted(v)
	case float64:
		return number(v)
	case time.Time:
		if n.Type.Scalar == xdm.Date {
			return "DATE " + quoted(v.Format(time.DateOnly))
		}
		return "TIMESTAMPTZ " + quoted(v.Format(time.RFC3339Nano))
	}
	return fmt.Sprint(n.Value)
}

var plainPart = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// path writes a path. A first part that is a word of SQL's own is quoted; so is every part that is no plain word.
func path(path string) string {
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if !plainPart.MatchString(part) || i == 0 && reserved[strings.ToLower(part)] {
			parts[i] = `"` + strings.ReplaceAll(part, `"`, `""`) + `"`
		}
	}
	return strings.Join(parts, ".")
}

// reserved are the words that cannot begin a path in PostgreSQL's grammar.
var reserved = map[string]bool{}

func init() {
	for word := range strings.FieldsSeq(`all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean
		both case cast char character check coalesce collate collation column concurrently constraint create cross current_catalog
		current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc
		distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group grouping
		having ilike in initially inner inout int integer intersect interval into is isnull join json_array json_arrayagg json_object
		json_objectagg json_exists json_query json_scalar json_serialize json_table json_value lateral leading least left like limit
		localtime localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset on only or
		order out outer overlaps overlay placing position precision primary real references returning right row select session_user
		setof similar smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true
		union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists
		xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable json`) {
		reserved[word] = true
	}
}
