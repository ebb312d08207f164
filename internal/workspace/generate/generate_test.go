package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
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
