package expression

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"prospector/internal/xdm"
)

// Scope is what a rule may use.
type Scope struct {
	Fields    Fields
	Audiences []string // that it may refer to
}

type checker struct {
	scope    Scope
	warnings []Warning
	nodes    int
}

// Check makes a parser's tree into a checked one.
func Check(n *Node, scope Scope) (*Node, []Warning, error) {
	c := &checker{scope: scope}
	if err := c.bounded(n, 1); err != nil {
		return nil, nil, err
	}
	checked, err := c.condition(n)
	if err != nil {
		return nil, nil, err
	}
	return checked, c.warnings, nil
}

func (c *checker) bounded(n *Node, depth int) error {
	c.nodes++
	switch {
	case depth > MaxDepth:
		return Errorf(TooLarge, n.At, "write it flatter, or as several audiences", "the rule is nested deeper than %d levels", MaxDepth)
	case c.nodes > MaxNodes:
		return Errorf(TooLarge, n.At, "write it as several audiences", "the rule has more than %d parts", MaxNodes)
	case (n.Op == In || n.Op == List) && len(n.Args) > MaxList+1:
		return Errorf(TooLarge, n.At, "load the values as an attribute instead", "a list has at most %d values", MaxList)
	}
	for _, arg := range n.Args {
		if err := c.bounded(arg, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// condition checks something that is true, false or unknown.
func (c *checker) condition(n *Node) (*Node, error) {
	out, err := c.value(n)
	if err != nil {
		return nil, err
	}
	switch {
	case out.Type != Of(xdm.Boolean):
		return nil, Errorf(WrongType, n.At, "compare it with a value", "%s is %s, not a condition", subject(out), out.Type)
	case out.Op == Constant:
		return nil, Errorf(NotAllowed, n.At, "compare at least one attribute, such as partner.hiking", "a constant is no condition")
	case !out.joins() && !Varies(out):
		return nil, Errorf(NotAllowed, n.At, "compare at least one attribute, such as partner.hiking", "this condition uses no attribute")
	}
	return out, nil
}

// subject names a node in a message.
func subject(n *Node) string {
	switch n.Op {
	case Attribute:
		return n.Word
	case Constant:
		return "a constant"
	}
	return "this"
}

// value checks anything.
func (c *checker) value(n *Node) (*Node, error) {
	switch n.Op {
	case Attribute:
		return c.attribute(n)
	case Constant:
		return constant(n)
	case List:
		return c.list(n)
	case And, Or, Not, IsTrue, IsNotTrue:
		return c.logical(n)
	case IsNull, IsNotNull:
		return c.null(n)
	case Between:
		return c.between(n)
	case In:
		return c.in(n)
	case Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual:
		return c.comparison(n)
	case Like, ILike, Matches, StartsWith, EndsWith, Contains, Lower, Upper, Trim, Length:
		return c.text(n)
	case Group:
		return c.group(n)
	case Add, Subtract, Multiply, Divide, Modulo, Negate:
		return c.arithmetic(n)
	case Coalesce, If:
		return c.choice(n)
	case Now, Trunc, Shift, Part, Age:
		return c.time(n)
	case Includes, Intersects, SubsetOf, SupersetOf, Intersection, Distinct, Count, Sum, Average, Min, Max, First, Keys, Values, Get, Subscript:
		return c.container(n)
	case Member:
		return c.member(n)
	case Split:
		return c.split(n)
	}
	return nil, Errorf(NotAllowed, n.At, "", "%s is not allowed in a rule", n.Op)
}

func (c *checker) values(nodes []*Node) ([]*Node, error) {
	out := make([]*Node, len(nodes))
	for i, n := range nodes {
		var err error
		if out[i], err = c.value(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *checker) logical(n *Node) (*Node, error) {
	var operands []*Node
	for _, arg := range n.Args {
		operand, err := c.condition(arg)
		if err != nil {
			return nil, err
		}
		if operand.Op == n.Op && (n.Op == And || n.Op == Or) {
			operands = append(operands, operand.Args...)
			continue
		}
		operands = append(operands, operand)
	}
	switch n.Op {
	case Not:
		return negated(n.At, operands[0]), nil
	case IsTrue:
		if certain(operands[0]) {
			return operands[0], nil
		}
	case IsNotTrue:
		if certain(operands[0]) {
			return negated(n.At, operands[0]), nil
		}
	}
	return boolean(n.At, n.Op, operands...), nil
}

func boolean(at int, op Op, args ...*Node) *Node {
	return &Node{Op: op, Args: args, At: at, Type: Of(xdm.Boolean)}
}

var opposites = map[Op]Op{Equal: NotEqual, NotEqual: Equal, Less: GreaterOrEqual, GreaterOrEqual: Less, Greater: LessOrEqual,
	LessOrEqual: Greater, IsNull: IsNotNull, IsNotNull: IsNull, IsTrue: IsNotTrue, IsNotTrue: IsTrue}

// negated is the opposite of a condition, unknown where it is unknown.
func negated(at int, n *Node) *Node {
	if n.Op == Not {
		return n.Args[0]
	}
	if opposite, ok := opposites[n.Op]; ok {
		return boolean(n.At, opposite, n.Args...)
	}
	return boolean(at, Not, n)
}

// certain reports whether a condition is never unknown.
func certain(n *Node) bool {
	switch n.Op {
	case IsTrue, IsNotTrue, IsNull, IsNotNull, Member, Split:
		return true
	case And, Or, Not:
		return !slices.ContainsFunc(n.Args, func(arg *Node) bool { return !certain(arg) })
	}
	return false
}

func (c *checker) null(n *Node) (*Node, error) {
	arg, err := c.value(n.Args[0])
	if err != nil {
		return nil, err
	}
	return boolean(n.At, n.Op, arg), nil
}

func (c *checker) between(n *Node) (*Node, error) {
	low, err := c.comparison(New(n.At, GreaterOrEqual, n.Args[0], n.Args[1]))
	if err != nil {
		return nil, err
	}
	high, err := c.comparison(New(n.At, LessOrEqual, n.Args[0], n.Args[2]))
	if err != nil {
		return nil, err
	}
	if !Varies(low) || !Varies(high) {
		return nil, Errorf(NotAllowed, n.At, "compare at least one attribute", "this condition uses no attribute")
	}
	return boolean(n.At, And, low, high), nil
}

func (c *checker) in(n *Node) (*Node, error) {
	args, err := c.values(n.Args)
	if err != nil {
		return nil, err
	}
	for _, arg := range args[1:] {
		if arg.Op != Constant {
			return nil, Errorf(NotAllowed, arg.At, "join comparisons with OR instead", "a list holds constants only")
		}
	}
	if args[0].Type == Of(xdm.Boolean) {
		return nil, Errorf(NotAllowed, n.At, "write the condition itself, or IS NOT NULL", "a list cannot hold true and false")
	}
	if args, err = c.unified(n.At, args); err != nil {
		return nil, err
	}
	if err := c.enumerated(args[0], args[1:]); err != nil {
		return nil, err
	}
	return boolean(n.At, In, args...), nil
}

var mirrored = map[Op]Op{Equal: Equal, NotEqual: NotEqual, Less: Greater, Greater: Less, LessOrEqual: GreaterOrEqual, GreaterOrEqual: LessOrEqual}

func (c *checker) comparison(n *Node) (*Node, error) {
	args, err := c.values(n.Args)
	if err != nil {
		return nil, err
	}
	op := n.Op
	if args[0].Op == Constant { // 25 < age is age > 25
		args[0], args[1], op = args[1], args[0], mirrored[op]
	}
	if args, err = c.unified(n.At, args); err != nil {
		return nil, err
	}
	if args[0].Type == Of(xdm.Boolean) {
		return truth(n.At, op, args)
	}
	if op == Equal || op == NotEqual {
		if err := c.enumerated(args[0], args[1:]); err != nil {
			return nil, err
		}
	}
	return boolean(n.At, op, args...), nil
}

// truth compares conditions: = true is the condition itself, = false its opposite.
func truth(at int, op Op, args []*Node) (*Node, error) {
	if op != Equal && op != NotEqual {
		return nil, Errorf(WrongType, at, "use = or <>", "true and false have no order")
	}
	if args[0].Op == Constant {
		return nil, Errorf(NotAllowed, at, "compare at least one attribute", "this condition uses no attribute")
	}
	if args[1].Op != Constant {
		return boolean(at, op, args...), nil
	}
	if (args[1].Value == true) == (op == Equal) {
		return args[0], nil
	}
	return negated(at, args[0]), nil
}

// text checks the operations on texts.
func (c *checker) text(n *Node) (*Node, error) {
	args, err := c.values(n.Args)
	if err != nil {
		return nil, err
	}
	for _, arg := range args {
		if arg.Type == Of(xdm.String) {
			continue
		}
		hint := "compare it with = or BETWEEN"
		if arg.Op == Constant {
			hint = "write a text in quotes"
		} else if arg.Type.Container == xdm.Array {
			hint = "ask whether it includes a value: " + listHint(arg)
		}
		return nil, Errorf(WrongType, arg.At, hint, "%s needs text, %s is %s", called(n.Op), subject(arg), arg.Type)
	}
	switch n.Op {
	case Like, ILike, Matches:
		if args[1].Op != Constant {
			return nil, Errorf(NotAllowed, args[1].At, "write it in quotes", "a pattern must be a constant")
		}
		check := map[Op]func(*Node, string) error{Like: likePattern, ILike: likePattern, Matches: pattern}[n.Op]
		if err := check(args[1], args[1].Value.(string)); err != nil {
			return nil, err
		}
		return boolean(n.At, n.Op, args...), nil
	case StartsWith, EndsWith, Contains:
		return boolean(n.At, n.Op, args...), nil
	case Length:
		return &Node{Op: n.Op, Args: args, At: n.At, Type: Of(xdm.Integer)}, nil
	}
	return &Node{Op: n.Op, Args: args, At: n.At, Type: Of(xdm.String)}, nil
}

// group is unknown where the pattern does not match.
func (c *checker) group(n *Node) (*Node, error) {
	matched, err := c.text(&Node{Op: Matches, Args: n.Args[:2], At: n.At})
	if err != nil {
		return nil, err
	}
	number, err := c.value(n.Args[2])
	if err != nil {
		return nil, err
	}
	which, ok := number.Value.(int64)
	if groups := groupsOf(matched.Args[1].Value.(string)); number.Op != Constant || !ok || which < 0 || which > int64(groups) {
		return nil, Errorf(WrongValue, number.At, "groups are counted from 1 by their opening parenthesis; 0 is the whole match", "the pattern has %d groups, and this is none of them", groups)
	}
	return &Node{Op: Group, Args: append(matched.Args, number), At: n.At, Type: Of(xdm.String)}, nil
}

// called is an operation's name in a message.
func called(op Op) string {
	name := map[Op]string{Like: "LIKE", ILike: "ILIKE", StartsWith: "starts_with", EndsWith: "ends_with", Matches: "a regular expression"}[op]
	if name == "" {
		name = string(op)
	}
	return name
}

// arithmetic is done in double precision. What is not a finite number is unknown.
func (c *checker) arithmetic(n *Node) (*Node, error) {
	args, err := c.values(n.Args)
	if err != nil {
		return nil, err
	}
	for i, arg := range args {
		if !arg.Type.numeric() {
			hint := "use attributes of type integer or number"
			if arg.Type.instant() {
				hint = "write an interval: interval '30 days' in SQL, 30 days before in PQL"
			}
			return nil, Errorf(WrongType, arg.At, hint, "%s needs numbers, %s is %s", called(n.Op), subject(arg), arg.Type)
		}
		if arg.Op == Constant {
			args[i] = &Node{Op: Constant, Value: float(arg.Value), At: arg.At, Type: Of(xdm.Number)}
		}
	}
	if n.Op == Negate && args[0].Op == Constant {
		return &Node{Op: Constant, Value: -args[0].Value.(float64), At: n.At, Type: Of(xdm.Number)}, nil
	}
	return &Node{Op: n.Op, Args: args, At: n.At, Type: Of(xdm.Number)}, nil
}

func (c *checker) choice(n *Node) (*Node, error) {
	var test []*Node
	rest := n.Args
	if n.Op == If {
		condition, err := c.condition(n.Args[0])
		if err != nil {
			return nil, err
		}
		test, rest = []*Node{condition}, n.Args[1:]
	}
	args, err := c.values(rest)
	if err != nil {
		return nil, err
	}
	if args, err = c.unified(n.At, args); err != nil {
		return nil, err
	}
	if args[0].Type.Container != xdm.Single {
		return nil, Errorf(WrongType, n.At, "use attributes with one value", "%s takes single values, %s is %s", called(n.Op), subject(args[0]), args[0].Type)
	}
	t := args[0].Type
	for _, arg := range args {
		if t != arg.Type {
			t = wider(t, arg.Type)
		}
	}
	for i, arg := range args {
		if arg.Op == Constant && arg.Type != t {
			if args[i], err = converted(arg, &Node{Op: n.Op, Type: t}); err != nil {
				return nil, err
			}
		}
	}
	return &Node{Op: n.Op, Args: append(test, args...), At: n.At, Type: t}, nil
}

func (c *checker) member(n *Node) (*Node, error) {
	if !slices.Contains(c.scope.Audiences, n.Word) {
		err := Errorf(UnknownName, n.At, "see the names of audiences", "a rule cannot refer to an audience %s", shown(n.Word))
		err.Name = n.Word
		if near := xdm.Nearest(n.Word, c.scope.Audiences); near != "" {
			err.Hint = "did you mean " + near + "?"
		} else if len(c.scope.Audiences) == 0 {
			err.Hint = "write its conditions here"
		}
		return nil, err
	}
	return &Node{Op: Member, Word: n.Word, At: n.At, Type: Of(xdm.Boolean)}, nil
}

var seed = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

func (c *checker) split(n *Node) (*Node, error) {
	share := n.Value.(Range)
	switch {
	case !seed.MatchString(n.Word):
		return nil, Errorf(WrongValue, n.At, "use letters, digits, _ . and -, at most 64", "%q cannot name a split", shown(n.Word))
	case !(0 <= share.From && share.From < share.To && share.To <= 100):
		return nil, Errorf(WrongValue, n.At, "write percents such as split('test', 0, 10)", "a split goes from a smaller to a larger percent between 0 and 100")
	}
	return &Node{Op: Split, Word: n.Word, Value: share, At: n.At, Type: Of(xdm.Boolean)}, nil
}

// known checks a word such as a unit.
func known(n *Node, what string, words []string) error {
	if slices.Contains(words, n.Word) {
		return nil
	}
	err := Errorf(UnknownName, n.At, "use one of "+strings.Join(words, ", "), "%s is not a known %s", shown(n.Word), what)
	err.Name = n.Word
	return err
}

func unitNames() []string { return slices.Sorted(maps.Keys(seconds)) }

func listHint(list *Node) string {
	return fmt.Sprintf("'x' = ANY(%s) in SQL, %s.includes(\"x\") in PQL", list.Word, list.Word)
}
