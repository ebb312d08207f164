package activities

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/store"
	"prospector/internal/workspace"
)

// delivers is a record in which an activation has delivered before or has not.
type delivers struct {
	Lineage
	before bool
}

func (d delivers) HasDelivered(context.Context, string) (bool, error) { return d.before, nil }

// DE-23: what a delivery tells counts from its first upload on. What may have arrived is kept until a later one has arrived for sure;
// one that never began to upload has told nothing.
func TestWhatDestinationsWereTold(t *testing.T) {
	w := sampleEdited(t)
	a := &Activities{DataDir: t.TempDir(), Lineage: delivers{}, Workspace: func(context.Context) (*workspace.Workspace, error) { return w, nil }}
	begun := 0
	export := func(delivery string) (Clearance, store.Standings) {
		t.Helper()
		c := Clearance{Activation: "merk-to-liveramp", Delivery: delivery}
		var s store.Standings
		require.NoError(t, a.recall(t.Context(), c, &s))
		part := filepath.Join(a.DataDir, s.Part)
		require.NoError(t, os.MkdirAll(filepath.Dir(part), 0o700))
		require.NoError(t, os.WriteFile(part, []byte(delivery), 0o600))
		begun++
		at := time.Now().Add(time.Duration(begun) * time.Minute)
		require.NoError(t, os.Chtimes(part, at, at))
		return c, s
	}
	first, s := export("dlv_1")
	require.Empty(t, s.Told)
	require.False(t, s.Unknown)
	second, s := export("dlv_2")
	require.Empty(t, s.Told, "the first one has not begun to upload")
	require.NoError(t, a.tell(second))
	require.NoError(t, a.tell(second), "its next file")
	third, s := export("dlv_3")
	require.Equal(t, []string{"told/merk-to-liveramp/dlv_2.parquet"}, s.Told, "it may have arrived")
	require.NoError(t, a.tell(third))
	require.NoError(t, a.tell(first), "it was slow")
	require.NoError(t, a.settle("dlv_2"))
	_, s = export("dlv_4")
	require.Equal(t, []string{"told/merk-to-liveramp/dlv_2.parquet", "told/merk-to-liveramp/dlv_3.parquet"}, s.Told, "those that began before one that arrived say nothing new")
	require.NoError(t, a.settle("dlv_4"), "it was never told")
	require.NoError(t, a.settle("dlv_3"))
	_, s = export("dlv_5")
	require.Equal(t, []string{"told/merk-to-liveramp/dlv_3.parquet"}, s.Told)

	require.NoError(t, a.tell(Clearance{Activation: "acme-to-media", Delivery: "dlv_9"}), "it is told of members only")
	require.NoDirExists(t, a.told("acme-to-media"))
	require.NoError(t, a.forgetTold(t.Context()))
	require.DirExists(t, a.told("merk-to-liveramp"))
	w = sampleEdited(t, "activations.yaml", "name: merk-to-liveramp", "name: merk-again")
	require.NoError(t, a.forgetTold(t.Context()))
	require.NoDirExists(t, a.told("merk-to-liveramp"))

	a.Lineage = delivers{before: true}
	_, s = export("dlv_6")
	require.True(t, s.Unknown, "an earlier version of Prospector delivered")
}
