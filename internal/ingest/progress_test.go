package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/ingest"
)

// Validation says how much of the file it has read, in both of its passes.
func TestProgressOfValidation(t *testing.T) {
	var content bytes.Buffer
	content.WriteString("pid,secret,hiking\n")
	for i := range 50_000 {
		fmt.Fprintf(&content, "p%d,%070d,%s\n", i, i, map[bool]string{true: "Y", false: "X"}[i%2 == 0])
	}
	l := newLoading(t, flat)
	require.NoError(t, os.WriteFile(l.file.Path, content.Bytes(), 0o600))
	var told []ingest.Progress
	_, err := ingest.Validate(context.Background(), l.store, l.file, func(p ingest.Progress) { told = append(told, p) })
	require.NoError(t, err)
	parts := map[string]ingest.Progress{}
	for _, p := range told {
		before := parts[p.Part]
		require.GreaterOrEqual(t, p.Records, before.Records)
		require.GreaterOrEqual(t, p.Read, before.Read)
		require.LessOrEqual(t, p.Read, p.Size)
		parts[p.Part] = p
	}
	whole := ingest.Progress{Records: 50_000, Read: int64(content.Len()), Size: int64(content.Len())}
	again := whole
	again.Part = "keeping rejected rows"
	require.Equal(t, map[string]ingest.Progress{"": whole, "keeping rejected rows": again}, parts)
	require.Less(t, told[0].Read, told[0].Size, "it is told while the file is read")
}
