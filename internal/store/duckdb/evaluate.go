package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/store"
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
	e := evaluation{Store: s, conn: conn, asOf: asOf, aliases: map[string]string{}, members: map[string]string{}, origins: map[string]string{}}
	for _, a := range audiences {
		for _, n := range a.Namespaces {
			for _, d := range n.Datasets {
				attached, err := s.dataset(ctx, d)
				if err != nil {
					return nil, err
				}
				e.aliases[d.Name] = attached.alias
			}
		}
	}
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	defer func() { e.end() }()
	results := map[string]store.Membership{}
	for left := audiences; len(left) > 0; {
		var next []store.AudienceScope
		if next, left = independent(left); len(next) == 0 {
			return nil, errkind.Newf(errkind.Internal, "audiences refer to each other in a circle")
		}
		err := e.all(ctx, next, func(m store.Membership) {
			results[m.Audience] = m
			if done != nil {
				done(m.Audience)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	out := make([]store.Membership, len(audiences))
	for i, a := range audiences {
		out[i] = results[a.Name]
	}
	return out, nil
}

// independent are the audiences that refer to none of the others, and those that wait for them.
func independent(audiences []store.AudienceScope) (next, wait []store.AudienceScope) {
	names := map[string]bool{}
	for _, a := range audiences {
		names[a.Name] = true
	}
	for _, a := range audiences {
		if slices.ContainsFunc(a.Rule.Audiences, func(name string) bool { return names[name] }) {
			wait = append(wait, a)
		} else {
			next = append(next, a)
		}
	}
	return next, wait
}

// evaluation is one instant's look at the datasets.
type evaluation struct {
	*Store
	conn     *sql.Conn
	asOf     time.Time
	aliases  map[string]string // of the datasets
	tx       *sql.Tx
	versions map[string]string
	members  map[string]string // parts of the audiences that were evaluated
	origins  map[string]string // of those parts
}

// begin starts a read transaction and touches every dataset, so that all of them are seen as of now. Begun again, it must
// show the same.
func (e *evaluation) begin(ctx context.Context) error {
	tx, err := e.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	e.tx = tx
	versions := map[string]string{}
	for name, alias := range e.aliases {
		err := e.query(ctx, tx, "profiles/version", map[string]any{"Dataset": alias}, nil, func(scan func(...any) error) error {
			var version string
			err := scan(&version)
			versions[name] = version
			return err
		})
		if err != nil {
			return err
		}
		if e.versions != nil && e.versions[name] != versions[name] {
			return errkind.Newf(errkind.Transient, "dataset %s was loaded while audiences were evaluated", name)
		}
	}
	e.versions = versions
	return nil
}

// end gives the snapshot up, and the temporary tables with it.
func (e *evaluation) end() {
	if e.tx != nil {
		_ = e.tx.Rollback() // reads only: there is nothing to commit
	}
}

// again begins anew after a failed statement, which ends DuckDB's transaction.
func (e *evaluation) again(ctx context.Context) error {
	e.end()
	return e.begin(ctx)
}

// all evaluates audiences that do not refer to each other: by a scan for many of them where that is cheaper, or where that
// fails each by a query of its own, which tells whose fault it is. What an attempt before this one has written is kept.
func (e *evaluation) all(ctx context.Context, audiences []store.AudienceScope, done func(store.Membership)) error {
	var left []store.AudienceScope
	for _, a := range audiences {
		if m := e.start(a); !e.written(ctx, a, m.origin) {
			left = append(left, a)
		} else if err := e.finish(ctx, a, &m); err != nil {
			return err
		} else {
			done(m.Membership)
		}
	}
	for scanning := true; len(left) > 0; {
		var scanned map[string][]members
		if scanning {
			var err error
			if scanned, err = e.scan(ctx, left); err != nil {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				scanning = false
				if err := e.again(ctx); err != nil {
					return err
				}
			}
		}
		for failed := false; len(left) > 0 && !failed; left = left[1:] {
			m, err := e.one(ctx, left[0], scanned[left[0].Name])
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				m, failed = store.Membership{Audience: left[0].Name, Error: err.Error()}, true
				if err := e.again(ctx); err != nil {
					return err
				}
			}
			done(m)
		}
	}
	return nil
}

// started is a membership that is to be written.
type started struct {
	store.Membership
	previous string // part, or empty
	origin   string
}

// start says what an audience is evaluated against.
func (e *evaluation) start(a store.AudienceScope) started {
	out := started{Membership: store.Membership{Audience: a.Name, Part: a.Part}, previous: a.Previous}
	if a.Previous != "" {
		if _, err := os.Stat(e.inside(a.Previous)); errors.Is(err, os.ErrNotExist) {
			out.Warning = "its earlier membership is lost, so that all of its members count as new, and nobody as having left"
			out.previous = ""
		}
	}
	out.origin = e.origin(a, out.previous)
	return out
}

// one computes one audience, from the scan that found its members or by queries of its own.
func (e *evaluation) one(ctx context.Context, a store.AudienceScope, scanned []members) (store.Membership, error) {
	m := e.start(a)
	if scanned == nil {
		if err := e.find(ctx, a); err != nil {
			return m.Membership, err
		}
	}
	part := e.inside(a.Part)
	if err := os.MkdirAll(filepath.Dir(part), 0o700); err != nil {
		return m.Membership, err
	}
	data := map[string]any{"AsOf": e.asOf.UTC().Format(time.RFC3339Nano), "Previous": "", "Part": part, "Scanned": scanned, "Origin": m.origin}
	if m.previous != "" {
		if err := e.checkPart(ctx, e.tx, a.Name, m.previous); err != nil {
			return m.Membership, err
		}
		data["Previous"] = e.inside(m.previous)
	}
	if err := e.exec(ctx, e.tx, "audiences/write_membership", data); err != nil {
		return m.Membership, err
	}
	if err := onDisk(part); err != nil {
		return m.Membership, err
	}
	err := e.finish(ctx, a, &m)
	return m.Membership, err
}

// finish counts a membership that is written, and lets others refer to it.
func (e *evaluation) finish(ctx context.Context, a store.AudienceScope, m *started) error {
	if err := e.count(ctx, a.Namespaces, e.inside(a.Part), &m.Membership); err != nil {
		return err
	}
	e.members[a.Name], e.origins[a.Name] = a.Part, m.origin
	return nil
}

// columnsOf are the paths that decide who is in an audience.
func columnsOf(a store.AudienceScope) []string {
	if a.Limit == nil || a.Limit.By == "" || slices.Contains(a.Rule.Columns, a.Limit.By) {
		return a.Rule.Columns
	}
	return append(slices.Clone(a.Rule.Columns), a.Limit.By)
}

// find fills the temporary table members with those of one audience.
func (e *evaluation) find(ctx context.Context, a store.AudienceScope) error {
	ranked, rankType := rank(a.Limit, a.Namespaces)
	if err := e.exec(ctx, e.tx, "audiences/members_table", map[string]any{"Rank": rankType}); err != nil {
		return err
	}
	for _, n := range a.Namespaces {
		condition, values, err := e.condition(a.Rule.SQL, n.Symbol, e.asOf, e.members)
		if err != nil {
			return err
		}
		profiles, err := e.relation(ctx, n, e.asOf, columnsOf(a))
		if err != nil {
			return err
		}
		data := map[string]any{"Relation": profiles, "Condition": condition, "Rank": ranked}
		if err := e.exec(ctx, e.tx, "audiences/insert_members", data, values...); err != nil {
			return err
		}
	}
	if a.Limit == nil {
		return nil
	}
	return e.exec(ctx, e.tx, "audiences/limit_members", map[string]any{"Descending": a.Limit.Descending}, a.Limit.Seed, a.Limit.Profiles)
}

// count counts the members in a part by namespace and dataset.
func (e *evaluation) count(ctx context.Context, namespaces []store.Namespace, part string, m *store.Membership) error {
	err := e.query(ctx, e.tx, "audiences/membership_counts", map[string]any{"Part": part}, nil, func(scan func(...any) error) error {
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
			attached, err := e.dataset(ctx, d)
			if err != nil {
				return err
			}
			var fragments int64
			data := map[string]any{"Dataset": attached.alias, "Part": part}
			err = e.query(ctx, e.tx, "audiences/dataset_members", data, []any{counted.Namespace, e.asOf}, func(scan func(...any) error) error { return scan(&fragments) })
			if err != nil {
				return err
			}
			counted.Datasets[d.Name] = fragments
		}
	}
	return nil
}
