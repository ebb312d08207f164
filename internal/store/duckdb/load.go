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
// in one transaction of the dataset's file. The last line of an id wins (EC-18); what becomes of an
// id that the dataset knows is its merge mode's word. A batch that is loaded already is left alone and
// its outcome returned; one that was deleted is loaded as if it came for the first time. Conflict when the batch whose rows
// it replays was deleted, BadInput when rows of it were replayed since it failed. step, if not nil, is called between the steps of
// the transaction.
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
	data := map[string]any{"Dataset": a.alias, "Batch": l.Batch.ID, "File": l.Quarantine}

	outcome, known, err := s.recorded(ctx, tx, data, l.Batch.ID)
	if err != nil {
		return outcome, err
	}
	if known && outcome.Status == store.Loaded {
		return outcome, errors.Join(tx.Rollback(), remove(s.draft(l.Dataset.Name, l.Batch.ID)))
	}
	if err = s.refuseReplayed(ctx, tx, data, l.Batch.ID); err != nil { // they would count as older than rows of their own file
		if errkind.Of(err) == errkind.Conflict {
			err = errkind.New(errkind.BadInput, "", err, "") // not tried again until somebody asks
		}
		return outcome, err
	}
	if err = s.refuseDeleted(ctx, tx, data, l.Batch.ReplayOf); err != nil {
		return outcome, err
	}
	if err = s.publishDraft(l.Dataset.Name, l.Batch.ID); err != nil {
		return outcome, err
	}
	outcome = store.Outcome{Status: l.Status, Read: l.Read, Accepted: l.Accepted, Rejected: l.Rejected}
	if err = s.exec(ctx, tx, "ingest/forget_batch", data); err != nil {
		return outcome, err
	}
	if l.Status == store.Loaded {
		if err = s.becomeProfiles(ctx, tx, a, l, data, &outcome, step); err != nil {
			return outcome, err
		}
	}
	if err = s.quarantine(ctx, tx, data, l, step); err != nil {
		return outcome, err
	}
	for _, path := range sortedKeys(l.Labels) {
		if err = s.exec(ctx, tx, "ingest/insert_labels", data, l.Batch.ID, path, strings.Join(l.Labels[path], "|")); err != nil {
			return outcome, err
		}
	}
	columns, err := texts(carried(l)).parameter()
	if err != nil {
		return outcome, err
	}
	header, err := texts(l.Batch.Header).parameter()
	if err != nil {
		return outcome, err
	}
	err = s.exec(ctx, tx, "ingest/insert_batch", data, l.Batch.ID, l.Batch.Source, l.Batch.File, l.Batch.SHA256, outcome.Status,
		outcome.Read, outcome.Accepted, outcome.Rejected, outcome.Created, outcome.Updated, outcome.Superseded, l.At, businessDate(l.Batch), outcome.Outdated,
		outcome.Unchanged, outcome.Removed, string(mergeOf(l)), lifetimeOf(l.Dataset), columns, header, l.Batch.ReplayOf)
	if err == nil && outcome.Status == store.Loaded {
		err = s.exec(ctx, tx, "ingest/insert_version", data, l.Batch.ID)
	}
	if err != nil {
		return outcome, err
	}
	step("before commit")
	if err = tx.Commit(); err != nil {
		s.reattachInvalid(err)
		return outcome, failure(ctx, "commit", err)
	}
	step("committed")
	if l.Status == store.Failed { // nothing of it will ever be a profile
		err = remove(s.part(l.Dataset.Name, l.Batch.ID))
	}
	return outcome, err
}

// recorded returns what the dataset's file says of a batch.
func (s *Store) recorded(ctx context.Context, tx *sql.Tx, data map[string]any, batch string) (out store.Outcome, known bool, err error) {
	err = s.query(ctx, tx, "ingest/select_batch", data, []any{batch}, func(scan func(...any) error) error {
		known = true
		return scan(&out.Status, &out.Read, &out.Accepted, &out.Rejected, &out.Created, &out.Updated, &out.Unchanged, &out.Superseded, &out.Outdated, &out.Removed)
	})
	return out, known, err
}

// refuseDeleted refuses rows of a batch that was deleted while they were made ready.
func (s *Store) refuseDeleted(ctx context.Context, tx *sql.Tx, data map[string]any, replayOf string) error {
	if replayOf == "" {
		return nil
	}
	original, known, err := s.recorded(ctx, tx, data, replayOf)
	if err == nil && (!known || original.Status == store.Deleted) {
		err = errkind.New(errkind.Conflict, "", fmt.Errorf("batch %s, whose rows it replays, was deleted", replayOf), "ingest its file again")
	}
	return err
}

// mergeOf is how a batch merges. Rows that are replayed are some of a file: that others are not among them means nothing.
func mergeOf(l store.Load) store.Merge {
	if l.Dataset.Merge == "" || l.Dataset.Merge == store.Full && l.Batch.ReplayOf != "" {
		return store.Replace
	}
	return l.Dataset.Merge
}

// standardLifetime is how many days a profile lives that no batch refreshes (PF-9).
const standardLifetime = 25

func lifetimeOf(d store.Dataset) int {
	if d.LifetimeDays == 0 {
		return standardLifetime
	}
	return d.LifetimeDays
}

// carried are the paths of the columns that the batch's file has, or that are filled by a default.
func carried(l store.Load) (out []string) {
	for _, c := range l.Columns {
		if !c.Absent || c.Field.Default != nil && mergeOf(l) != store.Upsert {
			out = append(out, c.Field.Path)
		}
	}
	return out
}

// becomeProfiles applies the batch, and holds the result against the counts.
func (s *Store) becomeProfiles(ctx context.Context, tx *sql.Tx, a *attachment, l store.Load, data map[string]any, outcome *store.Outcome, step func(string)) error {
	g := &guard{l.Dataset.MostRemoved}
	if l.AllowRemovals {
		g = nil
	}
	applied, err := s.apply(ctx, tx, application{attachment: a, profiles: a.profiles(), part: s.part(l.Dataset.Name, l.Batch.ID), batch: l.Batch.ID, at: l.At,
		businessDate: businessDate(l.Batch), merge: mergeOf(l), replayOf: l.Batch.ReplayOf, lifetimeDays: lifetimeOf(l.Dataset), columns: carried(l)}, g, step)
	if err != nil {
		return err
	}
	outcome.Created, outcome.Updated, outcome.Unchanged, outcome.Outdated, outcome.Removed = applied.Created, applied.Updated, applied.Unchanged, applied.Outdated, applied.Removed
	known := outcome.Created + outcome.Updated + outcome.Unchanged
	outcome.Superseded = l.Accepted - known - outcome.Outdated
	var profiles, distinct, ofBatch int64
	err = s.query(ctx, tx, "profiles/assert_unique", data, []any{l.Batch.ID}, func(scan func(...any) error) error {
		return scan(&profiles, &distinct, &ofBatch)
	})
	if err != nil {
		return err
	}
	if profiles != distinct || ofBatch != known || outcome.Superseded < 0 {
		return errkind.Newf(errkind.Internal, "counts do not reconcile: %d profiles, %d distinct ids, %d of the batch, %d created, %d updated, %d unchanged, %d accepted",
			profiles, distinct, ofBatch, outcome.Created, outcome.Updated, outcome.Unchanged, l.Accepted)
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

// quarantine keeps the rejected rows. Those of a replay stay with the batch that had rejected them first.
func (s *Store) quarantine(ctx context.Context, tx *sql.Tx, data map[string]any, l store.Load, step func(string)) error {
	if l.Batch.ReplayOf != "" {
		return s.quarantineAgain(ctx, tx, data, l)
	}
	if l.Rejected == 0 || l.Quarantine == "" {
		return nil
	}
	if err := s.exec(ctx, tx, "ingest/insert_quarantine", data, l.Batch.ID); err != nil {
		return err
	}
	// The second count of rejected rows, by line, against the first.
	var lines int64
	err := s.query(ctx, tx, "ingest/quarantined_lines", data, []any{l.Batch.ID}, func(scan func(...any) error) error { return scan(&lines) })
	if err != nil {
		return err
	}
	if lines != l.Rejected {
		return errkind.Newf(errkind.Internal, "counts do not reconcile: %d rows rejected, %d in quarantine", l.Rejected, lines)
	}
	step("quarantine recorded")
	return nil
}

// quarantineAgain settles the rows of the batch that is replayed: those that were accepted are resolved, those that were
// rejected as they came have today's reasons. A row that was corrected by hand and rejected stays as it was.
func (s *Store) quarantineAgain(ctx context.Context, tx *sql.Tx, data map[string]any, l store.Load) error {
	data["Part"] = s.part(l.Dataset.Name, l.Batch.ID)
	if err := s.exec(ctx, tx, "ingest/resolve_quarantine", data, l.Batch.ReplayOf, l.Batch.ID); err != nil {
		return err
	}
	if l.Rejected == 0 || l.Quarantine == "" {
		return nil
	}
	if err := s.exec(ctx, tx, "ingest/rejected_again", data, l.Batch.ReplayOf); err != nil {
		return err
	}
	var lines int64
	err := s.query(ctx, tx, "ingest/rejected_again_lines", nil, nil, func(scan func(...any) error) error { return scan(&lines) })
	if err != nil {
		return err
	}
	if lines != l.Rejected {
		return errkind.Newf(errkind.Internal, "counts do not reconcile: %d rows rejected again, %d of them in quarantine", l.Rejected, lines)
	}
	return s.exec(ctx, tx, "ingest/replace_rejected_again", data)
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
