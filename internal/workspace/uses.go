package workspace

import (
	"prospector/internal/governance"
)

// FieldUses lists the fields of an activation that decide who is in an audience or that leave with it, with
// the labels that are declared for them (PL-17), one entry for each dataset that may hold members.
func (w *Workspace) FieldUses(audience *Audience, activation *Activation) []governance.FieldUse {
	var out []governance.FieldUse
	for _, d := range w.ProfileDatasets(audience.Namespaces) {
		schema := w.Schema(d)
		labels := w.FieldLabels(d)
		add := func(path, use string) {
			if _, ok := schema.Composed.Field(path); ok { // else it is another dataset's
				out = append(out, governance.FieldUse{Dataset: d.Name, Path: path, Use: use, Labels: labels[path]})
			}
		}
		for _, path := range audience.Parsed.Columns {
			add(path, "rule")
		}
		for _, m := range activation.Mapping {
			add(m.Field, "mapping")
		}
		add(schema.PrimaryIdentity.Field, "identity")
	}
	return out
}
