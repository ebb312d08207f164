// Package expression is the checked, typed tree of an audience's rule, whatever notation it was written in.
// Parsers hand over an untyped tree; Check resolves its attributes against the fields of the schemas, gives every
// node its type, and brings it into one form, so that two rules that say the same in two notations are one tree.
// Logic is three-valued: a condition is true, false or unknown, and a prospect qualifies when it is true.
package expression

import (
	"reflect"
	"slices"

	"prospector/internal/xdm"
)

// Op is what a node does.
type Op string

// The operations. Those that parsers alone use are gone from a checked tree.
const (
	Attribute Op = "attribute" // Word is the path
	Constant  Op = "constant"  // Value
	List      Op = "list"      // of constants

	And       Op = "and"
	Or        Op = "or"
	Not       Op = "not"       // unknown stays unknown
	IsTrue    Op = "istrue"    // unknown is false
	IsNotTrue Op = "isnottrue" // unknown is true
	IsNull    Op = "isnull"
	IsNotNull Op = "isnotnull"

	Equal          Op = "="
	NotEqual       Op = "<>"
	Less           Op = "<"
	LessOrEqual    Op = "<="
	Greater        Op = ">"
	GreaterOrEqual Op = ">="
	In             Op = "in"      // a value and constants
	Between        Op = "between" // parsers only

	Like       Op = "like"  // % any run, _ one character, \ takes the next one as it is
	ILike      Op = "ilike" // the same without regard to case
	Matches    Op = "matches"
	Group      Op = "group" // a text, a pattern and the number of one of its groups: what that takes of the first match
	StartsWith Op = "startswith"
	EndsWith   Op = "endswith"
	Contains   Op = "contains"
	Lower      Op = "lower"
	Upper      Op = "upper"
	Trim       Op = "trim" // spaces at both ends
	Length     Op = "length"

	Add      Op = "+"
	Subtract Op = "-"
	Multiply Op = "*"
	Divide   Op = "/"
	Modulo   Op = "%"
	Negate   Op = "negate"

	Coalesce Op = "coalesce"
	If       Op = "if" // a condition and two values; the second one unless it is true

	Now   Op = "now"   // the instant of the evaluation
	Trunc Op = "trunc" // Word is the unit: the instant that begins it
	Shift Op = "shift" // Word is the unit, Value how many
	Part  Op = "part"  // Word is the part
	Age   Op = "age"   // Word is the unit: whole ones from the date to the evaluation's

	Includes     Op = "includes" // a list and a value
	Intersects   Op = "intersects"
	SubsetOf     Op = "subsetof"
	SupersetOf   Op = "supersetof" // parsers only
	Intersection Op = "intersection"
	Distinct     Op = "distinct"
	Count        Op = "count"
	Sum          Op = "sum"
	Average      Op = "average"
	Min          Op = "min"
	Max          Op = "max"
	First        Op = "first"
	Keys         Op = "keys"
	Values       Op = "values"
	Get          Op = "get"       // Word is the key
	Subscript    Op = "subscript" // parsers only

	Member Op = "audience" // Word is the audience's name
	Split  Op = "split"    // Word is the seed, Value a Range of percent
)

// Type is a scalar type, or a list or map of one.
type Type struct {
	Scalar    xdm.Type
	Container xdm.Container
}

// Of returns a scalar type.
func Of(t xdm.Type) Type { return Type{Scalar: t} }

func (t Type) String() string { return xdm.Field{Type: t.Scalar, Container: t.Container}.TypeText() }

func (t Type) numeric() bool {
	return t.Container == xdm.Single && (t.Scalar == xdm.Integer || t.Scalar == xdm.Number)
}

func (t Type) instant() bool {
	return t.Container == xdm.Single && (t.Scalar == xdm.Date || t.Scalar == xdm.DateTime)
}

// Range is the share of a split, from inclusive, to exclusive, in percent.
type Range struct{ From, To float64 }

// Node is a part of a rule. A checked node is never changed.
type Node struct {
	Op    Op
	Type  Type
	Args  []*Node
	Word  string
	Value any // string, int64, float64, bool or time.Time of a constant
	At    int // byte of the rule's text
}

// New makes a node.
func New(at int, op Op, args ...*Node) *Node { return &Node{Op: op, Args: args, At: at} }

// NewConstant makes a constant; texts become dates where one is asked for.
func NewConstant(at int, value any) *Node { return &Node{Op: Constant, Value: value, At: at} }

// Walk calls visit for n and everything below it, in the order of the text.
func Walk(n *Node, visit func(*Node)) {
	visit(n)
	for _, arg := range n.Args {
		Walk(arg, visit)
	}
}

// Same reports whether two trees are the same, places aside.
func Same(a, b *Node) bool {
	return a.Op == b.Op && a.Type == b.Type && a.Word == b.Word && reflect.DeepEqual(a.Value, b.Value) &&
		slices.EqualFunc(a.Args, b.Args, Same)
}

// words returns the sorted distinct words of the nodes of one operation.
func words(n *Node, op Op) (out []string) {
	Walk(n, func(n *Node) {
		if n.Op == op {
			out = append(out, n.Word)
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// Columns returns the paths of the attributes that a tree uses, sorted.
func Columns(n *Node) []string { return words(n, Attribute) }

// Audiences returns the names of the audiences that a tree refers to, sorted.
func Audiences(n *Node) []string { return words(n, Member) }

// Varies reports whether a tree can differ from one prospect or evaluation to another.
func Varies(n *Node) bool {
	found := false
	Walk(n, func(n *Node) {
		found = found || slices.Contains([]Op{Attribute, Now, Age, Member, Split}, n.Op)
	})
	return found
}

// Leaves returns the conditions that AND, OR, NOT, IS TRUE and IS NOT TRUE join, in the order of the text.
func Leaves(n *Node) (out []*Node) {
	if !n.joins() {
		return []*Node{n}
	}
	for _, arg := range n.Args {
		out = append(out, Leaves(arg)...)
	}
	return out
}

func (n *Node) joins() bool {
	return slices.Contains([]Op{And, Or, Not, IsTrue, IsNotTrue}, n.Op)
}
