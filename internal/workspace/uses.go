package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

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

// Definition is a digest of what decides who is in the audience: its rule and the datasets that it reads.
func (w *Workspace) Definition(a *Audience) string {
	parts := []string{a.Rule}
	if a.Notation != "" && a.Notation != "sql" {
		parts = append(parts, a.Notation)
	}
	for _, d := range w.ProfileDatasets(a.Namespaces) {
		parts = append(parts, d.Name+"="+w.Namespace(d))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
