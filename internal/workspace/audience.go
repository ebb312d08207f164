package workspace

import (
	"prospector/internal/audience"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Audience is a named rule over prospects' attributes.
type Audience struct {
	yamldoc.Document `yaml:"-"`
	// Name of the audience.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Description for people.
	Description string `yaml:"description"`
	// Namespaces whose prospects it may hold; all unless given.
	Namespaces []string `yaml:"namespaces"`
	// Rule is an SQL condition over XDM paths: partner.hiking = 'Y' AND merkle.demographics.age.age BETWEEN 25 AND 44. Allowed are comparisons, IN, BETWEEN, LIKE, IS NULL, AND, OR and NOT.
	Rule string `yaml:"rule" jsonschema:"required,minLength=1"`

	// Parsed is the checked rule.
	Parsed *audience.Rule `yaml:"-"`
}

func (a *Audience) name() string { return a.Name }
func (a *Audience) kind() string { return "Audience" }

func (l *loader) checkAudience(a *Audience) {
	w := l.workspace
	for i, n := range a.Namespaces {
		if _, ok := find(w.Namespaces, n); !ok {
			l.at(a, "namespaces", index(i)).problem(didYouMean(n, names(w.Namespaces)), "no namespace has the symbol %q", n)
			return
		}
	}
	datasets := w.ProfileDatasets(a.Namespaces)
	if len(datasets) == 0 && l.faultyData() {
		return
	}
	if len(datasets) == 0 {
		l.at(a, "namespaces").keyProblem("enable a dataset and its schema with profile: true", "no dataset of its namespaces is enabled for Profile")
		return
	}
	fields := audience.Fields{}
	for _, d := range datasets {
		composed := w.composed(d.Name)
		if composed == nil {
			return // its own problem is reported
		}
		for _, f := range composed.Fields {
			if !f.System && f.Container == xdm.Single {
				fields[f.Path] = f.Type
			}
		}
	}
	rule, err := audience.Parse(a.Rule, fields)
	if err != nil {
		l.at(a, "rule").problem("", "rule: %v", err)
		return
	}
	a.Parsed = rule
}
