package duckdb

import (
	"context"
	"errors"
	"iter"

	"prospector/internal/store"
)

// buckets is how many there are of ids, see sql/ingest/insert_winners.
const buckets = 64

// ListValues yields the ids of a dataset that is a suppression list, also those that have expired, in no order.
func (s *Store) ListValues(ctx context.Context, d store.Dataset) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		a, err := s.dataset(ctx, d)
		if err != nil {
			yield("", err)
			return
		}
		enough := errors.New("enough")
		for bucket := 0; bucket < buckets && err == nil; bucket++ { // a result is held in memory, whole
			err = s.query(ctx, s.db, "ingest/list_values", map[string]any{"Dataset": a.alias}, []any{bucket}, func(scan func(...any) error) error {
				var value string
				if err := scan(&value); err != nil {
					return err
				}
				if !yield(value, nil) {
					return enough
				}
				return nil
			})
		}
		if err != nil && !errors.Is(err, enough) {
			yield("", err)
		}
	}
}
