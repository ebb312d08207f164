package duckdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// remade is the temporary table in which profiles are made again.
const remade = "remade"

// loadedBatch is a batch whose rows are profiles.
type loadedBatch struct {
	application
	source, file string
	at           time.Time
}

// DeleteBatch undoes one load: the profiles that the batch had touched become what the other batches make of them, as if
// it had never come. With preview nothing is changed. memberships are the audiences that the effect is told for.
// Deleting a batch again changes nothing and returns
// what was done then. Missing when there is no such batch.
func (s *Store) DeleteBatch(ctx context.Context, n store.Namespace, d store.Dataset, batch string, preview bool, memberships []store.Membership) (store.Deletion, error) {
	out, err := s.deleteBatch(ctx, n.Symbol, d, batch, preview, memberships)
	if err != nil {
		return store.Deletion{}, fmt.Errorf("delete batch %s of dataset %s: %w", batch, d.Name, err)
	}
	return out, nil
}

func (s *Store) deleteBatch(ctx context.Context, namespace string, d store.Dataset, batch string, preview bool, memberships []store.Membership) (out store.Deletion, err error) {
	a, err := s.dataset(ctx, d)
	if err != nil {
		return out, err
	}
	a.write.Lock()
	defer a.write.Unlock()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return out, err
	}
	defer func() {
		if rollback := tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
			err = errors.Join(err, rollback)
		}
	}()
	data := map[string]any{"Dataset": a.alias, "Batch": batch}
	out = store.Deletion{Batch: batch, Dataset: d.Name, Preview: preview}
	status, merge, deletion := "", "", ""
	err = s.query(ctx, tx, "ingest/batch_origin", data, []any{batch}, func(scan func(...any) error) error {
		return scan(&status, &out.Source, &out.File, &merge, &deletion)
	})
	switch {
	case err != nil:
		return out, err
	case status == "":
		return out, errkind.New(errkind.Missing, "", errors.New("the dataset knows no such batch"), "list them with: starter batches list "+d.Name)
	case status == store.Deleted:
		err = errors.Join(json.Unmarshal([]byte(deletion), &out), remove(s.part(d.Name, batch))) // an earlier attempt may have died in front of that
		return out, err
	}
	if err := s.refuseReplayed(ctx, tx, data, batch); err != nil {
		return out, err
	}
	if err := s.remakeWithout(ctx, tx, a, d, batch, status, store.Merge(merge)); err != nil {
		return out, err
	}
	if err := s.exec(ctx, tx, "profiles/deletion_changes", data); err != nil {
		return out, err
	}
	err = s.query(ctx, tx, "profiles/deletion_counts", data, []any{batch}, func(scan func(...any) error) error {
		return scan(&out.Removed, &out.Reverted, &out.Restored, &out.Kept, &out.Rejected)
	})
	if err != nil {
		return out, err
	}
	for _, m := range memberships {
		effect := store.AudienceEffect{Audience: m.Audience}
		err = s.query(ctx, tx, "profiles/deletion_members", map[string]any{"Part": s.inside(m.Part)}, []any{namespace}, func(scan func(...any) error) error { return scan(&effect.Members) })
		if err != nil {
			return out, err
		}
		if effect.Members > 0 {
			out.Audiences = append(out.Audiences, effect)
		}
	}
	if preview {
		return out, nil
	}
	recorded, err := json.Marshal(out)
	if err != nil {
		return out, err
	}
	data["Deletion"] = string(recorded)
	for _, statement := range []string{"profiles/replace_remade", "ingest/delete_batch"} {
		if err := s.exec(ctx, tx, statement, data); err != nil {
			return out, err
		}
	}
	var profiles, distinct, ofBatch int64
	err = s.query(ctx, tx, "profiles/assert_unique", data, []any{batch}, func(scan func(...any) error) error { return scan(&profiles, &distinct, &ofBatch) })
	if err != nil {
		return out, err
	}
	if profiles != distinct || ofBatch != 0 {
		return out, errkind.Newf(errkind.Internal, "counts do not reconcile: %d profiles, %d distinct ids, %d still of the batch", profiles, distinct, ofBatch)
	}
	if err := tx.Commit(); err != nil {
		s.reattachInvalid(err)
		return out, failure(ctx, "commit", err)
	}
	return out, remove(s.part(d.Name, batch))
}

// refuseReplayed refuses to undo a batch, or to load it again, while rows of it are profiles through other batches.
func (s *Store) refuseReplayed(ctx context.Context, tx *sql.Tx, data map[string]any, batch string) error {
	var replays []string
	err := s.query(ctx, tx, "ingest/replays", data, []any{batch}, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		replays = append(replays, id)
		return err
	})
	if err == nil && len(replays) > 0 {
		err = errkind.New(errkind.Conflict, "", fmt.Errorf("rows of it were replayed in %s", strings.Join(replays, ", ")), "delete that first")
	}
	return err
}

// remakeWithout makes the profiles that a batch has touched again, in a temporary table, from all other batches.
func (s *Store) remakeWithout(ctx context.Context, tx *sql.Tx, a *attachment, d store.Dataset, batch, status string, merge store.Merge) error {
	batches, err := s.loadedBatches(ctx, tx, a, d)
	if err != nil {
		return err
	}
	var parts []string
	others := slices.DeleteFunc(slices.Clone(batches), func(b loadedBatch) bool { return b.batch == batch })
	if status == store.Loaded {
		parts = append(parts, s.part(d.Name, batch))
		if merge == store.Full { // it touched whatever it did not hold
			for _, b := range others {
				parts = append(parts, b.part)
			}
		}
	}
	if len(parts) == 0 { // a failed batch has touched nothing
		err = s.exec(ctx, tx, "profiles/touched_by_id", nil, "")
	} else {
		err = s.exec(ctx, tx, "profiles/touched_by_batch", map[string]any{"Parts": parts})
	}
	if err != nil {
		return err
	}
	if err := s.exec(ctx, tx, "profiles/remade_table", map[string]any{"Dataset": a.alias}); err != nil {
		return err
	}
	for _, b := range others {
		if _, err := s.apply(ctx, tx, b.application, nil, func(string) {}); err != nil {
			return fmt.Errorf("apply batch %s again: %w", b.batch, err)
		}
	}
	return nil
}

// loadedBatches returns the dataset's loaded batches in the order of loads, to be applied to the table remade. Missing when
// the part of one is not there: without it no profile of the dataset can be made again.
func (s *Store) loadedBatches(ctx context.Context, on querier, a *attachment, d store.Dataset) (out []loadedBatch, err error) {
	err = s.query(ctx, on, "profiles/loaded_batches", map[string]any{"Dataset": a.alias}, nil, func(scan func(...any) error) error {
		b := loadedBatch{application: application{attachment: a, profiles: remade, touched: true}}
		var merge string
		var columns texts
		var date sql.NullTime
		if err := scan(&b.batch, &b.source, &b.file, &b.at, &date, &merge, &b.lifetimeDays, &columns, &b.replayOf); err != nil {
			return err
		}
		b.application.at, b.merge, b.part, b.columns = b.at, store.Merge(merge), s.part(d.Name, b.batch), columns
		if date.Valid {
			b.businessDate = date.Time
		}
		out = append(out, b)
		_, err := os.Stat(b.part)
		if errors.Is(err, os.ErrNotExist) {
			err = errkind.New(errkind.Missing, "", fmt.Errorf("the rows of batch %s are gone from the data directory", b.batch),
				"restore "+filepath.ToSlash(filepath.Join("store", d.Name, "parts", filepath.Base(b.part)))+" from a backup")
		}
		return err
	})
	return out, err
}
