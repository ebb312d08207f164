package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/mapping"
)

// What is derived from the types is derived from the types as they are.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	t.Chdir("../../..")
	files, err := generate()
	require.NoError(t, err)
	for name, want := range files {
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		require.True(t, string(want) == string(got), "%s is not current; run: go run ./internal/workspace/generate", name)
	}
}

// The reference has every step of a mapping, and every key of those that have some.
func TestReferenceHasEveryStep(t *testing.T) {
	t.Chdir("../../..")
	files, err := generate()
	require.NoError(t, err)
	_, page, found := strings.Cut(string(files["docs/workspace.md"]), "\n### Step\n")
	require.True(t, found)
	words, functions, found := strings.Cut(page, "| key |")
	require.True(t, found)
	functions, _, _ = strings.Cut(functions, "\n## ")
	for _, word := range mapping.Words {
		require.Contains(t, words, word)
	}
	for _, key := range append([]string{"format", "timeZone", "point", "group", "by", "part", "values", "otherwise"}, mapping.Functions...) {
		require.Contains(t, functions, "| `"+key+"` |")
	}
}
