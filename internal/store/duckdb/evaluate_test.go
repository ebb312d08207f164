package duckdb_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
