package duckdb

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"prospector/internal/store"
	"prospector/internal/xdm"
	queries "prospector/sql"
)

// attachment is a dataset's file, with the columns that its table is known to have: when the schema gains one, there is a new
// attachment, and whoever works goes on with the columns that he has begun with. Writers take turns: two at once would conflict at
// commit.
type attachment struct {
	alias   string
	columns []tableColumn
	write   *sync.Mutex
}

type tableColumn struct{ Path, Type string }

func (a *attachment) profiles() string { return queries.Identifier(a.alias) + ".profiles" }

func (a *attachment) paths() []string {
	out := make([]string, len(a.columns))
	for i, c := range a.columns {
		out[i] = c.Path
	}
	return out
}

// dataset attaches a dataset's file, creating it and the columns that the schema has gained.
func (s *Store) dataset(ctx context.Context, d store.Dataset) (*attachment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var columns []tableColumn
	for _, f := range d.Schema.Fields {
		if !f.System {
			columns = append(columns, tableColumn{f.Path, sqlType(f)})
		}
	}
	a, ok := s.attached[d.Name]
	if ok && slices.Equal(a.columns, columns) {
		return a, nil
	}
	if !ok {
		a = &attachment{alias: "dataset_" + d.Name, write: &sync.Mutex{}}
		folder := filepath.Join(s.dir, "store", d.Name)
		if err := os.MkdirAll(filepath.Join(folder, "parts"), 0o700); err != nil {
			return nil, fmt.Errorf("dataset %s: %w", d.Name, err)
		}
		attach := "ATTACH IF NOT EXISTS " + queries.Text(filepath.Join(folder, "profiles.duckdb")) + " AS " + queries.Identifier(a.alias)
		if _, err := s.db.ExecContext(ctx, attach); err != nil {
			return nil, fmt.Errorf("attach dataset %s: %w", d.Name, err)
		}
	}
	data := map[string]any{"Dataset": a.alias, "Columns": columns}
	if err := s.exec(ctx, s.db, "schema/dataset", data); err != nil {
		return nil, fmt.Errorf("dataset %s: %w", d.Name, err)
	}
	a = &attachment{a.alias, columns, a.write}
	if err := s.refreshDigests(ctx, a, d, data); err != nil {
		return nil, fmt.Errorf("dataset %s: %w", d.Name, err)
	}
	s.attached[d.Name] = a
	return a, nil
}

var sqlTypes = map[xdm.Type]string{xdm.String: "VARCHAR", xdm.Integer: "BIGINT", xdm.Number: "DOUBLE",
	xdm.Boolean: "BOOLEAN", xdm.Date: "DATE", xdm.DateTime: "TIMESTAMPTZ"}

// scalars are the types of columns with one value.
var scalars = slices.Collect(maps.Values(sqlTypes))

func sqlType(f xdm.Field) string {
	switch f.Container {
	case xdm.Array:
		return sqlTypes[f.Type] + "[]"
	case xdm.Map:
		return "MAP(VARCHAR, " + sqlTypes[f.Type] + ")"
	}
	return sqlTypes[f.Type]
}

// refreshDigests makes the digests of profiles again when another version of DuckDB wrote them: its hash is not promised
// to stay.
func (s *Store) refreshDigests(ctx context.Context, a *attachment, d store.Dataset, data map[string]any) error {
	current := false
	err := s.query(ctx, s.db, "schema/engine_is_current", data, nil, func(scan func(...any) error) error { return scan(&current) })
	if err != nil || current {
		return err
	}
	data["Digest"] = digest(a.columns)
	if err := s.exec(ctx, s.db, "schema/refresh_digests", data, lifetimeOf(d)); err != nil {
		return err
	}
	return s.exec(ctx, s.db, "schema/set_engine", data)
}
