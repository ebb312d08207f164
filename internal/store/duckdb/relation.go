package duckdb

import (
	"context"
	"time"

	"prospector/internal/store"
	queries "prospector/sql"
)

// relation is the profiles of one namespace, for the statement profiles/relation.
type relation struct {
	Namespace string
	AsOf      string
	Columns   []namedColumn
	Fragments []fragment
}

type fragment struct {
	Dataset string
	Columns []string // SQL, in the order of the relation's
}

// relation returns the profiles of a namespace with the attributes in paths. A dataset whose schema lacks one has no
// value for it; the identity's own path is the partner id in every dataset.
func (s *Store) relation(ctx context.Context, n store.Namespace, asOf time.Time, paths []string) (relation, error) {
	out := relation{Namespace: n.Symbol, AsOf: asOf.UTC().Format(time.RFC3339Nano), Columns: named(paths)}
	identities := map[string]bool{}
	for _, d := range n.Datasets {
		identities[d.Identity] = true
	}
	for _, d := range n.Datasets {
		a, err := s.dataset(ctx, d)
		if err != nil {
			return out, err
		}
		f := fragment{Dataset: a.alias}
		for _, path := range paths {
			f.Columns = append(f.Columns, column(d, path, identities))
		}
		out.Fragments = append(out.Fragments, f)
	}
	return out, nil
}

// column is the SQL of an attribute of a fragment f.
func column(d store.Dataset, path string, identities map[string]bool) string {
	if identities[path] {
		return "f.partner_id"
	}
	if f, ok := d.Schema.Field(path); !ok || f.System {
		return "NULL"
	}
	return "f." + queries.Identifier(path)
}
