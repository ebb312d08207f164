package workspace

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"prospector/internal/audience"
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
	// Rule is an SQL condition over XDM paths: partner.hiking = 'Y' AND merkle.demographics.age.age BETWEEN 25 AND 44. It may use what audience-rules.md says.
	Rule string `yaml:"rule" jsonschema:"required,pattern=\\S"`
	// Notation of the rule: SQL, or Adobe's Profile Query Language. sql unless given.
	Notation string `yaml:"notation" jsonschema:"enum=sql,enum=pql"`
	// Status is draft: it is evaluated, and no activation may send it; published, unless given: all may use it; or inactive: it is not evaluated, and neither activations nor other audiences may use it. A deleted audience is one that is no longer here.
	Status string `yaml:"status" jsonschema:"enum=draft,enum=published,enum=inactive"`
	// Tags by which people find it.
	Tags []string `yaml:"tags"`
	// Schedule of its evaluations, instead of the sandbox's evaluation.schedule.
	Schedule *Schedule `yaml:"schedule"`
	// Limit keeps only some of those for whom the rule holds.
	Limit *AudienceLimit `yaml:"limit"`

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
	rule, err := l.parse(a, fields)
	if err != nil {
		l.ruleProblem(a, err, fields)
		return
	}
	a.Parsed = rule
	for _, warning := range rule.Warnings {
		l.at(a, "rule").warning("", "rule: %s", warning.Message)
	}
}

func (l *loader) parse(a *Audience, fields audience.Fields) (*audience.Rule, error) {
	notation := audience.Notation(cmp.Or(a.Notation, string(audience.SQL)))
	return audience.Parse(a.Rule, fields, audience.In(notation), audience.MayRefer(names(l.workspace.Audiences)...))
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
			if !f.System {
				fields.Add(f)
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
		if rule, err := l.parse(a, all); err == nil {
			foreign := slices.DeleteFunc(rule.Columns, func(path string) bool { _, ok := fields[path]; return ok })
			if len(foreign) > 0 {
				at.problem("leave it out, or add the namespace that has it", "rule: prospects of %s have no field %s", strings.Join(a.Namespaces, ", "), foreign[0])
				return
			}
		}
	}
	var wrong *audience.ParseError
	if !errors.As(err, &wrong) {
		at.problem("", "rule: %v", err)
		return
	}
	message, hint := wrong.Message, wrong.Hint
	if wrong.Kind == audience.UnknownField {
		if l.isSystem(a, wrong.Name) {
			message, hint = wrong.Name+" is kept by Prospector for itself, rules cannot use it", "use another field"
		} else if hint == "see the schema's fields" {
			hint = "its fields are " + fieldRoots(slices.Sorted(maps.Keys(fields)))
		}
	}
	if words := excerpt(a.Rule, wrong.Offset); words != "" {
		message = "at `" + words + "`: " + message
	}
	at.problem(hint, "rule: %s", message)
}

// isSystem reports whether a path is a field that exists and that Prospector writes.
func (l *loader) isSystem(a *Audience, path string) bool {
	for _, d := range l.workspace.ProfileDatasets(a.Namespaces) {
		if f := field(l.workspace.Schema(d), path); f != nil && f.System {
			return true
		}
	}
	return false
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
