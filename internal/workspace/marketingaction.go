package workspace

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/governance"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// MarketingAction declares something that data is used for, beside the ten core ones (PL-10). Policies, contracts and destinations
// name it; it cannot be taken away while one of them does.
type MarketingAction struct {
	yamldoc.Document `yaml:"-"`
	// Name is its id; another name is another action.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9 _-]*$,maxLength=100"`
	// Description of the use.
	Description string `yaml:"description"`
}

func (m *MarketingAction) name() string { return m.Name }
func (m *MarketingAction) kind() string { return "MarketingAction" }

func (l *loader) checkMarketingAction(m *MarketingAction) {
	if i := slices.IndexFunc(governance.CoreMarketingActions, func(core string) bool { return strings.EqualFold(core, m.Name) }); i >= 0 {
		l.at(m, "name").problem("choose another name; the core ones cannot be changed", "there is a core marketing action %s already", governance.CoreMarketingActions[i])
	}
}

// MarketingActionNames lists the names of all marketing actions, the core ones first.
func (w *Workspace) MarketingActionNames() []string {
	return slices.Concat(governance.CoreMarketingActions, names(w.MarketingActions))
}

func (l *loader) checkMarketingActions(at place, actions []string) {
	known := l.workspace.MarketingActionNames()
	for i, action := range actions {
		if contains(known, action) || l.mayBe("MarketingAction", action) {
			continue
		}
		hint := "known are " + strings.Join(known, ", ") + "; actions of your own need a document of kind MarketingAction"
		if near := xdm.Nearest(action, known); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		if i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, action) }); i >= 0 {
			hint = fmt.Sprintf("upper and lower case count: write %s", known[i])
		}
		at.in(index(i)).problem(hint, "there is no marketing action %q", action)
	}
}
