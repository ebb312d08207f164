package workspace

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/xdm"
)

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
