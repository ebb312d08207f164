package pql

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2"

	"prospector/internal/audience/expression"
)

type node = expression.Node

// parameter is the head of a rule with a named parameter: (Profile) => Profile.partner.hiking = "Y".
var parameter = regexp.MustCompile(`^\s*\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*\)\s*=>`)

// Parse reads a rule, which has passed expression.Readable.
func Parse(text string) (*node, error) {
	r := reader{parameter: "$1", left: new(expression.MaxNodes)}
	body := text
	if head := parameter.FindStringSubmatch(text); head != nil {
		r.parameter = head[1]
		body = strings.Repeat(" ", len(head[0])) + text[len(head[0]):]
	}
	if at := deepest(body); at >= 0 {
		return nil, expression.Errorf(expression.TooLarge, at, "write it flatter, or as several audiences", "the rule is nested deeper than %d levels", expression.MaxDepth)
	}
	parsed, err := grammar.ParseString("", body)
	if err != nil {
		return nil, syntaxError(body, err)
	}
	return r.disjunction(parsed)
}

var (
	comment     = regexp.MustCompile(`^(//|/\*|--)`)
	shouted     = regexp.MustCompile(`^(AND|OR|NOT|IN|LIKE|OCCURS|And|Or|Not|In|Like|Occurs)\b`)
	shoutedLast = regexp.MustCompile(`\b(NOT|Not)\s+$`)
)

func syntaxError(text string, err error) error {
	out := expression.Errorf(expression.Syntax, 0, `write conditions such as partner.hiking = "Y", joined with and and or`, "this is no PQL condition")
	var at participle.Error
	if errors.As(err, &at) {
		out.Offset = min(at.Position().Offset, len(text))
	}
	switch rest, before := text[out.Offset:], text[:out.Offset]; {
	case strings.HasPrefix(rest, `"`) && !strings.Contains(rest[1:], `"`):
		out.Kind, out.Message, out.Hint = expression.OpenText, "a text has no end", `close it with "`
	case strings.TrimSpace(rest) == "":
		out.Kind, out.Message, out.Hint = expression.Unfinished, "the rule is not finished", "is a value or a closing parenthesis missing at its end?"
	case strings.HasPrefix(rest, "'"):
		out.Hint = "texts are in double quotes"
	case shouted.FindString(rest) != "", shoutedLast.FindString(before) != "":
		out.Hint = "and, or, not, in, like and occurs are in lower case"
	case comment.MatchString(rest), strings.HasSuffix(before, "/") && comment.MatchString("/"+rest), strings.HasSuffix(before, "-") && comment.MatchString("-"+rest):
		out.Kind, out.Message, out.Hint = expression.NotAllowed, "comments are not allowed in a rule", "describe the rule in its description"
	}
	return out
}

// deepest finds where brackets are nested too deep.
func deepest(text string) int {
	depth, quoted := 0, false
	for at := 0; at < len(text); at++ {
		switch c := text[at]; {
		case quoted && c == '\\':
			at++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[':
			if depth++; depth > expression.MaxDepth {
				return at
			}
		case c == ')' || c == ']':
			depth--
		}
	}
	return -1
}

type reader struct {
	parameter string
	named     map[string]*node // by let
	left      *int             // nodes that names may still stand for
}

func (r reader) disjunction(d *disjunction) (*node, error) {
	return joined(d.Pos.Offset, expression.Or, d.Terms, r.conjunction)
}

func (r reader) conjunction(c *conjunction) (*node, error) {
	return joined(c.Pos.Offset, expression.And, c.Terms, r.negation)
}

func joined[T any](at int, op expression.Op, terms []T, read func(T) (*node, error)) (*node, error) {
	out := expression.New(at, op)
	for _, term := range terms {
		n, err := read(term)
		if err != nil {
			return nil, err
		}
		out.Args = append(out.Args, n)
	}
	if len(out.Args) == 1 {
		return out.Args[0], nil
	}
	return out, nil
}

func (r reader) negation(n *negation) (*node, error) {
	out, err := r.relation(n.Of)
	if err != nil {
		return nil, err
	}
	if len(n.Not) > expression.MaxDepth {
		return nil, expression.Errorf(expression.TooLarge, n.Pos.Offset, "one not is enough", "the rule is nested deeper than %d levels", expression.MaxDepth)
	}
	for range n.Not {
		out = expression.New(n.Pos.Offset, expression.IsNotTrue, out)
	}
	return out, nil
}

var comparisons = map[string]expression.Op{"=": expression.Equal, "!=": expression.NotEqual, "<": expression.Less, "<=": expression.LessOrEqual,
	">": expression.Greater, ">=": expression.GreaterOrEqual, "like": expression.Like}

func (r reader) relation(n *relation) (*node, error) {
	left, err := r.sum(n.Left)
	if err != nil || n.Tail == nil {
		return left, err
	}
	if n.Tail.Occurs != nil {
		return r.occurs(n.Pos.Offset, left, n.Tail.Occurs)
	}
	right, err := r.sum(n.Tail.Right)
	if err != nil {
		return nil, err
	}
	at := n.Pos.Offset
	switch operator := n.Tail.Operator; operator {
	case "in", "notIn":
		out := expression.New(at, expression.Includes, right, left)
		if right.Op == expression.List {
			out = expression.New(at, expression.In, append([]*node{left}, right.Args...)...)
		}
		if operator == "notIn" { // unknown for a missing value: it demands that there is one (AU-17)
			out = expression.New(at, expression.Not, out)
		}
		return out, nil
	default:
		return expression.New(at, comparisons[operator], left, right), nil
	}
}

func (r reader) sum(s *sum) (*node, error) {
	out, err := r.product(s.Left)
	for _, addend := range s.Rest {
		if err != nil {
			return nil, err
		}
		var right *node
		if right, err = r.product(addend.Of); err == nil {
			out = expression.New(s.Pos.Offset, expression.Op(addend.Operator), out, right)
		}
	}
	return out, err
}

func (r reader) product(p *product) (*node, error) {
	out, err := r.sign(p.Left)
	for _, factor := range p.Rest {
		if err != nil {
			return nil, err
		}
		var right *node
		if right, err = r.sign(factor.Of); err == nil {
			out = expression.New(out.At, expression.Op(factor.Operator), out, right)
		}
	}
	return out, err
}

func (r reader) sign(s *sign) (*node, error) {
	if !s.Minus {
		return r.postfix(s.Of)
	}
	if number := s.Of.Of.Number; number != nil && number.Unit == "" && len(s.Of.Steps) == 0 {
		return expression.Number(s.Pos.Offset, "-"+number.Value)
	}
	arg, err := r.postfix(s.Of)
	if err != nil {
		return nil, err
	}
	return expression.New(s.Pos.Offset, expression.Negate, arg), nil
}

func (r reader) postfix(p *postfix) (*node, error) {
	at := p.Pos.Offset
	steps := p.Steps
	out, path, err := r.primary(p.Of)
	if err != nil {
		return nil, err
	}
	for out == nil && len(steps) > 0 && steps[0].Call == nil && steps[0].Filter == nil {
		path, steps = append(path, name(steps[0].Name)), steps[1:]
	}
	if out == nil {
		if len(path) > 1 && path[0] == r.parameter {
			path = path[1:]
		}
		out = &node{Op: expression.Attribute, Word: strings.Join(path, "."), At: at}
	}
	for _, step := range steps {
		switch {
		case step.Filter != nil:
			return nil, expression.Errorf(expression.NotAllowed, step.Pos.Offset, "write list.includes(value), or map.get(\"key\")", "filters are not allowed in a rule")
		case step.Call == nil:
			return nil, expression.Errorf(expression.Syntax, step.Pos.Offset, "", "a value has no fields")
		}
		args, err := r.arguments(step.Call)
		if err != nil {
			return nil, err
		}
		if out, err = call(step.Pos.Offset, step.Name, append([]*node{out}, args...), true); err != nil {
			return nil, err
		}
		out.At = at
	}
	return out, nil
}

func name(token string) string { return strings.Trim(token, "`") }

// primary reads a value, or the first part of a path.
func (r reader) primary(p *primary) (value *node, path []string, err error) {
	at := p.Pos.Offset
	switch {
	case p.Let != nil:
		value, err = r.let(at, p.Let)
	case p.Number != nil && p.Number.Unit != "":
		value, err = r.relative(at, p.Number.Value, p.Number.Unit, p.Number.Direction, p.Number.Time)
	case p.Number != nil:
		value, err = expression.Number(at, p.Number.Value)
	case p.Text != nil:
		value = expression.NewConstant(at, unquoted(*p.Text))
	case p.List != nil:
		value = expression.New(at, expression.List)
		for _, item := range p.List {
			n, err := r.disjunction(item)
			if err != nil {
				return nil, nil, err
			}
			value.Args = append(value.Args, n)
		}
	case p.Nested != nil:
		value, err = r.disjunction(p.Nested)
	case p.Span != nil:
		value = spanned(at, p.Span)
	case p.Call != nil:
		args, err := r.arguments(p.Call)
		if err != nil {
			return nil, nil, err
		}
		value, err = call(at, p.Name, args, false)
		return value, nil, err
	default:
		if of := r.named[p.Name]; of != nil {
			return r.meant(at, of)
		}
		if value = word(at, p.Name); value == nil {
			path = []string{name(p.Name)}
		}
	}
	return value, path, err
}

// unquoted takes a text out of its quotes. \ is in front of " and \, and stands for itself elsewhere.
func unquoted(token string) string {
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(token[1 : len(token)-1])
}

func (r reader) arguments(a *arguments) ([]*node, error) {
	var out []*node
	for _, arg := range a.Args {
		n, err := r.disjunction(arg)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// word is a word that is no attribute.
func word(at int, word string) *node {
	today := &node{Op: expression.Trunc, Word: "day", At: at, Args: []*node{expression.New(at, expression.Now)}}
	switch word {
	case "now":
		return today.Args[0]
	case "today":
		return today
	case "yesterday":
		return expression.NewShift(at, today, -1, "day")
	case "tomorrow":
		return expression.NewShift(at, today, 1, "day")
	case "true", "false":
		return expression.NewConstant(at, word == "true")
	case "null":
		return expression.NewConstant(at, nil)
	}
	return nil
}

// keywords cannot begin a path, unless it is quoted.
var keywords = strings.Fields("let and or not in notIn like occurs between on before after from this last next now today yesterday tomorrow true false null")

func isKeyword(word string) bool { return slices.Contains(keywords, word) }

func count(at int, text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, expression.Errorf(expression.WrongValue, at, "", "write a whole number of units")
	}
	return n, nil
}

func (r reader) relative(at int, number, unit, direction string, time *postfix) (*node, error) {
	n, err := count(at, number)
	if err != nil {
		return nil, err
	}
	from, err := r.postfix(time)
	if err != nil {
		return nil, err
	}
	if direction == "before" {
		n = -n
	}
	return expression.NewShift(at, from, n, unit), nil
}
