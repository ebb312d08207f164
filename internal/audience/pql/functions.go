package pql

import (
	"maps"
	"slices"
	"strings"

	"prospector/internal/audience/expression"
	"prospector/internal/xdm"
)

// function is a function of PQL: the operation, how many arguments it has (the receiver first), and what it means more.
type function struct {
	op      expression.Op
	count   int
	negated bool
	cased   bool // may have one more argument: whether case counts
	method  bool // written behind a value
}

var functions = map[string]function{
	"startsWith": {op: expression.StartsWith, count: 2, cased: true, method: true}, "doesNotStartWith": {op: expression.StartsWith, count: 2, cased: true, negated: true, method: true},
	"endsWith": {op: expression.EndsWith, count: 2, cased: true, method: true}, "doesNotEndWith": {op: expression.EndsWith, count: 2, cased: true, negated: true, method: true},
	"contains": {op: expression.Contains, count: 2, cased: true, method: true}, "doesNotContain": {op: expression.Contains, count: 2, cased: true, negated: true, method: true},
	"equals": {op: expression.Equal, count: 2, cased: true, method: true}, "notEqualTo": {op: expression.NotEqual, count: 2, cased: true, method: true},
	"like": {op: expression.Like, count: 2, method: true}, "matches": {op: expression.Matches, count: 2, method: true},
	"regexGroup": {op: expression.Group, count: 3, method: true},
	"isNull":     {op: expression.IsNull, count: 1}, "isNotNull": {op: expression.IsNotNull, count: 1},
	"if":       {op: expression.If, count: 3},
	"includes": {op: expression.Includes, count: 2, method: true}, "intersects": {op: expression.Intersects, count: 2, method: true},
	"intersection": {op: expression.Intersection, count: 2, method: true}, "subsetOf": {op: expression.SubsetOf, count: 2, method: true},
	"supersetOf": {op: expression.SupersetOf, count: 2, method: true}, "distinct": {op: expression.Distinct, count: 1, method: true}, "head": {op: expression.First, count: 1, method: true},
	"count": {op: expression.Count, count: 1}, "sum": {op: expression.Sum, count: 1}, "average": {op: expression.Average, count: 1},
	"min": {op: expression.Min, count: 1}, "max": {op: expression.Max, count: 1},
	"keys": {op: expression.Keys, count: 1, method: true}, "values": {op: expression.Values, count: 1, method: true},
	"get": {op: expression.Get, count: 2, method: true}, "inSegment": {op: expression.Member, count: 1},
	"date": {op: expression.Constant, count: 3},
}

// dateParts are the functions on the parts of a date.
var dateParts = map[string]string{"Month": "month", "Year": "year", "DayOfMonth": "day"}

// left out are functions that make or take lists of objects, which prospects do not have.
var leftOut = []string{"filter", "map", "groupBy", "topN", "bottomN", "exists", "forall", "select"}

func call(at int, called string, args []*node, method bool) (*node, error) {
	wrongCount := func(count int) error {
		if method {
			count--
		}
		return expression.Errorf(expression.WrongType, at, "", "%s takes %d arguments", called, count)
	}
	if part := dateParts[strings.TrimPrefix(called, "current")]; part != "" && strings.HasPrefix(called, "current") {
		if len(args) != 0 {
			return nil, wrongCount(0)
		}
		return &node{Op: expression.Part, Word: part, At: at, Args: []*node{expression.New(at, expression.Now)}}, nil
	}
	if part := dateParts[strings.TrimPrefix(called, "get")]; part != "" && strings.HasPrefix(called, "get") {
		if len(args) != 1 {
			return nil, wrongCount(1)
		}
		return &node{Op: expression.Part, Word: part, At: at, Args: args}, nil
	}
	f, ok := functions[called]
	if !ok {
		return nil, unknown(at, called)
	}
	if f.method && !method {
		return nil, expression.Errorf(expression.Syntax, at, "write value."+called+"(…)", "%s stands behind a value", called)
	}
	insensitive := false
	if f.cased && len(args) == f.count+1 {
		sensitive, ok := args[f.count].Value.(bool)
		if !ok {
			return nil, expression.Errorf(expression.WrongType, args[f.count].At, "write true or false", "the last argument says whether case counts")
		}
		insensitive, args = !sensitive, args[:f.count]
	}
	if len(args) != f.count {
		return nil, wrongCount(f.count)
	}
	if insensitive {
		args = []*node{expression.New(at, expression.Lower, args[0]), expression.New(at, expression.Lower, args[1])}
	}
	switch f.op {
	case expression.Constant:
		return day(at, args)
	case expression.Get, expression.Member:
		return named(at, f.op, args)
	}
	out := expression.New(at, f.op, args...)
	if f.negated {
		out = expression.New(at, expression.Not, out)
	}
	return out, nil
}

func unknown(at int, called string) error {
	if slices.Contains(leftOut, called) {
		return expression.Errorf(expression.NotAllowed, at, "docs/audience-rules.md has the functions of rules", "%s is not allowed in a rule: prospects have no lists of objects", called)
	}
	known := slices.Collect(maps.Keys(functions))
	for part := range dateParts {
		known = append(known, "get"+part, "current"+part)
	}
	slices.Sort(known)
	err := expression.Errorf(expression.UnknownName, at, "docs/audience-rules.md has the functions of rules", "function %s is not allowed in a rule", called[:min(len(called), 80)])
	err.Name = called
	if near := xdm.Nearest(called, known); near != "" {
		err.Hint = "did you mean " + near + "?"
	}
	return err
}

func day(at int, args []*node) (*node, error) {
	var numbers [3]int64
	for i, arg := range args {
		n, ok := arg.Value.(int64)
		if !ok || arg.Op != expression.Constant {
			return nil, expression.Errorf(expression.WrongType, arg.At, "write date(1990, 1, 31)", "a date has a year, a month and a day as whole numbers")
		}
		numbers[i] = n
	}
	return expression.Day(at, numbers[0], numbers[1], numbers[2])
}

// named takes the last argument as the operation's word.
func named(at int, op expression.Op, args []*node) (*node, error) {
	last := args[len(args)-1]
	word, ok := last.Value.(string)
	if !ok {
		return nil, expression.Errorf(expression.WrongType, last.At, "write it in double quotes", "the argument must be a constant text")
	}
	return &node{Op: op, Word: word, At: at, Args: args[:len(args)-1]}, nil
}
