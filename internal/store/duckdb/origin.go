package duckdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"time"

	"prospector/internal/audience"
	"prospector/internal/store"
)

// origin is a digest of all that decides a membership: the rule and what its attributes mean, the versions of the datasets, the
// instant, the membership before it, and the origins of the audiences that it refers to.
func (e *evaluation) origin(a store.AudienceScope, previous string) string {
	type dataset struct {
		Name, Version string
		Columns       []string // SQL
	}
	of := struct {
		Rule       string
		Notation   audience.Notation
		Limit      *store.Limit
		AsOf       time.Time
		Previous   string
		References map[string]string
		Namespaces map[string][]dataset
	}{a.Rule.Text, a.Rule.Notation, a.Limit, e.asOf.UTC(), previous, map[string]string{}, map[string][]dataset{}}
	for _, name := range a.Rule.Audiences {
		of.References[name] = e.origins[name]
	}
	for _, n := range a.Namespaces {
		identities := map[string]bool{}
		for _, d := range n.Datasets {
			identities[d.Identity] = true
		}
		for _, d := range n.Datasets {
			described := dataset{Name: d.Name, Version: e.versions[d.Name]}
			for _, path := range columnsOf(a) {
				described.Columns = append(described.Columns, column(d, path, identities))
			}
			of.Namespaces[n.Symbol] = append(of.Namespaces[n.Symbol], described)
		}
	}
	text, err := json.Marshal(of)
	if err != nil {
		panic(err) // texts and numbers
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}

// written reports whether a membership part is there, to its end, and of this origin.
func (e *evaluation) written(ctx context.Context, a store.AudienceScope, origin string) bool {
	part, found := e.inside(a.Part), ""
	if _, err := os.Stat(part); err != nil {
		return false
	}
	// Outside of the evaluation's transaction: a part that was cut short is an error, which would end it.
	err := e.query(ctx, e.db, "audiences/origin", map[string]any{"Part": part}, nil, func(scan func(...any) error) error { return scan(&found) })
	return err == nil && found == origin
}
