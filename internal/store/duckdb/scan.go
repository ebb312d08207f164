package duckdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"prospector/internal/store"
)

// fewest audiences that a scan for all of them is made for. For less it is cheaper to let each filter as it reads.
const fewest = 4

// members is where the members of an audience are after a scan: in the rows of a temporary table whose word has the bit.
type members struct {
	Namespace string
	Table     string
	Word      string
	Bit       uint64
}

// shared are audiences that one scan decides: they may hold the prospects of the same fragments.
type shared struct {
	namespace  store.Namespace
	table      string
	columns    []string
	references []reference
	words      [][]verdict
	values     []any
	audiences  int
}

type verdict struct {
	Bit       uint64
	Condition string
}

// reference is an audience that rules refer to: a column that says who is in it. Columns are numbered, for DuckDB's names do not
// tell case apart as those of audiences do.
type reference struct{ Audience, Condition string }

// scan reads each namespace once for all audiences that may hold its prospects, and writes for every prospect down in which
// of them it is, one bit for each audience, in id order. Those that it leaves out need a query of their own: the limited
// ones, and those that refer to an audience that has failed.
func (e *evaluation) scan(ctx context.Context, audiences []store.AudienceScope) (map[string][]members, error) {
	var scans []*shared
	found := map[string][]members{}
	for _, a := range audiences {
		failed := slices.ContainsFunc(a.Rule.Audiences, func(name string) bool { return e.members[name] == "" })
		if a.Limit != nil || failed {
			continue
		}
		for _, n := range a.Namespaces {
			i := slices.IndexFunc(scans, func(s *shared) bool { return sameFragments(s.namespace, n) })
			if i < 0 {
				i, scans = len(scans), append(scans, &shared{namespace: n, table: fmt.Sprintf("scan_%d", len(scans))})
			}
			m, err := e.add(scans[i], a)
			if err != nil {
				return nil, err
			}
			found[a.Name] = append(found[a.Name], m)
		}
	}
	for _, s := range scans {
		if s.audiences < fewest {
			for name, where := range found { // also in another namespace: an audience is found in one way
				if slices.ContainsFunc(where, func(m members) bool { return m.Table == s.table }) {
					delete(found, name)
				}
			}
			continue
		}
		profiles, err := e.relation(ctx, s.namespace, e.asOf, s.columns)
		if err != nil {
			return nil, err
		}
		data := map[string]any{"Table": s.table, "Relation": profiles, "References": s.references, "Words": s.words}
		if err := e.exec(ctx, e.tx, "audiences/scan", data, s.values...); err != nil {
			return nil, err
		}
	}
	for name := range found {
		slices.SortFunc(found[name], func(a, b members) int { return strings.Compare(a.Namespace, b.Namespace) })
	}
	return found, nil
}

// add makes a scan decide one more audience.
func (e *evaluation) add(s *shared, a store.AudienceScope) (members, error) {
	condition, values, err := generated(a.Rule.SQL, e.asOf, func(name string) (string, error) {
		i := slices.IndexFunc(s.references, func(r reference) bool { return r.Audience == name })
		if i < 0 {
			is, err := e.isMember(name, s.namespace.Symbol, e.members)
			if err != nil {
				return "", err
			}
			i, s.references = len(s.references), append(s.references, reference{name, is})
		}
		return fmt.Sprintf(`p."reference %d"`, i), nil // no path has a space
	})
	if err != nil {
		return members{}, err
	}
	for _, path := range a.Rule.Columns {
		if !slices.Contains(s.columns, path) {
			s.columns = append(s.columns, path)
		}
	}
	word, bit := s.audiences/64, uint64(1)<<(s.audiences%64)
	if word == len(s.words) {
		s.words = append(s.words, nil)
	}
	s.words[word] = append(s.words[word], verdict{Bit: bit, Condition: condition})
	s.values = append(s.values, values...)
	s.audiences++
	return members{Namespace: s.namespace.Symbol, Table: s.table, Word: fmt.Sprintf("word_%d", word), Bit: bit}, nil
}

func sameFragments(a, b store.Namespace) bool {
	return a.Symbol == b.Symbol && slices.EqualFunc(a.Datasets, b.Datasets, func(a, b store.Dataset) bool { return a.Name == b.Name })
}
