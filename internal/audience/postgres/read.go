package postgres

import (
	"slices"
	"strconv"
	"strings"

	pgtree "github.com/pganalyze/pg_query_go/v6"

	"prospector/internal/audience/expression"
	"prospector/internal/xdm"
)

// reader turns PostgreSQL's tree into ours and refuses everything that is not on the list below.
type reader struct{ text string }

type node = expression.Node

func at(location int32) int { return max(0, int(location)-len(prefix)) }

func refused(location int32, hint, format string, args ...any) error {
	return expression.Errorf(expression.NotAllowed, at(location), hint, format, args...)
}

func (r reader) node(n *pgtree.Node) (*node, error) {
	switch n := n.GetNode().(type) {
	case *pgtree.Node_ColumnRef:
		return r.attribute(n.ColumnRef)
	case *pgtree.Node_AConst:
		return constant(n.AConst)
	case *pgtree.Node_BoolExpr:
		op := map[pgtree.BoolExprType]expression.Op{pgtree.BoolExprType_AND_EXPR: expression.And, pgtree.BoolExprType_OR_EXPR: expression.Or, pgtree.BoolExprType_NOT_EXPR: expression.Not}
		return r.made(n.BoolExpr.GetLocation(), op[n.BoolExpr.GetBoolop()], n.BoolExpr.GetArgs()...)
	case *pgtree.Node_NullTest:
		op := expression.IsNull
		if n.NullTest.GetNulltesttype() == pgtree.NullTestType_IS_NOT_NULL {
			op = expression.IsNotNull
		}
		return r.made(n.NullTest.GetLocation(), op, n.NullTest.GetArg())
	case *pgtree.Node_BooleanTest:
		return r.booleanTest(n.BooleanTest)
	case *pgtree.Node_AExpr:
		return r.operation(n.AExpr)
	case *pgtree.Node_FuncCall:
		return r.call(n.FuncCall)
	case *pgtree.Node_CoalesceExpr:
		return r.made(n.CoalesceExpr.GetLocation(), expression.Coalesce, n.CoalesceExpr.GetArgs()...)
	case *pgtree.Node_CaseExpr:
		return r.choice(n.CaseExpr)
	case *pgtree.Node_SqlvalueFunction:
		return present(n.SqlvalueFunction)
	case *pgtree.Node_TypeCast:
		return typed(n.TypeCast)
	case *pgtree.Node_AArrayExpr:
		return r.made(n.AArrayExpr.GetLocation(), expression.List, n.AArrayExpr.GetElements()...)
	case *pgtree.Node_AIndirection:
		return r.subscript(n.AIndirection)
	case *pgtree.Node_SubLink:
		return nil, refused(n.SubLink.GetLocation(), "a rule speaks of one prospect's attributes", "subqueries are not allowed in a rule")
	case *pgtree.Node_ParamRef:
		return nil, refused(n.ParamRef.GetLocation(), "write the value itself", "parameters are not allowed in a rule")
	case *pgtree.Node_RowExpr:
		return nil, refused(n.RowExpr.GetLocation(), "compare one attribute at a time", "rows are not allowed in a rule")
	}
	return nil, refused(int32(len(prefix)), "use comparisons, IN, BETWEEN, LIKE, IS NULL, AND, OR, NOT and the functions of rules", "part of the rule is not allowed in a rule")
}

func (r reader) made(location int32, op expression.Op, args ...*pgtree.Node) (*node, error) {
	out := expression.New(at(location), op)
	for _, arg := range args {
		operand, err := r.node(arg)
		if err != nil {
			return nil, err
		}
		out.Args = append(out.Args, operand)
		out.At = min(out.At, operand.At) // the tree gives the operator's place
	}
	return out, nil
}

// attribute resolves a path. PostgreSQL folds names to lower case and cuts long ones; XDM paths are case-sensitive,
// so the path is read from the rule's text at the place that the tree gives, and held against the tree.
func (r reader) attribute(ref *pgtree.ColumnRef) (*node, error) {
	offset := at(ref.GetLocation())
	parts := partsAt(r.text[min(offset, len(r.text)):])
	for i, field := range ref.GetFields() {
		if field.GetString_() == nil {
			return nil, refused(ref.GetLocation(), "name one attribute", "* is not allowed in a rule")
		}
		if name := field.GetString_().GetSval(); i >= len(parts) || !strings.HasPrefix(asciiLower(parts[i]), asciiLower(name)) || len(name) < min(len(parts[i]), 60) {
			return nil, refused(ref.GetLocation(), "write it as partner.hiking, in double quotes where a part is no plain word", "this is no path of an attribute")
		}
	}
	if len(parts) != len(ref.GetFields()) {
		return nil, refused(ref.GetLocation(), "write it as partner.hiking, without spaces", "this is no path of an attribute")
	}
	return &node{Op: expression.Attribute, Word: strings.Join(parts, "."), At: offset}, nil
}

func asciiLower(text string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, text)
}

// partsAt reads the parts of a path, plain or in double quotes.
func partsAt(text string) (parts []string) {
	for {
		end := 0
		if strings.HasPrefix(text, `"`) {
			var part strings.Builder
			for end = 1; end < len(text); end++ {
				if text[end] != '"' {
					part.WriteByte(text[end])
					continue
				}
				if end++; !strings.HasPrefix(text[end:], `"`) {
					break
				}
				part.WriteByte('"')
			}
			parts = append(parts, part.String())
		} else {
			for end < len(text) && plain(text[end]) {
				end++
			}
			parts = append(parts, text[:end])
		}
		if text = text[min(end, len(text)):]; !strings.HasPrefix(text, ".") {
			return parts
		}
		text = text[1:]
	}
}

func plain(c byte) bool {
	return c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
}

func constant(c *pgtree.A_Const) (*node, error) {
	place := at(c.GetLocation())
	switch v := c.GetVal().(type) {
	case *pgtree.A_Const_Sval:
		return expression.NewConstant(place, v.Sval.GetSval()), nil
	case *pgtree.A_Const_Ival:
		return expression.NewConstant(place, int64(v.Ival.GetIval())), nil
	case *pgtree.A_Const_Boolval:
		return expression.NewConstant(place, v.Boolval.GetBoolval()), nil
	case *pgtree.A_Const_Fval: // also whole numbers beyond 32 bits
		return expression.Number(place, v.Fval.GetFval())
	case nil:
		return expression.NewConstant(place, nil), nil
	}
	return nil, refused(c.GetLocation(), "a constant is a text in single quotes, a number, true or false", "this constant is not allowed in a rule")
}

func (r reader) booleanTest(t *pgtree.BooleanTest) (*node, error) {
	arg, err := r.node(t.GetArg())
	if err != nil {
		return nil, err
	}
	place := at(t.GetLocation())
	opposite := func() *node { return expression.New(place, expression.Not, arg) }
	switch t.GetBooltesttype() {
	case pgtree.BoolTestType_IS_TRUE:
		return expression.New(place, expression.IsTrue, arg), nil
	case pgtree.BoolTestType_IS_NOT_TRUE:
		return expression.New(place, expression.IsNotTrue, arg), nil
	case pgtree.BoolTestType_IS_FALSE:
		return expression.New(place, expression.IsTrue, opposite()), nil
	case pgtree.BoolTestType_IS_NOT_FALSE:
		return expression.New(place, expression.IsNotTrue, opposite()), nil
	case pgtree.BoolTestType_IS_UNKNOWN:
		return expression.New(place, expression.IsNull, arg), nil
	}
	return expression.New(place, expression.IsNotNull, arg), nil
}

var binary = map[string]expression.Op{"=": expression.Equal, "<>": expression.NotEqual, "<": expression.Less, "<=": expression.LessOrEqual,
	">": expression.Greater, ">=": expression.GreaterOrEqual, "+": expression.Add, "-": expression.Subtract, "*": expression.Multiply,
	"/": expression.Divide, "%": expression.Modulo, "~": expression.Matches, "~*": expression.Matches, "!~": expression.Matches, "!~*": expression.Matches,
	"&&": expression.Intersects, "@>": expression.SupersetOf, "<@": expression.SubsetOf}

func (r reader) operation(e *pgtree.A_Expr) (*node, error) {
	operator := ""
	if len(e.GetName()) == 1 {
		operator = e.GetName()[0].GetString_().GetSval()
	}
	location := e.GetLocation()
	switch e.GetKind() {
	case pgtree.A_Expr_Kind_AEXPR_OP:
		return r.operator(e, operator)
	case pgtree.A_Expr_Kind_AEXPR_IN:
		in, err := r.made(location, expression.In, append([]*pgtree.Node{e.GetLexpr()}, e.GetRexpr().GetList().GetItems()...)...)
		return negated(in, operator == "<>"), err
	case pgtree.A_Expr_Kind_AEXPR_BETWEEN, pgtree.A_Expr_Kind_AEXPR_NOT_BETWEEN:
		between, err := r.made(location, expression.Between, append([]*pgtree.Node{e.GetLexpr()}, e.GetRexpr().GetList().GetItems()...)...)
		return negated(between, e.GetKind() == pgtree.A_Expr_Kind_AEXPR_NOT_BETWEEN), err
	case pgtree.A_Expr_Kind_AEXPR_LIKE, pgtree.A_Expr_Kind_AEXPR_ILIKE:
		if e.GetRexpr().GetFuncCall() != nil {
			return nil, refused(location, `\ takes the next character as it is`, "ESCAPE is not allowed in a rule")
		}
		op := expression.Like
		if e.GetKind() == pgtree.A_Expr_Kind_AEXPR_ILIKE {
			op = expression.ILike
		}
		like, err := r.made(location, op, e.GetLexpr(), e.GetRexpr())
		return negated(like, strings.HasPrefix(operator, "!")), err
	case pgtree.A_Expr_Kind_AEXPR_OP_ANY:
		if operator == "=" {
			return r.made(location, expression.Includes, e.GetRexpr(), e.GetLexpr())
		}
	}
	return nil, refused(location, "see the operators of rules", "this kind of expression is not allowed in a rule")
}

func negated(n *node, not bool) *node {
	if not && n != nil {
		return expression.New(n.At, expression.Not, n)
	}
	return n
}

func (r reader) operator(e *pgtree.A_Expr, operator string) (*node, error) {
	op, ok := binary[operator]
	if !ok {
		return nil, refused(e.GetLocation(), "use one of = <> < <= > >= + - * / % ~ ~*", "operator %s is not allowed in a rule", shortened(operator))
	}
	if e.GetLexpr() == nil {
		switch operator {
		case "-":
			return r.made(e.GetLocation(), expression.Negate, e.GetRexpr())
		case "+":
			return r.node(e.GetRexpr())
		}
		return nil, refused(e.GetLocation(), "", "operator %s needs two values", operator)
	}
	if cast := e.GetRexpr().GetTypeCast(); cast != nil && typeName(cast) == "interval" && (op == expression.Add || op == expression.Subtract) {
		return r.shift(e, cast, op == expression.Subtract)
	}
	out, err := r.made(e.GetLocation(), op, e.GetLexpr(), e.GetRexpr())
	if err != nil {
		return nil, err
	}
	if pattern := out.Args[1]; strings.HasSuffix(operator, "*") && op == expression.Matches && pattern.Op == expression.Constant {
		if text, ok := pattern.Value.(string); ok {
			out.Args[1] = expression.NewConstant(pattern.At, "(?i)"+text)
		}
	}
	return negated(out, strings.HasPrefix(operator, "!")), nil
}

func typeName(cast *pgtree.TypeCast) string {
	names := cast.GetTypeName().GetNames()
	if len(names) == 0 || len(cast.GetTypeName().GetArrayBounds()) > 0 || len(cast.GetTypeName().GetTypmods()) > 0 {
		return ""
	}
	return names[len(names)-1].GetString_().GetSval()
}

// shift is a date and an interval: one number and one unit.
func (r reader) shift(e *pgtree.A_Expr, interval *pgtree.TypeCast, back bool) (*node, error) {
	arg, err := r.node(e.GetLexpr())
	if err != nil {
		return nil, err
	}
	words := strings.Fields(interval.GetArg().GetAConst().GetSval().GetSval())
	count, wrong := int64(0), len(words) != 2
	if !wrong {
		parsed, err := strconv.ParseInt(words[0], 10, 32)
		count, wrong = parsed, err != nil
	}
	if wrong {
		return nil, expression.Errorf(expression.WrongValue, at(interval.GetLocation()), "write one number and one unit, such as interval '30 days'", "this interval is not allowed in a rule")
	}
	if back {
		count = -count
	}
	return expression.NewShift(at(e.GetLocation()), arg, count, words[1]), nil
}

// typed are constants with a type in front: DATE '1990-01-31'.
func typed(cast *pgtree.TypeCast) (*node, error) {
	name, value := typeName(cast), cast.GetArg().GetAConst()
	if value.GetSval() != nil && slices.Contains([]string{"date", "timestamp", "timestamptz"}, name) {
		return expression.Instant(at(value.GetLocation()), value.GetSval().GetSval(), name == "date")
	}
	if name == "interval" {
		return nil, refused(cast.GetLocation(), "write the date first: now() - interval '30 days'", "an interval stands behind + or - and a date")
	}
	return nil, refused(cast.GetLocation(), "constants take the type of what they are compared with", "casts are not allowed in a rule")
}

func present(f *pgtree.SQLValueFunction) (*node, error) {
	now := expression.New(at(f.GetLocation()), expression.Now)
	switch f.GetOp() {
	case pgtree.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP:
		return now, nil
	case pgtree.SQLValueFunctionOp_SVFOP_CURRENT_DATE:
		return &node{Op: expression.Trunc, Word: "day", Args: []*node{now}, At: now.At}, nil
	}
	return nil, refused(f.GetLocation(), "use current_date or now()", "this function is not allowed in a rule")
}

func (r reader) choice(e *pgtree.CaseExpr) (*node, error) {
	if e.GetArg() != nil || e.GetDefresult() == nil {
		return nil, refused(e.GetLocation(), "write CASE WHEN condition THEN value ELSE value END", "this CASE is not allowed in a rule")
	}
	out, err := r.node(e.GetDefresult())
	for _, arm := range slices.Backward(e.GetArgs()) {
		if err != nil {
			return nil, err
		}
		var test, value *node
		if test, err = r.node(arm.GetCaseWhen().GetExpr()); err != nil {
			return nil, err
		}
		if value, err = r.node(arm.GetCaseWhen().GetResult()); err != nil {
			return nil, err
		}
		out = expression.New(at(e.GetLocation()), expression.If, test, value, out)
	}
	return out, err
}

func (r reader) subscript(i *pgtree.A_Indirection) (*node, error) {
	arg, err := r.node(i.GetArg())
	if err != nil {
		return nil, err
	}
	for _, each := range i.GetIndirection() {
		index := each.GetAIndices()
		if index == nil || index.GetIsSlice() {
			return nil, expression.Errorf(expression.NotAllowed, arg.At, "write ['key'] behind a map, or [1] behind a list", "this subscript is not allowed in a rule")
		}
		key, err := r.node(index.GetUidx())
		if err != nil {
			return nil, err
		}
		arg = expression.New(arg.At, expression.Subscript, arg, key)
	}
	return arg, nil
}

// nearest is a hint for a name.
func nearest(name string, known []string) string {
	if near := xdm.Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "docs/audience-rules.md has the functions of rules"
}
