package foldersource

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/source/sourcetest"
)

func open(t *testing.T, dir string) *Source {
	t.Helper()
	s, err := New(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func put(t *testing.T, dir, path string, content []byte) {
	t.Helper()
	file := filepath.Join(dir, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, content, 0o600))
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.DropPoint {
		dir := t.TempDir()
		return sourcetest.DropPoint{Source: open(t, dir),
			Put:    func(t *testing.T, path string, content []byte) { put(t, dir, path, content) },
			Remove: func(t *testing.T, path string) { require.NoError(t, os.Remove(filepath.Join(dir, path))) }}
	})
}

// A link counts as what it leads to, and out of the folder it leads nowhere.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "real/a.csv", []byte("12345"))
	outside := filepath.Join(t.TempDir(), "secret.csv")
	require.NoError(t, os.WriteFile(outside, []byte("secret"), 0o600))
	for name, target := range map[string]string{"link.csv": "real/a.csv", "broken.csv": "nowhere", "out.csv": outside} {
		require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	s := open(t, dir)
	files, err := s.List(t.Context(), "**")
	require.NoError(t, err)
	require.Len(t, files, 2)
	require.Equal(t, "link.csv", files[0].Path)
	for _, path := range []string{"out.csv", "../" + filepath.Base(dir) + "/real/a.csv", outside} {
		_, err = s.Stat(t.Context(), path)
		require.Equal(t, errkind.Invalid, errkind.Of(err), "%s: %v", path, err)
	}
}

// EC-14: a replacement of the same size and the same time is another version.
func TestReplacedWithSameSizeAndTime(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.csv", []byte("before"))
	at := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "a.csv"), at, at))
	s := open(t, dir)
	f, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	put(t, dir, "new", []byte("after!"))
	require.NoError(t, os.Chtimes(filepath.Join(dir, "new"), at, at))
	require.NoError(t, os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "a.csv")))
	_, err = s.Open(t.Context(), f, 0)
	require.Equal(t, errkind.Conflict, errkind.Of(err), "%v", err)
}

// A file that is written to while it is read gives no last byte.
func TestWrittenWhileReading(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.csv", make([]byte, 1<<20))
	s := open(t, dir)
	f, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	body, err := s.Open(t.Context(), f, 0)
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, body, 1<<19)
	require.NoError(t, err)
	put(t, dir, "a.csv", make([]byte, 1<<20))
	n, err := io.Copy(io.Discard, body)
	require.Equal(t, errkind.Conflict, errkind.Of(err), "%v", err)
	require.Less(t, n, int64(1<<19))
	require.NoError(t, body.Close())
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	_, err := New(filepath.Join(dir, "no"))
	require.Equal(t, errkind.Missing, errkind.Of(err), "%v", err)
	put(t, dir, "in/a.csv", nil)
	s := open(t, dir)
	_, err = s.Stat(t.Context(), "in")
	require.Equal(t, errkind.Missing, errkind.Of(err), "%v", err)
	require.ErrorContains(t, err, "not a file")
}
