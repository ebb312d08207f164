package duckdb

import (
	"context"
	"errors"
	"fmt"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// ListBatches returns a page of a dataset's batches, the newest first, and the batch behind which the next page begins: empty
// after the last one. Missing when the dataset has no version such as is asked for.
func (s *Store) ListBatches(ctx context.Context, d store.Dataset, q store.BatchQuery) (out []store.BatchRecord, next string, err error) {
	if q.Limit < 1 || q.Limit > store.MostPageSize {
		return nil, "", errkind.Newf(errkind.Invalid, "a page has 1 to %d batches, not %d", store.MostPageSize, q.Limit)
	}
	if q.Version > 0 {
		now, err := s.Versions(ctx, []store.Dataset{d})
		if err != nil {
			return nil, "", err
		}
		if q.Version > now[0].Version {
			return nil, "", errkind.New(errkind.Missing, "dataset "+d.Name, fmt.Errorf("it has no version %d", q.Version), fmt.Sprintf("its latest is %d", now[0].Version))
		}
	}
	found, err := s.listBatches(ctx, d, "", q, q.Limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(found) > q.Limit {
		found = found[:q.Limit]
		next = found[q.Limit-1].ID
	}
	for _, b := range found {
		out = append(out, b.BatchRecord)
	}
	return out, next, nil
}

// Batch returns what a dataset knows of one batch, with why its rows were rejected. Missing when it knows no such batch.
func (s *Store) Batch(ctx context.Context, d store.Dataset, id string) (out store.BatchDetail, err error) {
	var found []store.BatchDetail
	if id != "" {
		if found, err = s.listBatches(ctx, d, id, store.BatchQuery{}, 1); err != nil {
			return out, err
		}
	}
	if len(found) == 0 {
		return out, errkind.New(errkind.Missing, "dataset "+d.Name, errors.New("it knows no such batch"), "list them with: starter batches list "+d.Name)
	}
	out = found[0]
	if out.Reasons, err = s.RejectionCounts(ctx, d, id); err != nil {
		return out, err
	}
	a, err := s.dataset(ctx, d)
	if err != nil {
		return out, err
	}
	err = s.query(ctx, s.db, "ingest/quarantine_counts", map[string]any{"Dataset": a.alias}, []any{id}, func(scan func(...any) error) error {
		return scan(&out.Quarantine, &out.Resolved)
	})
	return out, err
}

func (s *Store) listBatches(ctx context.Context, d store.Dataset, id string, q store.BatchQuery, limit int) (out []store.BatchDetail, err error) {
	a, err := s.dataset(ctx, d)
	if err != nil {
		return nil, err
	}
	err = s.query(ctx, s.db, "ingest/list_batches", map[string]any{"Dataset": a.alias}, []any{id, q.Status, q.After, limit, q.Version}, func(scan func(...any) error) error {
		b := store.BatchDetail{BatchRecord: store.BatchRecord{Dataset: d.Name}, Columns: []string{}}
		var columns, header texts
		err := scan(&b.ID, &b.Source, &b.File, &b.SHA256, &b.BusinessDate, &b.Status, &b.Read, &b.Accepted, &b.Rejected, &b.Created, &b.Updated, &b.Unchanged,
			&b.Superseded, &b.Outdated, &b.Removed, &b.Merge, &b.ReplayOf, &b.Loaded, &columns, &header)
		b.Loaded = b.Loaded.UTC()
		b.Columns, b.Header = append(b.Columns, columns...), header
		out = append(out, b)
		return err
	})
	return out, err
}
