package audience

import (
	"fmt"
	"maps"
	"slices"

	"prospector/internal/audience/expression"
)

// Bounds are what is certain of everybody for whom a rule holds, read from the rule alone: it never claims too much.
type Bounds struct {
	Confined map[string][]string // attributes that have one of these values, as texts, and are never null
	Excluded []string            // audiences of which nobody is a member
}

// Nobody reports whether the rule can hold for nobody: an attribute would need two values at once.
func (b Bounds) Nobody() bool {
	for _, values := range b.Confined {
		if len(values) == 0 {
			return true
		}
	}
	return false
}

// Bounds reads them. Of the audiences that the rule refers to, of brings theirs.
func (r *Rule) Bounds(of func(audience string) Bounds) Bounds {
	return bounds(r.where, true, of)
}

// bounds is what is certain when n is true, or when it is false.
func bounds(n *expression.Node, truth bool, of func(string) Bounds) Bounds {
	switch n.Op {
	case expression.And, expression.Or:
		join := Bounds.and
		if (n.Op == expression.Or) == truth {
			join = Bounds.or
		}
		out := bounds(n.Args[0], truth, of)
		for _, arg := range n.Args[1:] {
			out = join(out, bounds(arg, truth, of))
		}
		return out
	case expression.Not:
		return bounds(n.Args[0], !truth, of)
	case expression.IsTrue:
		if truth {
			return bounds(n.Args[0], true, of)
		}
	case expression.IsNotTrue:
		if !truth {
			return bounds(n.Args[0], true, of)
		}
	case expression.Equal, expression.In:
		if truth {
			return confined(n)
		}
	case expression.NotEqual:
		if !truth {
			return confined(n)
		}
	case expression.Member:
		if truth {
			return of(n.Word)
		}
		return Bounds{Excluded: []string{n.Word}}
	}
	return Bounds{}
}

// confined is what an attribute that equals constants is confined to.
func confined(n *expression.Node) Bounds {
	if n.Args[0].Op != expression.Attribute {
		return Bounds{}
	}
	var values []string
	for _, arg := range n.Args[1:] {
		if arg.Op != expression.Constant {
			return Bounds{}
		}
		values = append(values, fmt.Sprint(arg.Value))
	}
	slices.Sort(values)
	return Bounds{Confined: map[string][]string{n.Args[0].Word: slices.Compact(values)}}
}

// and is what is certain when both hold.
func (b Bounds) and(other Bounds) Bounds {
	out := Bounds{Confined: maps.Clone(b.Confined), Excluded: union(b.Excluded, other.Excluded)}
	for path, values := range other.Confined {
		if out.Confined == nil {
			out.Confined = map[string][]string{}
		}
		if mine, ok := out.Confined[path]; ok {
			values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !slices.Contains(mine, v) })
		}
		out.Confined[path] = values
	}
	return out
}

// or is what is certain when one of them holds.
func (b Bounds) or(other Bounds) Bounds {
	out := Bounds{Confined: map[string][]string{}}
	for path, values := range b.Confined {
		if theirs, ok := other.Confined[path]; ok {
			out.Confined[path] = union(values, theirs)
		}
	}
	out.Excluded = slices.DeleteFunc(slices.Clone(b.Excluded), func(name string) bool { return !slices.Contains(other.Excluded, name) })
	return out
}

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
