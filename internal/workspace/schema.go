package workspace

import (
	"slices"

	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Schema is the prospect class with field groups, one primary identity and labels.
type Schema struct {
	yamldoc.Document `yaml:"-"`
	// Name of the schema.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Description for people.
	Description string `yaml:"description"`
	// Class of the schema: XDM Individual Prospect Profile.
	Class string `yaml:"class"`
	// FieldGroups by name, title or $id: standard ones, custom ones, and those that stand in the workspace as XDM JSON.
	FieldGroups []string `yaml:"fieldGroups"`
	// Definition is the title or $id of a schema that stands in the workspace as XDM JSON; it gives class and field groups.
	Definition string `yaml:"definition"`
	// Exclude lists fields, or objects with all their fields, that this schema leaves out of its groups.
	Exclude []string `yaml:"exclude"`
	// PrimaryIdentity says which field identifies a prospect, and in which namespace.
	PrimaryIdentity Identity `yaml:"primaryIdentity"`
	// Identities are further identity fields.
	Identities []SecondaryIdentity `yaml:"identities"`
	// Profile enables the schema for Profile. Once applied, it stays enabled.
	Profile bool `yaml:"profile"`
	// Labels on fields.
	Labels FieldLabels `yaml:"labels"`
	// Constraints by field path, besides those of the groups.
	Constraints map[string]Constraints `yaml:"constraints"`
	// Titles to display in this schema, by field path.
	Titles map[string]string `yaml:"titles"`

	// Composed is the checked schema; nil when something is wrong with it.
	Composed *xdm.Schema `yaml:"-"`
}

func (s *Schema) name() string { return s.Name }

func (s *Schema) kind() string { return "Schema" }

func (l *loader) checkSchema(s *Schema) {
	groups, ok := l.schemaGroups(s)
	if !ok {
		return
	}
	composed, err := xdm.Compose(s.Name, groups)
	if err != nil {
		l.at(s, "fieldGroups").problem("rename a field, or leave one of the groups out", "%v", err)
		return
	}
	if i := slices.IndexFunc(composed.Fields, func(f xdm.Field) bool { return systemsOwn(f.Path) != "" }); i >= 0 { // EC-1, SC-19
		f := composed.Fields[i]
		l.at(s, "fieldGroups").problem("leave the field group out", "field group %s brings %s: %s", f.Group, f.Path, systemsOwn(f.Path))
		return
	}
	s.Composed = composed
	l.exclude(s)
	for _, path := range sortedKeys(s.Constraints) {
		at := l.at(s, "constraints", path)
		f := l.fieldAt(at, s, path)
		switch {
		case f == nil:
		case f.System:
			at.keyProblem("leave it out", "%s is written by Prospector and takes no constraints", path)
		default:
			s.Constraints[path].apply(f)
			checkConstraints(at, s.Constraints[path], *f)
		}
	}
	for _, path := range sortedKeys(s.Titles) {
		if f := l.fieldAt(l.at(s, "titles", path), s, path); f != nil {
			f.Title = s.Titles[path]
		}
	}
	l.checkLabels(l.at(s, "labels", "all"), s.Labels.All)
	for _, path := range sortedKeys(s.Labels.Fields) {
		at := l.at(s, "labels", "fields", path)
		l.fieldOrObject(at, s, path)
		l.checkLabels(at, s.Labels.Fields[path])
	}
	l.identities(s)
}

// schemaGroups finds the class and the groups that a schema is made of.
func (l *loader) schemaGroups(s *Schema) (groups []xdm.Group, ok bool) {
	class, references, ok := s.Class, s.FieldGroups, true
	at := func(i int) place { return l.at(s, "fieldGroups", index(i)) }
	classAt := l.at(s, "class")
	if s.Definition != "" {
		d, found := l.resource(s.Definition, xdm.Document.IsSchema)
		switch {
		case !found:
			if titles := l.resourceTitles(xdm.Document.IsSchema); !l.nameless && len(titles) == 0 {
				l.at(s, "definition").problem("export one from your registry into this folder", "no JSON file of the workspace holds an XDM schema")
				return nil, false
			}
			l.at(s, "definition").missing(anyName, s.Definition, l.resourceTitles(xdm.Document.IsSchema), "no JSON file of the workspace holds an XDM schema %q", s.Definition)
			return nil, false
		case s.Class != "" || len(s.FieldGroups) > 0:
			l.at(s, "definition").problem("leave class and fieldGroups out", "the definition gives the class and the field groups already")
			return nil, false
		}
		class = d.Class
		references = slices.DeleteFunc(d.Composes(), func(id string) bool { return id == d.Class })
		classAt = l.at(s, "definition")
		at = func(int) place { return classAt }
	}
	switch {
	case class == "":
		l.at(s).problem("add class: "+xdm.ProspectClassTitle, "it has no class")
		ok = false
	case class != xdm.ProspectClassTitle && class != xdm.ProspectClassID:
		classAt.problem("use the class "+xdm.ProspectClassTitle, "the class %q is not for prospects", class)
		ok = false
	}
	for i, name := range references {
		if slices.Contains(references[:i], name) {
			at(i).problem("write it once", "field group %q is named twice", name)
			ok = false
			continue
		}
		g, err := l.group(name)
		if err != nil {
			if !err.absent || !l.mayBe("FieldGroup", name) {
				at(i).problem(err.hint, "%s", err.message)
			}
			ok = false
			continue
		}
		if custom, found := find(l.workspace.FieldGroups, name); found && l.faulty[custom] {
			l.incomplete[s] = true
		}
		groups = append(groups, g)
	}
	return groups, ok
}
