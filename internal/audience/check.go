package audience

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	pgtree "github.com/pganalyze/pg_query_go/v6"

	"prospector/internal/xdm"
)

// checker turns PostgreSQL's tree into ours and refuses everything that is not on the list below.
type checker struct {
	text    string
	fields  Fields
	columns map[string]bool
}

func (c *checker) fail(location int32, hint, format string, args ...any) error {
	offset := min(max(0, int(location)-len(prefix)), len(c.text))
	return &ParseError{Offset: offset, Message: fmt.Sprintf(format, args...), Hint: hint}
}

var comparisons = []string{"=", "<>", "<", "<=", ">", ">="}

// condition accepts AND, OR, NOT, comparisons, IN, BETWEEN, LIKE, IS [NOT] NULL and boolean attributes.
func (c *checker) condition(n *pgtree.Node) (node, error) {
	switch {
	case n.GetBoolExpr() != nil:
		return c.boolean(n.GetBoolExpr())
	case n.GetAExpr() != nil:
		return c.expression(n.GetAExpr())
	case n.GetNullTest() != nil:
		t := n.GetNullTest()
		col, err := c.column(t.GetArg())
		if err != nil {
			return nil, err
		}
		return isNull{col, t.GetNulltesttype() == pgtree.NullTestType_IS_NOT_NULL}, nil
	case n.GetColumnRef() != nil:
		col, err := c.column(n)
		if err != nil {
			return nil, err
		}
		if col.typ != xdm.Boolean {
			return nil, c.fail(n.GetColumnRef().GetLocation(), "compare it with a value", "%s is %s, not a condition", col.path, col.typ)
		}
		return comparison{col, "=", []any{true}}, nil
	case n.GetSubLink() != nil:
		return nil, c.fail(n.GetSubLink().GetLocation(), "a rule speaks of one prospect's attributes", "subqueries are not allowed in a rule")
	case n.GetFuncCall() != nil:
		return nil, c.fail(n.GetFuncCall().GetLocation(), "use comparisons, IN, BETWEEN, LIKE, IS NULL, AND, OR, NOT", "functions are not allowed in a rule")
	}
	return nil, c.fail(int32(len(prefix)), "use comparisons, IN, BETWEEN, LIKE, IS NULL, AND, OR, NOT", "part of the rule is not a condition")
}

func (c *checker) boolean(e *pgtree.BoolExpr) (node, error) {
	out := logical{}
	for _, arg := range e.GetArgs() {
		operand, err := c.condition(arg)
		if err != nil {
			return nil, err
		}
		out.operands = append(out.operands, operand)
	}
	switch e.GetBoolop() {
	case pgtree.BoolExprType_NOT_EXPR:
		return not{out.operands[0]}, nil
	case pgtree.BoolExprType_AND_EXPR:
		out.operator = "AND"
	default:
		out.operator = "OR"
	}
	return out, nil
}

func (c *checker) expression(e *pgtree.A_Expr) (node, error) {
	operator := ""
	if len(e.GetName()) == 1 {
		operator = e.GetName()[0].GetString_().GetSval()
	}
	left, right := e.GetLexpr(), e.GetRexpr()
	if e.GetKind() == pgtree.A_Expr_Kind_AEXPR_OP && left.GetColumnRef() == nil && right.GetColumnRef() != nil {
		left, right = right, left // 25 < age is age > 25
		operator = map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<="}[operator] + map[bool]string{true: operator}[operator == "=" || operator == "<>"]
	}
	col, err := c.column(left)
	if err != nil {
		return nil, err
	}
	switch e.GetKind() {
	case pgtree.A_Expr_Kind_AEXPR_OP:
		if !slices.Contains(comparisons, operator) {
			return nil, c.fail(e.GetLocation(), "use one of "+strings.Join(comparisons, " "), "operator %s is not allowed in a rule", operator)
		}
		value, err := c.value(col, right, e.GetLocation())
		return comparison{col, operator, []any{value}}, err
	case pgtree.A_Expr_Kind_AEXPR_IN, pgtree.A_Expr_Kind_AEXPR_BETWEEN, pgtree.A_Expr_Kind_AEXPR_NOT_BETWEEN:
		var values []any
		for _, item := range right.GetList().GetItems() {
			value, err := c.value(col, item, e.GetLocation())
			if err != nil {
				return nil, err
			}
			values = append(values, value)
		}
		word := map[bool]string{true: "NOT IN", false: "IN"}[operator == "<>"]
		if e.GetKind() != pgtree.A_Expr_Kind_AEXPR_IN {
			word = map[bool]string{true: "NOT BETWEEN", false: "BETWEEN"}[e.GetKind() == pgtree.A_Expr_Kind_AEXPR_NOT_BETWEEN]
		}
		return comparison{col, word, values}, nil
	case pgtree.A_Expr_Kind_AEXPR_LIKE:
		if col.typ != xdm.String {
			return nil, c.fail(e.GetLocation(), "compare it with = or BETWEEN", "LIKE needs text, %s is %s", col.path, col.typ)
		}
		value, err := c.value(col, right, e.GetLocation())
		return comparison{col, map[bool]string{true: "NOT LIKE", false: "LIKE"}[operator == "!~~"], []any{value}}, err
	}
	return nil, c.fail(e.GetLocation(), "", "this kind of expression is not allowed in a rule")
}

// column resolves an attribute. PostgreSQL folds names to lower case; XDM paths are case-sensitive,
// so the path is read from the rule's text at the place that the tree gives.
func (c *checker) column(n *pgtree.Node) (column, error) {
	ref := n.GetColumnRef()
	if ref == nil {
		return column{}, c.fail(locationOf(n), "write the attribute on one side and the value on the other", "expected an attribute")
	}
	path := pathAt(c.text, int(ref.GetLocation())-len(prefix))
	typ, ok := c.fields[path]
	if !ok {
		hint := "see the schema's fields"
		if near := xdm.Nearest(path, slices.Sorted(maps.Keys(c.fields))); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		return column{}, c.fail(ref.GetLocation(), hint, "no prospect schema has an attribute %s", path)
	}
	c.columns[path] = true
	return column{path, typ}, nil
}

func pathAt(text string, offset int) string {
	end := max(0, offset)
	for end < len(text) && (text[end] == '_' || text[end] == '.' || text[end] == '"' || text[end] == '$' ||
		text[end] >= '0' && text[end] <= '9' || text[end]|0x20 >= 'a' && text[end]|0x20 <= 'z' || text[end] >= 0x80) {
		end++
	}
	return strings.ReplaceAll(text[max(0, offset):end], `"`, "")
}

func locationOf(n *pgtree.Node) int32 {
	switch {
	case n.GetAConst() != nil:
		return n.GetAConst().GetLocation()
	case n.GetFuncCall() != nil:
		return n.GetFuncCall().GetLocation()
	case n.GetAExpr() != nil:
		return n.GetAExpr().GetLocation()
	case n.GetSubLink() != nil:
		return n.GetSubLink().GetLocation()
	}
	return int32(len(prefix))
}

// value converts a constant to the attribute's type, so that a rule cannot mean two things.
func (c *checker) value(col column, n *pgtree.Node, location int32) (any, error) {
	constant := n.GetAConst()
	if constant == nil {
		return nil, c.fail(location, "", "%s must be compared with a constant", col.path)
	}
	mismatch := func(example string) error {
		return c.fail(constant.GetLocation(), "write "+example, "%s is %s, the value is not", col.path, col.typ)
	}
	_, isText := constant.GetVal().(*pgtree.A_Const_Sval)
	_, isInteger := constant.GetVal().(*pgtree.A_Const_Ival)
	_, isFloat := constant.GetVal().(*pgtree.A_Const_Fval)
	_, isBoolean := constant.GetVal().(*pgtree.A_Const_Boolval)
	switch col.typ {
	case xdm.String:
		if !isText {
			return nil, mismatch(`a text in single quotes, such as 'Y'`)
		}
		return constant.GetSval().GetSval(), nil
	case xdm.Integer, xdm.Number:
		if isInteger {
			return int64(constant.GetIval().GetIval()), nil
		}
		if isFloat { // also whole numbers beyond 32 bits
			if whole, err := strconv.ParseInt(constant.GetFval().GetFval(), 10, 64); err == nil {
				return whole, nil
			}
			if v, err := strconv.ParseFloat(constant.GetFval().GetFval(), 64); err == nil {
				return v, nil
			}
		}
		return nil, mismatch("a number, such as 42")
	case xdm.Boolean:
		if !isBoolean {
			return nil, mismatch("true or false")
		}
		return constant.GetBoolval().GetBoolval(), nil
	case xdm.Date, xdm.DateTime:
		if isText {
			for _, layout := range []string{time.DateOnly, time.RFC3339} {
				if t, err := time.Parse(layout, constant.GetSval().GetSval()); err == nil {
					return t.UTC(), nil
				}
			}
		}
		return nil, mismatch(`a date such as '1990-01-31' or '1990-01-31T00:00:00Z'`)
	}
	return nil, mismatch("a value of its type")
}
