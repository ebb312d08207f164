package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// Provenance explains a profile: which batch and line each of its attributes comes from, and what each batch made of its
// fragments. It applies the batches that hold the id again, in the order of loads. Missing when no dataset holds it.
func (s *Store) Provenance(ctx context.Context, n store.Namespace, partnerID string) (store.Provenance, error) {
	out := store.Provenance{Namespace: n.Symbol, PartnerID: partnerID, Attributes: map[string]store.Attribute{}}
	var fragments []fragmentHistory
	for _, d := range n.Datasets {
		f, err := s.fragmentHistory(ctx, d, partnerID)
		if err != nil {
			return out, err
		}
		fragments = append(fragments, f)
		held, ok, err := s.Fragment(ctx, d, partnerID)
		if err != nil {
			return out, err
		}
		if ok {
			out.Fragments = append(out.Fragments, held)
		}
		switch {
		case d.History:
			out.History = append(out.History, f.changes...)
		case len(f.changes) > 0:
			out.WithoutHistory = append(out.WithoutHistory, d.Name)
		}
	}
	// Attribute by attribute the fragment counts that was ingested last; of two at the same instant the later dataset's, as in profiles/relation.
	slices.SortStableFunc(fragments, func(a, b fragmentHistory) int { return a.modified.Compare(b.modified) })
	for _, f := range fragments {
		maps.Copy(out.Attributes, f.attributes)
	}
	slices.SortStableFunc(out.History, func(a, b store.Change) int { return a.At.Compare(b.At) })
	if len(out.Fragments)+len(out.History) == 0 {
		return out, errkind.New(errkind.Missing, "namespace "+n.Symbol, errors.New("it holds no profile with this id"), "ids are case-sensitive; list some with: starter profiles browse --namespace "+n.Symbol)
	}
	return out, nil
}

// Fragment returns what a dataset holds of an id; not ok when it holds nothing.
func (s *Store) Fragment(ctx context.Context, d store.Dataset, partnerID string) (out store.Fragment, ok bool, err error) {
	a, err := s.dataset(ctx, d)
	if err != nil {
		return out, false, err
	}
	err = s.rows(ctx, s.db, "profiles/fragment", map[string]any{"Dataset": a.alias}, []any{partnerID}, func(row map[string]any) error {
		ok = true
		out = store.Fragment{Dataset: d.Name, Modified: instantOf(row["_modified"]), Created: instantOf(row["_created"]), Expires: instantOf(row["_expires"]),
			Attributes: attributes(row, a.paths())}
		out.Batch, _ = row["_batch"].(string)
		out.CreatedBatch, _ = row["_created_batch"].(string)
		out.Line, _ = row["_line"].(int64)
		return nil
	})
	return out, ok, err
}

// fragmentHistory is one fragment, and how it came to be.
type fragmentHistory struct {
	modified   time.Time
	attributes map[string]store.Attribute
	changes    []store.Change
}

func (s *Store) fragmentHistory(ctx context.Context, d store.Dataset, partnerID string) (out fragmentHistory, err error) {
	a, err := s.dataset(ctx, d)
	if err != nil {
		return out, err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return out, err
	}
	defer func() { _ = tx.Rollback() }() // writes temporary tables only
	batches, err := s.batchesOf(ctx, tx, a, d, partnerID)
	if err != nil {
		return out, err
	}
	if err := s.exec(ctx, tx, "profiles/touched_by_id", nil, partnerID); err != nil {
		return out, err
	}
	if err := s.exec(ctx, tx, "profiles/remade_table", map[string]any{"Dataset": a.alias}); err != nil {
		return out, err
	}
	out.attributes = map[string]store.Attribute{}
	for _, b := range batches {
		done, err := s.apply(ctx, tx, b.application, nil, func(string) {})
		if err != nil {
			return out, err
		}
		effect := effectOf(done)
		if effect == "" {
			continue
		}
		origin := store.Origin{Dataset: d.Name, Batch: b.batch, Source: b.source, File: b.file, At: b.at}
		row, line, err := s.remadeProfile(ctx, tx, a)
		if err != nil {
			return out, err
		}
		change := store.Change{Origin: origin, Effect: effect, Attributes: row}
		switch effect {
		case store.EffectRemoved:
			out.attributes = map[string]store.Attribute{}
		case store.EffectOutdated:
			change.Attributes = nil
		default:
			change.Line, origin.Line = line, line
			out.modified = b.at
			out.attributes = attributesAfter(out.attributes, row, origin, b.application)
		}
		out.changes = append(out.changes, change)
	}
	return out, nil
}

// attributesAfter are a fragment's attributes after a batch: an upsert leaves those alone that its file does not carry.
func attributesAfter(before map[string]store.Attribute, row map[string]any, origin store.Origin, b application) map[string]store.Attribute {
	out := map[string]store.Attribute{}
	if b.merge == store.Upsert {
		out = maps.Clone(before)
		for _, path := range b.columns {
			delete(out, path)
		}
	}
	for path, value := range row {
		if b.merge != store.Upsert || slices.Contains(b.columns, path) {
			out[path] = store.Attribute{Value: value, Origin: origin}
		}
	}
	return out
}

func effectOf(o store.Outcome) string {
	switch {
	case o.Created > 0:
		return store.EffectCreated
	case o.Updated > 0:
		return store.EffectUpdated
	case o.Unchanged > 0:
		return store.EffectUnchanged
	case o.Outdated > 0:
		return store.EffectOutdated
	case o.Removed > 0:
		return store.EffectRemoved
	}
	return ""
}

// batchesOf are the loaded batches that may have touched the id.
func (s *Store) batchesOf(ctx context.Context, tx *sql.Tx, a *attachment, d store.Dataset, partnerID string) ([]loadedBatch, error) {
	batches, err := s.loadedBatches(ctx, tx, a, d)
	if err != nil || len(batches) == 0 {
		return nil, err
	}
	var parts []string
	for _, b := range batches {
		parts = append(parts, b.part)
	}
	holds := map[string]bool{}
	err = s.query(ctx, tx, "profiles/parts_with_id", map[string]any{"Parts": parts}, []any{partnerID}, func(scan func(...any) error) error {
		var part string
		err := scan(&part)
		holds[part] = true
		return err
	})
	return slices.DeleteFunc(batches, func(b loadedBatch) bool { return !holds[b.part] && b.merge != store.Full }), err
}

// remadeProfile returns the attributes of the profile that was made again, those with a value, and its line.
func (s *Store) remadeProfile(ctx context.Context, tx *sql.Tx, a *attachment) (out map[string]any, line int64, err error) {
	err = s.rows(ctx, tx, "profiles/remade_profile", nil, nil, func(row map[string]any) error {
		line, _ = row["_line"].(int64)
		out = attributes(row, a.paths())
		return nil
	})
	return out, line, err
}
