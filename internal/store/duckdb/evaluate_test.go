package duckdb_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/store/duckdb"
)

// Two evaluations of one version give the same bytes, whatever the threads.
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
		for name, m := range f.evaluate(fmt.Sprintf("eval_%d", n), "") {
			require.Greater(t, m.Size(), int64(50_000))
			content, err := os.ReadFile(filepath.Join(f.dir, m.Part))
			require.NoError(t, err)
			if n == 0 {
				parts[name] = content
			}
			require.True(t, string(parts[name]) == string(content), "audience %s with %d threads", name, threads)
		}
	}
	require.NoError(t, f.store.Close())
	f.open()
}
