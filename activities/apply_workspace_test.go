package activities

import (
	"crypto/rand"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/workspace"
)

// A workspace travels whole, or is refused before it is sent.
func TestBundle(t *testing.T) {
	files, err := workspace.Read("../testdata/workspace")
	require.NoError(t, err)
	bundle, err := BundleWorkspace(files)
	require.NoError(t, err)
	got, err := WorkspaceInput{Bundle: bundle}.files()
	require.NoError(t, err)
	require.Equal(t, files, got)
	got, err = WorkspaceInput{Dir: "../testdata/workspace"}.files()
	require.NoError(t, err)
	require.Equal(t, files.Digest(), got.Digest())

	noise := make([]byte, 2<<20)
	_, err = rand.Read(noise)
	require.NoError(t, err)
	_, err = BundleWorkspace(workspace.Files{"a.yaml": hex.EncodeToString(noise)})
	require.Equal(t, errkind.Invalid, errkind.Of(err))
	require.ErrorContains(t, err, "can be sent to a worker; put the folder on the worker's machine")

	for _, in := range []WorkspaceInput{{}, {Dir: "a", Bundle: bundle}, {Bundle: []byte("no gzip")}, {Bundle: bundle[:50]}, {Dir: "no/such/folder"}} {
		_, err := in.files()
		require.Equal(t, errkind.Invalid, errkind.Of(err), "%v", err)
	}
}
