package workspace

import (
	"maps"
	"slices"

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

// checkUnion refuses schemas that give one path two types: rules speak of paths.
func (l *loader) checkUnion() {
	first := map[string]*Schema{}
	for _, s := range l.workspace.Schemas {
		if !s.Profile || s.Composed == nil {
			continue
		}
		for _, f := range s.Composed.Fields {
			other, ok := first[f.Path]
			if !ok {
				first[f.Path] = s
				continue
			}
			if g, _ := other.Composed.Field(f.Path); !g.Same(f) {
				l.at(s, "fieldGroups").problem("rename one of the fields", "field %s is of type %s here and of type %s in schema %s, and rules speak of both at once", f.Path, f.TypeText(), g.TypeText(), other.Name)
			}
		}
	}
}
