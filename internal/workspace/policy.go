package workspace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"prospector/internal/governance"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Policy denies marketing actions for data that carries labels (PL-3). Only enabled ones are evaluated.
type Policy struct {
	yamldoc.Document `yaml:"-"`
	// Name of the policy.
	Name string `yaml:"name" jsonschema:"required,pattern=\\S"`
	// Description for people.
	Description string `yaml:"description"`
	// Owner says whose rule it is: partner, when the one who supplies the data asks for it, or own, unless given: legal, privacy or compliance.
	Owner string `yaml:"owner" jsonschema:"enum=own,enum=partner"`
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
	p.Owner = cmp.Or(p.Owner, governance.Own)
	if contains(governance.Switches(), p.Name) { // PL-7
		l.at(p, "name").problem("choose another name; it is switched by governance: {enable: […]} in the sandbox", "there is a policy %s built in", p.Name)
	}
	l.checkMarketingActions(l.at(p, "marketingActions"), p.MarketingActions)
	l.expression(l.at(p, "deny"), &p.Deny)
}

func (l *loader) expression(at place, e *governance.Expression) {
	switch {
	case e.Label != "" && e.Operator == "" && len(e.Operands) == 0:
		written := e.Label
		if e.Label = governance.Stored(written); !contains(l.workspace.LabelNames(), e.Label) {
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

// Governance switches what is built in.
type Governance struct {
	// Enable lists the core policies and policy packs that are on, by name: third-party-data, for example. Those that are not listed are off. See governance.md.
	Enable []string `yaml:"enable"`
}

func (l *loader) checkGovernance() {
	s := &l.workspace.Sandbox
	for i, name := range s.Governance.Enable {
		if switches := governance.Switches(); !contains(switches, name) {
			hint := "known are " + strings.Join(switches, ", ")
			if near := xdm.Nearest(name, switches); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			if _, ok := find(l.workspace.Policies, name); ok {
				hint = "write status: ENABLED in the policy"
			}
			l.at(s, "governance", "enable", index(i)).problem(hint, "there is no core policy or policy pack %q", name)
		}
	}
}

// checkCoverage warns about vendors' data that nothing protects: no core policy covers its label (EC-8).
func (l *loader) checkCoverage() {
	w := l.workspace
	covers := func(p governance.Policy) bool {
		return p.Status == governance.Enabled && contains(p.Deny.Labels(), governance.ThirdParty)
	}
	if slices.ContainsFunc(w.GovernancePolicies(), covers) || l.anyUnread("Policy", "Sandbox") {
		return
	}
	for _, d := range w.ProfileDatasets(nil) {
		if w.Schema(d).Composed == nil {
			continue
		}
		for _, labels := range w.FieldLabels(d) {
			if contains(labels, governance.ThirdParty) {
				l.at(d).warning("write governance: {enable: ["+governance.ThirdPartyPack+"]} in the sandbox, or a policy of your own",
					"its fields carry %s, and no enabled policy covers that label: it keeps them from no destination", governance.ThirdParty)
				break
			}
		}
	}
}

// GovernancePolicies returns all policies as the evaluation takes them: those of the workspace, then those that are built in.
func (w *Workspace) GovernancePolicies() []governance.Policy {
	var out []governance.Policy
	for _, p := range w.Policies {
		out = append(out, governance.Policy{Name: p.Name, Type: governance.Custom, Owner: p.Owner, Description: p.Description, Status: p.Status, MarketingActions: p.MarketingActions,
			Deny: p.Deny, At: line(p.At())})
	}
	for _, p := range governance.BuiltIn(w.Sandbox.Governance.Enable) {
		if p.Status == governance.Enabled {
			i := slices.IndexFunc(w.Sandbox.Governance.Enable, func(name string) bool { return name == p.Name || name == p.Basis })
			p.At = line(w.Sandbox.At("governance", "enable", index(i)))
		}
		out = append(out, p)
	}
	return out
}

// switchedOn reports whether a built-in policy or a pack is on.
func (w *Workspace) switchedOn(name string) bool {
	return contains(w.Sandbox.Governance.Enable, name) || slices.ContainsFunc(governance.BuiltIn(w.Sandbox.Governance.Enable), func(p governance.Policy) bool {
		return p.Name == name && p.Status == governance.Enabled
	})
}

// line is a position as messages about governance name it: file and line.
func line(at yamldoc.Position) string {
	if at.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", at.File, at.Line)
}
