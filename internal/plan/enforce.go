package plan

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/enforcement"
	"prospector/internal/workspace"
)

// What a plan explains of flows one by one is bounded: it travels as one result.
const (
	mostExplained  = 20 // flows
	mostViolations = 5  // of each
)

// enforce refuses what would put an activation that delivers today into violation (PL-22, EC-5, EC-6), unless it was asked to
// stop them, and says which activations are blocked otherwise, or no more.
func (c *comparison) enforce() {
	before, after := c.judge(c.from, c.facts.RowsBefore, nil), c.judge(c.to, c.facts.Rows, c.changed())
	affected := 0
	for _, o := range c.to.Objects() {
		a, ok := o.Value.(*workspace.Activation)
		if !ok {
			continue
		}
		was, is := before[a.Name], after[a.Name]
		flows := slices.ContainsFunc(c.from.Activations, func(x *workspace.Activation) bool { return x.Name == a.Name }) && len(was) == 0
		switch {
		case len(is) == 0 && len(was) > 0:
			c.plan.Effects = append(c.plan.Effects, fmt.Sprintf("activation %s is blocked no more", a.Name))
		case len(is) == 0:
		case flows:
			affected++
			c.stop(o, is, affected <= mostExplained)
		case len(was) == 0:
			c.plan.Effects = append(c.plan.Effects, fmt.Sprintf("activation %s is blocked: %s", a.Name, summary(is)))
		}
	}
}

// Impact is what a change does to one activation.
type Impact struct {
	Activation string                  `json:"activation"`
	Outcome    string                  `json:"outcome"`
	Before     []enforcement.Violation `json:"before"`
	After      []enforcement.Violation `json:"after"`
}

// Outcomes of an impact.
const (
	Stops   = "stops"
	Blocked = "stays blocked"
	Freed   = "is blocked no more"
	Flows   = "is not affected"
	Gone    = "is removed"
)

// Impacts says of each activation what keeps it from its destination before and after a change.
func Impacts(from, to *workspace.Workspace, facts Facts) []Impact {
	c := compare(from, to, facts)
	before, after := c.judge(c.from, c.facts.RowsBefore, nil), c.judge(c.to, c.facts.Rows, c.changed())
	out := []Impact{}
	for _, a := range from.Activations {
		if _, err := to.Activation(a.Name); err != nil {
			out = append(out, Impact{a.Name, Gone, violations(before[a.Name]), violations(nil)})
		}
	}
	for _, a := range to.Activations {
		impact := Impact{Activation: a.Name, Before: violations(before[a.Name]), After: violations(after[a.Name])}
		switch was, is := len(impact.Before) > 0, len(impact.After) > 0; {
		case was && is:
			impact.Outcome = Blocked
		case was:
			impact.Outcome = Freed
		case is:
			impact.Outcome = Stops
		default:
			impact.Outcome = Flows
		}
		out = append(out, impact)
	}
	return out
}

// violations are a list in JSON, also when there are none.
func violations(found []enforcement.Violation) []enforcement.Violation {
	return append([]enforcement.Violation{}, found...)
}

// stop refuses a change because of one flow, or lets it stop.
func (c *comparison) stop(o workspace.Object, violations []enforcement.Violation, explained bool) {
	text := summary(violations)
	violations = violations[:min(len(violations), mostViolations)]
	if !explained {
		violations = nil
	}
	if c.facts.StopAffected {
		c.plan.Stopped = append(c.plan.Stopped, Flow{o.Name, violations})
		c.plan.Effects = append(c.plan.Effects, fmt.Sprintf("activation %s stops before its next byte: %s", o.Name, text))
		return
	}
	c.refuse(o, "take the change back or a way out; to apply it all the same and stop the activation: starter apply --stop-affected", "it delivers today and would be blocked: %s", text)
	c.plan.Refused[len(c.plan.Refused)-1].Violations = violations
}

// judge holds every activation of a workspace against its policies and contracts.
func (c *comparison) judge(w *workspace.Workspace, rows map[string]map[string]int64, changed enforcement.Changed) map[string][]enforcement.Violation {
	out := map[string][]enforcement.Violation{}
	for _, a := range w.Activations {
		facts := enforcement.Facts{Now: c.facts.Now, Rows: rows[a.Name], Deliveries: c.facts.Deliveries, Labels: c.facts.Labels, Changed: changed}
		if found, err := enforcement.Judge(w, a, facts); err == nil { // a checked workspace lacks nothing
			out[a.Name] = found
		}
	}
	return out
}

// changed are the objects that the plan changes.
func (c *comparison) changed() enforcement.Changed {
	out := enforcement.Changed{}
	if c.first {
		return out // all of it is new
	}
	for _, change := range c.plan.Changes {
		if change.Kind == "Sandbox" {
			for _, k := range change.Keys {
				key, _, _ := strings.Cut(k, ".")
				out["Sandbox "+key] = true
			}
			continue
		}
		if change.Action == Add || len(change.Keys) > 0 { // else it only gets labels from elsewhere
			out[change.Kind+" "+change.Name] = true
		}
	}
	return out
}

// summary is the first violation in one line, and how many there are.
func summary(violations []enforcement.Violation) string {
	text := violations[0].Headline()
	if more := len(violations) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}
