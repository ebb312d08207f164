package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"prospector/internal/errkind"
	"prospector/internal/store"
	queries "prospector/sql"
)

// application is one batch applied to a table of profiles: the dataset's own, or a temporary one in which some
// profiles are made again.
type application struct {
	attachment   *attachment
	profiles     string // SQL of the table
	part         string
	touched      bool // only ids in the temporary table touched
	batch        string
	at           any // instant of the load
	replayOf     string
	businessDate any // null for a batch whose file says none
	merge        store.Merge
	lifetimeDays int
	columns      []string // paths that the file carries
}

// guard is how much a full file may remove.
type guard struct{ percent float64 }

// apply makes the accepted rows of a batch profiles. It is the only place where rows become profiles: loading a
// batch, undoing one and explaining a profile all go through it. g is nil for a batch that was loaded before.
func (s *Store) apply(ctx context.Context, tx *sql.Tx, a application, g *guard, step func(string)) (out store.Outcome, err error) {
	data := map[string]any{"Dataset": a.attachment.alias, "Profiles": a.profiles, "Part": a.part, "Touched": a.touched}
	if err := s.exec(ctx, tx, "ingest/winners", data, a.businessDate, a.replayOf); err != nil {
		return out, err
	}
	insert, arguments := "ingest/insert_winners", []any{a.batch, a.at, a.lifetimeDays}
	data["Columns"] = named(a.columns)
	if a.merge == store.Upsert {
		var others []string
		for _, c := range a.attachment.columns {
			if !slices.Contains(a.columns, c.Path) {
				others = append(others, c.Path)
			}
		}
		data["Others"], data["Digest"] = named(others), digest(a.attachment.columns)
		if err := s.exec(ctx, tx, "ingest/merge_winners", data, arguments...); err != nil {
			return out, err
		}
		if err := s.exec(ctx, tx, "ingest/merged_digests", nil); err != nil {
			return out, err
		}
		insert, arguments = "ingest/insert_merged", nil
	}
	err = s.query(ctx, tx, "ingest/winner_counts", data, nil, func(scan func(...any) error) error {
		return scan(&out.Created, &out.Updated, &out.Unchanged, &out.Outdated)
	})
	if err != nil {
		return out, err
	}
	step("last lines chosen")
	if a.merge == store.Full {
		if out.Removed, err = s.remove(ctx, tx, data, a, g); err != nil {
			return out, err
		}
	}
	if err := s.exec(ctx, tx, "ingest/delete_reloaded", data); err != nil {
		return out, err
	}
	step("replaced profiles deleted")
	if err := s.exec(ctx, tx, insert, data, arguments...); err != nil {
		return out, err
	}
	step("profiles inserted")
	return out, nil
}

// remove removes the profiles that a full file no longer holds, unless they are more than its guard allows.
func (s *Store) remove(ctx context.Context, tx *sql.Tx, data map[string]any, a application, g *guard) (removed int64, err error) {
	if err := s.exec(ctx, tx, "ingest/removals", data, a.businessDate); err != nil {
		return 0, err
	}
	var before int64
	err = s.query(ctx, tx, "ingest/removal_counts", data, nil, func(scan func(...any) error) error { return scan(&removed, &before) })
	if err != nil {
		return 0, err
	}
	if g != nil && float64(removed)*100 > g.percent*float64(before) {
		return 0, errkind.New(errkind.BadInput, "", fmt.Errorf("the full file would remove %d of %d profiles (%.1f%%), above the dataset's mostRemoved of %g%%; nothing was loaded",
			removed, before, 100*float64(removed)/float64(before), g.percent),
			"ask the partner whether the file is whole; if it is, take it with --allow-removals, or raise mostRemoved of the dataset")
	}
	return removed, s.exec(ctx, tx, "ingest/delete_removals", data)
}

type namedColumn struct{ Path string }

func named(paths []string) []namedColumn {
	out := make([]namedColumn, len(paths))
	for i, path := range paths {
		out[i].Path = path
	}
	return out
}

// digest is the SQL of a number that tells whether values have changed. A column without a value adds nothing, so
// that it does not matter how many columns the schema has. The outer hash keeps value and column together: the inner
// one only combines them by exclusive or, so that two columns that swap their values would look unchanged. The hash of an empty list
// or map is that of none, so that it is hashed with another name.
func digest(columns []tableColumn) string {
	out := "0::UBIGINT"
	for _, c := range columns {
		value, name := queries.Identifier(c.Path), queries.Text(c.Path)
		named := name
		if !slices.Contains(scalars, c.Type) {
			named = "CASE WHEN " + size(c.Type) + "(" + value + ") = 0 THEN " + queries.Text(c.Path+"[]") + " ELSE " + name + " END"
		}
		out = "xor(" + out + ", xor(hash(hash(" + value + ", " + named + ")), hash(hash(NULL, " + name + "))))"
	}
	return out
}
