package workspace

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"prospector/internal/audience"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Audience is a named rule over prospects' attributes.
type Audience struct {
	yamldoc.Document `yaml:"-"`
	// Name of the audience.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Description for people.
	Description string `yaml:"description"`
	// Namespaces whose prospects it may hold; all unless given.
	Namespaces []string `yaml:"namespaces" jsonschema:"minItems=1"`
	// Rule is an SQL condition over XDM paths: partner.hiking = 'Y' AND merkle.demographics.age.age BETWEEN 25 AND 44. Allowed are comparisons, IN, BETWEEN, LIKE, IS NULL, AND, OR and NOT.
	Rule string `yaml:"rule" jsonschema:"required,pattern=\\S"`

	// Parsed is the checked rule.
	Parsed *audience.Rule `yaml:"-"`
}

func (a *Audience) name() string { return a.Name }
func (a *Audience) kind() string { return "Audience" }

func (l *loader) checkAudience(a *Audience) {
	w := l.workspace
	known := true
	for i, n := range a.Namespaces {
		if _, ok := find(w.Namespaces, n); !ok {
			l.noNamespace(l.at(a, "namespaces", index(i)), n)
			known = false
		}
	}
	datasets := w.ProfileDatasets(a.Namespaces)
	if known && len(datasets) == 0 && !l.faultyData() {
		l.at(a, "namespaces").keyProblem("enable the dataset and its schema with profile: true", "no dataset of its namespaces is enabled for Profile")
	}
	if !known || len(datasets) == 0 {
		return
	}
	fields, ok := l.ruleFields(datasets)
	if !ok {
		return // the cause is reported
	}
	rule, err := audience.Parse(a.Rule, fields)
	if err != nil {
		l.ruleProblem(a, err, fields)
		return
	}
	a.Parsed = rule
}

// ruleFields are the fields that a rule over datasets may use, unless something is wrong with one of them.
func (l *loader) ruleFields(datasets []*Dataset) (fields audience.Fields, ok bool) {
	if l.anyUnread("Dataset", "Schema", "FieldGroup") {
		return nil, false
	}
	fields = audience.Fields{}
	for _, d := range datasets {
		schema := l.workspace.Schema(d)
		if schema == nil || schema.Composed == nil || l.incomplete[schema] {
			return nil, false
		}
		for _, f := range schema.Composed.Fields {
			if !f.System && f.Container == xdm.Single {
				fields[f.Path] = f.Type
			}
		}
	}
	return fields, true
}

// ruleProblem says what is wrong with a rule, and at which words: its lines may be folded, so a column
// would count in a text that nobody sees.
func (l *loader) ruleProblem(a *Audience, err error, fields audience.Fields) {
	at := l.at(a, "rule")
	if all, ok := l.ruleFields(l.workspace.ProfileDatasets(nil)); ok && len(a.Namespaces) > 0 {
		if rule, err := audience.Parse(a.Rule, all); err == nil {
			foreign := slices.DeleteFunc(rule.Columns, func(path string) bool { return fields[path] != "" })
			at.problem("leave it out, or add the namespace that has it", "rule: prospects of %s have no field %s", strings.Join(a.Namespaces, ", "), foreign[0])
			return
		}
	}
	var wrong *audience.ParseError
	if !errors.As(err, &wrong) {
		at.problem("", "rule: %v", err)
		return
	}
	message, hint := wrong.Message, wrong.Hint
	words := excerpt(a.Rule, wrong.Offset)
	if f := l.unusable(a, fieldPath.FindString(words)); f != nil {
		message, hint = fmt.Sprintf("%s takes several values (%s), rules cannot use it yet", f.Path, f.TypeText()), "use another field"
		if f.System {
			message = f.Path + " is kept by Prospector for itself, rules cannot use it"
		}
	}
	switch {
	case called.MatchString(words) && message == "expected an attribute":
		message, hint = "functions are not allowed in a rule", "compare the attribute itself"
	case words == "" && strings.HasPrefix(message, "syntax error"):
		message, hint = "the rule is not finished", "is a value or a closing parenthesis missing at its end?"
	case strings.HasPrefix(message, "unterminated quoted"):
		message, hint = "a text has no end", "close it with '"
	case strings.HasPrefix(message, "syntax error"):
		message, hint = "this is no SQL condition", "write conditions such as partner.hiking = 'Y', joined with AND and OR"
	case hint == "see the schema's fields":
		hint = "its fields are " + fieldRoots(slices.Sorted(maps.Keys(fields)))
	case hint == "":
		hint = "a constant is a text in single quotes, a number, true or false"
	}
	if words != "" {
		message = "at `" + words + "`: " + message
	}
	at.problem(hint, "rule: %s", message)
}

var (
	fieldPath = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*`)
	called    = regexp.MustCompile(`^[A-Za-z_]+ ?[(]`)
)

// unusable finds a field that exists and that rules cannot use.
func (l *loader) unusable(a *Audience, path string) *xdm.Field {
	for _, d := range l.workspace.ProfileDatasets(a.Namespaces) {
		if f := field(l.workspace.Schema(d), path); f != nil && (f.System || f.Container != xdm.Single) {
			return f
		}
	}
	return nil
}

const excerptLength = 32

// excerpt is the beginning of a text from an offset on, cut behind a word.
func excerpt(text string, offset int) string {
	text = strings.Join(strings.Fields(text[min(max(offset, 0), len(text)):]), " ")
	if len(text) <= excerptLength {
		return text
	}
	if i := strings.LastIndexByte(text[:excerptLength], ' '); i > 0 {
		return text[:i]
	}
	return strings.ToValidUTF8(text[:excerptLength], "")
}
