package pql

import (
	"maps"

	"prospector/internal/audience/expression"
)

// let reads a condition in which a name stands for a value (AU-25). The tree knows no names: each becomes the value that it stands for.
func (r reader) let(at int, l *let) (*node, error) {
	if isKeyword(l.Name) || l.Name == r.parameter {
		return nil, expression.Errorf(expression.Syntax, at, "choose another name", "%s has a meaning already", l.Name)
	}
	value, err := r.sum(l.Of)
	if err != nil {
		return nil, err
	}
	inner := r
	if inner.named = maps.Clone(r.named); inner.named == nil {
		inner.named = map[string]*node{}
	}
	inner.named[l.Name] = value
	return inner.disjunction(l.In)
}

// meant is what a name stands for: a value, or a path that may go on.
func (r reader) meant(at int, of *node) (value *node, path []string, err error) {
	if of.Op == expression.Attribute {
		return nil, []string{of.Word}, nil
	}
	value = r.copied(of)
	if *r.left < 0 {
		return nil, nil, expression.Errorf(expression.TooLarge, at, "write it as several audiences", "the names of the rule stand for more than %d values and operators", expression.MaxNodes)
	}
	return value, nil, nil
}

func (r reader) copied(of *node) *node {
	out := *of
	if *r.left--; *r.left < 0 {
		return &out // refused
	}
	out.Args = nil
	for _, arg := range of.Args {
		out.Args = append(out.Args, r.copied(arg))
	}
	return &out
}
