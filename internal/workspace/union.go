package workspace

import (
	"maps"
	"slices"
	"strings"

	"prospector/internal/xdm"
)

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

// checkUnion refuses schemas that give one path two types, or two paths that differ only in upper and lower case: rules speak of
// paths, and stores tell none of these apart.
func (l *loader) checkUnion() {
	type use struct {
		schema *Schema
		field  xdm.Field
	}
	first := map[string]use{}
	for _, s := range l.workspace.Schemas {
		if s.Composed == nil {
			continue
		}
		own := map[string]string{}
		for _, f := range s.Composed.Fields {
			key := strings.ToLower(f.Path)
			if other, ok := own[key]; ok {
				l.at(s, "fieldGroups").problem("rename one of them", "fields %s and %s differ only in upper and lower case", other, f.Path)
				continue
			}
			own[key] = f.Path
			if !s.Profile {
				continue
			}
			other, ok := first[key]
			switch {
			case !ok:
				first[key] = use{s, f}
			case other.field.Path != f.Path:
				l.at(s, "fieldGroups").problem("rename one of them", "field %s differs only in upper and lower case from %s of schema %s", f.Path, other.field.Path, other.schema.Name)
			case !other.field.Same(f):
				l.at(s, "fieldGroups").problem("rename one of the fields", "field %s is of type %s here and of type %s in schema %s, and rules speak of both at once", f.Path, f.TypeText(), other.field.TypeText(), other.schema.Name)
			}
		}
	}
}
