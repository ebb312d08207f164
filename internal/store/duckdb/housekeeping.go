package duckdb

import (
	"context"
	"time"

	"prospector/internal/store"
)

// ForgetPart removes what validation wrote of a batch. The part of a loaded batch stays.
func (s *Store) ForgetPart(ctx context.Context, d store.Dataset, batch string) error {
	a, err := s.dataset(ctx, d)
	if err != nil {
		return err
	}
	a.write.Lock()
	defer a.write.Unlock()
	if err := remove(s.draft(d.Name, batch)); err != nil {
		return err
	}
	loaded, err := s.Loaded(ctx, d, batch)
	if err != nil || loaded {
		return err
	}
	return remove(s.part(d.Name, batch))
}

// Loaded reports whether a batch's rows are profiles.
func (s *Store) Loaded(ctx context.Context, d store.Dataset, batch string) (loaded bool, err error) {
	a, err := s.dataset(ctx, d)
	if err != nil {
		return false, err
	}
	err = s.query(ctx, s.db, "ingest/batch_is_loaded", map[string]any{"Dataset": a.alias}, []any{batch}, func(scan func(...any) error) error { return scan(&loaded) })
	return loaded, err
}

// ExpireQuarantine removes the rejected rows of batches that are older than the dataset keeps them (BI-12). Their counts
// stay.
func (s *Store) ExpireQuarantine(ctx context.Context, d store.Dataset, at time.Time) error {
	if d.Quarantine == 0 {
		return nil
	}
	a, err := s.dataset(ctx, d)
	if err != nil {
		return err
	}
	a.write.Lock()
	defer a.write.Unlock()
	return s.exec(ctx, s.db, "ingest/expire_quarantine", map[string]any{"Dataset": a.alias}, at.Add(-d.Quarantine))
}
