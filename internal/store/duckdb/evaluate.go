package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/store"
	queries "prospector/sql"
)

// Evaluate computes the membership of every audience from one snapshot of the datasets and writes
// one part for each. Nothing is published: that is the catalog's word. An audience that fails
// carries its error and does not stop the others, but for those that refer to it. Audiences stand behind those that they
// refer to. done, if not nil, is called after each audience.
func (s *Store) Evaluate(ctx context.Context, asOf time.Time, audiences []store.AudienceScope, done func(name string)) ([]store.Membership, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // gives the connection back to the pool
	aliases := map[string]string{}
	for _, a := range audiences {
		for _, n := range a.Namespaces {
			for _, d := range n.Datasets {
				attached, err := s.dataset(ctx, d)
				if err != nil {
					return nil, err
				}
				aliases[d.Name] = attached.alias
			}
		}
	}
	tx, versions, err := s.snapshot(ctx, conn, aliases)
	if err != nil {
		return nil, err
	}
	defer func() {
		if tx != nil {
			_ = tx.Rollback() // reads only: there is nothing to commit
		}
	}()
	out, members := make([]store.Membership, 0, len(audiences)), map[string]string{}
	for _, a := range audiences {
		m, err := s.evaluate(ctx, tx, asOf, a, members)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			// A failed statement ends DuckDB's transaction: go on with the rest from a new one, which
			// must show the same versions.
			m = store.Membership{Audience: a.Name, Error: err.Error()}
			_ = tx.Rollback()
			var now map[string]string
			if tx, now, err = s.snapshot(ctx, conn, aliases); err != nil {
				return nil, err
			}
			for name, version := range versions {
				if now[name] != version {
					return nil, errkind.Newf(errkind.Transient, "dataset %s was loaded while audiences were evaluated", name)
				}
			}
		}
		if m.Error == "" {
			members[a.Name] = m.Part
		}
		out = append(out, m)
		if done != nil {
			done(a.Name)
		}
	}
	return out, nil
}

// snapshot begins a read transaction and touches every dataset, so that all of them are seen as of now.
func (s *Store) snapshot(ctx context.Context, conn *sql.Conn, aliases map[string]string) (*sql.Tx, map[string]string, error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	versions := map[string]string{}
	for name, alias := range aliases {
		err := s.query(ctx, tx, "profiles/version", map[string]any{"Dataset": alias}, nil, func(scan func(...any) error) error {
			var version string
			err := scan(&version)
			versions[name] = version
			return err
		})
		if err != nil {
			return nil, nil, errors.Join(err, tx.Rollback())
		}
	}
	return tx, versions, nil
}

// evaluate computes one audience. members are the parts of those that were evaluated before it.
func (s *Store) evaluate(ctx context.Context, tx *sql.Tx, asOf time.Time, a store.AudienceScope, members map[string]string) (store.Membership, error) {
	m := store.Membership{Audience: a.Name, Part: a.Part}
	ranked, rankType := rank(a.Limit, a.Namespaces)
	if err := s.exec(ctx, tx, "audiences/members_table", map[string]any{"Rank": rankType}); err != nil {
		return m, err
	}
	columns := a.Rule.Columns
	if a.Limit != nil && a.Limit.By != "" && !slices.Contains(columns, a.Limit.By) {
		columns = append(slices.Clone(columns), a.Limit.By)
	}
	for _, n := range a.Namespaces {
		condition, values, err := s.condition(a.Rule.SQL, n.Symbol, asOf, members)
		if err != nil {
			return m, err
		}
		profiles, err := s.relation(ctx, n, asOf, columns)
		if err != nil {
			return m, err
		}
		data := map[string]any{"Relation": profiles, "Condition": condition, "Rank": ranked}
		if err := s.exec(ctx, tx, "audiences/insert_members", data, values...); err != nil {
			return m, err
		}
	}
	if a.Limit != nil {
		if err := s.exec(ctx, tx, "audiences/limit_members", map[string]any{"Descending": a.Limit.Descending}, a.Limit.Seed, a.Limit.Profiles); err != nil {
			return m, err
		}
	}
	part := s.inside(a.Part)
	if err := os.MkdirAll(filepath.Dir(part), 0o700); err != nil {
		return m, err
	}
	data := map[string]any{"AsOf": asOf.UTC().Format(time.RFC3339Nano), "Previous": "", "Part": part}
	if a.Previous != "" {
		if _, err := os.Stat(s.inside(a.Previous)); errors.Is(err, os.ErrNotExist) {
			m.Warning = "its earlier membership is lost, so that all of its members count as new, and nobody as having left"
		} else if err := s.checkPart(ctx, tx, a.Name, a.Previous); err != nil {
			return m, err
		} else {
			data["Previous"] = s.inside(a.Previous)
		}
	}
	if err := s.exec(ctx, tx, "audiences/write_membership", data); err != nil {
		return m, err
	}
	return m, s.countMembers(ctx, tx, asOf, a.Namespaces, part, &m)
}

// countMembers counts the members in a part by namespace, and those of the temporary table members by dataset.
func (s *Store) countMembers(ctx context.Context, tx *sql.Tx, asOf time.Time, namespaces []store.Namespace, part string, m *store.Membership) error {
	err := s.query(ctx, tx, "audiences/membership_counts", map[string]any{"Part": part}, nil, func(scan func(...any) error) error {
		var n store.NamespaceMembers
		err := scan(&n.Namespace, &n.Realized, &n.Existing, &n.Exited)
		m.Realized, m.Existing, m.Exited = m.Realized+n.Realized, m.Existing+n.Existing, m.Exited+n.Exited
		m.Namespaces = append(m.Namespaces, n)
		return err
	})
	if err != nil {
		return err
	}
	for i := range m.Namespaces {
		counted := &m.Namespaces[i]
		at := slices.IndexFunc(namespaces, func(n store.Namespace) bool { return n.Symbol == counted.Namespace })
		if at < 0 {
			continue // the audience has left the namespace
		}
		datasets := namespaces[at].Datasets
		counted.Datasets = map[string]int64{datasets[0].Name: counted.Size()} // all of them, when there is but one
		for _, d := range datasets {
			if len(datasets) == 1 {
				break
			}
			attached, err := s.dataset(ctx, d)
			if err != nil {
				return err
			}
			var fragments int64
			err = s.query(ctx, tx, "audiences/dataset_members", map[string]any{"Dataset": attached.alias}, []any{counted.Namespace, asOf}, func(scan func(...any) error) error { return scan(&fragments) })
			if err != nil {
				return err
			}
			counted.Datasets[d.Name] = fragments
		}
	}
	return nil
}

// Export writes the rows of one file set to consume as CSV without a header, quoted with '"', in id
// order: the same store and memberships give the same bytes.
func (s *Store) Export(ctx context.Context, q store.ExportQuery, consume func(r io.Reader) error) error {
	profiles, condition, values, err := s.consenting(ctx, q)
	if err != nil {
		return err
	}
	p, err := s.newPipe()
	if err != nil {
		return err
	}
	defer p.remove()
	if q.Standings != nil {
		return s.exportStandings(ctx, p, q, profiles, condition, values, consume)
	}
	var parts []string
	for _, part := range q.Memberships {
		parts = append(parts, s.inside(part))
	}
	data := map[string]any{"Relation": profiles, "Columns": named(q.Paths), "Condition": condition, "Memberships": parts, "Delimiter": q.Delimiter, "Fifo": p.path}
	err = p.drain(ctx, func(ctx context.Context) error { return s.exec(ctx, s.db, "export/audience_file", data, values...) }, consume)
	if err != nil {
		return fmt.Errorf("export namespace %s: %w", q.Namespace.Symbol, err)
	}
	return nil
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
	profiles, err = s.relation(ctx, q.Namespace, q.AsOf, paths)
	return profiles, strings.Join(conditions, " AND "), values, err
}

// LeftOut counts the members that Export leaves out: consent is missing (PL-25), or a contract's terms do not hold of them any more.
func (s *Store) LeftOut(ctx context.Context, q store.ExportQuery) (n int64, err error) {
	if len(q.Consent)+len(q.Confined)+len(q.Suppressed) == 0 {
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
