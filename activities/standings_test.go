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

func (d delivers) HasDelivered(context.Context, string, string) (bool, error) { return d.before, nil }

// DE-23: what a delivery tells counts from its first file on. What may have arrived is kept until a later one has arrived for sure;
// one whose files never came so far has told nothing.
func TestWhatDestinationsWereTold(t *testing.T) {
	w := sampleEdited(t)
	a := &Activities{DataDir: t.TempDir(), Lineage: delivers{}, Workspace: func(context.Context) (*workspace.Workspace, error) { return w, nil }}
	begun := 0
	activation := func(name string) *workspace.Activation {
		found, err := w.Activation(name)
		require.NoError(t, err)
		return found
	}
	export := func(delivery string) store.Standings {
		t.Helper()
		var s store.Standings
		require.NoError(t, a.recall(t.Context(), activation("merk-to-liveramp"), delivery, &s))
		part := filepath.Join(a.DataDir, s.Part)
		require.NoError(t, os.MkdirAll(filepath.Dir(part), 0o700))
		require.NoError(t, os.WriteFile(part, []byte(delivery), 0o600))
		begun++
		at := time.Now().Add(time.Duration(begun) * time.Minute)
		require.NoError(t, os.Chtimes(part, at, at))
		return s
	}
	s := export("dlv_1")
	require.Empty(t, s.Told)
	require.False(t, s.Unknown)
	s = export("dlv_2")
	require.Empty(t, s.Told, "of the first one nothing has appeared")
	require.NoError(t, a.tell(activation("merk-to-liveramp"), "dlv_2"))
	require.NoError(t, a.tell(activation("merk-to-liveramp"), "dlv_2"), "its next file")
	s = export("dlv_3")
	require.Equal(t, []string{"told/merk-to-liveramp/liveramp/merk_pid/dlv_2.parquet"}, s.Told, "it may have arrived")
	require.NoError(t, a.tell(activation("merk-to-liveramp"), "dlv_3"))
	require.NoError(t, a.tell(activation("merk-to-liveramp"), "dlv_1"), "it was slow")
	require.NoError(t, a.settle("dlv_2"))
	s = export("dlv_4")
	require.Equal(t, []string{"told/merk-to-liveramp/liveramp/merk_pid/dlv_2.parquet", "told/merk-to-liveramp/liveramp/merk_pid/dlv_3.parquet"}, s.Told, "those that began before one that arrived say nothing new")
	require.NoError(t, a.settle("dlv_4"), "it was never told")
	require.NoError(t, a.settle("dlv_3"))
	s = export("dlv_5")
	require.Equal(t, []string{"told/merk-to-liveramp/liveramp/merk_pid/dlv_3.parquet"}, s.Told)

	require.NoError(t, a.tell(activation("acme-to-media"), "dlv_9"), "it is told of members only")
	require.NoDirExists(t, a.inside("told/acme-to-media"))
	require.NoError(t, a.forgetTold(t.Context()))
	require.DirExists(t, a.inside("told/merk-to-liveramp"))
	w = sampleEdited(t, "activations.yaml", "destination: liveramp", "destination: elsewhere", "destinations.yaml", "name: liveramp", "name: elsewhere")
	require.Empty(t, export("dlv_6").Told, "another destination was told nothing")
	w = sampleEdited(t, "activations.yaml", "name: merk-to-liveramp", "name: merk-again")
	require.NoError(t, a.forgetTold(t.Context()))
	require.NoDirExists(t, a.inside("told/merk-to-liveramp"))

	a.Lineage, w = delivers{before: true}, sampleEdited(t)
	s = export("dlv_7")
	require.True(t, s.Unknown, "an earlier version of Prospector delivered")
}
