// Package governance decides what may be done with data: labels on fields, marketing actions of
// destinations, and policies that deny actions for label expressions (PL-3, PL-4). It evaluates
// and explains; it performs no I/O and stores nothing.
package governance

import (
	"slices"
	"strings"
)

// CoreMarketingActions are the ten core marketing actions (PL-9).
var CoreMarketingActions = []string{"Analytics", "Combine with directly identifiable data", "Cross Site Targeting",
	"Data Science", "Email Targeting", "Export to Third Party", "Onsite Advertising", "Onsite Personalization",
	"Segment Match", "Single Identity Personalization"}

// Status says whether a policy is evaluated: only enabled ones are (PL-5).
type Status string

// The policy statuses.
const (
	Draft    Status = "DRAFT"
	Enabled  Status = "ENABLED"
	Disabled Status = "DISABLED"
)

// Owners of a policy (PL-2).
const (
	Own     = "own"     // legal, privacy, compliance
	Partner = "partner" // who supplies the data asks for it
)

// Expression is a tree over labels: either Label, or Operator with Operands, never both (PL-4).
type Expression struct {
	// Label that the data carries.
	Label string `yaml:"label,omitempty" json:"label,omitempty"`
	// Operator that joins the operands.
	Operator string `yaml:"operator,omitempty" json:"operator,omitempty" jsonschema:"enum=AND,enum=OR"`
	// Operands are further expressions.
	Operands []Expression `yaml:"operands,omitempty" json:"operands,omitempty"`
}

// Holds reports whether the expression is true of a set of labels.
func (e Expression) Holds(labels []string) bool {
	switch {
	case e.Label != "":
		return slices.Contains(labels, e.Label)
	case e.Operator == "AND":
		return len(e.Operands) > 0 && !slices.ContainsFunc(e.Operands, func(o Expression) bool { return !o.Holds(labels) })
	default:
		return slices.ContainsFunc(e.Operands, func(o Expression) bool { return o.Holds(labels) })
	}
}

// Labels returns the labels that the expression mentions, sorted.
func (e Expression) Labels() []string {
	var out []string
	if e.Label != "" {
		out = append(out, e.Label)
	}
	for _, o := range e.Operands {
		out = append(out, o.Labels()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (e Expression) String() string {
	if e.Label != "" {
		return e.Label
	}
	parts := make([]string, len(e.Operands))
	for i, o := range e.Operands {
		parts[i] = o.String()
		if o.Label == "" {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, " "+e.Operator+" ")
}

// Policy denies marketing actions for data whose labels make Deny true. Several actions are OR.
type Policy struct {
	Name             string     `json:"name"`
	Type             string     `json:"type,omitempty"`  // custom, core or pack
	Basis            string     `json:"basis,omitempty"` // of a built-in one: confirmed, our reading, or its pack
	Owner            string     `json:"owner,omitempty"` // own or partner
	Description      string     `json:"description,omitempty"`
	Status           Status     `json:"status"`
	MarketingActions []string   `json:"marketingActions"`
	Deny             Expression `json:"deny"`
	At               string     `json:"at,omitempty"` // where it is declared or switched on
}

// ExportBan is the name under which a C12 label refuses an export: a system rule, not a policy.
const ExportBan = "Export ban (C12)"

// WithDrafts returns the policies as they would be if those in draft were enabled (PL-5).
func WithDrafts(policies []Policy) []Policy {
	out := slices.Clone(policies)
	for i := range out {
		if out[i].Status == Draft {
			out[i].Status = Enabled
		}
	}
	return out
}

// LabelsOf returns the labels of fields, sorted and without repeats.
func LabelsOf(fields []FieldUse) []string {
	var labels []string
	for _, f := range fields {
		labels = append(labels, f.Labels...)
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}

// Evaluate returns the violations of one audience's activation: the labels of the fields that it
// uses, taken together (PL-21), against the destination's marketing actions. Only enabled policies
// count; C12 forbids every export by itself. The order follows policies, then actions.
func Evaluate(policies []Policy, marketingActions []string, fields []FieldUse) []Violation {
	labels := LabelsOf(fields)

	var out []Violation
	if slices.Contains(labels, NoExport) {
		out = append(out, violation(Policy{Name: ExportBan, Deny: Expression{Label: NoExport}}, OfBan, "any export", labels, fields))
	}
	for _, p := range policies {
		if p.Status != Enabled || !p.Deny.Holds(labels) {
			continue
		}
		for _, action := range p.MarketingActions {
			if slices.Contains(marketingActions, action) {
				out = append(out, violation(p, OfPolicy, action, labels, fields))
			}
		}
	}
	return out
}

// Stored is the code of a label, also where it is written as user interfaces show it.
func Stored(label string) string {
	if label == "Third Party" {
		return ThirdParty
	}
	return label
}
