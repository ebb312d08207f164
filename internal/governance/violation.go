package governance

import (
	"fmt"
	"slices"
	"strings"
)

// Uses of a field.
const (
	InRule     = "rule"
	InMapping  = "mapping"
	AsIdentity = "identity"
)

// FieldUse is one field that an activation uses, with the labels that apply to it.
type FieldUse struct {
	Dataset  string   `json:"dataset"`
	Path     string   `json:"path"`
	Use      string   `json:"use"`                // InRule, InMapping or AsIdentity
	Audience string   `json:"audience,omitempty"` // whose rule uses it
	Labels   []string `json:"labels"`
}

// What is violated.
const (
	OfPolicy   = "policy"
	OfContract = "contract"
	OfBan      = "ban"   // C12
	OfState    = "state" // what is to leave, or must be left out, is not as it must be
)

// Violation is one policy or contract that an activation would break, in terms a reader can act on (PL-19). Records of earlier
// versions lack what can be left out.
type Violation struct {
	Kind            string     `json:"kind,omitempty"`
	Policy          string     `json:"policy"` // or the contract, by name
	At              string     `json:"at,omitempty"`
	Changed         bool       `json:"changed,omitempty"` // the policy or contract is what changes
	Deny            string     `json:"deny"`              // the label expression
	Term            string     `json:"term,omitempty"`    // of the contract
	Message         string     `json:"message,omitempty"`
	Labels          []string   `json:"labels"`
	MarketingAction string     `json:"marketingAction"`
	Fields          []FieldUse `json:"fields"`
	Origins         []Origin   `json:"origins,omitempty"`
	Lineage         *Lineage   `json:"lineage,omitempty"`
	Remedies        []string   `json:"remedies,omitempty"` // in the order in which to try them
	Resolution      string     `json:"resolution"`         // the first of them
}

// Origin is where a label on fields comes from.
type Origin struct {
	Label   string   `json:"label"`
	Source  string   `json:"source"`       // such as "schema acme-prospects"
	At      string   `json:"at,omitempty"` // file and line
	Dataset string   `json:"dataset"`
	Fields  []string `json:"fields"`
}

func violation(p Policy, kind, action string, labels []string, fields []FieldUse) Violation {
	v := Violation{Kind: kind, Policy: p.Name, At: p.At, Deny: p.Deny.String(), MarketingAction: action,
		Resolution: "use a destination without this marketing action, or fields without these labels"}
	for _, l := range p.Deny.Labels() {
		if slices.Contains(labels, l) {
			v.Labels = append(v.Labels, l)
		}
	}
	for _, f := range fields {
		if slices.ContainsFunc(f.Labels, func(l string) bool { return slices.Contains(v.Labels, l) }) {
			v.Fields = append(v.Fields, f)
		}
	}
	v.Message = fmt.Sprintf("denies %s for %s", action, v.Deny)
	return v
}

// Headline is the violation in one line.
func (v Violation) Headline() string {
	var notes []string
	if v.Changed {
		notes = append(notes, "changed")
	}
	if v.At != "" {
		notes = append(notes, v.At)
	}
	note := ""
	if len(notes) > 0 {
		note = " (" + strings.Join(notes, ", ") + ")"
	}
	switch v.Kind {
	case OfContract:
		return fmt.Sprintf("contract %q%s: %s", v.Policy, note, v.Message)
	case OfState:
		return v.Message
	case OfBan:
		return fmt.Sprintf("%s: label %s allows no export in any way", v.Policy, NoExport)
	}
	return fmt.Sprintf("policy %q%s denies %s for label %s", v.Policy, note, v.MarketingAction, strings.Join(v.Labels, "+"))
}

// Lines is the violation with all that explains it: fields, where their labels come from, lineage, and what can be done.
func (v Violation) Lines() []string {
	out := []string{v.Headline()}
	add := func(title, text string) { out = append(out, fmt.Sprintf("  %-9s %s", title, text)) }
	if v.Kind == OfPolicy && strings.Contains(v.Deny, " ") {
		add("condition", v.Deny)
	}
	title := "fields"
	for _, text := range v.fieldTexts() {
		add(title, text)
		title = ""
	}
	title = "labels"
	for _, o := range v.Origins {
		text := o.Label + " from " + o.Source
		if o.At != "" {
			text += ", " + o.At
		}
		add(title, text+": "+some(o.Fields)+" of "+o.Dataset)
		title = ""
	}
	title = "lineage"
	for _, way := range v.Lineage.Ways() {
		add(title, way)
		title = ""
	}
	title = "ways out"
	for i, remedy := range v.Remedies {
		add(title, fmt.Sprintf("%d. %s", i+1, remedy))
		title = ""
	}
	return out
}

// fieldTexts names the fields by dataset and use.
func (v Violation) fieldTexts() (out []string) {
	type key struct{ dataset, use, audience string }
	paths := map[key][]string{}
	var keys []key
	if v.Kind == OfContract {
		return nil
	}
	for _, f := range v.Fields {
		k := key{f.Dataset, f.Use, f.Audience}
		if paths[k] == nil {
			keys = append(keys, k)
		}
		paths[k] = append(paths[k], f.Path)
	}
	for _, k := range keys {
		use := map[string]string{InRule: "in the rule", InMapping: "in the mapping", AsIdentity: "as the identity"}[k.use]
		if k.audience != "" {
			use += " of audience " + k.audience
		}
		out = append(out, fmt.Sprintf("%s of dataset %s, %s", some(paths[k]), k.dataset, use))
	}
	return out
}

const mostNamed = 5 // in one line

func some(names []string) string {
	if more := len(names) - mostNamed; more > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}
