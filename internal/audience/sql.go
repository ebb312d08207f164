package audience

import (
	"strings"

	"prospector/internal/xdm"
)

// node is a part of a checked rule.
type node interface{ write(w *writer) }

type column struct {
	path string
	typ  xdm.Type
}

type logical struct {
	operator string // AND or OR
	operands []node
}

type not struct{ operand node }

type isNull struct {
	column  column
	negated bool
}

// comparison is an attribute, an operator and one value; IN has many values, BETWEEN two.
type comparison struct {
	column   column
	operator string
	values   []any
}

// writer builds the generated SQL and collects the values to bind, in order.
type writer struct {
	strings.Builder
	column func(path string) string
	values []any
}

// Every parameter is cast: DuckDB cannot infer the type of a bare one.
var parameters = map[xdm.Type]string{xdm.String: "?::VARCHAR", xdm.Integer: "?::DOUBLE", xdm.Number: "?::DOUBLE",
	xdm.Boolean: "?::BOOLEAN", xdm.Date: "?::DATE", xdm.DateTime: "?::TIMESTAMPTZ"}

func (w *writer) value(typ xdm.Type, v any) {
	w.values = append(w.values, v)
	if _, whole := v.(int64); whole && typ == xdm.Integer {
		w.WriteString("?::BIGINT")
		return
	}
	w.WriteString(parameters[typ])
}

func (n logical) write(w *writer) {
	w.WriteByte('(')
	for i, operand := range n.operands {
		if i > 0 {
			w.WriteString(" " + n.operator + " ")
		}
		operand.write(w)
	}
	w.WriteByte(')')
}

func (n not) write(w *writer) {
	w.WriteString("(NOT ")
	n.operand.write(w)
	w.WriteByte(')')
}

func (n isNull) write(w *writer) {
	w.WriteString("(" + w.column(n.column.path) + " IS ")
	if n.negated {
		w.WriteString("NOT ")
	}
	w.WriteString("NULL)")
}

func (n comparison) write(w *writer) {
	w.WriteString("(" + w.column(n.column.path) + " " + n.operator + " ")
	switch n.operator {
	case "IN", "NOT IN":
		w.WriteByte('(')
		for i, v := range n.values {
			if i > 0 {
				w.WriteString(", ")
			}
			w.value(n.column.typ, v)
		}
		w.WriteByte(')')
	case "BETWEEN", "NOT BETWEEN":
		w.value(n.column.typ, n.values[0])
		w.WriteString(" AND ")
		w.value(n.column.typ, n.values[1])
	default:
		w.value(n.column.typ, n.values[0])
	}
	w.WriteByte(')')
}
