package workspace

import (
	"reflect"

	"prospector/internal/errkind"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Load reads and checks the workspace in dir. The error, if any, wraps Problems.
func Load(dir string) (*Workspace, error) {
	files, err := Read(dir)
	if err != nil {
		return nil, err
	}
	w, err := Parse(files)
	if err == nil {
		w.Dir = dir
	}
	return w, err
}

// Parse checks the workspace that files hold. The error, if any, wraps Problems.
func Parse(files Files) (*Workspace, error) {
	l := &loader{workspace: &Workspace{Files: files}, registry: xdm.Registry{}}
	for _, name := range files.names() {
		if isJSON(name) {
			l.json(name, files[name])
		} else {
			l.yaml(name, files[name])
		}
	}
	l.check()
	if len(l.problems) > 0 {
		l.problems.sort()
		return nil, errkind.New(errkind.Invalid, "", l.problems, "")
	}
	l.workspace.Warnings.sort()
	return l.workspace, nil
}

type loader struct {
	workspace *Workspace
	registry  xdm.Registry
	problems  Problems
	sandboxes int
	broken    bool            // a document could not be read: a missing name may be in it
	faulty    map[object]bool // objects with a problem
}

func (l *loader) json(name, text string) {
	documents, err := xdm.ReadDocuments([]byte(text))
	if err != nil {
		l.problems = append(l.problems, Problem{Position: yamldoc.Position{File: name}, Message: err.Error(),
			Hint: "JSON files of a workspace are XDM resources as a schema registry exports them"})
		return
	}
	for _, d := range documents {
		l.registry[d.ID] = d
	}
}

// resource finds an XDM resource of the workspace by title or $id.
func (l *loader) resource(name string, is func(xdm.Document) bool) (xdm.Document, bool) {
	for _, id := range sortedKeys(l.registry) {
		if d := l.registry[id]; is(d) && (d.ID == name || d.Title == name) {
			return d, true
		}
	}
	return xdm.Document{}, false
}

func (l *loader) resourceTitles(is func(xdm.Document) bool) []string {
	var out []string
	for _, id := range sortedKeys(l.registry) {
		if d := l.registry[id]; is(d) {
			out = append(out, d.Title)
		}
	}
	return out
}

func (l *loader) yaml(name, text string) {
	documents, syntax := yamldoc.Parse(name, []byte(text))
	for _, s := range syntax {
		l.problems = append(l.problems, Problem{Position: s.Position, Message: s.Message, Hint: "this is no YAML"})
		l.broken = true
	}
	for _, d := range documents {
		l.document(d)
	}
}

func (l *loader) document(d yamldoc.Document) {
	kind, ok := l.judge(d)
	if !ok {
		l.broken = true
		return
	}
	w := l.workspace
	switch kind {
	case "Sandbox":
		l.sandboxes++
		s := decode[Sandbox](l, d)
		if l.sandboxes > 1 {
			l.at(s, "kind").problem("a workspace is one sandbox", "a second document of kind Sandbox, the first is at %s", w.Sandbox.At())
			return
		}
		w.Sandbox = *s
	case "Namespace":
		w.Namespaces = add(l, w.Namespaces, d)
	case "Label":
		w.Labels = add(l, w.Labels, d)
	case "FieldGroup":
		w.FieldGroups = add(l, w.FieldGroups, d)
	case "Schema":
		w.Schemas = add(l, w.Schemas, d)
	case "Dataset":
		w.Datasets = add(l, w.Datasets, d)
	case "Source":
		w.Sources = add(l, w.Sources, d)
	case "Policy":
		w.Policies = add(l, w.Policies, d)
	case "Audience":
		w.Audiences = add(l, w.Audiences, d)
	case "Destination":
		w.Destinations = add(l, w.Destinations, d)
	case "Activation":
		w.Activations = add(l, w.Activations, d)
	}
}

// decode fills an object from a document whose shape has been judged.
func decode[T any](l *loader, d yamldoc.Document) *T {
	object := new(T)
	if err := d.Decode(object); err != nil {
		l.problems = append(l.problems, Problem{Position: d.At(), Message: err.Error()})
	}
	reflect.ValueOf(object).Elem().FieldByName("Document").Set(reflect.ValueOf(d))
	return object
}

func add[T any, P interface {
	*T
	object
}](l *loader, objects []P, d yamldoc.Document) []P {
	o := P(decode[T](l, d))
	if other, ok := find(objects, o.name()); ok {
		l.at(o).problem("names are unique", "it is declared twice, first at %s", other.At())
		return objects
	}
	return append(objects, o)
}

// check resolves every reference and judges every object. Order matters: an object is checked
// after those that it refers to. While a document could not be read, what refers to it is not judged.
func (l *loader) check() {
	w := l.workspace
	if l.broken {
		return
	}
	l.checkSandbox()
	each(w.Namespaces, l.checkNamespace)
	each(w.Labels, l.checkLabel)
	each(w.FieldGroups, l.checkFieldGroup)
	each(w.Schemas, l.checkSchema)
	each(w.Schemas, l.checkLabelling)
	l.checkUnion()
	each(w.Datasets, l.checkDataset)
	l.checkDatasetCount()
	each(w.Policies, l.checkPolicy)
	each(w.Sources, l.checkSource)
	each(w.Audiences, l.checkAudience)
	each(w.Destinations, l.checkDestination)
	each(w.Activations, l.checkActivation)
}

func each[T any](objects []T, do func(T)) {
	for _, o := range objects {
		do(o)
	}
}
