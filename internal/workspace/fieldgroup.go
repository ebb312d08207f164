package workspace

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"prospector/internal/identity"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// FieldGroup declares fields of your own. Their paths start with the tenant id, an underscore first, so
// that they never collide with standard fields (SC-26). Field groups may also stand in the workspace as
// XDM JSON, as a schema registry exports them.
type FieldGroup struct {
	yamldoc.Document `yaml:"-"`
	// Name by which schemas refer to it.
	Name string `yaml:"name" jsonschema:"required,pattern=\\S"`
	// Description for people.
	Description string `yaml:"description"`
	// Fields of the group.
	Fields []CustomField `yaml:"fields" jsonschema:"required,minItems=1"`
}

// CustomField is one field of a custom field group.
type CustomField struct {
	// Path of the field, such as _luma.prospect.state.
	Path string `yaml:"path" jsonschema:"required,pattern=\\S"`
	// Type of the value; dates as 2026-01-31, instants as 2026-01-31T10:00:00Z.
	Type xdm.Type `yaml:"type" jsonschema:"required"`
	// Container for several values: a list, or a map from texts. Type and all constraints are those of each element.
	Container xdm.Container `yaml:"container"`
	// Title to display.
	Title       string `yaml:"title"`
	Constraints `yaml:",inline"`
}

func (g *FieldGroup) name() string { return g.Name }

func (g *FieldGroup) kind() string { return "FieldGroup" }

func (f CustomField) field() xdm.Field {
	out := xdm.Field{Path: f.Path, Type: f.Type, Container: f.Container, Title: f.Title}
	f.apply(&out)
	return out
}

var customPath = regexp.MustCompile(`^_[a-z0-9]+([.][A-Za-z0-9][A-Za-z0-9_-]*)+$`)

func customPathHint(tenant string) string {
	if !tenantRule.MatchString(tenant) {
		tenant = "_luma"
	}
	return "write " + tenant + " and names behind it, such as " + tenant + ".prospect.postalCode"
}

func (l *loader) checkFieldGroup(g *FieldGroup) {
	w := l.workspace
	if _, taken := xdm.BuiltInGroup(g.Name); taken {
		l.at(g, "name").problem("choose another name", "there is a standard field group of this name")
	}
	if d, taken := l.resource(g.Name, func(d xdm.Document) bool { return !d.IsSchema() }); taken {
		l.at(g, "name").problem("choose another name", "the field group in %s has this name too", l.jsonFiles[d.ID])
	}
	seen := map[string]int{}
	for i, f := range g.Fields {
		at := l.at(g, "fields", index(i))
		switch {
		case !customPath.MatchString(f.Path) || strings.HasPrefix(f.Path, "_repo."):
			at.in("path").problem(customPathHint(w.Sandbox.Tenant), "the path %q does not begin with a tenant id", f.Path)
		case tenantRule.MatchString(w.Sandbox.Tenant) && !strings.HasPrefix(f.Path, w.Sandbox.Tenant+"."):
			at.in("path").problem(customPathHint(w.Sandbox.Tenant), "the path %q is not below the sandbox's tenant id", f.Path)
		}
		if first, ok := seen[f.Path]; ok {
			at.in("path").problem("leave one of them out, or change its path", "field %s is declared twice, first at %s", f.Path, g.At("fields", index(first), "path"))
		}
		seen[f.Path] = i
		checkConstraints(at, f.Constraints, f.field())
	}
}

// groupError says why a field group cannot be used.
type groupError struct {
	message, hint string
	absent        bool // there is none of that name
}

// group finds a field group for the prospect class: custom, in XDM JSON, or standard.
func (l *loader) group(name string) (xdm.Group, *groupError) {
	if g, ok := find(l.workspace.FieldGroups, name); ok {
		out := xdm.Group{Title: g.Name}
		for _, f := range g.Fields {
			out.Fields = append(out.Fields, f.field())
		}
		return out, nil
	}
	isGroup := func(d xdm.Document) bool { return !d.IsSchema() }
	if d, ok := l.resource(name, isGroup); ok && d.ID != xdm.ProspectClassID {
		if d.TimeSeries() || !d.ExtendsProspects() {
			return xdm.Group{}, &groupError{message: fmt.Sprintf("field group %q in %s is not for prospects", name, l.jsonFiles[d.ID]),
				hint: "use one whose meta:intendedToExtend names " + xdm.ProspectClassID}
		}
		g, err := l.registry.Group(d.ID)
		if err != nil {
			return xdm.Group{}, l.resourceError(d, err)
		}
		return g, nil
	}
	if g, ok := xdm.BuiltInGroup(name); ok {
		return g, nil
	}
	var known []string
	for _, b := range xdm.BuiltInGroups() {
		known = append(known, b.Title)
	}
	known = slices.Concat(known, names(l.workspace.FieldGroups), l.resourceTitles(xdm.Document.ExtendsProspects))
	if extends, ok := xdm.ForeignGroup(name); ok {
		return xdm.Group{}, &groupError{message: fmt.Sprintf("field group %q is not for prospects, it extends %s", name, extends),
			hint: "field groups for prospects are " + strings.Join(known, ", ")}
	}
	return xdm.Group{}, &groupError{message: fmt.Sprintf("no field group for prospects is called %q", name), hint: didYouMean(name, known), absent: true}
}

// resourceError says why an XDM resource cannot be used.
func (l *loader) resourceError(d xdm.Document, err error) *groupError {
	message, hint, _ := strings.Cut(err.Error(), "; ")
	if !strings.HasPrefix(hint, "export") {
		message = strings.TrimSuffix(message+", "+hint, ", ")
		hint = "change the field group in your registry and export it anew"
	}
	words := strings.Fields(strings.TrimPrefix(message, d.Title+": "))
	for i, word := range words {
		if path := strings.Split(word, "."); len(path) > maxShownDepth {
			words[i] = strings.Join(path[:maxShownDepth], ".") + " …"
		}
	}
	return &groupError{message: fmt.Sprintf("field group %q in %s: %s", d.Title, l.jsonFiles[d.ID], strings.Join(words, " ")), hint: hint}
}

const maxShownDepth = 10 // of a path in a message

// systemsOwn says why a path is none that people may have on prospects (ID-20, SC-19, EC-1).
func systemsOwn(path string) string {
	switch root, _, _ := strings.Cut(path, "."); root {
	case "identityMap":
		return "an identity map would let identities in that are not of type " + string(identity.PartnerID)
	case "segmentMembership":
		return "memberships are written by Prospector alone"
	}
	return ""
}
