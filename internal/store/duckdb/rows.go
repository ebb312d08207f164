package duckdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	queries "prospector/sql"
)

// rows runs a statement and calls each with every row, by column.
func (s *Store) rows(ctx context.Context, on querier, name string, data map[string]any, args []any, each func(row map[string]any) error) error {
	text, err := queries.Statement(name, data)
	if err != nil {
		return err
	}
	rows, err := on.QueryContext(ctx, text, args...)
	if err != nil {
		return failure(ctx, name, err)
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	columns, err := rows.Columns()
	if err != nil {
		return failure(ctx, name, err)
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return failure(ctx, name, err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return failure(ctx, name, err)
		}
		row := make(map[string]any, len(columns))
		for i, column := range columns {
			row[column] = plain(values[i], types[i].DatabaseTypeName())
		}
		if err := each(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return failure(ctx, name, err)
	}
	return nil
}

// attributes are the values of a row at the paths, those that are not null.
func attributes(row map[string]any, paths []string) map[string]any {
	out := map[string]any{}
	for _, path := range paths {
		if value := row[path]; value != nil {
			out[path] = value
		}
	}
	return out
}

// plain makes what the driver returns into what JSON can say: dates without a time, instants in UTC, maps by text.
func plain(value any, databaseType string) any {
	switch v := value.(type) {
	case time.Time:
		if databaseType == "DATE" {
			return v.Format(time.DateOnly)
		}
		return v.UTC()
	case []any:
		out := make([]any, len(v))
		for i, each := range v {
			out[i] = plain(each, strings.TrimSuffix(databaseType, "[]"))
		}
		return out
	case duckdb.OrderedMap:
		of := strings.TrimSuffix(strings.TrimPrefix(databaseType, "MAP(VARCHAR, "), ")")
		out := map[string]any{}
		for i, each := range v.Values() {
			out[fmt.Sprint(v.Keys()[i])] = plain(each, of)
		}
		return out
	}
	return value
}

func instantOf(value any) time.Time {
	at, _ := value.(time.Time)
	return at
}
