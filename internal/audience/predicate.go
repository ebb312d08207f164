package audience

import (
	"prospector/internal/audience/expression"
)

// Predicate is one condition of a rule: what AND, OR and NOT join. Together they say why a prospect is in an audience.
type Predicate struct {
	Text    string   // in the rule's notation; in SQL where that has no word
	Offset  int      // of the rule's text, where it is written
	Columns []string // the attributes whose values decide it

	node *expression.Node
}

// Predicates returns the rule's conditions in the order of the text.
func (r *Rule) Predicates() []Predicate {
	var out []Predicate
	for _, n := range expression.Leaves(r.where) {
		text, err := written(n, r.Notation)
		if err != nil {
			text, _ = written(n, SQL)
		}
		out = append(out, Predicate{Text: text, Offset: n.At, Columns: expression.Columns(n), node: n})
	}
	return out
}

// SQL returns the condition alone, as Rule.SQL does.
func (p Predicate) SQL(n Names) (condition string, values []any, err error) {
	return generate(p.node, n)
}

// Verdict computes the rule's verdict from those of its predicates, in their order. A prospect is in when it is true.
func (r *Rule) Verdict(predicates []Verdict) Verdict { return expression.Combine(r.where, predicates) }
