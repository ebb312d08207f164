package workspace

import (
	"slices"

	"prospector/internal/identity"
	"prospector/internal/yamldoc"
)

// Namespace says what an identity value means (ID-6): the same value in two namespaces is two people.
// Give each partner one of type Partner ID; prospects take no other. Once applied, symbol and type are fixed.
type Namespace struct {
	yamldoc.Document `yaml:"-"`
	// Name to display.
	Name string `yaml:"name" jsonschema:"required,pattern=\\S"`
	// Symbol is the unique code, such as acme_pid.
	Symbol string `yaml:"symbol" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Type of the identifiers.
	Type identity.Type `yaml:"type" jsonschema:"required"`
	// Description for people.
	Description string `yaml:"description"`
}

func (n *Namespace) name() string { return n.Symbol }
func (n *Namespace) kind() string { return "Namespace" }

func (l *loader) checkNamespace(n *Namespace) {
	for _, s := range identity.Standard {
		if s.Symbol == n.Symbol {
			l.at(n, "symbol").problem("choose another symbol", "there is a standard namespace %s already", s.Symbol)
			l.cannotRead("Namespace", anyName)
		}
	}
	for _, other := range l.workspace.Namespaces { // ID-11
		if other == n {
			break
		}
		if other.Name == n.Name {
			l.at(n, "name").problem("choose a name that tells them apart", "namespace %s at %s has the name %q too", other.Symbol, other.At(), n.Name)
		}
	}
}

// noNamespace reports a symbol that is not one of the namespaces of the workspace.
func (l *loader) noNamespace(at place, symbol string) {
	if kind, standard := l.workspace.namespaceType(symbol); standard {
		at.problem("use a namespace of type "+string(identity.PartnerID), "namespace %s is of type %s, prospects may use only type %s", symbol, kind, identity.PartnerID)
		return
	}
	at.missing("Namespace", symbol, names(l.workspace.Namespaces), "no namespace has the symbol %q", symbol)
}

// namespaceType finds a custom or a standard namespace.
func (w *Workspace) namespaceType(symbol string) (identity.Type, bool) {
	if n, ok := find(w.Namespaces, symbol); ok {
		return n.Type, true
	}
	i := slices.IndexFunc(identity.Standard, func(s identity.Namespace) bool { return s.Symbol == symbol })
	if i < 0 {
		return "", false
	}
	return identity.Standard[i].Type, true
}
