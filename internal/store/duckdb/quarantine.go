package duckdb

import (
	"context"
	"unicode/utf8"

	"prospector/internal/errkind"
	"prospector/internal/prospect"
	"prospector/internal/store"
)

// Quarantined returns a page of a dataset's rejected rows, and where the next page begins: nil behind the last row.
func (s *Store) Quarantined(ctx context.Context, d store.Dataset, q store.QuarantineQuery) (out []store.QuarantinedRow, next *store.QuarantinePosition, err error) {
	if q.Limit < 1 || q.Limit > store.MostPageSize {
		return nil, nil, errkind.Newf(errkind.Invalid, "a page has 1 to %d rows, not %d", store.MostPageSize, q.Limit)
	}
	a, err := s.dataset(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	q.Limit++
	err = s.quarantinePage(ctx, s.db, a, q, unbounded, func(row store.QuarantinedRow) error {
		out = append(out, row)
		return nil
	})
	if q.Limit--; err == nil && len(out) > q.Limit {
		out = out[:q.Limit]
		next = &store.QuarantinePosition{Batch: out[q.Limit-1].Batch, Line: out[q.Limit-1].Line}
	}
	return out, next, err
}

// What is in memory at once while quarantine is exported: each page scans what is left, so that small ones would take long.
const (
	exportedRows  = 50_000
	exportedBytes = 16 << 20 // of records; one more may come on top
	unbounded     = 1 << 62
)

// ExportQuarantine calls each with every rejected row that matches, all of them of one version of the dataset. The query's
// limit is left alone.
func (s *Store) ExportQuarantine(ctx context.Context, d store.Dataset, q store.QuarantineQuery, each func(store.QuarantinedRow) error) error {
	a, err := s.dataset(ctx, d)
	if err != nil {
		return err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // reads only
	q.Limit = exportedRows
	for {
		n := 0
		err := s.quarantinePage(ctx, tx, a, q, exportedBytes, func(row store.QuarantinedRow) error {
			n++
			q.After = store.QuarantinePosition{Batch: row.Batch, Line: row.Line}
			return each(row)
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

func (s *Store) quarantinePage(ctx context.Context, on querier, a *attachment, q store.QuarantineQuery, bytes int64, each func(store.QuarantinedRow) error) error {
	arguments := []any{q.Batch, string(q.Code), q.Field, q.State, q.After.Batch, q.After.Line, q.Limit, bytes}
	return s.query(ctx, on, "ingest/quarantine_page", map[string]any{"Dataset": a.alias}, arguments, func(scan func(...any) error) error {
		var row store.QuarantinedRow
		var raw []byte
		var reasons []any
		var header texts
		if err := scan(&row.Batch, &row.Source, &row.File, &row.Line, &row.Offset, &raw, &reasons, &header, &row.ResolvedBy); err != nil {
			return err
		}
		if utf8.Valid(raw) {
			text := string(raw)
			row.Raw = &text
		} else {
			row.RawBase64 = raw
		}
		for _, each := range reasons {
			row.Reasons = append(row.Reasons, explained(each))
		}
		row.Header = header
		return each(row)
	})
}

func explained(value any) store.ExplainedReason {
	fields, _ := value.(map[string]any)
	code, _ := fields["code"].(string)
	r := prospect.Reason{Code: prospect.Code(code)}
	r.Field, _ = fields["field"].(string)
	r.Detail, _ = fields["detail"].(string)
	return store.ExplainedReason{Reason: r, Message: r.Message()}
}
