package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"prospector/internal/audience"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/xdm"
	queries "prospector/sql"
)

// condition is the SQL of a rule over a relation p of a namespace's profiles, with its values. members are the parts of the
// audiences that it may refer to.
func (s *Store) condition(generate func(audience.Names) (string, []any, error), namespace string, asOf time.Time, members map[string]string) (string, []any, error) {
	return generated(generate, asOf, func(name string) (string, error) { return s.isMember(name, namespace, members) })
}

// generated is the SQL of a rule over a relation p, in which refer says who is in another audience.
func generated(generate func(audience.Names) (string, []any, error), asOf time.Time, refer func(name string) (string, error)) (string, []any, error) {
	var broken error
	text, values, err := generate(audience.Names{
		ID:     "p.partner_id",
		AsOf:   asOf,
		Column: func(path string) string { return "p." + queries.Identifier(path) },
		Audience: func(name string) string {
			text, err := refer(name)
			broken = errors.Join(broken, err)
			return text
		},
	})
	if broken != nil {
		return "", nil, broken
	}
	return text, values, err
}

// isMember is the SQL that is true for those of a relation p of a namespace's profiles who are in an audience.
func (s *Store) isMember(name, namespace string, members map[string]string) (string, error) {
	part, ok := members[name]
	if !ok {
		return "", errkind.New(errkind.Missing, "", fmt.Errorf("audience %s, which the rule refers to, has no members: it was not evaluated, or that failed", name), "evaluate it first: starter audiences evaluate "+name)
	}
	return queries.Statement("audiences/is_member", map[string]any{"Namespace": namespace, "Part": s.inside(part)})
}

// rank is the SQL of what orders a limited audience, and its type.
func rank(limit *store.Limit, namespaces []store.Namespace) (expression, sqlType string) {
	if limit == nil || limit.By == "" {
		return "NULL", "BIGINT"
	}
	column := "p." + queries.Identifier(limit.By)
	for _, n := range namespaces {
		for _, d := range n.Datasets {
			f, ok := d.Schema.Field(limit.By)
			switch {
			case !ok:
			case f.Type == xdm.Date, f.Type == xdm.DateTime:
				return "epoch_us(" + column + "::TIMESTAMPTZ)", "BIGINT"
			default:
				return column, sqlTypes[f.Type]
			}
		}
	}
	return "NULL", "BIGINT"
}

// checkPart says what to do about a membership part that cannot be read.
func (s *Store) checkPart(ctx context.Context, on querier, audience, part string) error {
	err := s.query(ctx, on, "audiences/readable", map[string]any{"Part": s.inside(part)}, nil, func(func(...any) error) error { return nil })
	if err == nil || ctx.Err() != nil {
		return err
	}
	return errkind.New(errkind.Missing, "", fmt.Errorf("the membership of audience %s is lost or broken", audience),
		"restore "+part+" of the data directory from a backup, or remove it and evaluate the audience: all of its members count as new then")
}

// checkParts does so for the audiences that a rule refers to.
func (s *Store) checkParts(ctx context.Context, rule *audience.Rule, members map[string]string) error {
	for _, name := range rule.Audiences {
		if part, ok := members[name]; ok {
			if err := s.checkPart(ctx, s.db, name, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// Members returns a page of an audience's members, and where the next page begins: nil behind the last one.
func (s *Store) Members(ctx context.Context, q store.MemberQuery) (out []store.Member, next *store.Position, err error) {
	if q.Limit < 1 || q.Limit > store.MostPageSize {
		return nil, nil, errkind.Newf(errkind.Invalid, "a page has 1 to %d members, not %d", store.MostPageSize, q.Limit)
	}
	if err := s.checkPart(ctx, s.db, q.Audience, q.Part); err != nil {
		return nil, nil, err
	}
	arguments := []any{q.Namespace, q.Status, q.After.Namespace, q.After.PartnerID, q.Limit + 1}
	err = s.query(ctx, s.db, "audiences/members_page", map[string]any{"Part": s.inside(q.Part)}, arguments, func(scan func(...any) error) error {
		var m store.Member
		err := scan(&m.Namespace, &m.PartnerID, &m.Status, &m.Since, &m.LastQualified)
		m.Since, m.LastQualified = m.Since.UTC(), m.LastQualified.UTC()
		out = append(out, m)
		return err
	})
	if len(out) > q.Limit {
		out = out[:q.Limit]
		next = &store.Position{Namespace: out[q.Limit-1].Namespace, PartnerID: out[q.Limit-1].PartnerID}
	}
	return out, next, err
}

// Overlap counts the prospects that are in two audiences at once, for each pair of those whose parts are given, and in each
// alone. Pairs that share nobody are left out.
func (s *Store) Overlap(ctx context.Context, parts map[string]string) (out []store.Overlap, err error) {
	for name, part := range parts {
		if err := s.checkPart(ctx, s.db, name, part); err != nil {
			return nil, err
		}
	}
	err = s.query(ctx, s.db, "audiences/overlap", map[string]any{"Parts": s.named(parts)}, nil, func(scan func(...any) error) error {
		var o store.Overlap
		err := scan(&o.A, &o.B, &o.Both)
		out = append(out, o)
		return err
	})
	return out, err
}

// Preview counts exactly who would be in an audience, on one version of the store.
func (s *Store) Preview(ctx context.Context, q store.PreviewQuery) (out store.Preview, err error) {
	if err := s.checkParts(ctx, q.Rule, q.Members); err != nil {
		return out, err
	}
	tx, err := s.reading(ctx, q.Namespaces)
	if err != nil {
		return out, err
	}
	defer func() { _ = tx.Rollback() }() // reads only
	out.Namespaces = map[string]int64{}
	for _, n := range q.Namespaces {
		condition, values, err := s.condition(q.Rule.SQL, n.Symbol, q.AsOf, q.Members)
		if err != nil {
			return out, err
		}
		matching, err := s.counted(ctx, tx, n, q.AsOf, q.Rule.Columns, condition, values)
		if err != nil {
			return out, err
		}
		all, err := s.counted(ctx, tx, n, q.AsOf, nil, "true", nil)
		if err != nil {
			return out, err
		}
		out.Namespaces[n.Symbol] = matching
		out.Matching, out.Total = out.Matching+matching, out.Total+all
	}
	out.Profiles = out.Matching
	if q.Most > 0 {
		out.Profiles = min(out.Profiles, q.Most)
	}
	return out, nil
}

func (s *Store) counted(ctx context.Context, tx *sql.Tx, n store.Namespace, asOf time.Time, paths []string, condition string, values []any) (count int64, err error) {
	relation, err := s.relation(ctx, n, asOf, paths)
	if err != nil {
		return 0, err
	}
	err = s.query(ctx, tx, "audiences/preview_count", map[string]any{"Relation": relation, "Condition": condition}, values, func(scan func(...any) error) error { return scan(&count) })
	return count, err
}

// Explain says why a prospect is in an audience or is not: what each of the rule's conditions comes to, and the values that
// decide it. Missing when there is no such profile, or when it has expired.
func (s *Store) Explain(ctx context.Context, n store.Namespace, partnerID string, q store.PreviewQuery) (out store.Explanation, err error) {
	if err := s.checkParts(ctx, q.Rule, q.Members); err != nil {
		return out, err
	}
	tx, err := s.reading(ctx, []store.Namespace{n})
	if err != nil {
		return out, err
	}
	defer func() { _ = tx.Rollback() }() // reads only
	found, err := s.profiles(ctx, tx, n, q.AsOf, []string{partnerID}, q.Rule.Columns)
	if err != nil {
		return out, err
	}
	if len(found) == 0 {
		return out, errkind.New(errkind.Missing, "namespace "+n.Symbol, errors.New("it holds no profile with this id"), "ids are case-sensitive, and profiles expire; list some with: starter profiles browse --namespace "+n.Symbol)
	}
	predicates := q.Rule.Predicates()
	var conditions []string
	var arguments []any
	for _, p := range predicates {
		condition, values, err := s.condition(p.SQL, n.Symbol, q.AsOf, q.Members)
		if err != nil {
			return out, err
		}
		conditions, arguments = append(conditions, condition), append(arguments, values...)
	}
	relation, err := s.relation(ctx, n, q.AsOf, q.Rule.Columns)
	if err != nil {
		return out, err
	}
	verdicts := make([]audience.Verdict, len(predicates))
	err = s.query(ctx, tx, "audiences/verdicts", map[string]any{"Relation": relation, "Conditions": conditions}, append(arguments, partnerID), func(scan func(...any) error) error {
		row := make([]sql.NullBool, len(predicates))
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		if err := scan(into...); err != nil {
			return err
		}
		for i, v := range row {
			verdicts[i] = verdictOf(v)
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	for i, p := range predicates {
		values := map[string]any{}
		for _, path := range p.Columns {
			values[path] = found[0].Attributes[path]
		}
		out.Predicates = append(out.Predicates, store.PredicateVerdict{Predicate: p.Text, Verdict: string(verdicts[i]), Values: values})
	}
	out.Verdict = string(q.Rule.Verdict(verdicts))
	return out, nil
}

func verdictOf(v sql.NullBool) audience.Verdict {
	switch {
	case !v.Valid:
		return audience.Unknown
	case v.Bool:
		return audience.True
	}
	return audience.False
}

type namedPart struct{ Audience, Path string }

// named are parts in the order of their audiences' names.
func (s *Store) named(parts map[string]string) (out []namedPart) {
	for name, part := range parts {
		out = append(out, namedPart{name, s.inside(part)})
	}
	slices.SortFunc(out, func(a, b namedPart) int { return strings.Compare(a.Audience, b.Audience) })
	return out
}
