package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Load reads and checks the workspace in dir. The error, if any, wraps Problems.
func Load(dir string) (*Workspace, error) {
	files, err := Read(dir)
	var problems Problems
	if err != nil && !errors.As(err, &problems) {
		return nil, err
	}
	w, err := parse(files, problems)
	if err == nil {
		w.Dir = dir
	}
	return w, err
}

// Parse checks the workspace that files hold. The error, if any, wraps Problems.
func Parse(files Files) (*Workspace, error) { return parse(files, nil) }

// parse checks files, of which those are missing that problems speak of.
func parse(files Files, problems Problems) (*Workspace, error) {
	l := newLoader(files)
	l.problems, l.nameless = problems, len(problems) > 0
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
	workspace  *Workspace
	registry   xdm.Registry
	jsonFiles  map[string]string // where each resource of the registry stands
	problems   Problems
	sandboxes  int
	faulty     map[object]bool            // objects with a problem
	incomplete map[*Schema]bool           // schemas with a field group that has a problem
	unread     map[string]map[string]bool // names by kind of documents that could not be read
	nameless   bool                       // a document could not be read, and what it holds is not known
}

func newLoader(files Files) *loader {
	return &loader{workspace: &Workspace{Files: files}, registry: xdm.Registry{}, jsonFiles: map[string]string{}, faulty: map[object]bool{},
		incomplete: map[*Schema]bool{}, unread: map[string]map[string]bool{}}
}

// anyName stands for a name that could not be read.
const anyName = ""

// cannotRead notes that a document of a kind is not among the objects. What refers to it is not to blame.
func (l *loader) cannotRead(kind, name string) {
	if l.unread[kind] == nil {
		l.unread[kind] = map[string]bool{}
	}
	l.unread[kind][name] = true
}

// mayBe reports whether an object may be there, in a document that could not be read.
func (l *loader) mayBe(kind, name string) bool {
	return l.nameless || l.unread[kind][name] || l.unread[kind][anyName]
}

// anyUnread reports whether objects of the kinds may be missing.
func (l *loader) anyUnread(kinds ...string) bool {
	return l.nameless || slices.ContainsFunc(kinds, func(kind string) bool { return len(l.unread[kind]) > 0 })
}

func (l *loader) json(name, text string) {
	documents, err := xdm.ReadDocuments([]byte(text))
	if err != nil {
		l.problems = append(l.problems, jsonProblem(name, text, err))
		l.nameless = true
		return
	}
	for _, d := range documents {
		if other, ok := l.jsonFiles[d.ID]; ok {
			l.problems = append(l.problems, Problem{Position: yamldoc.Position{File: name}, Message: fmt.Sprintf("%s holds the resource %s too", other, d.ID),
				Hint: "keep one of them"})
			continue
		}
		l.registry[d.ID], l.jsonFiles[d.ID] = d, name
	}
}

// jsonProblem says in our words why a JSON file cannot be used.
func jsonProblem(name, text string, err error) Problem {
	out := Problem{Position: yamldoc.Position{File: name}, Message: "this is no XDM resource: it has no $id or no title",
		Hint: "keep only field groups, data types and schemas here, as a schema registry exports them"}
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		before := text[:min(int(syntax.Offset), len(text))]
		out.Line = strings.Count(before, "\n") + 1
		out.Column = max(1, len(before)-strings.LastIndexByte(before, '\n')-1)
		out.Message, out.Hint = "this is no JSON: "+syntax.Error(), "export the file anew"
	case errors.As(err, &typed) && typed.Field != "":
		out.Message = fmt.Sprintf("this is no XDM resource: %s is a %s", typed.Field, typed.Value)
	case errors.As(err, &typed):
		out.Message = fmt.Sprintf("this is no XDM resource: it is a %s", typed.Value)
	}
	return out
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
		l.problems = append(l.problems, syntaxProblem(s))
		l.nameless = true
	}
	for _, d := range documents {
		l.document(d)
	}
}

func (l *loader) document(d yamldoc.Document) {
	kind, ok := l.judge(d)
	if !ok {
		return
	}
	w := l.workspace
	switch kind {
	case "Sandbox":
		l.sandboxes++
		s := decode[Sandbox](l, d)
		if l.sandboxes > 1 {
			l.at(s, "kind").problem("a workspace has one; move this one to a folder of its own", "this is a second sandbox, the first is at %s", w.Sandbox.At())
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
	case "MarketingAction":
		w.MarketingActions = add(l, w.MarketingActions, d)
	case "ConsentPolicy":
		w.ConsentPolicies = add(l, w.ConsentPolicies, d)
	case "SuppressionList":
		w.SuppressionLists = add(l, w.SuppressionLists, d)
	case "Contract":
		w.Contracts = add(l, w.Contracts, d)
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
		var syntax *yamldoc.SyntaxError
		errors.As(err, &syntax) // always
		l.problems = append(l.problems, syntaxProblem(syntax))
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
		l.at(o, nameKey(o.kind())).problem("rename one of them, or take one away", "there is another one at %s", other.At())
		l.cannotRead(o.kind(), anyName)
		return objects
	}
	return append(objects, o)
}

// check resolves every reference and judges every object. Order matters: an object is checked
// after those that it refers to. What refers to a document that could not be read is not blamed for it.
func (l *loader) check() {
	w := l.workspace
	l.checkSandbox()
	each(w.Namespaces, l.checkNamespace)
	each(w.Labels, l.checkLabel)
	each(w.FieldGroups, l.checkFieldGroup)
	each(w.Schemas, l.checkSchema)
	each(w.Schemas, l.checkLabelling)
	l.checkUnion()
	each(w.Datasets, l.checkDataset)
	l.checkDatasetNames()
	l.checkDatasetCount()
	each(w.MarketingActions, l.checkMarketingAction)
	each(w.Policies, l.checkPolicy)
	l.checkGovernance()
	l.checkCoverage()
	each(w.Sources, l.checkSource)
	l.fillEvaluation()
	each(w.Audiences, l.checkAudience)
	each(w.Audiences, l.checkUse)
	each(w.Destinations, l.checkDestination)
	each(w.Contracts, l.checkContract)
	each(w.ConsentPolicies, l.checkConsentPolicy)
	each(w.SuppressionLists, l.checkSuppressionList)
	each(w.Activations, l.checkActivation)
}

func each[T any](objects []T, do func(T)) {
	for _, o := range objects {
		do(o)
	}
}
