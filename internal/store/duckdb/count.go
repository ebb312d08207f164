package duckdb

import (
	"context"
	"database/sql"
	"time"

	"prospector/internal/store"
)

// Count counts profiles by namespace and what datasets hold (PF-14). namespaces hold the datasets that are enabled for
// Profile; others are datasets that are not, by their namespace.
func (s *Store) Count(ctx context.Context, namespaces, others []store.Namespace, asOf time.Time) (out store.Counts, err error) {
	out = store.Counts{AsOf: asOf.UTC(), Namespaces: []store.NamespaceCount{}, Datasets: []store.DatasetCount{}}
	for _, n := range namespaces {
		relation, err := s.relation(ctx, n, asOf, nil)
		if err != nil {
			return out, err
		}
		count := store.NamespaceCount{Namespace: n.Symbol}
		err = s.query(ctx, s.db, "profiles/namespace_count", map[string]any{"Relation": relation}, nil, func(scan func(...any) error) error { return scan(&count.Profiles) })
		if err != nil {
			return out, err
		}
		out.Namespaces = append(out.Namespaces, count)
		if err := s.countDatasets(ctx, n, true, asOf, &out); err != nil {
			return out, err
		}
	}
	for _, n := range others {
		if err := s.countDatasets(ctx, n, false, asOf, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (s *Store) countDatasets(ctx context.Context, n store.Namespace, enabled bool, asOf time.Time, out *store.Counts) error {
	for _, d := range n.Datasets {
		a, err := s.dataset(ctx, d)
		if err != nil {
			return err
		}
		data := map[string]any{"Dataset": a.alias}
		count := store.DatasetCount{Dataset: d.Name, Namespace: n.Symbol, Enabled: enabled, Batches: map[string]int64{}}
		err = s.query(ctx, s.db, "profiles/dataset_count", data, []any{asOf}, func(scan func(...any) error) error {
			var all int64
			var updated sql.NullTime
			err := scan(&count.Fragments, &all, &count.Quarantine, &updated)
			count.Expired = all - count.Fragments
			if updated.Valid {
				at := updated.Time.UTC()
				count.Updated = &at
			}
			return err
		})
		if err != nil {
			return err
		}
		err = s.query(ctx, s.db, "ingest/batch_statuses", data, nil, func(scan func(...any) error) error {
			var status string
			var batches int64
			err := scan(&status, &batches)
			count.Batches[status] = batches
			return err
		})
		if err != nil {
			return err
		}
		out.Datasets = append(out.Datasets, count)
	}
	return nil
}
