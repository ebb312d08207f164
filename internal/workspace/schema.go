package workspace

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"prospector/internal/identity"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Constraints narrow what a field accepts (SC-32).
type Constraints struct {
	// Required refuses rows without a value.
	Required bool `yaml:"required"`
	// Enum lists the only values that are accepted.
	Enum []string `yaml:"enum" jsonschema:"minItems=1"`
	// Suggested lists values for people to choose from; others are accepted too.
	Suggested []string `yaml:"suggested"`
	// Format of a text.
	Format string `yaml:"format" jsonschema:"enum=email,enum=uri,enum=uri-reference"`
	// Pattern that the whole text must match, in RE2's syntax.
	Pattern string `yaml:"pattern"`
	// MinLength of a text, in characters.
	MinLength int `yaml:"minLength" jsonschema:"minimum=0"`
	// MaxLength of a text, in characters.
	MaxLength int `yaml:"maxLength" jsonschema:"minimum=1"`
	// Minimum of a number.
	Minimum *float64 `yaml:"minimum"`
	// Maximum of a number.
	Maximum *float64 `yaml:"maximum"`
	// Default stands in for a missing value, written as in a file.
	Default *string `yaml:"default"`
}

// apply adds the constraints to what the field's group says.
func (c Constraints) apply(f *xdm.Field) {
	f.Required = f.Required || c.Required
	if len(c.Enum) > 0 {
		f.Enum = c.Enum
	}
	if len(c.Suggested) > 0 {
		f.Suggested = c.Suggested
	}
	for text, given := range map[*string]string{&f.Format: c.Format, &f.Pattern: c.Pattern} {
		if given != "" {
			*text = given
		}
	}
	for number, given := range map[*int]int{&f.MinLength: c.MinLength, &f.MaxLength: c.MaxLength} {
		if given != 0 {
			*number = given
		}
	}
	if c.Minimum != nil {
		f.Minimum = c.Minimum
	}
	if c.Maximum != nil {
		f.Maximum = c.Maximum
	}
	if c.Default != nil {
		f.Default = c.Default
	}
}

// checkConstraints judges constraints that have been applied to a field.
func checkConstraints(at place, c Constraints, f xdm.Field) {
	text, number := f.Type == xdm.String, f.Type == xdm.Integer || f.Type == xdm.Number
	for _, key := range []struct {
		name        string
		given, fits bool
	}{
		{"enum", len(c.Enum) > 0, text}, {"suggested", len(c.Suggested) > 0, text}, {"format", c.Format != "", text}, {"pattern", c.Pattern != "", text},
		{"minLength", c.MinLength != 0, text}, {"maxLength", c.MaxLength != 0, text}, {"minimum", c.Minimum != nil, number}, {"maximum", c.Maximum != nil, number},
	} {
		if key.given && !key.fits {
			at.in(key.name).keyProblem("leave it out", "%s does not go with field %s, which is %s", key.name, f.Path, f.TypeText())
		}
	}
	if _, err := regexp.Compile(c.Pattern); err != nil {
		at.in("pattern").problem("patterns follow RE2's syntax, without look-around and back-references",
			"the pattern of field %s has a mistake: %s", f.Path, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return
	}
	if c.Default != nil {
		switch err := f.CheckText(*c.Default); {
		case f.Container != xdm.Single:
			at.in("default").problem("leave it out", "field %s takes several values (%s), so it has no default", f.Path, f.TypeText())
		case err != nil:
			at.in("default").problem("write a value that the field accepts", "the default of field %s cannot be used: %v", f.Path, err)
		}
	}
	if f.MaxLength > 0 && f.MinLength > f.MaxLength || f.Minimum != nil && f.Maximum != nil && *f.Minimum > *f.Maximum {
		at.problem("exchange them", "the minimum of field %s is above its maximum, so no value fits", f.Path)
	}
}

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
	// Container for several values: a list, or a map from texts.
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

// Identity is a field that identifies a person in a namespace (ID-4, ID-17).
type Identity struct {
	// Field path.
	Field string `yaml:"field" jsonschema:"required,pattern=\\S"`
	// Namespace symbol; it must be of type Partner ID.
	Namespace string `yaml:"namespace" jsonschema:"required,pattern=\\S"`
}

// SecondaryIdentity is a further identity field, or with primary the primary one.
type SecondaryIdentity struct {
	Identity `yaml:",inline"`
	// Primary makes it the primary identity; a schema has one.
	Primary bool `yaml:"primary"`
}

// FieldLabels puts labels on fields. A label on a field of a class or field group counts in every schema that uses it (LB-9).
type FieldLabels struct {
	// All puts labels on every field.
	All []string `yaml:"all"`
	// Fields puts labels on single fields, by path, or on all fields of an object.
	Fields map[string][]string `yaml:"fields"`
}

func (s *Schema) name() string { return s.Name }
func (s *Schema) kind() string { return "Schema" }

const (
	maxIdentities    = 50 // ID-22
	maxIdentityDepth = 4  // levels of a primary identity's path (ID-23)
)

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

// exclude leaves fields of the groups out of one schema (SC-28).
func (l *loader) exclude(s *Schema) {
	for i, path := range s.Exclude {
		at := l.at(s, "exclude", index(i))
		if !l.fieldOrObject(at, s, path) {
			continue
		}
		within := func(f xdm.Field) bool { return f.Path == path || strings.HasPrefix(f.Path, path+".") }
		if slices.ContainsFunc(s.Composed.Fields, func(f xdm.Field) bool { return within(f) && f.Group == xdm.ProspectClassTitle }) {
			at.problem("exclude only fields of field groups", "%s belongs to the class and cannot be left out", path)
			continue
		}
		s.Composed.Fields = slices.DeleteFunc(s.Composed.Fields, within)
	}
}

// field finds a leaf of a composed schema to be changed.
func field(s *Schema, path string) *xdm.Field {
	i := slices.IndexFunc(s.Composed.Fields, func(f xdm.Field) bool { return f.Path == path })
	if i < 0 {
		return nil
	}
	return &s.Composed.Fields[i]
}

// fieldAt finds a leaf that is named at a place.
func (l *loader) fieldAt(at place, s *Schema, path string) *xdm.Field {
	f := field(s, path)
	if f == nil {
		l.noField(at, s, path)
	}
	return f
}

func (l *loader) noField(at place, s *Schema, path string) {
	if why := systemsOwn(path); why != "" {
		at.problem("leave it out", "%s is no field of prospects: %s", path, why)
		return
	}
	if l.incomplete[s] || l.anyUnread("FieldGroup") {
		l.faulty[at.object] = true
		return // the cause is reported
	}
	if len(s.Composed.Groups) == 1 {
		l.at(s).problem("add fieldGroups: […]", "it has no field groups, so there is no field %s", path)
		l.incomplete[s] = true // one problem is enough
		return
	}
	var known, usable, below []string
	for _, f := range s.Composed.Fields {
		known = append(known, f.Path)
		if strings.HasPrefix(f.Path, path+".") {
			below = append(below, f.Path)
		}
		if !f.System {
			usable = append(usable, f.Path)
		}
	}
	of := "it has "
	if at.object != object(s) {
		of = "schema " + s.Name + " has "
	}
	if len(below) > 0 {
		at.problem("name one of its fields, such as "+below[0], "%sno field %s, but an object", of, path)
		return
	}
	hint := "its fields are " + fieldRoots(usable)
	if near := xdm.Nearest(path, known); near != "" {
		hint = fmt.Sprintf("did you mean %s?", near)
	}
	at.problem(hint, "%sno field %s", of, path)
}

// fieldRoots names many paths in short.
func fieldRoots(paths []string) string {
	var out []string
	for _, path := range paths {
		root, _, nested := strings.Cut(path, ".")
		if nested {
			root += ".…"
		}
		if !contains(out, root) {
			out = append(out, root)
		}
	}
	return strings.Join(out, ", ")
}

// fieldOrObject accepts also an object, which stands for all fields below it.
func (l *loader) fieldOrObject(at place, s *Schema, path string) bool {
	for _, f := range s.Composed.Fields {
		if f.Path == path || strings.HasPrefix(f.Path, path+".") {
			return true
		}
	}
	l.noField(at, s, path)
	return false
}

// identities lets no namespace in that is not of type Partner ID (ID-3, ID-4, AS-1).
func (l *loader) identities(s *Schema) {
	primaryAt := l.at(s, "primaryIdentity")
	all := map[string]bool{}
	for i, x := range s.Identities {
		at := l.at(s, "identities", index(i))
		if x.Primary {
			if s.PrimaryIdentity.Field != "" { // AS-2, ID-19
				at.in("primary").problem("leave primary out", "it has a primary identity already, %s", s.PrimaryIdentity.Field)
				continue
			}
			s.PrimaryIdentity, primaryAt = x.Identity, at
			continue
		}
		l.identity(at, s, x.Identity)
		if all[x.Field] || x.Field == s.PrimaryIdentity.Field {
			at.in("field").problem("leave one of them out", "field %s is an identity twice", x.Field)
		}
		all[x.Field] = true
	}
	if len(s.Identities) > maxIdentities {
		l.at(s, "identities").keyProblem("leave some out", "it has %d identities, there may be %d", len(s.Identities), maxIdentities)
	}
	switch p := s.PrimaryIdentity; {
	case p.Field == "" && s.Profile:
		l.at(s, "profile").problem("write primaryIdentity: {field: partnerID, namespace: …}", "it is enabled for Profile and has no primary identity") // AS-4, SC-30
	case p.Field != "":
		l.identity(primaryAt, s, p)
		if strings.Count(p.Field, ".") >= maxIdentityDepth {
			primaryAt.in("field").warning("use partnerID", "the primary identity is nested deeper than %d levels", maxIdentityDepth)
		}
	}
}

func (l *loader) identity(at place, s *Schema, x Identity) {
	f := l.fieldAt(at.in("field"), s, x.Field)
	if f != nil && (f.Type != xdm.String || f.Container != xdm.Single || f.System) {
		at.in("field").problem("use a text that the partner sends, such as "+xdm.PartnerID, "field %s cannot be an identity", x.Field)
		f = nil
	}
	switch n, custom := find(l.workspace.Namespaces, x.Namespace); {
	case !custom:
		l.noNamespace(at.in("namespace"), x.Namespace)
	case !n.Type.AllowedForProspects(): // EC-2
		at.in("namespace").problem(fmt.Sprintf("use a namespace of type %s; a type is fixed once it is applied, then declare a new namespace with another symbol", identity.PartnerID),
			"namespace %s is of type %s, prospects may use only type %s", x.Namespace, n.Type, identity.PartnerID)
	case f != nil:
		f.Required = true // ID-18
	}
}

// checkLabelling warns about fields that escape governance (LB-1, EC-4).
func (l *loader) checkLabelling(s *Schema) {
	if s.Composed == nil {
		return
	}
	count := len(s.Labels.All) * len(s.Composed.Fields)
	for _, labels := range s.Labels.Fields {
		count += len(labels)
	}
	if limit := maxLabels; len(s.Labels.All) == 0 && count > limit { // labels: {all: …} counts as one
		l.at(s, "labels").keyProblem("label whole objects, or all fields at once", "it has %d labels, there may be %d", count, limit)
	}
	var unlabelled []string
	for _, f := range s.Composed.Fields {
		if len(l.workspace.LabelOrigins(s, f.Path)) == 0 {
			unlabelled = append(unlabelled, f.Path)
		}
	}
	if len(unlabelled) > 0 {
		verb := "carry"
		if len(unlabelled) == 1 {
			verb = "carries"
		}
		l.at(s, "labels").warning("write labels: {all: [Third-Party]}", "%s %s no label, so no policy protects what is in there", firstFew(unlabelled), verb)
	}
}

const maxListed = 5 // names in one message

func firstFew(names []string) string {
	if more := len(names) - maxListed; more > 1 {
		return fmt.Sprintf("%s and %d more fields", strings.Join(names[:maxListed], ", "), more)
	}
	return strings.Join(names, ", ")
}

// UnionField is a field of the union schema and the schemas that have it.
type UnionField struct {
	xdm.Field
	Schemas []string
}

// Union is the read-only union of every schema that is enabled for Profile (SC-34), in path order.
func (w *Workspace) Union() []UnionField {
	union := map[string]*UnionField{}
	for _, s := range w.Schemas {
		if !s.Profile || s.Composed == nil {
			continue
		}
		for _, f := range s.Composed.Fields {
			if union[f.Path] == nil {
				union[f.Path] = &UnionField{Field: f}
			}
			union[f.Path].Schemas = append(union[f.Path].Schemas, s.Name)
		}
	}
	out := make([]UnionField, 0, len(union))
	for _, path := range slices.Sorted(maps.Keys(union)) {
		out = append(out, *union[path])
	}
	return out
}

// checkUnion refuses schemas that give one path two types: rules speak of paths.
func (l *loader) checkUnion() {
	first := map[string]*Schema{}
	for _, s := range l.workspace.Schemas {
		if !s.Profile || s.Composed == nil {
			continue
		}
		for _, f := range s.Composed.Fields {
			other, ok := first[f.Path]
			if !ok {
				first[f.Path] = s
				continue
			}
			if g, _ := other.Composed.Field(f.Path); !g.Same(f) {
				l.at(s, "fieldGroups").problem("rename one of the fields", "field %s is of type %s here and of type %s in schema %s, and rules speak of both at once", f.Path, f.TypeText(), g.TypeText(), other.Name)
			}
		}
	}
}
