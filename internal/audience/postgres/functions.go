package postgres

import (
	"maps"
	"slices"
	"strings"

	pgtree "github.com/pganalyze/pg_query_go/v6"

	"prospector/internal/audience/expression"
)

// function is a function of rules: how its arguments are read.
type function struct {
	op    expression.Op
	count int    // of arguments; the first are words if there are more than the operation has
	word  string // what the operation's word is
}

// functions is the list of what may be called.
var functions = map[string]function{
	"lower": {op: expression.Lower, count: 1}, "upper": {op: expression.Upper, count: 1}, "trim": {op: expression.Trim, count: 1}, "btrim": {op: expression.Trim, count: 1},
	"length": {op: expression.Length, count: 1}, "char_length": {op: expression.Length, count: 1},
	"starts_with": {op: expression.StartsWith, count: 2}, "ends_with": {op: expression.EndsWith, count: 2}, "contains": {op: expression.Contains, count: 2},
	"regexp_like": {op: expression.Matches, count: 2}, "regexp_group": {op: expression.Group, count: 3},
	"now":         {op: expression.Now},
	"age_in_days": {op: expression.Age, count: 1, word: "day"}, "age_in_months": {op: expression.Age, count: 1, word: "month"}, "age_in_years": {op: expression.Age, count: 1, word: "year"},
	"date_part": {op: expression.Part, count: 2}, "extract": {op: expression.Part, count: 2}, "date_trunc": {op: expression.Trunc, count: 2},
	"cardinality": {op: expression.Count, count: 1}, "array_sum": {op: expression.Sum, count: 1}, "array_average": {op: expression.Average, count: 1},
	"array_min": {op: expression.Min, count: 1}, "array_max": {op: expression.Max, count: 1}, "array_distinct": {op: expression.Distinct, count: 1},
	"array_intersection": {op: expression.Intersection, count: 2}, "map_keys": {op: expression.Keys, count: 1}, "map_values": {op: expression.Values, count: 1},
	"audience": {op: expression.Member, count: 1}, "split": {op: expression.Split, count: 3},
}

func (r reader) call(f *pgtree.FuncCall) (*node, error) {
	names := f.GetFuncname()
	name := names[len(names)-1].GetString_().GetSval()
	known, ok := functions[name]
	grammatical := len(names) == 2 && names[0].GetString_().GetSval() == "pg_catalog" && (name == "extract" || name == "btrim")
	if !ok || len(names) > 1 && !grammatical {
		err := expression.Errorf(expression.UnknownName, at(f.GetLocation()), nearest(name, slices.Sorted(maps.Keys(functions))), "function %s is not allowed in a rule", shortened(fullName(names)))
		err.Name = name
		return nil, err
	}
	if f.GetAggFilter() != nil || f.GetOver() != nil || f.GetAggDistinct() || f.GetAggStar() || f.GetAggWithinGroup() || f.GetFuncVariadic() || len(f.GetAggOrder()) > 0 {
		return nil, refused(f.GetLocation(), "a rule speaks of one prospect's attributes", "aggregates and windows are not allowed in a rule")
	}
	if len(f.GetArgs()) != known.count {
		return nil, expression.Errorf(expression.WrongType, at(f.GetLocation()), "", "%s takes %d arguments, not %d", name, known.count, len(f.GetArgs()))
	}
	out, err := r.made(f.GetLocation(), known.op, f.GetArgs()...)
	if err != nil {
		return nil, err
	}
	out.Word = known.word
	switch known.op {
	case expression.Part, expression.Trunc:
		out.Args, err = named(out, out.Args)
	case expression.Member, expression.Split:
		if out.Args, err = named(out, out.Args); err == nil && known.op == expression.Split {
			err = expression.ReadRange(out)
		}
	}
	return out, err
}

// named takes the first argument as the operation's word.
func named(n *node, args []*node) ([]*node, error) {
	word, ok := args[0].Value.(string)
	if args[0].Op != expression.Constant || !ok {
		return nil, expression.Errorf(expression.WrongType, args[0].At, "write it in single quotes", "the first argument must be a constant text")
	}
	n.Word = word
	if n.Op == expression.Part || n.Op == expression.Trunc {
		n.Word = strings.ToLower(word)
	}
	return args[1:], nil
}

func fullName(names []*pgtree.Node) string {
	var parts []string
	for _, n := range names {
		parts = append(parts, n.GetString_().GetSval())
	}
	return strings.Join(parts, ".")
}
