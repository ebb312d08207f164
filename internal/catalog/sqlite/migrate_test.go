package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
)

// A catalog that was written before the first migration keeps what it holds; one of a later version is refused.
func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	schema, err := os.ReadFile("../../../sql/catalog/schema.sql")
	require.NoError(t, err)
	_, err = db.Exec(string(schema))
	require.NoError(t, err)
	_, err = db.Exec(`INSERT INTO files VALUES ('acme', 'in/a.csv', 'v1', 5, '2026-11-24T06:00:00.000000000Z', 'v1', 'batch_1', 'loaded', 'abc', '',
		'2026-11-24T06:00:00.000000000Z', '2026-11-24T06:00:00.000000000Z')`)
	require.NoError(t, err)
	require.NoError(t, db.Close())

	for range 2 { // the second time there is nothing left to do
		c, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err)
		f, err := c.File(t.Context(), "batch_1")
		require.NoError(t, err)
		require.Equal(t, catalog.Loaded, f.State)
		require.Equal(t, "", f.BusinessDate)
		require.NoError(t, c.SetFileState(t.Context(), "batch_1", catalog.Gone, "", "", time.Now()))
		require.NoError(t, c.SetFileState(t.Context(), "batch_1", catalog.Loaded, "", "", time.Now()))
		require.NoError(t, c.Close())
	}

	db, err = sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec("INSERT INTO migrations VALUES (99, '')")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = sqlite.Open(t.Context(), path)
	require.Equal(t, errkind.Conflict, errkind.Of(err), "%v", err)
	require.ErrorContains(t, err, "later version")
}
