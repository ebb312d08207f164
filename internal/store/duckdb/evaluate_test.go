package duckdb_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/store"
	"prospector/internal/store/duckdb"
)

// Two evaluations of one version give the same bytes, whatever the threads, and whether audiences are evaluated together or apart.
func TestEvaluationIsRepeatable(t *testing.T) {
	f := newFixture(t)
	var rows strings.Builder
	for i := range 200_000 { // more than one row group
		rows.WriteString(row(fmt.Sprintf("a%06d", i*7919%200_000), "25-34", "02139", "MA", []string{"Y", "N"}[i%2], []string{"Y", "N"}[i%3%2], "3"))
	}
	f.ingest("batch_1", rows.String())
	parts := map[string][]byte{}
	for n, threads := range []int{1, 2, 2} {
		require.NoError(t, f.store.Close())
		var err error
		f.store, err = duckdb.Open(t.Context(), f.dir, duckdb.Options{MemoryLimit: "512MB", Threads: threads})
		require.NoError(t, err)
		for _, previous := range []string{"", "eval_0"} {
			results := f.evaluate(fmt.Sprintf("eval_%d%s", n, strings.TrimPrefix(previous, "eval")), previous)
			var many []store.AudienceScope
			for _, copied := range []string{"first", "second", "third"} {
				for _, scope := range f.scopes("eval_0", previous) {
					scope.Name += " " + copied
					scope.Part = "memberships/copies/" + scope.Name + ".parquet"
					many = append(many, scope)
				}
			}
			maps.Copy(results, f.evaluateAll(many))
			for name, m := range results {
				require.Greater(t, m.Size(), int64(50_000))
				content, err := os.ReadFile(filepath.Join(f.dir, m.Part))
				require.NoError(t, err)
				of, _, _ := strings.Cut(name, " ")
				of += previous
				if parts[of] == nil {
					parts[of] = content
				}
				require.True(t, string(parts[of]) == string(content), "audience %s with %d threads", name, threads)
			}
		}
	}
	require.NoError(t, f.store.Close())
	f.open()
}

// An evaluation that was cut short goes on with the audiences that it had not written, unless what decides them has changed
// since: then, and where a part is broken, it writes them again.
func TestEvaluationGoesOn(t *testing.T) {
	f := newFixture(t)
	f.ingest("batch_1", row("a1", "25-34", "02139", "MA", "Y", "Y", "3")+row("a2", "25-34", "02139", "MA", "Y", "N", "3")+row("a3", "25-34", "02139", "MA", "N", "Y", "3"))
	undisturbed := f.evaluate("eval_0", "")
	var many []store.AudienceScope
	for n := range 6 {
		for _, scope := range f.scopes("eval_1", "") {
			scope.Name += fmt.Sprintf(" %d", n)
			scope.Part = "memberships/eval_1/" + scope.Name + ".parquet"
			many = append(many, scope)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := 0
	_, err := f.store.Evaluate(ctx, monday, many, func(string) {
		if stopped++; stopped == 5 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	part := func(n int) string { return filepath.Join(f.dir, many[n].Part) }
	old := time.Now().Add(-time.Hour)
	written := func() (n int) {
		for i := range many {
			info, err := os.Stat(part(i))
			if err == nil && info.ModTime().After(old) {
				n++
			}
			require.NoError(t, os.Chtimes(part(i), old, old))
		}
		return n
	}
	for i := range 5 {
		require.NoError(t, os.Chtimes(part(i), old, old))
	}
	require.NoError(t, os.Truncate(part(1), 100))
	again := func() {
		for name, m := range f.evaluateAll(many) {
			of, _, _ := strings.Cut(name, " ")
			m.Audience, m.Part = of, undisturbed[of].Part
			require.Equal(t, undisturbed[of], m)
		}
	}
	again()
	require.Equal(t, len(many)-4, written(), "those that were not written, and the one that is broken")
	again()
	require.Zero(t, written())
	f.ingest("batch_2", row("a4", "25-34", "02139", "MA", "Y", "Y", "3"))
	for _, m := range f.evaluateAll(many) {
		require.Greater(t, m.Size(), undisturbed[strings.Fields(m.Audience)[0]].Size())
	}
	require.Equal(t, len(many), written(), "all, since more was loaded")
	many[3].Rule = many[2].Rule
	f.evaluateAll(many)
	require.Equal(t, 1, written(), "the one whose rule has changed")
}
