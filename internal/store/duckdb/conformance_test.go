package duckdb_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/store/duckdb"
	"prospector/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) storetest.Driver {
		s, err := duckdb.Open(context.Background(), dir, duckdb.Options{MemoryLimit: "512MB", Threads: 2})
		require.NoError(t, err)
		return s
	})
}
