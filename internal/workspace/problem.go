package workspace

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Problem is one thing wrong with a workspace, or with a Warning one that may be.
type Problem struct {
	yamldoc.Position
	Object  string // such as "source acme"; empty for a file
	Message string
	Hint    string // what to do
}

func (p Problem) Error() string {
	text := p.Position.String() + ": "
	if p.Object != "" {
		text += p.Object + ": "
	}
	text += p.Message
	if p.Hint != "" {
		text += "; " + p.Hint
	}
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " ") // names may have lines
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

func (p Problems) sort() {
	slices.SortStableFunc(p, func(a, b Problem) int { return a.Compare(b.Position) })
}

// place is where in an object something is said of a value.
type place struct {
	loader *loader
	object object
	path   []string
}

// at is the value at path in an object.
func (l *loader) at(o object, path ...string) place { return place{l, o, path} }

func (p place) in(path ...string) place {
	return place{p.loader, p.object, slices.Concat(p.path, path)}
}

func (p place) problem(hint, format string, args ...any) {
	p.loader.report(p.object, p.say(p.object.At(p.path...), hint, format, args))
}

// keyProblem is about the key of the value, not the value.
func (p place) keyProblem(hint, format string, args ...any) {
	p.loader.report(p.object, p.say(p.object.KeyAt(p.path...), hint, format, args))
}

// missing is about a reference to an object that is not there, unless it may be in a document that could
// not be read.
func (p place) missing(kind, name string, candidates []string, format string, args ...any) {
	if !p.loader.mayBe(kind, name) {
		p.problem(didYouMean(name, candidates), format, args...)
	}
	p.loader.faulty[p.object] = true
}

func (l *loader) report(o object, p Problem) {
	l.problems = append(l.problems, p)
	l.faulty[o] = true
}

// faultyData reports whether a schema or dataset has a problem: then what is missing in what refers to
// them may only be a consequence.
func (l *loader) faultyData() bool {
	if l.anyUnread("Schema", "Dataset", "Namespace") {
		return true
	}
	for o := range l.faulty {
		if o.kind() == "Schema" || o.kind() == "Dataset" {
			return true
		}
	}
	return false
}

// warning is about something that is allowed.
func (p place) warning(hint, format string, args ...any) {
	p.loader.workspace.Warnings = append(p.loader.workspace.Warnings, p.say(p.object.KeyAt(p.path...), hint, format, args))
}

func (p place) say(at yamldoc.Position, hint, format string, args []any) Problem {
	return Problem{Position: at, Object: titled(p.object), Message: fmt.Sprintf(format, args...), Hint: hint}
}

// titled names an object as people do: "source acme".
func titled(o object) string { return spoken(o.kind()) + " " + o.name() }

// nameKey is the key by which objects of a kind are told apart.
func nameKey(kind string) string {
	if kind == "Namespace" {
		return "symbol"
	}
	return "name"
}

// spoken is a kind in a sentence.
func spoken(kind string) string {
	switch kind {
	case "FieldGroup":
		return "field group"
	case "MarketingAction":
		return "marketing action"
	case "SuppressionList":
		return "suppression list"
	}
	return strings.ToLower(kind)
}

// didYouMean proposes the nearest of the names that exist, or lists them.
func didYouMean(name string, candidates []string) string {
	if near := xdm.Nearest(name, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	switch {
	case len(candidates) == 0:
		return "there is none yet: declare it"
	case len(candidates) <= 20:
		return "known are " + strings.Join(candidates, ", ")
	}
	return ""
}

const maxListed = 5 // names in one message

func firstFew(names []string) string {
	if more := len(names) - maxListed; more > 1 {
		return fmt.Sprintf("%s and %d more fields", strings.Join(names[:maxListed], ", "), more)
	}
	return strings.Join(names, ", ")
}
