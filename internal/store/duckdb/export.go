package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"prospector/internal/store"
	queries "prospector/sql"
)

// Export writes the rows of one file set to consume as CSV without a header, quoted with '"', in id
// order: the same store and memberships give the same bytes. It returns how many rows of them are of each dataset that is to be counted:
// those of whom it holds a fragment; for standings each audience's, and those of whom no dataset holds one any more.
func (s *Store) Export(ctx context.Context, q store.ExportQuery, consume func(r io.Reader) error) (rows map[string]int64, err error) {
	profiles, condition, values, err := s.consenting(ctx, q)
	if err != nil {
		return nil, err
	}
	p, err := s.newPipe()
	if err != nil {
		return nil, err
	}
	defer p.remove()
	tx, err := s.db.BeginTx(ctx, nil) // what is counted and what is written are of one state of the datasets
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it writes temporary tables and files
	if q.Standings != nil {
		return s.exportStandings(ctx, tx, p, q, profiles, condition, values, consume)
	}
	var parts []string
	for _, part := range q.Memberships {
		parts = append(parts, s.inside(part))
	}
	data := map[string]any{"Relation": profiles, "Columns": named(q.Paths), "Condition": condition, "Memberships": parts, "Delimiter": q.Delimiter, "Fifo": p.path}
	if rows, err = s.countLeaving(ctx, tx, q, "export/members_of_dataset", data, values); err == nil {
		err = p.drain(ctx, func(ctx context.Context) error { return s.exec(ctx, tx, "export/audience_file", data, values...) }, consume)
	}
	if err != nil {
		return nil, fmt.Errorf("export namespace %s: %w", q.Namespace.Symbol, err)
	}
	return rows, nil
}

// countLeaving counts the rows that leave by dataset, with a statement that knows who does.
func (s *Store) countLeaving(ctx context.Context, tx *sql.Tx, q store.ExportQuery, statement string, data map[string]any, values []any) (map[string]int64, error) {
	out := map[string]int64{}
	var all []string
	for _, d := range q.Namespace.Datasets {
		a, err := s.dataset(ctx, d)
		if err != nil {
			return nil, err
		}
		all = append(all, a.alias)
	}
	for i, d := range q.Namespace.Datasets {
		if !slices.Contains(q.Counted, d.Name) {
			continue
		}
		of := maps.Clone(data)
		of["Dataset"], of["Datasets"] = all[i], all
		err := s.query(ctx, tx, statement, of, values, func(scan func(...any) error) error {
			var n int64
			err := scan(&n)
			out[d.Name] = n
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// consenting is the relation of an export's profiles, with the SQL of what must hold of each and its values.
func (s *Store) consenting(ctx context.Context, q store.ExportQuery) (profiles relation, condition string, values []any, err error) {
	paths, conditions := slices.Clone(q.Paths), []string{"true"}
	for _, rule := range q.Consent {
		for _, path := range rule.Columns {
			if !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
		text, bound, err := s.condition(rule.SQL, q.Namespace.Symbol, q.AsOf, nil)
		if err != nil {
			return profiles, "", nil, err
		}
		conditions, values = append(conditions, "("+text+")"), append(values, bound...)
	}
	for _, path := range slices.Sorted(maps.Keys(q.Confined)) {
		if len(q.Confined[path]) == 0 { // contracts that have no value in common
			conditions = append(conditions, "false")
			continue
		}
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
		list := make([]string, len(q.Confined[path]))
		for i, value := range q.Confined[path] {
			list[i] = queries.Text(value)
		}
		conditions = append(conditions, "coalesce(p."+queries.Identifier(path)+"::VARCHAR IN ("+strings.Join(list, ", ")+"), false)")
	}
	for _, part := range q.Suppressed {
		text, err := queries.Statement("audiences/is_member", map[string]any{"Namespace": q.Namespace.Symbol, "Part": s.inside(part)})
		if err != nil {
			return profiles, "", nil, err
		}
		conditions = append(conditions, "NOT ("+text+")")
	}
	for _, list := range q.Lists {
		held := "partner_id"
		if list.Field != "" {
			if held = list.Field; !slices.Contains(paths, held) {
				paths = append(paths, held)
			}
		}
		a, err := s.dataset(ctx, list.Dataset)
		if err != nil {
			return profiles, "", nil, err
		}
		text, err := queries.Statement("export/is_listed", map[string]any{"Dataset": a.alias, "Held": held})
		if err != nil {
			return profiles, "", nil, err
		}
		conditions = append(conditions, "NOT ("+text+")")
	}
	profiles, err = s.relation(ctx, q.Namespace, q.AsOf, paths)
	return profiles, strings.Join(conditions, " AND "), values, err
}

// LeftOut counts the members that Export leaves out: consent is missing (PL-25), a contract's terms do not hold of them any more,
// or they are on a suppression list.
func (s *Store) LeftOut(ctx context.Context, q store.ExportQuery) (n int64, err error) {
	if len(q.Consent)+len(q.Confined)+len(q.Suppressed)+len(q.Lists) == 0 {
		return 0, nil
	}
	profiles, condition, values, err := s.consenting(ctx, q)
	if err != nil {
		return 0, err
	}
	var parts []string
	for _, part := range q.Memberships {
		parts = append(parts, s.inside(part))
	}
	err = s.query(ctx, s.db, "export/left_out", map[string]any{"Relation": profiles, "Condition": condition, "Memberships": parts}, values,
		func(scan func(...any) error) error { return scan(&n) })
	return n, err
}
