package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"prospector/internal/store"
)

type exportColumn struct {
	Path     string
	Identity bool
}

// exportStandings writes the rows of everybody whom the destination is told about, and the part that keeps what it is told, from one
// state of the datasets.
func (s *Store) exportStandings(ctx context.Context, tx *sql.Tx, p *pipe, q store.ExportQuery, profiles relation, condition string, values []any, consume func(r io.Reader) error) (rows map[string]int64, err error) {
	var audiences []namedPart
	for i, name := range q.Standings.Audiences {
		if err := s.checkPart(ctx, s.db, name, q.Memberships[i]); err != nil {
			return nil, err
		}
		audiences = append(audiences, namedPart{name, s.inside(q.Memberships[i])})
	}
	var told []string
	for _, part := range q.Standings.Told {
		told = append(told, s.inside(part))
	}
	var columns []exportColumn
	for _, path := range q.Paths {
		identity := slices.ContainsFunc(q.Namespace.Datasets, func(d store.Dataset) bool { return d.Identity == path })
		columns = append(columns, exportColumn{path, identity})
	}
	if err := os.MkdirAll(filepath.Dir(s.inside(q.Standings.Part)), 0o700); err != nil {
		return nil, err
	}
	data := map[string]any{"Relation": profiles, "Condition": condition, "Namespace": q.Namespace.Symbol, "Audiences": audiences, "Told": told, "Unknown": q.Standings.Unknown,
		"AsOf": q.AsOf.UTC().Format(time.RFC3339Nano), "Part": s.inside(q.Standings.Part), "Columns": columns, "Delimiter": q.Delimiter, "Fifo": p.path}
	err = s.exec(ctx, tx, "export/told", data)
	if err == nil {
		err = s.exec(ctx, tx, "export/standings", data, values...)
	}
	if err == nil {
		rows, err = s.countLeaving(ctx, tx, q, "export/standings_of_dataset", data, nil)
	}
	if err == nil {
		err = s.exec(ctx, tx, "export/write_standings", data)
	}
	if err == nil {
		err = p.drain(ctx, func(ctx context.Context) error { return s.exec(ctx, tx, "export/standings_file", data) }, consume)
	}
	if err != nil {
		return nil, fmt.Errorf("export namespace %s: %w", q.Namespace.Symbol, err)
	}
	return rows, nil
}
