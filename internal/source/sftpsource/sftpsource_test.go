//go:build !release

package sftpsource

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/connect"
	"prospector/internal/devserver/sftpserver"
	"prospector/internal/devserver/sftpserver/sshdtest"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/sourcetest"
)

// dropPoint is a folder on a server, seen from both sides.
type dropPoint struct {
	server  *sftpserver.Server
	options connect.SFTPOptions
	dir     string // of the drop point, on this machine

	hostKeyFile string
}

func newDropPoint(t *testing.T) dropPoint {
	t.Helper()
	root, hostKeyFile := t.TempDir(), filepath.Join(t.TempDir(), "host_key")
	server, err := sftpserver.Start(t.Context(), sftpserver.Options{
		Dir: root, HostKeyFile: hostKeyFile, User: "test", Password: "not-a-secret",
	})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	d := dropPoint{server: server, hostKeyFile: hostKeyFile, dir: filepath.Join(root, "partners", "acme"), options: connect.SFTPOptions{
		Address: server.Address(), User: "test", Password: "not-a-secret", HostKey: server.HostKey(), Folder: "/partners/acme",
	}}
	require.NoError(t, os.MkdirAll(d.dir, 0o755))
	return d
}

func (d dropPoint) put(t *testing.T, path string, content []byte) {
	t.Helper()
	file := filepath.Join(d.dir, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, content, 0o600))
}

func (d dropPoint) remove(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.Remove(filepath.Join(d.dir, path)))
}

func (d dropPoint) open(t *testing.T) *Source {
	t.Helper()
	s, err := New(t.Context(), d.options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func (d dropPoint) underTest(t *testing.T) sourcetest.DropPoint {
	return sourcetest.DropPoint{Source: d.open(t), Put: d.put, Remove: d.remove}
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.DropPoint { return newDropPoint(t).underTest(t) })
}

func TestSuiteWithOpenSSH(t *testing.T) {
	server := sshdtest.Start(t)
	sourcetest.Run(t, func(t *testing.T) sourcetest.DropPoint {
		dir, err := os.MkdirTemp(server.Dir, "drop-*")
		require.NoError(t, err)
		d := dropPoint{dir: dir, options: connect.SFTPOptions{
			Address: server.Address, User: server.User, PrivateKey: server.PrivateKey, HostKey: server.HostKey, Folder: filepath.Base(dir),
		}}
		return d.underTest(t)
	})
}

func requireKind(t *testing.T, kind errkind.Kind, err error) {
	t.Helper()
	var known *errkind.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, kind, known.Kind, "%v", err)
	require.NotContains(t, err.Error(), "not-a-secret")
	t.Log(err)
}

func paths(t *testing.T, s *Source, pattern string) (out []string) {
	t.Helper()
	files, err := s.List(t.Context(), pattern)
	require.NoError(t, err)
	for _, f := range files {
		out = append(out, f.Path)
	}
	return out
}

func TestRefusedSignIn(t *testing.T) {
	d := newDropPoint(t)
	d.options.Password = "wrong"
	_, err := New(t.Context(), d.options)
	requireKind(t, errkind.Denied, err)
}

func TestMissingFolder(t *testing.T) {
	d := newDropPoint(t)
	s := d.open(t)
	require.NoError(t, os.Remove(d.dir))
	for _, pattern := range []string{"**", "*.csv", "in/*.csv"} {
		_, err := s.List(t.Context(), pattern)
		requireKind(t, errkind.Missing, err)
		require.ErrorContains(t, err, "create the folder")
	}
	require.NoError(t, os.WriteFile(d.dir, nil, 0o600))
	_, err := s.List(t.Context(), "**")
	requireKind(t, errkind.Missing, err)
}

func TestDeniedFolder(t *testing.T) {
	d := newDropPoint(t)
	require.NoError(t, os.Symlink("/etc", filepath.Join(d.dir, "in"))) // out of the server's folder
	_, err := d.open(t).List(t.Context(), "in/*")
	requireKind(t, errkind.Denied, err)
}

// What stands where the pattern expects a file is said, beside the files.
func TestFolderInPlaceOfAFile(t *testing.T) {
	d := newDropPoint(t)
	d.put(t, "in/a.csv", nil)
	d.put(t, "in/folder.csv/b.csv", nil)
	files, err := d.open(t).List(t.Context(), "in/*.csv")
	require.Len(t, files, 1)
	var obstacles source.Obstacles
	require.ErrorAs(t, err, &obstacles)
	require.Equal(t, "in/folder.csv", obstacles[0].Path)
	requireKind(t, errkind.BadInput, obstacles[0].Err)
	_, err = d.open(t).List(t.Context(), "in/*")
	require.NoError(t, err, "of any name")
}

func TestNoFileThere(t *testing.T) {
	d := newDropPoint(t)
	d.put(t, "in/a.csv", nil)
	s := d.open(t)
	_, err := s.Stat(t.Context(), "in")
	requireKind(t, errkind.Missing, err)
	_, err = s.Stat(t.Context(), "../acme/in/a.csv")
	requireKind(t, errkind.Invalid, err)
	_, err = s.Open(t.Context(), source.File{Path: "../acme/in/a.csv"}, 0)
	requireKind(t, errkind.Invalid, err)
	_, err = s.Open(t.Context(), source.File{Path: "in/a.csv"}, 1)
	requireKind(t, errkind.Internal, err)
}

func TestLinks(t *testing.T) {
	d := newDropPoint(t)
	d.put(t, "real/a.csv", []byte("12345"))
	for name, target := range map[string]string{"link.csv": "real/a.csv", "folder": "real", "broken.csv": "nowhere", "out.csv": "/etc/passwd"} {
		require.NoError(t, os.Symlink(target, filepath.Join(d.dir, name)))
	}
	s := d.open(t)
	listed, err := s.List(t.Context(), "**")
	require.Len(t, listed, 2)
	require.Equal(t, []string{"link.csv", "real/a.csv"}, []string{listed[0].Path, listed[1].Path})
	var obstacles source.Obstacles
	require.ErrorAs(t, err, &obstacles)
	require.Len(t, obstacles, 2)
	for i, name := range []string{"broken.csv", "out.csv"} {
		require.Equal(t, name, obstacles[i].Path)
		requireKind(t, errkind.BadInput, obstacles[i].Err)
	}
	require.Equal(t, []string{"folder/a.csv"}, paths(t, s, "folder/*.csv"), "a folder that the pattern names")
	files, err := s.List(t.Context(), "link.csv")
	require.NoError(t, err)
	require.EqualValues(t, 5, files[0].Size)
	body, err := s.Open(t.Context(), files[0], 2)
	require.NoError(t, err)
	content, err := io.ReadAll(body)
	require.NoError(t, err)
	require.Equal(t, "345", string(content))
	require.NoError(t, body.Close())
}

// A replacement of the same size has another time.
func TestReplacedWithSameSize(t *testing.T) {
	d := newDropPoint(t)
	d.put(t, "a.csv", []byte("before"))
	s := d.open(t)
	f, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	touch(t, filepath.Join(d.dir, "a.csv"), f.Modified.Add(-time.Second))
	for _, offset := range []int64{0, 3, 6} {
		_, err = s.Open(t.Context(), f, offset)
		requireKind(t, errkind.Conflict, err)
	}
}

func touch(t *testing.T, file string, modified time.Time) {
	t.Helper()
	require.NoError(t, os.Chtimes(file, modified, modified))
}
