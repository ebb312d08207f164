package differential

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/stretchr/testify/require"

	"prospector/internal/audience"
	"prospector/internal/audience/expression"
	"prospector/internal/audience/postgres"
	"prospector/internal/xdm"
)

const (
	rules     = 6000
	tableSize = 60
	batchSize = 40 // rules of one statement
)

// AU-5, AU-13 to AU-25, EC-22, EC-23: random rules over random rows have the verdicts that an independent evaluator
// computes row by row, written in either notation; each rule reads back as the same tree.
func TestRulesAgainstOracle(t *testing.T) {
	r := random{rand.New(rand.NewPCG(1, 2))}
	db := open(t)
	table := make([]row, tableSize)
	for i := range table {
		table[i] = r.row(i)
	}
	fill(t, db, table)
	var batch []*audience.Rule
	counts := map[string]int{}
	for made := 0; made < rules; {
		tree, _, err := expression.Check(r.condition(3), expression.Scope{Fields: fields, Audiences: audiences})
		if err != nil {
			counts["refused"]++
			require.Less(t, counts["refused"], 3*rules, "most generated rules are refused: %v", err)
			continue
		}
		rule := parsed(t, postgres.Print(tree), audience.SQL)
		require.True(t, expression.Same(tree, rule.Tree()), "%s\nis read as\n%s", postgres.Print(tree), postgres.Print(rule.Tree()))
		if text, err := rule.Print(audience.PQL); err == nil {
			counts["pql"]++
			other := parsed(t, text, audience.PQL)
			require.True(t, rule.Same(other), "%s\nis in PQL\n%s\nand read as\n%s", rule.Text, text, postgres.Print(other.Tree()))
			rule = other
		}
		batch = append(batch, rule)
		if made++; len(batch) == batchSize || made == rules {
			compare(t, db, table, batch, counts)
			batch = nil
		}
	}
	t.Log(counts)
	for _, verdict := range []string{"true", "false", "unknown"} {
		require.Greater(t, counts[verdict], rules*tableSize/20, verdict)
	}
	require.Greater(t, counts["pql"], rules/4)
}

func parsed(t *testing.T, text string, notation audience.Notation) *audience.Rule {
	t.Helper()
	rule, err := audience.Parse(text, fields, audience.In(notation), audience.MayRefer(audiences...))
	require.NoError(t, err, text)
	return rule
}

var names = audience.Names{
	Column:   func(path string) string { return `p."` + path + `"` },
	Audience: func(name string) string { return `p."in ` + name + `"` },
	ID:       "p.id", AsOf: asOf,
}

// compare asks the database for all rules, and for the conditions of every tenth one.
func compare(t *testing.T, db *sql.DB, table []row, batch []*audience.Rule, counts map[string]int) {
	type column struct {
		text string
		want func(o oracle) expression.Verdict
	}
	var columns []column
	var selected []string
	var values []any
	add := func(text, condition string, bound []any, err error, want func(o oracle) expression.Verdict) {
		require.NoError(t, err, text)
		selected, values = append(selected, condition), append(values, bound...)
		columns = append(columns, column{text, want})
	}
	for i, rule := range batch {
		condition, bound, err := rule.SQL(names)
		add(rule.Text, condition, bound, err, func(o oracle) expression.Verdict { return o.verdict(rule.Tree()) })
		if i%10 == 0 {
			for at, p := range rule.Predicates() {
				condition, bound, err := p.SQL(names)
				add(p.Text, condition, bound, err, func(o oracle) expression.Verdict { return o.verdict(expression.Leaves(rule.Tree())[at]) })
			}
		}
	}
	rows, err := db.QueryContext(t.Context(), "SELECT "+strings.Join(selected, ",\n")+" FROM p ORDER BY id", values...)
	require.NoError(t, err)
	defer rows.Close()
	got, into := make([]sql.NullBool, len(columns)), make([]any, len(columns))
	for i := range got {
		into[i] = &got[i]
	}
	for _, row := range table {
		require.True(t, rows.Next(), "%v", rows.Err())
		require.NoError(t, rows.Scan(into...))
		o := oracle{row, asOf}
		for i, c := range columns {
			verdict := map[sql.NullBool]expression.Verdict{{Bool: true, Valid: true}: expression.True, {Valid: true}: expression.False, {}: expression.Unknown}[got[i]]
			require.Equal(t, c.want(o), verdict, "%s\nas\n%s\nof %v", c.text, selected[i], row.values)
			counts[string(verdict)]++
		}
		for _, rule := range batch {
			var leaves []expression.Verdict
			for _, leaf := range expression.Leaves(rule.Tree()) {
				leaves = append(leaves, o.verdict(leaf))
			}
			require.Equal(t, o.verdict(rule.Tree()), rule.Verdict(leaves), rule.Text)
		}
	}
}

// open opens a database whose session is in another time zone: rules must not notice.
func open(t *testing.T) *sql.DB {
	connector, err := duckdb.NewConnector("", nil)
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.ExecContext(context.Background(), "SET GLOBAL TimeZone = 'America/New_York'; SET threads = 2")
	require.NoError(t, err)
	return db
}

var types = map[xdm.Type]string{xdm.String: "VARCHAR", xdm.Integer: "BIGINT", xdm.Number: "DOUBLE", xdm.Boolean: "BOOLEAN", xdm.Date: "DATE", xdm.DateTime: "TIMESTAMPTZ"}

func fill(t *testing.T, db *sql.DB, table []row) {
	paths := slices.Sorted(maps.Keys(fields))
	columns := []string{"id VARCHAR", `"in outdoor-families" BOOLEAN`, `"in it's" BOOLEAN`}
	for _, path := range paths {
		kind := types[fields[path].Type]
		switch fields[path].Container {
		case xdm.Array:
			kind += "[]"
		case xdm.Map:
			kind = "MAP(VARCHAR, " + kind + ")"
		}
		columns = append(columns, fmt.Sprintf("%q %s", path, kind))
	}
	_, err := db.ExecContext(t.Context(), "CREATE TABLE p ("+strings.Join(columns, ", ")+")")
	require.NoError(t, err)
	for _, row := range table {
		values := []any{row.id, row.audiences["outdoor-families"], row.audiences["it's"]}
		marks := []string{"?", "?", "?"}
		var mark func(v any) string
		mark = func(v any) string {
			switch v := v.(type) {
			case []any:
				var items []string
				for _, item := range v {
					items = append(items, mark(item))
				}
				return "[" + strings.Join(items, ", ") + "]"
			case map[string]any:
				keys, items := []string{}, []string{}
				for _, key := range slices.Sorted(maps.Keys(v)) {
					values = append(values, key)
					keys = append(keys, "?")
				}
				for _, key := range slices.Sorted(maps.Keys(v)) {
					items = append(items, mark(v[key]))
				}
				return "MAP([" + strings.Join(keys, ", ") + "], [" + strings.Join(items, ", ") + "])"
			}
			values = append(values, v)
			return "?"
		}
		for _, path := range paths {
			marks = append(marks, mark(row.values[path]))
		}
		_, err := db.ExecContext(t.Context(), "INSERT INTO p VALUES ("+strings.Join(marks, ", ")+")", values...)
		require.NoError(t, err)
	}
}
