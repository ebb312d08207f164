package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"prospector/internal/errkind"
	"prospector/internal/xdm"
)

// Problem is one thing wrong with a workspace.
type Problem struct {
	Position
	Message string
	Hint    string
}

func (p Problem) Error() string {
	text := fmt.Sprintf("%s: %s", p.Position, p.Message)
	if p.Hint != "" {
		text += "; " + p.Hint
	}
	return text
}

// Problems is everything wrong with a workspace, in file and line order. Its kind is Invalid.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// Load reads and checks the workspace in dir. The error, if any, wraps Problems.
func Load(dir string) (*Workspace, error) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		if err == nil {
			err = fmt.Errorf("%s is not a folder", dir)
		}
		return nil, errkind.New(errkind.Invalid, "read workspace", err, "name the folder that holds prospector.yaml with --workspace")
	}
	l := &loader{workspace: &Workspace{Dir: dir}}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != dir && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if !entry.IsDir() && (strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml")) {
			return l.file(path)
		}
		return nil
	})
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "read workspace", err, "")
	}
	if len(l.problems) == 0 { // references cannot be judged while objects are missing
		l.check()
	}
	if len(l.problems) > 0 {
		slices.SortStableFunc(l.problems, func(a, b Problem) int {
			return strings.Compare(fmt.Sprintf("%s:%09d", a.File, a.Line), fmt.Sprintf("%s:%09d", b.File, b.Line))
		})
		return nil, errkind.New(errkind.Invalid, "", l.problems, "")
	}
	return l.workspace, nil
}

type loader struct {
	workspace *Workspace
	problems  Problems
	sandboxes int
}

func (l *loader) problem(at Position, hint, format string, args ...any) {
	l.problems = append(l.problems, Problem{Position: at, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (l *loader) file(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(l.workspace.Dir, path)
	if err != nil {
		name = path
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		l.problems = append(l.problems, yamlProblem(Position{File: name, Line: 1}, err, nil))
		return nil
	}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType {
			continue
		}
		l.document(name, doc.Body)
	}
	return nil
}

func (l *loader) document(file string, node ast.Node) {
	at := Position{File: file, Line: startLine(node)}
	var head struct {
		Kind string `yaml:"kind"`
	}
	if err := yaml.NodeToValue(node, &head); err != nil {
		l.problems = append(l.problems, yamlProblem(at, err, nil))
		return
	}
	w := l.workspace
	switch head.Kind {
	case "Sandbox":
		l.sandboxes++
		if s, ok := decode[Sandbox](l, at, node); ok {
			w.Sandbox = *s
		}
	case "Namespace":
		w.Namespaces = add(l, w.Namespaces, at, node)
	case "FieldGroup":
		w.FieldGroups = add(l, w.FieldGroups, at, node)
	case "Schema":
		w.Schemas = add(l, w.Schemas, at, node)
	case "Dataset":
		w.Datasets = add(l, w.Datasets, at, node)
	case "Source":
		w.Sources = add(l, w.Sources, at, node)
	case "Policy":
		w.Policies = add(l, w.Policies, at, node)
	case "Audience":
		w.Audiences = add(l, w.Audiences, at, node)
	case "Destination":
		w.Destinations = add(l, w.Destinations, at, node)
	case "Activation":
		w.Activations = add(l, w.Activations, at, node)
	case "":
		l.problem(at, "add one of "+strings.Join(kinds, ", "), "the document has no kind")
	default:
		l.problem(at, didYouMean(head.Kind, kinds), "unknown kind %q", head.Kind)
	}
}

var kinds = []string{"Sandbox", "Namespace", "FieldGroup", "Schema", "Dataset", "Source", "Policy", "Audience", "Destination", "Activation"}

// startLine is the line of the document's first key: a mapping's own token is its first colon.
func startLine(node ast.Node) int {
	line := node.GetToken().Position.Line
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		line = m.Values[0].Key.GetToken().Position.Line
	}
	return line
}

type positioned interface {
	named
	setPosition(Position)
}

func (p *Position) setPosition(at Position) { *p = at }

func decode[T any](l *loader, at Position, node ast.Node) (*T, bool) {
	object := new(T)
	if err := yaml.NodeToValue(node, object, yaml.Strict()); err != nil {
		l.problems = append(l.problems, yamlProblem(at, err, keysOf(reflect.TypeFor[T]())))
		return nil, false
	}
	any(object).(positioned).setPosition(at)
	return object, true
}

func add[T any](l *loader, objects []*T, at Position, node ast.Node) []*T {
	object, ok := decode[T](l, at, node)
	if !ok {
		return objects
	}
	name := any(object).(named).name()
	if name == "" {
		l.problem(at, "", "%s has no name", strings.ToLower(reflect.TypeFor[T]().Name()))
		return objects
	}
	for _, other := range objects {
		if any(other).(named).name() == name {
			l.problem(at, "", "%s %s is declared twice, first at %s", strings.ToLower(reflect.TypeFor[T]().Name()), name,
				any(other).(interface{ position() Position }).position())
			return objects
		}
	}
	return append(objects, object)
}

var unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)

// yamlProblem turns the parser's error into a Problem on the line that the parser names.
func yamlProblem(at Position, err error, keys []string) Problem {
	message, hint := err.Error(), ""
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		message = syntax.GetMessage()
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			at.Line = t.Position.Line
		}
	}
	if m := unknownField.FindStringSubmatch(message); m != nil {
		message = fmt.Sprintf("unknown key %q", m[1])
		hint = didYouMean(m[1], keys)
	}
	return Problem{Position: at, Message: message, Hint: hint}
}

func didYouMean(name string, candidates []string) string {
	if near := xdm.Nearest(name, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(candidates) > 0 && len(candidates) <= 20 {
		return "known are " + strings.Join(candidates, ", ")
	}
	return ""
}

// keysOf lists the YAML keys of a struct and of the structs below it.
func keysOf(t reflect.Type) []string {
	keys := map[string]bool{}
	collectKeys(t, keys, map[reflect.Type]bool{})
	return slices.Sorted(maps.Keys(keys))
}

func collectKeys(t reflect.Type, keys map[string]bool, seen map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return
	}
	seen[t] = true
	for i := range t.NumField() {
		tag, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if tag == "-" {
			continue
		}
		if tag != "" {
			keys[tag] = true
		}
		collectKeys(t.Field(i).Type, keys, seen)
	}
}
