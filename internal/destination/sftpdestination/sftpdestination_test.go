//go:build !release

package sftpdestination

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"

	"prospector/internal/connect"
	"prospector/internal/destination"
	"prospector/internal/destination/destinationtest"
	"prospector/internal/devserver/faultproxy"
	"prospector/internal/devserver/sftpserver"
	"prospector/internal/devserver/sftpserver/sshdtest"
	"prospector/internal/errkind"
)

// folder is a folder on a server, seen from both sides.
type folder struct {
	server  *sftpserver.Server
	options connect.SFTPOptions
	dir     string // on this machine
}

func newFolder(t *testing.T) folder { return newFolderThat(t, nil) }

// newFolderThat is on a server that refuses some renames and removals.
func newFolderThat(t *testing.T, refuses func(method, path string) error) folder {
	t.Helper()
	root := t.TempDir()
	server, err := sftpserver.Start(t.Context(), sftpserver.Options{
		Dir: root, HostKeyFile: filepath.Join(t.TempDir(), "host_key"), User: "test", Password: "not-a-secret", Refuse: refuses,
	})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	f := folder{server: server, dir: filepath.Join(root, "uploads"), options: connect.SFTPOptions{
		Address: server.Address(), User: "test", Password: "not-a-secret", HostKey: server.HostKey(), Folder: "uploads",
	}}
	require.NoError(t, os.Mkdir(f.dir, 0o755))
	return f
}

func (f folder) open(t *testing.T) *Destination {
	t.Helper()
	d, err := New(t.Context(), f.options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// unfinished are files under temporary names.
func (f folder) unfinished(t *testing.T) int {
	return len(slices.DeleteFunc(f.names(t), func(name string) bool { return !strings.HasSuffix(name, ".part") }))
}

// names are of all files, the temporary ones too.
func (f folder) names(t *testing.T) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(f.dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, filepath.ToSlash(strings.TrimPrefix(path, f.dir+"/")))
		}
		return err
	}))
	return names
}

func (f folder) content(t *testing.T, key string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(f.dir, key))
	require.NoError(t, err)
	return content
}

func (f folder) underTest(t *testing.T) destinationtest.Folder {
	return destinationtest.Folder{Destination: f.open(t), Names: f.names, Unfinished: f.unfinished, Content: f.content}
}

func TestSuite(t *testing.T) {
	destinationtest.Run(t, func(t *testing.T) destinationtest.Folder { return newFolder(t).underTest(t) })
}

func TestSuiteWithOpenSSH(t *testing.T) {
	server := sshdtest.Start(t)
	destinationtest.Run(t, func(t *testing.T) destinationtest.Folder {
		dir, err := os.MkdirTemp(server.Dir, "uploads-*")
		require.NoError(t, err)
		return folder{dir: dir, options: connect.SFTPOptions{
			Address: server.Address, User: server.User, PrivateKey: server.PrivateKey, HostKey: server.HostKey, Folder: dir,
		}}.underTest(t)
	})
}

// withoutPosixRename makes servers know the protocol's own rename only, which does not replace.
func withoutPosixRename(t *testing.T) {
	require.NoError(t, sftp.SetSFTPExtensions("statvfs@openssh.com"))
	t.Cleanup(func() {
		require.NoError(t, sftp.SetSFTPExtensions("hardlink@openssh.com", "posix-rename@openssh.com", "statvfs@openssh.com"))
	})
}

func TestSuiteWithoutPosixRename(t *testing.T) {
	withoutPosixRename(t)
	destinationtest.Run(t, func(t *testing.T) destinationtest.Folder { return newFolder(t).underTest(t) })
}

// A server that does not let a file be replaced does not lose the one that is there: it stays where it is when the reason is another than
// its name, and goes back when the new one cannot have it, at once or, when the connection is gone, as soon as what is left is taken away.
func TestRefusedRenamesLoseNothing(t *testing.T) {
	withoutPosixRename(t)
	for name, c := range map[string]struct {
		refused func(renames int) error // the answer to a rename, counted from 1; nil: it is tried
		cut     int                     // the rename by which the connection is cut
		kind    errkind.Kind
	}{
		"nothing may be written there":  {refused: func(int) error { return sftp.ErrSSHFxPermissionDenied }, kind: errkind.Denied},
		"it is not supported":           {refused: func(int) error { return sftp.ErrSSHFxOpUnsupported }, kind: errkind.Transient},
		"renames fail":                  {refused: func(int) error { return sftp.ErrSSHFxFailure }, kind: errkind.Transient},
		"the second rename fails":       {refused: only(3), kind: errkind.Transient},
		"the connection is cut between": {refused: only(3), cut: 3, kind: errkind.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			var f folder
			renames := 0
			f = newFolderThat(t, func(method, _ string) error {
				if method != "Rename" {
					return nil
				}
				renames++
				if renames == c.cut {
					f.server.CutAll()
				}
				return c.refused(renames)
			})
			kept := filepath.Join(f.dir, "kept.csv")
			require.NoError(t, os.WriteFile(kept, []byte("old content"), 0o600))
			d := f.open(t)
			var begun destination.Unfinished
			requireKind(t, c.kind, d.Put(t.Context(), "kept.csv", strings.NewReader("new content"), 11, begin(&begun)))
			require.Len(t, f.names(t), 2)
			if c.cut == 0 {
				require.Equal(t, "old content", string(f.content(t, "kept.csv")))
			}
			_, err := d.Discard(t.Context(), begun)
			require.NoError(t, err)
			require.Equal(t, []string{"kept.csv"}, f.names(t))
			require.Equal(t, "old content", string(f.content(t, "kept.csv")))
		})
	}
}

func only(which int) func(int) error {
	return func(renames int) error {
		if renames == which {
			return sftp.ErrSSHFxFailure
		}
		return nil
	}
}

func requireKind(t *testing.T, kind errkind.Kind, err error) {
	t.Helper()
	var known *errkind.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, kind, known.Kind, "%v", err)
	require.NotContains(t, err.Error(), "not-a-secret")
	t.Log(err)
}

func put(ctx context.Context, d *Destination, key string, body io.ReadSeeker, size int64) error {
	return d.Put(ctx, key, body, size, destination.Hooks{})
}

func TestRefusedSignIn(t *testing.T) {
	f := newFolder(t)
	f.options.Password = "wrong"
	_, err := New(t.Context(), f.options)
	requireKind(t, errkind.Denied, err)
}

func TestMissingFolder(t *testing.T) {
	f := newFolder(t)
	d := f.open(t)
	require.NoError(t, os.Remove(f.dir))
	for _, key := range []string{"a.csv", "sub/a.csv"} {
		err := put(t.Context(), d, key, strings.NewReader("12345"), 5)
		requireKind(t, errkind.Missing, err)
		require.ErrorContains(t, err, "create the folder")
		_, err = d.ReadBack(t.Context(), key, nil)
		requireKind(t, errkind.Missing, err)
	}
	require.NoDirExists(t, f.dir)
}

func TestRefusedKeys(t *testing.T) {
	f := newFolder(t)
	d := f.open(t)
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, "file"), nil, 0o600))
	require.NoError(t, os.Symlink("/tmp", filepath.Join(f.dir, "out")))
	for key, kind := range map[string]errkind.Kind{"../a.csv": errkind.Invalid, "": errkind.Invalid, "file/a.csv": errkind.Conflict, "out/a.csv": errkind.Denied} {
		requireKind(t, kind, put(t.Context(), d, key, strings.NewReader("12345"), 5))
	}
	_, err := d.ReadBack(t.Context(), "../a.csv", nil)
	requireKind(t, errkind.Invalid, err)
	require.ElementsMatch(t, []string{"file", "out"}, f.names(t))
}

const (
	large      = 20_000_000  // more than a connection's buffers hold
	stallLimit = time.Second // short for a silence, and long for a machine with much to do
)

// disturbed is a file of zeros; halfway through its reading, something happens.
type disturbed struct {
	*bytes.Reader
	then func()
}

func (b *disturbed) Read(p []byte) (int, error) {
	if b.then != nil && b.Len() < large/2 {
		b.then()
		b.then = nil
	}
	return b.Reader.Read(p)
}

func TestCutUpload(t *testing.T) {
	f := newFolder(t)
	d := f.open(t)
	require.NoError(t, put(t.Context(), d, "kept.csv", strings.NewReader("old content"), 11))
	for _, key := range []string{"new.csv", "kept.csv"} {
		var begun destination.Unfinished
		err := d.Put(t.Context(), key, &disturbed{bytes.NewReader(make([]byte, large)), f.server.CutAll}, large, begin(&begun))
		requireKind(t, errkind.Transient, err)
		require.Equal(t, 1, f.unfinished(t))
		found, err := d.Discard(t.Context(), begun)
		require.NoError(t, err)
		require.True(t, found)
	}
	require.Equal(t, []string{"kept.csv"}, f.names(t))
	require.Equal(t, "old content", string(f.content(t, "kept.csv")))
}

// begin keeps what a Put has begun.
func begin(u *destination.Unfinished) destination.Hooks {
	return destination.Hooks{Begin: func(begun destination.Unfinished) error { *u = begun; return nil }}
}

func TestStalledUpload(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.options.StallLimit = stallLimit
	d := f.open(t)
	var begun destination.Unfinished
	err := d.Put(t.Context(), "a.csv", &disturbed{bytes.NewReader(make([]byte, large)), f.server.SilenceAll}, large, begin(&begun))
	requireKind(t, errkind.Transient, err)
	require.ErrorContains(t, err, "no byte has moved for 1s")
	_, err = d.Discard(t.Context(), begun)
	require.NoError(t, err)
	require.Empty(t, f.names(t))
}

// EC-6: what a server keeps that could not be reached for a while is found afterwards, by another connection of another process, and what
// must be looked for by hand is named until then.
func TestLeftBehind(t *testing.T) {
	f := newFolder(t)
	proxy, err := faultproxy.Start(t.Context(), f.server.Address())
	require.NoError(t, err)
	t.Cleanup(proxy.Stop)
	f.options.Address = proxy.Address()
	d := f.open(t)
	cut := func() {
		proxy.Refuse(true)
		proxy.CutAll(faultproxy.Reset)
	}
	var begun destination.Unfinished
	err = d.Put(t.Context(), "a.csv", &disturbed{bytes.NewReader(make([]byte, large)), cut}, large, begin(&begun))
	requireKind(t, errkind.Transient, err)
	_, err = d.Discard(t.Context(), begun)
	requireKind(t, errkind.Transient, err)
	left := f.names(t)
	require.Len(t, left, 1)
	require.Equal(t, "file sftp://"+proxy.Address()+"/uploads/"+left[0]+" of user test", begun.At)
	require.ErrorContains(t, err, begun.At)
	proxy.Refuse(false)

	// Another attempt is not hindered by it, even if the server still writes what the first one has sent.
	writing, err := os.OpenFile(filepath.Join(f.dir, left[0]), os.O_WRONLY, 0)
	require.NoError(t, err)
	defer writing.Close()
	other := f.open(t)
	require.NoError(t, put(t.Context(), other, "a.csv", &disturbed{bytes.NewReader(make([]byte, large)), func() {
		_, err := writing.WriteAt([]byte("of the attempt before"), 0)
		require.NoError(t, err)
	}}, large))
	require.True(t, bytes.Equal(make([]byte, large), f.content(t, "a.csv")))
	found, err := other.Discard(t.Context(), begun)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, []string{"a.csv"}, f.names(t))
}

func TestCutReadBack(t *testing.T) {
	f := newFolder(t)
	d := f.open(t)
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, "a.csv"), make([]byte, large), 0o600))
	cut := false
	_, err := d.ReadBack(t.Context(), "a.csv", func(read int64) {
		if read >= large/2 && !cut {
			f.server.CutAll()
			cut = true
		}
	})
	requireKind(t, errkind.Transient, err)
}

func TestStalledReadBack(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.options.StallLimit = stallLimit
	d := f.open(t)
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, "a.csv"), make([]byte, large), 0o600))
	_, err := d.ReadBack(t.Context(), "a.csv", func(int64) { f.server.SilenceAll() })
	requireKind(t, errkind.Transient, err)
	require.ErrorContains(t, err, "no byte has moved for 1s")
}

func TestBodyLongerThanSize(t *testing.T) {
	f := newFolder(t)
	require.NoError(t, put(t.Context(), f.open(t), "a.csv", strings.NewReader("0123456789"), 4))
	require.Equal(t, "0123", string(f.content(t, "a.csv")))
}

func TestExactBody(t *testing.T) {
	broken := errors.New("broken disk")
	for _, test := range []struct {
		body io.Reader
		want error
	}{
		{strings.NewReader("0123"), io.ErrUnexpectedEOF},
		{io.MultiReader(strings.NewReader("0123"), brokenReader{broken}), broken},
	} {
		b := &exactBody{body: test.body, size: 10}
		content, err := io.ReadAll(b)
		require.Equal(t, "0123", string(content))
		require.ErrorIs(t, err, test.want)
		require.ErrorIs(t, b.failed, test.want)
	}
}

type brokenReader struct{ error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.error }
