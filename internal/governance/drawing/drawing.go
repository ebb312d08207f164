// Package drawing draws the lineage of violations as SVG: the way of the offending fields from datasets over merge policy and
// audiences to the destination, what changes marked, and the step that is denied. A drawing says everything in words too, is
// readable without colours, follows light and dark, and is the same each time. It does no I/O.
package drawing

import (
	"fmt"
	"strings"

	"prospector/internal/governance"
)

// Violation is one to draw, under a title in words.
type Violation struct {
	Title string
	governance.Violation
}

// Most is how many violations one drawing holds; it says how many there are more.
const Most = 20

// SVG draws violations below each other, or says that there is none.
func SVG(violations []Violation) string {
	d := &document{width: leastWidth}
	shown := violations[:min(len(violations), Most)]
	for _, v := range shown {
		d.violation(v)
	}
	switch more := len(violations) - len(shown); {
	case len(violations) == 0:
		d.heading("nothing is denied")
	case more > 0:
		d.heading(fmt.Sprintf("and %d more", more))
	}
	return d.svg()
}

// violation adds a title and the graph below it.
func (d *document) violation(v Violation) {
	d.heading(v.Title)
	d.description = append(d.description, v.Lineage.Ways()...)
	if v.Lineage == nil { // records of earlier versions have none
		return
	}
	d.graph(layOut(v.Lineage, verdict(v.Violation)))
}

// verdict are the lines at the step that is denied.
func verdict(v governance.Violation) []text {
	by, known := map[string]string{governance.OfContract: "contract", governance.OfBan: "the system"}[v.Kind]
	if !known {
		by = "policy"
	}
	out := append([]text{{"denied by " + by, strong}}, wrapped(v.Policy, strong)...)
	out = append(out, wrapped(v.At, faint)...)
	if v.Changed {
		out = append(out, text{"~ changed", mark})
	}
	switch v.Kind {
	case governance.OfContract:
		out = append(out, wrapped(v.Message, plain)...)
	case governance.OfBan:
		out = append(out, wrapped("any export, for label "+governance.NoExport, plain)...)
	default:
		out = append(out, wrapped(v.MarketingAction+" for "+strings.Join(v.Labels, "+"), plain)...)
	}
	return out
}
