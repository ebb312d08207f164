package workspace

import (
	"errors"
	"slices"

	"prospector/internal/audience"
	"prospector/internal/governance"
	"prospector/internal/yamldoc"
)

// ConsentPolicy leaves prospects out of what goes to destinations, instead of blocking it (PL-15): for its marketing actions,
// only those go whose attributes say that they may.
type ConsentPolicy struct {
	yamldoc.Document `yaml:"-"`
	// Name of the policy.
	Name string `yaml:"name" jsonschema:"required,pattern=\\S"`
	// Description for people.
	Description string `yaml:"description"`
	// Status of the policy; DRAFT unless given. Only an ENABLED one leaves anybody out.
	Status governance.Status `yaml:"status"`
	// MarketingActions for which it counts, of the destination.
	MarketingActions []string `yaml:"marketingActions" jsonschema:"required,minItems=1"`
	// Labels narrow it to activations that use a field with one of them; all unless given.
	Labels []string `yaml:"labels"`
	// Require is the rule that must be true for a prospect to go, in SQL: consents.marketing.email.val = 'y'. A missing value is no consent.
	Require string `yaml:"require" jsonschema:"required,pattern=\\S"`

	// Parsed is the checked rule.
	Parsed *audience.Rule `yaml:"-"`
}

func (c *ConsentPolicy) name() string { return c.Name }
func (c *ConsentPolicy) kind() string { return "ConsentPolicy" }

func (l *loader) checkConsentPolicy(c *ConsentPolicy) {
	if c.Status == "" {
		c.Status = governance.Draft
	}
	l.checkMarketingActions(l.at(c, "marketingActions"), c.MarketingActions)
	l.checkLabels(l.at(c, "labels"), c.Labels)
	fields, ok := l.ruleFields(l.workspace.ProfileDatasets(nil))
	if !ok {
		return // the cause is reported
	}
	rule, err := audience.Parse(c.Require, fields)
	var wrong *audience.ParseError
	switch {
	case errors.As(err, &wrong):
		l.at(c, "require").problem(wrong.Hint, "require: %s", wrong.Message)
	case err != nil:
		l.at(c, "require").problem("", "require: %v", err)
	default:
		c.Parsed = rule
	}
}

// Consents are the policies that leave prospects out of an activation. loaded are labels under which its rows were loaded; which
// fields they were on is not asked.
func (w *Workspace) Consents(activation *Activation, destination *Destination, loaded []string) (out []*ConsentPolicy) {
	labels := slices.Clone(loaded)
	for _, name := range activation.Audiences {
		if a, ok := find(w.Audiences, name); ok {
			for _, use := range w.FieldUses(a, activation) {
				labels = append(labels, use.Labels...)
			}
		}
	}
	meets := func(list, other []string) bool {
		return slices.ContainsFunc(list, func(x string) bool { return slices.Contains(other, x) })
	}
	for _, c := range w.ConsentPolicies {
		if c.Status == governance.Enabled && meets(c.MarketingActions, destination.MarketingActions) && (len(c.Labels) == 0 || meets(c.Labels, labels)) {
			out = append(out, c)
		}
	}
	return out
}
