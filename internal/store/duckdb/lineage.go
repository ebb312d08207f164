package duckdb

import (
	"context"

	"prospector/internal/store"
)

// Versions says in which version datasets are.
func (s *Store) Versions(ctx context.Context, datasets []store.Dataset) (out []store.Derivation, err error) {
	for _, d := range datasets {
		a, err := s.dataset(ctx, d)
		if err != nil {
			return nil, err
		}
		v := store.Derivation{Dataset: d.Name}
		err = s.query(ctx, s.db, "profiles/dataset_version", map[string]any{"Dataset": a.alias}, nil, func(scan func(...any) error) error {
			return scan(&v.Version, &v.Batches, &v.Latest)
		})
		if err != nil {
			return nil, err
		}
		v.FirstVersion = v.Version
		out = append(out, v)
	}
	return out, nil
}

// BatchSpans says in which versions of a dataset a batch is or was. One that was deleted and loaded again has several.
func (s *Store) BatchSpans(ctx context.Context, d store.Dataset, batch string) (out []store.BatchSpan, err error) {
	a, err := s.dataset(ctx, d)
	if err != nil {
		return nil, err
	}
	err = s.query(ctx, s.db, "profiles/batch_versions", map[string]any{"Dataset": a.alias}, []any{batch}, func(scan func(...any) error) error {
		var span store.BatchSpan
		err := scan(&span.Loaded, &span.Deleted)
		out = append(out, span)
		return err
	})
	return out, err
}
