package queries_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	queries "prospector/sql"
)

// Each statement says its own name first, and is used: by the name that a reader would search for.
func TestStatementsAreNamedAndUsed(t *testing.T) {
	var code strings.Builder
	require.NoError(t, filepath.WalkDir(filepath.Join("..", "internal"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		code.Write(content)
		return err
	}))
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error { // parts of other statements
		if err != nil || !strings.HasSuffix(path, ".sql") {
			return err
		}
		content, err := os.ReadFile(path)
		for line := range strings.Lines(string(content)) {
			if _, used, ok := strings.Cut(line, "{{template "); ok {
				code.WriteString(used)
			}
		}
		return err
	}))
	names := queries.Names()
	require.NotEmpty(t, names)
	for _, name := range names {
		content, err := os.ReadFile(filepath.FromSlash(name) + ".sql")
		require.NoError(t, err)
		first, _, _ := strings.Cut(strings.TrimPrefix(string(content), "{{- /*\n"), "\n")
		require.Equal(t, "-- name:   "+name, first)
		require.Contains(t, code.String(), `"`+name+`"`, "nothing uses the statement")
	}
}

// A name or a value from outside cannot end its quotes.
func TestQuoting(t *testing.T) {
	require.Equal(t, `"a""; DROP TABLE x; --"`, queries.Identifier(`a"; DROP TABLE x; --`))
	require.Equal(t, `'it''s'`, queries.Text(`it's`))
}
