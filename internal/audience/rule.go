// Package audience holds the rules that define audiences: conditions over XDM paths, written in SQL
// ("partner.hiking = 'Y' AND merkle.demographics.age.age BETWEEN 25 AND 44") or in Adobe's PQL. A rule is parsed,
// checked against an allow-list and the schemas' types, and turned into DuckDB SQL that is generated from the checked
// tree with bound values; the rule's own text never reaches a database. It performs no I/O.
package audience

import (
	"errors"
	"strings"

	"prospector/internal/audience/expression"
	"prospector/internal/audience/postgres"
	"prospector/internal/audience/pql"
)

// What callers need of the tree.
type (
	// Fields are the attributes that a rule may use, by path.
	Fields = expression.Fields
	// ParseError is a rule that cannot be used, with its kind and its place in the text.
	ParseError = expression.Error
	// Warning is something in a rule that works and may not be meant.
	Warning = expression.Warning
	// Verdict is what a condition comes to for one prospect.
	Verdict = expression.Verdict
)

// The verdicts.
const (
	True    = expression.True
	False   = expression.False
	Unknown = expression.Unknown // an attribute that is needed has no value
)

// Kinds of errors that callers tell apart.
const (
	UnknownField = expression.UnknownField // ParseError.Name is its path
	UnknownName  = expression.UnknownName
)

// Notation is a way to write rules.
type Notation string

// The notations.
const (
	SQL Notation = "sql"
	PQL Notation = "pql"
)

// Rule is a parsed and checked rule.
type Rule struct {
	Text      string
	Notation  Notation
	Columns   []string // XDM paths used, sorted
	Audiences []string // names of the audiences that it refers to, sorted
	Warnings  []Warning

	where *expression.Node
}

// Option changes how a rule is read.
type Option func(*options)

type options struct {
	notation  Notation
	audiences []string
}

// In names the notation; SQL unless given.
func In(n Notation) Option { return func(o *options) { o.notation = n } }

// MayRefer names the audiences that a rule may refer to; none unless given.
func MayRefer(audiences ...string) Option { return func(o *options) { o.audiences = audiences } }

// Parse checks a rule against the fields that it may use. Its error is a *ParseError.
func Parse(text string, fields Fields, with ...Option) (*Rule, error) {
	o := options{notation: SQL}
	for _, option := range with {
		option(&o)
	}
	rule, err := parse(text, fields, o)
	var wrong *ParseError
	if errors.As(err, &wrong) {
		if wrong.Kind == UnknownField && o.notation == SQL && strings.HasPrefix(text[wrong.Offset:], `"`) && !strings.Contains(wrong.Name, ".") {
			wrong.Hint = "a text is written in single quotes"
		}
		return nil, wrong.Locate(text)
	}
	return rule, err
}

func parse(text string, fields Fields, o options) (*Rule, error) {
	if err := expression.Readable(text); err != nil {
		return nil, err
	}
	read := postgres.Parse
	if o.notation == PQL {
		read = pql.Parse
	}
	tree, err := read(text)
	if err != nil {
		return nil, err
	}
	rule := &Rule{Text: text, Notation: o.notation}
	if rule.where, rule.Warnings, err = expression.Check(tree, expression.Scope{Fields: fields, Audiences: o.audiences}); err != nil {
		return nil, err
	}
	rule.Columns, rule.Audiences = expression.Columns(rule.where), expression.Audiences(rule.where)
	if _, _, err := rule.SQL(Names{}); err != nil {
		return nil, err
	}
	return rule, nil
}

// Print writes the rule in a notation. Parsed again, it is the same rule.
func (r *Rule) Print(n Notation) (string, error) { return written(r.where, n) }

func written(n *expression.Node, notation Notation) (string, error) {
	if notation == PQL {
		return pql.Print(n)
	}
	return postgres.Print(n), nil
}

// Tree is the checked tree; it must not be changed.
func (r *Rule) Tree() *expression.Node { return r.where }

// Same reports whether two rules say the same in the same words, whatever their notation.
func (r *Rule) Same(other *Rule) bool { return expression.Same(r.where, other.where) }
