package workspace

import (
	"prospector/internal/governance"
	"prospector/internal/yamldoc"
)

// Policy denies marketing actions for data that carries labels (PL-3). Only enabled ones are evaluated.
type Policy struct {
	yamldoc.Document `yaml:"-"`
	// Name of the policy.
	Name string `yaml:"name" jsonschema:"required,pattern=\\S"`
	// Description for people.
	Description string `yaml:"description"`
	// Status of the policy; DRAFT unless given.
	Status governance.Status `yaml:"status"`
	// MarketingActions that it denies.
	MarketingActions []string `yaml:"marketingActions" jsonschema:"required,minItems=1"`
	// Deny is the label expression for which it denies them.
	Deny governance.Expression `yaml:"deny" jsonschema:"required"`
}

func (p *Policy) name() string { return p.Name }
func (p *Policy) kind() string { return "Policy" }

func (l *loader) checkPolicy(p *Policy) {
	if p.Status == "" {
		p.Status = governance.Draft // PL-5
	}
	l.checkMarketingActions(l.at(p, "marketingActions"), p.MarketingActions)
	l.expression(l.at(p, "deny"), &p.Deny)
}

func (l *loader) expression(at place, e *governance.Expression) {
	switch {
	case e.Label != "" && e.Operator == "" && len(e.Operands) == 0:
		written := e.Label
		if e.Label = governance.Stored(written); !contains(l.workspace.labelNames(), e.Label) {
			l.unknownLabel(at.in("label"), written)
		}
	case e.Label == "" && e.Operator != "" && len(e.Operands) > 0:
		for i := range e.Operands {
			l.expression(at.in("operands", index(i)), &e.Operands[i])
		}
	default:
		at.problem("write {label: C2}, or {operator: AND, operands: [{label: C2}, {label: I1}]}", "deny takes either one label, or an operator with operands") // PL-4
	}
}

func (l *loader) checkMarketingActions(at place, actions []string) {
	for i, action := range actions {
		if !contains(governance.CoreMarketingActions, action) {
			at.in(index(i)).problem(didYouMean(action, governance.CoreMarketingActions), "there is no marketing action %q", action)
		}
	}
}

// GovernancePolicies returns the policies as the policy evaluation takes them.
func (w *Workspace) GovernancePolicies() []governance.Policy {
	out := make([]governance.Policy, len(w.Policies))
	for i, p := range w.Policies {
		out[i] = governance.Policy{Name: p.Name, Status: p.Status, MarketingActions: p.MarketingActions, Deny: p.Deny}
	}
	return out
}
