package duckdb

import (
	"context"
	"errors"
	"iter"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// RejectedRows yields the rejected rows of a batch that can be read again, in line order: those that no replay has
// accepted, and whose bytes are kept whole.
func (s *Store) RejectedRows(ctx context.Context, d store.Dataset, batch string) iter.Seq2[store.RejectedRow, error] {
	return func(yield func(store.RejectedRow, error) bool) {
		a, err := s.dataset(ctx, d)
		if err != nil {
			yield(store.RejectedRow{}, err)
			return
		}
		enough := errors.New("enough")
		err = s.query(ctx, s.db, "ingest/replayable_rows", map[string]any{"Dataset": a.alias}, []any{batch}, func(scan func(...any) error) error {
			var row store.RejectedRow
			if err := scan(&row.Line, &row.Raw); err != nil {
				return err
			}
			if !yield(row, nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(store.RejectedRow{}, err)
		}
	}
}

// RejectedLines returns the lines of a batch that were rejected, and for each the batch that has accepted it since, or nothing.
func (s *Store) RejectedLines(ctx context.Context, d store.Dataset, batch string) (map[int64]string, error) {
	a, err := s.dataset(ctx, d)
	if err != nil {
		return nil, err
	}
	out := map[int64]string{}
	err = s.query(ctx, s.db, "ingest/quarantined_line_numbers", map[string]any{"Dataset": a.alias}, []any{batch}, func(scan func(...any) error) error {
		var line int64
		var acceptedBy string
		err := scan(&line, &acceptedBy)
		out[line] = acceptedBy
		return err
	})
	return out, err
}

// Header returns the columns of a batch's file, none of a file that has no header. Missing when the dataset does not know
// the batch, or it was deleted.
func (s *Store) Header(ctx context.Context, d store.Dataset, batch string) ([]string, error) {
	a, err := s.dataset(ctx, d)
	if err != nil {
		return nil, err
	}
	known, header := false, texts(nil)
	err = s.query(ctx, s.db, "ingest/batch_header", map[string]any{"Dataset": a.alias}, []any{batch}, func(scan func(...any) error) error {
		known = true
		return scan(&header)
	})
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, errkind.New(errkind.Missing, "dataset "+d.Name, errors.New("it knows no batch "+batch), "list them with: starter batches list "+d.Name)
	}
	return header, nil
}
