package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// Browse returns a page of profiles, all of it from one version of the store, and where the next page begins: nil behind the
// last profile.
func (s *Store) Browse(ctx context.Context, q store.ProfileQuery) (out []store.Profile, next *store.Position, err error) {
	if q.Limit < 1 || q.Limit > store.MostPageSize {
		return nil, nil, errkind.Newf(errkind.Invalid, "a page has 1 to %d profiles, not %d", store.MostPageSize, q.Limit)
	}
	namespaces := slices.Clone(q.Namespaces)
	slices.SortFunc(namespaces, func(a, b store.Namespace) int { return strings.Compare(a.Symbol, b.Symbol) })
	tx, err := s.reading(ctx, namespaces)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = tx.Rollback() }() // reads only
	for _, n := range namespaces {
		if n.Symbol < q.After.Namespace {
			continue
		}
		after := ""
		if n.Symbol == q.After.Namespace {
			after = q.After.PartnerID
		}
		rest := q.Limit - len(out)
		ids, err := s.browseIDs(ctx, tx, n, q, after, rest+1)
		if err != nil {
			return nil, nil, err
		}
		profiles, err := s.profiles(ctx, tx, n, q.AsOf, ids[:min(len(ids), rest)], q.Columns)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, profiles...)
		if len(ids) > rest {
			last := out[len(out)-1]
			return out, &store.Position{Namespace: last.Namespace, PartnerID: last.PartnerID}, nil
		}
	}
	return out, nil, nil
}

// reading begins a transaction that sees the datasets of namespaces as they are when it first reads each of them.
func (s *Store) reading(ctx context.Context, namespaces []store.Namespace) (*sql.Tx, error) {
	for _, n := range namespaces { // outside: attaching writes
		for _, d := range n.Datasets {
			if _, err := s.dataset(ctx, d); err != nil {
				return nil, err
			}
		}
	}
	return s.db.BeginTx(ctx, nil)
}

func (s *Store) browseIDs(ctx context.Context, tx *sql.Tx, n store.Namespace, q store.ProfileQuery, after string, limit int) (ids []string, err error) {
	condition, values, paths := "true", []any(nil), []string(nil)
	if q.Rule != nil {
		if condition, values, err = s.condition(q.Rule.SQL, n.Symbol, q.AsOf, q.Members); err != nil {
			return nil, err
		}
		paths = q.Rule.Columns
	}
	relation, err := s.relation(ctx, n, q.AsOf, paths)
	if err != nil {
		return nil, err
	}
	err = s.query(ctx, tx, "profiles/browse_ids", map[string]any{"Relation": relation, "Condition": condition}, append(values, after, limit), func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// profiles returns the profiles with the ids, which are in order. paths are the attributes that are wanted; nil: all.
func (s *Store) profiles(ctx context.Context, tx *sql.Tx, n store.Namespace, asOf time.Time, ids, paths []string) (out []store.Profile, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if paths == nil {
		paths = pathsOf(n)
	}
	relation, err := s.relation(ctx, n, asOf, paths)
	if err != nil {
		return nil, err
	}
	arguments := []any{ids[0], ids[len(ids)-1]}
	for _, id := range ids {
		arguments = append(arguments, id)
	}
	err = s.rows(ctx, tx, "profiles/browse_rows", map[string]any{"Relation": relation, "IDs": ids}, arguments, func(row map[string]any) error {
		p := store.Profile{Namespace: n.Symbol, Attributes: attributes(row, paths)}
		p.PartnerID, _ = row["partner_id"].(string)
		p.Batch, _ = row["_batch"].(string)
		p.Created, _ = row["_created"].(time.Time)
		p.Modified, _ = row["_modified"].(time.Time)
		out = append(out, p)
		return nil
	})
	return out, err
}

// pathsOf are the attributes that prospects of a namespace may have.
func pathsOf(n store.Namespace) (out []string) {
	seen := map[string]bool{}
	for _, d := range n.Datasets {
		for _, f := range d.Schema.Fields {
			if !f.System && !seen[f.Path] {
				seen[f.Path] = true
				out = append(out, f.Path)
			}
		}
	}
	return out
}

// Profile returns one profile with all its attributes (PF-10, PF-11). Missing when there is none, or when it has expired.
func (s *Store) Profile(ctx context.Context, n store.Namespace, partnerID string, asOf time.Time) (out store.ProfileDetail, err error) {
	tx, err := s.reading(ctx, []store.Namespace{n})
	if err != nil {
		return out, err
	}
	defer func() { _ = tx.Rollback() }() // reads only
	found, err := s.profiles(ctx, tx, n, asOf, []string{partnerID}, nil)
	if err != nil {
		return out, err
	}
	if len(found) == 0 {
		return out, errkind.New(errkind.Missing, "namespace "+n.Symbol, errors.New("it holds no profile with this id"), "ids are case-sensitive, and profiles expire; list some with: starter profiles browse --namespace "+n.Symbol)
	}
	out.Profile = found[0]
	for _, d := range n.Datasets {
		a, err := s.dataset(ctx, d)
		if err != nil {
			return out, err
		}
		f := store.ProfileFragment{Dataset: d.Name}
		err = s.query(ctx, tx, "profiles/fragment_origin", map[string]any{"Dataset": a.alias}, []any{partnerID, asOf}, func(scan func(...any) error) error {
			err := scan(&f.CreatedBatch, &f.Batch, &f.Line, &f.Created, &f.Modified, &f.Expires)
			f.Created, f.Modified, f.Expires = f.Created.UTC(), f.Modified.UTC(), f.Expires.UTC()
			out.Fragments = append(out.Fragments, f)
			return err
		})
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// MembershipsOf returns the audiences that a profile is in, or has left within the last 30 days. parts are the audiences'
// membership parts, relative to the data directory.
func (s *Store) MembershipsOf(ctx context.Context, namespace, partnerID string, parts map[string]string) (out []store.ProfileMembership, err error) {
	if len(parts) == 0 {
		return nil, nil
	}
	err = s.query(ctx, s.db, "profiles/memberships_of", map[string]any{"Parts": s.named(parts)}, []any{namespace, partnerID}, func(scan func(...any) error) error {
		var m store.ProfileMembership
		err := scan(&m.Audience, &m.Status, &m.Since)
		m.Since = m.Since.UTC()
		out = append(out, m)
		return err
	})
	if err != nil {
		for audience, part := range parts {
			err = cmp.Or(s.checkPart(ctx, s.db, audience, part), err)
		}
		return nil, fmt.Errorf("memberships: %w", err)
	}
	return out, nil
}
