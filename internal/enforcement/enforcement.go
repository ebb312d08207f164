// Package enforcement holds the activations of a workspace against its policies and contracts, and explains what it finds: which
// fields offend, where their labels come from, the way that the data would take, and what can be done. The same verdict is given
// when a workspace is checked or planned and before a delivery begins; facts that are not in the workspace, the time among them,
// come from whoever asks.
package enforcement

import (
	"slices"
	"time"

	"prospector/internal/governance"
	"prospector/internal/workspace"
)

// Facts are what a verdict needs besides the workspace. What is not known is not judged.
type Facts struct {
	Now        time.Time
	Labels     map[string]map[string][]string // under which rows were loaded, by dataset and path (LB-8)
	Rows       map[string]int64               // that the delivery holds, by dataset
	Deliveries map[string]int64               // made in the contract's time, by contract
	Drafts     bool                           // policies in draft count too (PL-5)
	Changed    Changed
}

// Changed are the objects that a plan changes, marked in what is explained: "Kind name", and for the sandbox its key.
type Changed map[string]bool

// Violation is one policy or contract that keeps an audience of an activation from its destination.
type Violation struct {
	Audience string `json:"audience"`
	governance.Violation
}

// Judge returns what keeps an activation's audiences from its destination. Each audience counts by itself (PL-21).
func Judge(w *workspace.Workspace, activation *workspace.Activation, facts Facts) ([]Violation, error) {
	destination, err := w.Destination(activation.Destination)
	if err != nil {
		return nil, err
	}
	policies := w.GovernancePolicies()
	if facts.Drafts {
		policies = governance.WithDrafts(policies)
	}
	contracts := w.GovernanceContracts()
	departure := governance.Departure{Destination: destination.Name, MarketingActions: destination.MarketingActions, Datasets: leaving(w, activation),
		Now: facts.Now, Rows: facts.Rows, Deliveries: facts.Deliveries}
	for _, a := range w.Audiences {
		if a.Status != workspace.Published {
			departure.Unpublished = append(departure.Unpublished, a.Name)
		}
	}
	var out []Violation
	for _, name := range activation.Audiences {
		a, err := w.Audience(name)
		if err != nil {
			return nil, err
		}
		e := explanation{w: w, activation: activation, destination: destination, audience: a, facts: facts, uses: uses(w, a, activation, facts)}
		for _, v := range governance.Evaluate(policies, destination.MarketingActions, e.uses) {
			out = append(out, Violation{a.Name, e.ofPolicy(v, policies)})
		}
		certain := w.Bounds(a)
		departure.Confined, departure.Excluded = certain.Confined, certain.Excluded
		for _, v := range governance.Judge(contracts, departure) {
			out = append(out, Violation{a.Name, e.ofContract(v)})
		}
	}
	return out, nil
}

// leaving names the datasets whose rows an activation sends.
func leaving(w *workspace.Workspace, activation *workspace.Activation) (out []string) {
	for _, d := range w.ProfileDatasets([]string{activation.Namespace}) {
		out = append(out, d.Name)
	}
	return out
}

// Contracts names the contracts under which an activation's rows leave.
func Contracts(w *workspace.Workspace, activation *workspace.Activation) (out []governance.Contract) {
	departure := governance.Departure{Datasets: leaving(w, activation)}
	for _, c := range w.GovernanceContracts() {
		if c.Covers(departure) {
			out = append(out, c)
		}
	}
	return out
}

// uses are the fields that an audience's activation uses, with the labels declared now and those under which rows were loaded.
func uses(w *workspace.Workspace, a *workspace.Audience, activation *workspace.Activation, facts Facts) []governance.FieldUse {
	out := w.FieldUses(a, activation)
	for i, use := range out {
		labels := slices.Concat(use.Labels, facts.Labels[use.Dataset][use.Path])
		slices.Sort(labels)
		out[i].Labels = slices.Compact(labels)
	}
	return out
}

// Lines explain violations of an activation, line by line.
func Lines(violations []Violation) (out []string) {
	for _, v := range violations {
		out = append(out, v.Headline())
		out = append(out, v.Lines()[1:]...)
	}
	return out
}

// Headline is the violation in one line, with the audience that it keeps back.
func (v Violation) Headline() string { return "audience " + v.Audience + ": " + v.Violation.Headline() }
