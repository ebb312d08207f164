package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/prospect"
	"prospector/internal/store"
)

// Load makes a batch's accepted rows profiles, and records its counts, labels and quarantine, all
// in one transaction of the dataset's file. The last line of an id wins (EC-18); an id that the
// dataset knows is replaced. A batch that is loaded already is left alone and its outcome
// returned. step, if not nil, is called between the steps of the transaction.
func (s *Store) Load(ctx context.Context, l store.Load, step func(name string)) (store.Outcome, error) {
	outcome, err := s.load(ctx, l, step)
	if err != nil {
		return store.Outcome{}, fmt.Errorf("load batch %s into dataset %s: %w", l.Batch.ID, l.Dataset.Name, err)
	}
	return outcome, nil
}

func (s *Store) load(ctx context.Context, l store.Load, step func(name string)) (outcome store.Outcome, err error) {
	if step == nil {
		step = func(string) {}
	}
	a, err := s.dataset(ctx, l.Dataset)
	if err != nil {
		return outcome, err
	}
	a.write.Lock()
	defer a.write.Unlock()

	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return outcome, err
	}
	defer func() {
		if err != nil {
			if rollback := tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
				err = errors.Join(err, rollback)
			}
		}
	}()
	data := map[string]any{"Dataset": a.alias, "Part": s.part(l.Dataset.Name, l.Batch.ID), "Batch": l.Batch.ID, "File": l.Quarantine}

	known := false
	err = s.query(ctx, tx, "ingest/select_batch", data, []any{l.Batch.ID}, func(scan func(...any) error) error {
		known = true
		return scan(&outcome.Status, &outcome.Read, &outcome.Accepted, &outcome.Rejected, &outcome.Created, &outcome.Updated, &outcome.Superseded, &outcome.Outdated)
	})
	if err != nil {
		return outcome, err
	}
	if known && outcome.Status == store.Loaded {
		return outcome, tx.Rollback()
	}
	outcome = store.Outcome{Status: l.Status, Read: l.Read, Accepted: l.Accepted, Rejected: l.Rejected}
	if err = s.exec(ctx, tx, "ingest/forget_batch", data); err != nil {
		return outcome, err
	}
	if l.Status == store.Loaded {
		if err = s.replaceProfiles(ctx, tx, l, data, &outcome, step); err != nil {
			return outcome, err
		}
	}
	if l.Rejected > 0 && l.Quarantine != "" {
		if err = s.exec(ctx, tx, "ingest/insert_quarantine", data, l.Batch.ID); err != nil {
			return outcome, err
		}
		if err = s.assertQuarantine(ctx, tx, data, l); err != nil {
			return outcome, err
		}
		step("quarantine recorded")
	}
	for _, path := range sortedKeys(l.Labels) {
		if err = s.exec(ctx, tx, "ingest/insert_labels", data, l.Batch.ID, path, strings.Join(l.Labels[path], "|")); err != nil {
			return outcome, err
		}
	}
	err = s.exec(ctx, tx, "ingest/insert_batch", data, l.Batch.ID, l.Batch.Source, l.Batch.File, l.Batch.SHA256, outcome.Status,
		outcome.Read, outcome.Accepted, outcome.Rejected, outcome.Created, outcome.Updated, outcome.Superseded, l.At, businessDate(l.Batch), outcome.Outdated)
	if err != nil {
		return outcome, err
	}
	step("before commit")
	if err = tx.Commit(); err != nil {
		return outcome, failure(ctx, "commit", err)
	}
	step("committed")
	return outcome, nil
}

func (s *Store) replaceProfiles(ctx context.Context, tx *sql.Tx, l store.Load, data map[string]any, outcome *store.Outcome, step func(string)) error {
	type column struct{ Path string }
	var columns []column
	for _, c := range l.Columns {
		columns = append(columns, column{c.Field.Path})
	}
	data["Columns"] = columns
	if err := s.exec(ctx, tx, "ingest/winners", data, businessDate(l.Batch)); err != nil {
		return err
	}
	err := s.query(ctx, tx, "ingest/winner_counts", data, nil, func(scan func(...any) error) error {
		return scan(&outcome.Created, &outcome.Updated, &outcome.Outdated)
	})
	if err != nil {
		return err
	}
	outcome.Superseded = l.Accepted - outcome.Created - outcome.Updated - outcome.Outdated
	step("last lines chosen")
	if err := s.exec(ctx, tx, "ingest/delete_reloaded", data); err != nil {
		return err
	}
	step("replaced profiles deleted")
	if err := s.exec(ctx, tx, "ingest/insert_winners", data, l.Batch.ID, l.At); err != nil {
		return err
	}
	step("profiles inserted")
	var profiles, distinct, ofBatch int64
	err = s.query(ctx, tx, "profiles/assert_unique", data, []any{l.Batch.ID}, func(scan func(...any) error) error {
		return scan(&profiles, &distinct, &ofBatch)
	})
	if err != nil {
		return err
	}
	if profiles != distinct || ofBatch != outcome.Created+outcome.Updated || outcome.Superseded < 0 {
		return errkind.Newf(errkind.Internal, "counts do not reconcile: %d profiles, %d distinct ids, %d of the batch, %d created, %d updated, %d accepted",
			profiles, distinct, ofBatch, outcome.Created, outcome.Updated, l.Accepted)
	}
	return nil
}

// businessDate is null for a batch whose file says none.
func businessDate(b store.Batch) any {
	if b.BusinessDate == "" {
		return nil
	}
	return b.BusinessDate
}

// assertQuarantine holds the second count of rejected rows, by line, against the first.
func (s *Store) assertQuarantine(ctx context.Context, tx *sql.Tx, data map[string]any, l store.Load) error {
	var lines int64
	err := s.query(ctx, tx, "ingest/quarantined_lines", data, []any{l.Batch.ID}, func(scan func(...any) error) error { return scan(&lines) })
	if err == nil && lines != l.Rejected {
		err = errkind.Newf(errkind.Internal, "counts do not reconcile: %d rows rejected, %d in quarantine", l.Rejected, lines)
	}
	return err
}

// RejectionCounts says why rows of a batch were refused, the most frequent reason first.
func (s *Store) RejectionCounts(ctx context.Context, dataset store.Dataset, batch string) ([]store.RejectionCount, error) {
	a, err := s.dataset(ctx, dataset)
	if err != nil {
		return nil, err
	}
	var out []store.RejectionCount
	err = s.query(ctx, s.db, "ingest/rejection_counts", map[string]any{"Dataset": a.alias}, []any{batch}, func(scan func(...any) error) error {
		var c store.RejectionCount
		var code string
		if err := scan(&code, &c.Reason.Field, &c.Reason.Detail, &c.Rows); err != nil {
			return err
		}
		c.Reason.Code = prospect.Code(code)
		out = append(out, c)
		return nil
	})
	return out, err
}

// Labels returns the labels under which the profiles of a dataset were taken, by path.
func (s *Store) Labels(ctx context.Context, dataset store.Dataset) (map[string][]string, error) {
	a, err := s.dataset(ctx, dataset)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	err = s.query(ctx, s.db, "profiles/labels", map[string]any{"Dataset": a.alias}, nil, func(scan func(...any) error) error {
		var path, labels string
		if err := scan(&path, &labels); err != nil {
			return err
		}
		if labels != "" {
			out[path] = strings.Split(labels, "|")
		}
		return nil
	})
	return out, err
}

// Profiles counts the prospects of a dataset.
func (s *Store) Profiles(ctx context.Context, dataset store.Dataset) (int64, error) {
	a, err := s.dataset(ctx, dataset)
	if err != nil {
		return 0, err
	}
	var n int64
	err = s.query(ctx, s.db, "profiles/count", map[string]any{"Dataset": a.alias}, nil, func(scan func(...any) error) error { return scan(&n) })
	return n, err
}

func sortedKeys(m map[string][]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
