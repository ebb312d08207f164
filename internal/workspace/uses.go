package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"prospector/internal/audience"
	"prospector/internal/governance"
)

// FieldUses lists the fields of an activation that decide who is in an audience or that leave with it, with
// the labels that are declared for them (PL-17), one entry for each dataset that may hold members.
func (w *Workspace) FieldUses(audience *Audience, activation *Activation) []governance.FieldUse {
	var out []governance.FieldUse
	for _, d := range w.ProfileDatasets(audience.Namespaces) {
		schema := w.Schema(d)
		labels := w.FieldLabels(d)
		add := func(path, use, user string) {
			if _, ok := schema.Composed.Field(path); ok { // else it is another dataset's
				out = append(out, governance.FieldUse{Dataset: d.Name, Path: path, Use: use, Audience: user, Labels: labels[path]})
			}
		}
		for _, each := range w.EvaluationOrder([]*Audience{audience}) {
			for _, path := range each.ownColumns() {
				add(path, governance.InRule, each.Name)
			}
		}
		for _, m := range activation.Mapping {
			add(m.Field, governance.InMapping, "")
		}
		add(schema.PrimaryIdentity.Field, governance.AsIdentity, "")
	}
	return out
}

// Definition is a digest of what decides who is in the audience: its rule, the datasets that it reads, its limit, and the
// same of the audiences that it refers to.
func (w *Workspace) Definition(a *Audience) string {
	var parts []string
	for _, each := range w.EvaluationOrder([]*Audience{a}) {
		parts = append(parts, each.Rule)
		if each.Parsed.Notation != audience.SQL {
			parts = append(parts, string(each.Parsed.Notation))
		}
		for _, d := range w.ProfileDatasets(each.Namespaces) {
			parts = append(parts, d.Name+"="+w.Namespace(d))
		}
		if each.Limit != nil {
			parts = append(parts, fmt.Sprintf("%+v", *each.Limit))
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
