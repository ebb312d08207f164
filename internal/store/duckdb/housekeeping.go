package duckdb

import (
	"context"
	"time"

	"prospector/internal/store"
)

// ForgetPart removes what validation wrote of a batch that is not loaded. The part of a loaded batch stays: profiles can be
// made from it again.
func (s *Store) ForgetPart(ctx context.Context, d store.Dataset, batch string) error {
	a, err := s.dataset(ctx, d)
	if err != nil {
		return err
	}
	a.write.Lock()
	defer a.write.Unlock()
	loaded := false
	err = s.query(ctx, s.db, "ingest/batch_is_loaded", map[string]any{"Dataset": a.alias}, []any{batch}, func(scan func(...any) error) error { return scan(&loaded) })
	if err != nil || loaded {
		return err
	}
	return s.RemovePart(d.Name, batch)
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
