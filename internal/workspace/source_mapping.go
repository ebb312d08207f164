package workspace

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/mapping"
	"prospector/internal/xdm"
)

func (l *loader) mapping(s *Source, schema *Schema) {
	if schema.PrimaryIdentity.Field == "" && !l.faulty[schema] { // ID-4
		l.at(s, "dataset").problem("give the schema a primaryIdentity", "schema %s has no primary identity, so no row could be loaded", schema.Name)
	}
	taken := map[string]string{}
	target := func(at place, schema *Schema, path, by string) (container xdm.Container) {
		f := l.fieldAt(at, schema, path)
		if f == nil {
			return xdm.Single
		}
		if f.System {
			at.problem("leave it out", "%s is written by Prospector and cannot be mapped", path)
		}
		if other, ok := taken[path]; ok {
			at.problem("leave one of them out", "%s and %s are both mapped to %s", other, by, path)
		}
		taken[path] = by
		return f.Container
	}
	var targets []placed
	for _, column := range sortedKeys(s.Mapping) {
		at := l.at(s, "mapping", column)
		if column == "" {
			at.keyProblem("write the header of a column", "a column without a name cannot be mapped")
		}
		container := target(at, schema, s.Mapping[column], "column "+column)
		targets = append(targets, placed{mapping.Target{Field: s.Mapping[column], Column: column, Container: container}, at})
		l.checkColumn(at.keyProblem, s, column, "mapped")
	}
	for i, c := range s.CalculatedFields {
		at := l.at(s, "calculatedFields", index(i))
		c.Container = target(at.in("field"), schema, c.Field, fmt.Sprintf("calculated field %d", i+1))
		targets = append(targets, placed{c, at})
		l.checkCalculated(at, s, c, schema)
	}
	if s.Format.Records != "delimited" {
		checkWhole(targets)
	}
	for _, f := range schema.Composed.Fields {
		if _, ok := taken[f.Path]; f.Required && !ok {
			l.at(s, "mapping").keyProblem("map a column to it", "required field %s is not mapped", f.Path)
		}
	}
}

// placed is a target and where it stands.
type placed struct {
	mapping.Target
	at place
}

// checkWhole refuses targets that want a list or object, or a value within it, besides one that takes it as a list or map.
func checkWhole(targets []placed) {
	for _, t := range targets {
		if !t.Whole() {
			continue
		}
		for _, other := range targets {
			for _, column := range other.Columns() {
				switch {
				case column == t.Column && !other.Whole():
					other.at.problem("fill it from another column", "column %s holds several values, which fill %s, and %s takes one", column, t.Field, other.Field)
				case strings.HasPrefix(column, t.Column+"."):
					other.at.problem("leave one of them out", "column %s lies within column %s, which fills %s as a whole", column, t.Column, t.Field)
				}
			}
		}
	}
}

func (l *loader) checkColumn(problem func(hint, format string, args ...any), s *Source, column, how string) {
	if contains(s.IgnoreColumns, column) {
		problem("leave it out of one of them", "column %s is both %s and ignored", column, how)
	}
	if len(s.Format.Columns) > 0 && !contains(s.Format.Columns, column) {
		problem("add it to format.columns, in its place", "column %s is not among format.columns", column)
	}
}

func (l *loader) checkCalculated(at place, s *Source, t mapping.Target, schema *Schema) {
	if field(schema, t.Field) == nil && slices.ContainsFunc(t.Steps, func(step mapping.Step) bool { return step.List != nil }) {
		t.Container = xdm.Array // as it is meant; its own problem is reported
	}
	for i, step := range t.Steps {
		if err := step.Check(); err != nil {
			at.in("steps", index(i)).problem("", "step %d: %s", i+1, err)
			return
		}
	}
	if err := t.Check(); err != nil {
		at.problem("", "%s", err)
		return
	}
	if t.Column != "" {
		l.checkColumn(at.in("column").problem, s, t.Column, "used")
	}
	for i, column := range t.Concat {
		l.checkColumn(at.in("concat", index(i)).problem, s, column, "used")
	}
}

// Targets are the fields that a row fills and where their values come from, in path order.
func (s *Source) Targets() []mapping.Target {
	var out []mapping.Target
	for column, field := range s.Mapping {
		out = append(out, mapping.Target{Field: field, Column: column})
	}
	out = append(out, s.CalculatedFields...)
	slices.SortFunc(out, func(a, b mapping.Target) int { return strings.Compare(a.Field, b.Field) })
	return out
}
