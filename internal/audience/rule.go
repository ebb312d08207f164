// Package audience holds the rules that define audiences: SQL boolean expressions over XDM paths,
// such as "partner.hiking = 'Y' AND merkle.demographics.age.age BETWEEN 25 AND 44". A rule is
// parsed with PostgreSQL's grammar, checked against an allow-list and the schemas' types, and turned into
// DuckDB SQL that is generated from the checked tree with bound values; the rule's own text never
// reaches a database. It performs no I/O.
package audience

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	pg "github.com/wasilibs/go-pgquery"
	"github.com/wasilibs/go-pgquery/parser"

	"prospector/internal/xdm"
)

// Fields are the attributes that a rule may use, by path: the union of the schemas (SC-34).
type Fields map[string]xdm.Type

// Rule is a parsed and checked rule.
type Rule struct {
	Text    string
	Columns []string // XDM paths used, sorted

	where node
}

// ParseError is a rule that cannot be used, with the place in its text.
type ParseError struct {
	Offset  int // bytes from the start of the rule
	Message string
	Hint    string
}

func (e *ParseError) Error() string {
	text := fmt.Sprintf("column %d: %s", e.Offset+1, e.Message)
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// The statement around a rule. Only the tree of its WHERE clause is ever used.
const prefix = "SELECT FROM prospects WHERE ("

// Parse checks a rule against the fields that it may use.
func Parse(text string, fields Fields) (*Rule, error) {
	if strings.TrimSpace(text) == "" {
		return nil, &ParseError{Message: "the rule is empty", Hint: "write a condition such as partner.hiking = 'Y'"}
	}
	tree, err := pg.Parse(prefix + text + "\n)")
	if err != nil {
		return nil, syntaxError(err)
	}
	outside := &ParseError{Message: "the rule is more than one condition", Hint: "join conditions with AND and OR inside parentheses"}
	if len(tree.Stmts) != 1 {
		return nil, outside
	}
	selection := tree.Stmts[0].GetStmt().GetSelectStmt()
	if selection == nil || selection.GetWhereClause() == nil || selection.GetLarg() != nil || len(selection.GetTargetList()) > 0 ||
		len(selection.GetSortClause())+len(selection.GetGroupClause())+len(selection.GetWindowClause())+len(selection.GetLockingClause()) > 0 ||
		selection.GetHavingClause() != nil || selection.GetLimitCount() != nil || selection.GetLimitOffset() != nil {
		return nil, outside
	}
	c := checker{text: text, fields: fields, columns: map[string]bool{}}
	where, err := c.condition(selection.GetWhereClause())
	if err != nil {
		return nil, err
	}
	if len(c.columns) == 0 {
		return nil, &ParseError{Message: "the rule uses no attribute", Hint: "compare at least one attribute, such as partner.hiking"}
	}
	rule := &Rule{Text: text, where: where}
	for column := range c.columns {
		rule.Columns = append(rule.Columns, column)
	}
	slices.Sort(rule.Columns)
	return rule, nil
}

func syntaxError(err error) error {
	out := &ParseError{Message: err.Error()}
	var syntax *parser.Error
	if errors.As(err, &syntax) {
		out.Offset = max(0, syntax.Cursorpos-1-len(prefix))
	}
	return out
}

// SQL returns the rule as a DuckDB condition and its bound values. column gives the SQL of an
// attribute; it must come from the schema, never from the rule.
func (r *Rule) SQL(column func(path string) string) (string, []any) {
	w := &writer{column: column}
	r.where.write(w)
	return w.String(), w.values
}
