package workspace

import (
	"strings"

	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Activation says which audiences go to which destination, with which columns.
type Activation struct {
	yamldoc.Document `yaml:"-"`
	// Name of the activation.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Description for people.
	Description string `yaml:"description"`
	// Destination by name.
	Destination string `yaml:"destination" jsonschema:"required,pattern=\\S"`
	// Audiences by name.
	Audiences []string `yaml:"audiences" jsonschema:"required,minItems=1"`
	// Namespace whose prospects are exported; one for each activation.
	Namespace string `yaml:"namespace" jsonschema:"required,pattern=\\S"`
	// Mapping lists the exported columns; the identity must be among them.
	Mapping []MappedTo `yaml:"mapping" jsonschema:"required,minItems=1"`
}

// MappedTo is one exported column.
type MappedTo struct {
	// Field is an XDM path.
	Field string `yaml:"field" jsonschema:"required,pattern=\\S"`
	// Header of the column.
	Header string `yaml:"header" jsonschema:"required,pattern=\\S"`
}

func (a *Activation) name() string { return a.Name }
func (a *Activation) kind() string { return "Activation" }

func (l *loader) checkActivation(a *Activation) {
	w := l.workspace
	destination, ok := find(w.Destinations, a.Destination)
	if !ok {
		l.at(a, "destination").missing("Destination", a.Destination, names(w.Destinations), "no destination is called %q", a.Destination)
	}
	_, known := find(w.Namespaces, a.Namespace)
	for i, name := range a.Audiences {
		at := l.at(a, "audiences", index(i))
		audience, ok := find(w.Audiences, name)
		switch {
		case !ok:
			at.missing("Audience", name, names(w.Audiences), "no audience is called %q", name)
		case contains(a.Audiences[:i], name):
			at.problem("write it once", "audience %s is named twice", name)
		case audience.Status == Draft: // AU-39
			at.problem("publish the audience: leave out its status", "audience %s is a draft, which no destination gets", name)
		case audience.Status == Inactive: // AU-40
			at.problem("leave it out first, or publish the audience", "audience %s is inactive, and this activation sends it", name)
		case known && !l.faulty[audience] && len(audience.Namespaces) > 0 && !contains(audience.Namespaces, a.Namespace):
			at.problem("activate it with that namespace", "audience %s holds prospects of %s, the activation exports those of %s",
				name, strings.Join(audience.Namespaces, ", "), a.Namespace)
		}
	}
	if !known {
		l.noNamespace(l.at(a, "namespace"), a.Namespace)
		return
	}
	l.sharedFiles(a, destination)
	datasets := w.ProfileDatasets([]string{a.Namespace})
	if len(datasets) == 0 {
		if !l.faultyData() { // DE-22, DE-33
			l.at(a, "namespace").problem("enable the dataset and its schema with profile: true", "no dataset of namespace %s is enabled for Profile", a.Namespace)
		}
		return
	}
	if destination != nil && len(destination.Planning.Identities) > 0 && !contains(destination.Planning.Identities, a.Namespace) { // SD-7
		l.at(a, "namespace").warning("map an identity that it knows, or add the namespace to planning.identities of the destination",
			"destination %s can act on %s, and gets %s", destination.Name, strings.Join(destination.Planning.Identities, ", "), a.Namespace)
	}
	if destination != nil {
		l.checkAttribution(a, destination)
	}
	identities := map[string]bool{}
	for _, d := range datasets {
		schema := w.Schema(d)
		if schema.Composed == nil || l.faulty[schema] {
			return // its own problem is reported
		}
		identities[schema.PrimaryIdentity.Field] = true
	}
	headers, fields := map[string]bool{}, map[string]bool{}
	hasIdentity := false
	for i, m := range a.Mapping {
		at := l.at(a, "mapping", index(i))
		switch f := l.fieldAt(at.in("field"), w.schemaWith(datasets, m.Field), m.Field); {
		case f == nil:
		case f.System:
			at.in("field").problem("leave it out", "%s is kept by Prospector for itself and cannot be exported", m.Field)
		case f.Container != xdm.Single:
			at.in("field").problem("leave it out", "%s is %s, and a column holds a single value", m.Field, f.TypeText())
		}
		if headers[m.Header] {
			at.in("header").problem("give every column a header of its own", "two columns have the header %q", m.Header)
		}
		if fields[m.Field] {
			at.in("field").problem("write it once", "field %s is exported twice", m.Field)
		}
		headers[m.Header], fields[m.Field] = true, true
		hasIdentity = hasIdentity || identities[m.Field]
	}
	if !hasIdentity {
		l.at(a, "mapping").keyProblem("add {field: "+w.Schema(datasets[0]).PrimaryIdentity.Field+", header: …}",
			"the identity is not exported, so nobody could tell whose the values are")
	}
}

// schemaWith is the schema of one of the datasets that has the field, of the first one when none has.
func (w *Workspace) schemaWith(datasets []*Dataset, path string) *Schema {
	for _, d := range datasets {
		if schema := w.Schema(d); field(schema, path) != nil {
			return schema
		}
	}
	return w.Schema(datasets[0])
}

// sharedFiles refuses two activations whose files would have one name, so that one would replace the other's.
func (l *loader) sharedFiles(a *Activation, destination *Destination) {
	for _, other := range l.workspace.Activations {
		if other == a {
			return
		}
		if destination == nil || other.Destination != a.Destination {
			continue
		}
		if destination.Type == "liveramp" {
			l.at(a, "destination").problem("put all audiences into one activation, or declare a second destination", // DE-23
				"activation %s delivers to %s already, and LiveRamp gets one file from a destination", other.Name, destination.Name)
			continue
		}
		for i, name := range a.Audiences {
			if contains(other.Audiences, name) {
				l.at(a, "audiences", index(i)).problem("declare a second destination with another folder",
					"activation %s delivers audience %s to %s already, under the same file name", other.Name, name, destination.Name)
			}
		}
	}
}
