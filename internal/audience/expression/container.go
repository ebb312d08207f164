package expression

import (
	"prospector/internal/xdm"
)

func (c *checker) list(n *Node) (*Node, error) {
	if len(n.Args) == 0 {
		return nil, Errorf(WrongValue, n.At, "write at least one value", "a list is empty")
	}
	args, err := c.values(n.Args)
	if err != nil {
		return nil, err
	}
	t := args[0].Type
	for _, arg := range args {
		if arg.Op != Constant {
			return nil, Errorf(NotAllowed, arg.At, "", "a list holds constants only")
		}
		if t = wider(t, arg.Type); t == (Type{}) {
			return nil, Errorf(WrongType, arg.At, "write values of one type", "a list holds values of different types")
		}
	}
	return typedList(n.At, args, &Node{Op: Now, Type: t})
}

// typedList is a list of constants of the type of what they are compared with.
func typedList(at int, constants []*Node, with *Node) (*Node, error) {
	out := &Node{Op: List, At: at, Type: Type{with.Type.Scalar, xdm.Array}}
	element := &Node{Op: with.Op, Word: with.Word, Type: Of(with.Type.Scalar)}
	for _, each := range constants {
		item, err := converted(each, element)
		if err == nil && item.Type != element.Type {
			err = Errorf(WrongType, each.At, "write "+examples[element.Type.Scalar], "the values of %s are %s", subject(with), element.Type)
		}
		if err != nil {
			return nil, err
		}
		out.Args = append(out.Args, item)
	}
	return out, nil
}

// container checks the operations on lists and maps.
func (c *checker) container(n *Node) (*Node, error) {
	args, err := c.values(n.Args)
	if err != nil {
		return nil, err
	}
	first := args[0]
	wanted := xdm.Array
	if n.Op == Keys || n.Op == Values || n.Op == Get {
		wanted = xdm.Map
	}
	if n.Op == Subscript {
		return subscript(n, args)
	}
	for i, arg := range args {
		if arg.Type.Container != wanted && (i == 0 || n.Op != Includes) {
			return nil, Errorf(WrongType, arg.At, "", "%s needs a field with several values (%s), %s is %s", called(n.Op), wanted, subject(arg), arg.Type)
		}
	}
	out := &Node{Op: n.Op, Args: args, Word: n.Word, At: n.At}
	switch n.Op {
	case Includes:
		if err := c.enumerated(first, args[1:]); err != nil {
			return nil, err
		}
		return includes(out)
	case Intersects, SubsetOf, SupersetOf, Intersection:
		for i, arg := range args {
			if err := c.enumerated(arg, args[1-i].Args); err != nil {
				return nil, err
			}
		}
		return sets(out)
	case Distinct:
		out.Type = first.Type
	case Count:
		out.Type = Of(xdm.Integer)
	case Sum, Average:
		if !Of(first.Type.Scalar).numeric() {
			return nil, Errorf(WrongType, n.At, "", "%s needs a list of numbers, %s is %s", called(n.Op), subject(first), first.Type)
		}
		out.Type = Of(xdm.Number)
	case Min, Max, First:
		out.Type = Of(first.Type.Scalar)
	case Keys:
		out.Type = Type{xdm.String, xdm.Array}
	case Values:
		out.Type = Type{first.Type.Scalar, xdm.Array}
	case Get:
		out.Type = Of(first.Type.Scalar)
	}
	return out, nil
}

func includes(n *Node) (*Node, error) {
	list, item := n.Args[0], n.Args[1]
	element := Of(list.Type.Scalar)
	if item.Op == Constant {
		made, err := typedList(n.At, []*Node{item}, list)
		if err != nil {
			return nil, err
		}
		item = made.Args[0]
	}
	if item.Type != element {
		return nil, Errorf(WrongType, item.At, "compare values of one type", "the values of %s are %s, %s is %s", subject(list), element, subject(item), item.Type)
	}
	return boolean(n.At, Includes, list, item), nil
}

// sets brings lists to one type of values, and a superset into the form of a subset.
func sets(n *Node) (*Node, error) {
	a, b := n.Args[0], n.Args[1]
	var err error
	switch {
	case a.Op == List && b.Op != List:
		a, err = typedList(a.At, a.Args, b)
	case b.Op == List && a.Op != List:
		b, err = typedList(b.At, b.Args, a)
	}
	if err != nil {
		return nil, err
	}
	if a.Type != b.Type {
		return nil, Errorf(WrongType, b.At, "compare values of one type", "%s is %s, %s is %s", subject(a), a.Type, subject(b), b.Type)
	}
	switch n.Op {
	case SupersetOf:
		return boolean(n.At, SubsetOf, b, a), nil
	case Intersection:
		return &Node{Op: Intersection, Args: []*Node{a, b}, At: n.At, Type: a.Type}, nil
	}
	return boolean(n.At, n.Op, a, b), nil
}

// subscript is the value of a map's key, or the first value of a list.
func subscript(n *Node, args []*Node) (*Node, error) {
	what, index := args[0], args[1]
	switch {
	case what.Type.Container == xdm.Map && index.Op == Constant && index.Type == Of(xdm.String):
		return &Node{Op: Get, Args: args[:1], Word: index.Value.(string), At: n.At, Type: Of(what.Type.Scalar)}, nil
	case what.Type.Container == xdm.Array && index.Op == Constant && index.Value == int64(1):
		return &Node{Op: First, Args: args[:1], At: n.At, Type: Of(what.Type.Scalar)}, nil
	}
	return nil, Errorf(NotAllowed, n.At, "write ['key'] behind a map, or [1] behind a list for its first value", "this subscript is not allowed in a rule")
}
