package enforcement

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/governance"
	"prospector/internal/workspace"
)

// Question asks whether marketing actions are allowed for labels, for datasets, or for some fields of datasets (PL-12).
type Question struct {
	MarketingActions []string
	Labels           []string // or
	Datasets         []string
	Fields           []string // of the datasets; all unless given
	IncludeDraft     bool
	User             string
	Now              time.Time
}

// Answer is the result of a policy evaluation (PL-13). Keys are those of the public policy service.
type Answer struct {
	Timestamp        time.Time           `json:"timestamp"`
	User             string              `json:"user"`
	MarketingActions []string            `json:"marketingActions"`
	Labels           []string            `json:"duleLabels"` // all that were found
	Discovered       []Discovered        `json:"discoveredLabels"`
	Violated         []governance.Policy `json:"violatedPolicies"`
}

// Discovered are the labels of one dataset.
type Discovered struct {
	Dataset     string            `json:"dataset"`
	Connections []Connection      `json:"connections"`   // through which its data comes
	Labels      []string          `json:"datasetLabels"` // which all its fields inherit
	Fields      []DiscoveredField `json:"fields"`
}

// Connection is where data of a dataset comes from.
type Connection struct {
	Source string `json:"source"`
	Type   string `json:"type"` // s3, sftp or folder
}

// DiscoveredField are the labels of one field, those that it inherits included.
type DiscoveredField struct {
	Path   string   `json:"path"`
	Labels []string `json:"labels"`
}

// Evaluate answers a question. Labels and fields are case-sensitive (PL-14).
func Evaluate(w *workspace.Workspace, q Question) (Answer, error) {
	out := Answer{Timestamp: q.Now, User: q.User, MarketingActions: q.MarketingActions, Labels: []string{}, Discovered: []Discovered{}, Violated: []governance.Policy{}}
	if err := q.check(w); err != nil {
		return out, err
	}
	fields := []governance.FieldUse{{}}
	for _, l := range q.Labels {
		fields[0].Labels = append(fields[0].Labels, governance.Stored(l))
	}
	known := map[string]bool{}
	for _, name := range q.Datasets {
		d, err := w.Dataset(name)
		if err != nil {
			return out, err
		}
		found := Discovered{Dataset: name, Connections: connections(w, name), Labels: slices.Concat([]string{}, d.Labels), Fields: []DiscoveredField{}}
		labels := w.FieldLabels(d)
		for _, f := range w.Schema(d).Composed.Fields {
			known[f.Path] = true
			if len(q.Fields) > 0 && !slices.Contains(q.Fields, f.Path) {
				continue
			}
			fields = append(fields, governance.FieldUse{Dataset: name, Path: f.Path, Labels: labels[f.Path]})
			if len(labels[f.Path]) > 0 {
				found.Fields = append(found.Fields, DiscoveredField{f.Path, labels[f.Path]})
			}
		}
		out.Discovered = append(out.Discovered, found)
	}
	for _, path := range q.Fields {
		if !known[path] {
			return out, errkind.New(errkind.Invalid, "", fmt.Errorf("%s has no field %s", strings.Join(q.Datasets, ", "), path), "upper and lower case count; see starter explain")
		}
	}
	out.Labels = append(out.Labels, governance.LabelsOf(fields)...)
	declared := w.GovernancePolicies()
	policies := declared
	if q.IncludeDraft {
		policies = governance.WithDrafts(declared)
	}
	for _, v := range governance.Evaluate(policies, q.MarketingActions, fields) {
		p := governance.Policy{Name: v.Policy, Type: governance.Core, Status: governance.Enabled, MarketingActions: q.MarketingActions, Deny: governance.Expression{Label: governance.NoExport}}
		if i := slices.IndexFunc(declared, func(p governance.Policy) bool { return p.Name == v.Policy }); i >= 0 {
			p = declared[i] // with the status that it has
		}
		if !slices.ContainsFunc(out.Violated, func(other governance.Policy) bool { return other.Name == p.Name }) {
			out.Violated = append(out.Violated, p)
		}
	}
	return out, nil
}

func connections(w *workspace.Workspace, dataset string) []Connection {
	out := []Connection{}
	for _, s := range w.Sources {
		if s.Dataset == dataset {
			out = append(out, Connection{s.Name, s.ConnectionType()})
		}
	}
	return out
}

func (q Question) check(w *workspace.Workspace) error {
	wrong := func(hint, format string, args ...any) error {
		return errkind.New(errkind.Invalid, "", fmt.Errorf(format, args...), hint)
	}
	if len(q.MarketingActions) == 0 {
		return wrong("name one with --action", "a policy evaluation needs a marketing action")
	}
	for _, action := range q.MarketingActions {
		if known := w.MarketingActionNames(); !slices.Contains(known, action) {
			return wrong("known are "+strings.Join(known, ", "), "there is no marketing action %q", action)
		}
	}
	if (len(q.Labels) > 0) == (len(q.Datasets) > 0) || len(q.Fields) > 0 && len(q.Datasets) == 0 {
		return wrong("name labels, or datasets and if need be fields of them", "a policy evaluation is of either labels or datasets")
	}
	for _, label := range q.Labels {
		if known := w.LabelNames(); !slices.Contains(known, governance.Stored(label)) {
			return wrong("known are "+strings.Join(known, ", ")+"; upper and lower case count", "there is no label %q", label)
		}
	}
	return nil
}
