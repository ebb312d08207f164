//go:build unix

package foldersource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/sourcetest"
)

func put(t *testing.T, file string, content []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, content, 0o600))
}

func open(t *testing.T, folder string) *Source {
	t.Helper()
	s, err := New(folder)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func requireKind(t *testing.T, kind errkind.Kind, err error) {
	t.Helper()
	var known *errkind.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, kind, known.Kind, "%v", err)
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

func TestSuite(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.DropPoint {
		folder := t.TempDir()
		return sourcetest.DropPoint{
			Source: open(t, folder),
			Put:    func(t *testing.T, path string, content []byte) { put(t, filepath.Join(folder, path), content) },
			Remove: func(t *testing.T, path string) { require.NoError(t, os.Remove(filepath.Join(folder, path))) },
		}
	})
}

func TestMissingFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "in")
	s := open(t, folder)
	fails := func() {
		t.Helper()
		_, err := s.List(t.Context(), "**")
		requireKind(t, errkind.Missing, err)
		require.ErrorContains(t, err, "create or mount the folder")
		_, err = s.Stat(t.Context(), "a.csv")
		requireKind(t, errkind.Missing, err)
		_, err = s.Open(t.Context(), source.File{Path: "a.csv"}, 0)
		requireKind(t, errkind.Missing, err)
	}
	fails()
	require.NoError(t, os.WriteFile(folder, nil, 0o600))
	fails()
	require.NoError(t, os.Remove(folder))
	put(t, filepath.Join(folder, "a.csv"), nil)
	require.Equal(t, []string{"a.csv"}, paths(t, s, "**"), "it was mounted meanwhile")

	_, err := New("")
	requireKind(t, errkind.Invalid, err)
}

func TestNoFiles(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	require.NoError(t, os.Mkdir(filepath.Join(folder, "folder.csv"), 0o755))
	require.NoError(t, syscall.Mkfifo(filepath.Join(folder, "pipe.csv"), 0o600))
	require.Empty(t, paths(t, s, "**"), "a pattern for any name expects no files")
	put(t, filepath.Join(folder, "folder.csv", "a.csv"), nil)
	files, err := s.List(t.Context(), "**/*.csv")
	require.Len(t, files, 1)
	var obstacles source.Obstacles
	require.ErrorAs(t, err, &obstacles)
	require.Equal(t, errkind.BadInput, errkind.Of(err))
	require.ElementsMatch(t, []string{`"folder.csv": it is a folder, not a file; ask the partner to put the file itself there`,
		`"pipe.csv": it is neither a file nor a folder; ask the partner to put the file itself there`}, []string{obstacles[0].Err.Error(), obstacles[1].Err.Error()})
	for _, name := range []string{"folder.csv", "pipe.csv"} {
		_, err := s.Stat(t.Context(), name)
		requireKind(t, errkind.Missing, err)
		_, err = s.Open(t.Context(), source.File{Path: name, Size: 1}, 0)
		requireKind(t, errkind.Missing, err)
	}
	for _, name := range []string{"", ".", "..", "../a.csv", "a/../../b.csv", "/etc/passwd", "a//b.csv", "a/"} {
		_, err := s.Stat(t.Context(), name)
		requireKind(t, errkind.Invalid, err)
		_, err = s.Open(t.Context(), source.File{Path: name}, 0)
		requireKind(t, errkind.Invalid, err)
	}
}

func TestLinks(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "in")
	put(t, filepath.Join(root, "outside", "secret.csv"), []byte("secret"))
	put(t, filepath.Join(folder, "data", "a.csv"), []byte("12345"))
	for link, target := range map[string]string{
		"inside.csv": "data/a.csv", "data/up.csv": "../data/a.csv", "folder": "data", "outside.csv": "../outside/secret.csv", "away": "../outside",
		"absolute.csv": filepath.Join(root, "outside", "secret.csv"), "dangling.csv": "nothing.csv", "circle.csv": "circle.csv",
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(folder, link)))
	}
	s := open(t, folder)
	files, err := s.List(t.Context(), "**")
	require.Len(t, files, 3)
	require.Equal(t, []string{"data/a.csv", "data/up.csv", "inside.csv"}, []string{files[0].Path, files[1].Path, files[2].Path})
	var obstacles source.Obstacles
	require.ErrorAs(t, err, &obstacles)
	said := map[string]string{}
	for _, o := range obstacles {
		require.Equal(t, errkind.BadInput, errkind.Of(o.Err), "its file is refused")
		said[o.Path] = o.Err.Error()
	}
	out, nothing := "it is a link that leads out of the drop point; ask", "it is a link that leads to nothing that can be read; ask"
	for name, want := range map[string]string{"away": out, "outside.csv": out, "absolute.csv": out, "dangling.csv": nothing, "circle.csv": nothing} {
		require.Contains(t, said[name], want, name)
	}
	require.Len(t, said, 5, "not the link to a folder within")
	require.Equal(t, []string{"folder/a.csv", "folder/up.csv"}, paths(t, s, "folder/*"), "a link that the pattern names")
	_, err = s.List(t.Context(), "away/*")
	requireKind(t, errkind.Missing, err)
	require.ErrorContains(t, err, "it is a link that leads out of the folder")

	f, err := s.Stat(t.Context(), "inside.csv")
	require.NoError(t, err)
	require.EqualValues(t, 5, f.Size)
	for _, name := range []string{"outside.csv", "away/secret.csv", "absolute.csv", "dangling.csv"} {
		_, err := s.Stat(t.Context(), name)
		requireKind(t, errkind.Missing, err)
		_, err = s.Open(t.Context(), source.File{Path: name, Size: 6}, 0)
		requireKind(t, errkind.Missing, err)
	}
}

// A replacement of the same size within the second is another version.
func TestVersion(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	at := time.Now().Truncate(time.Second)
	put(t, filepath.Join(folder, "a.csv"), []byte("before"))
	require.NoError(t, os.Chtimes(filepath.Join(folder, "a.csv"), at, at))
	before, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	put(t, filepath.Join(folder, "a.csv"), []byte("after!"))
	require.NoError(t, os.Chtimes(filepath.Join(folder, "a.csv"), at, at.Add(time.Microsecond)))
	after, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	require.NotEqual(t, before.Version(), after.Version())
	for _, offset := range []int64{0, 3, 6} {
		_, err = s.Open(t.Context(), before, offset)
		requireKind(t, errkind.Conflict, err)
	}
}

// EC-14: a replacement of the same size and the same time is another version.
func TestReplacedWithSameSizeAndTime(t *testing.T) {
	folder := t.TempDir()
	at := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	for name, content := range map[string]string{"a.csv": "before", "new": "after!"} {
		put(t, filepath.Join(folder, name), []byte(content))
		require.NoError(t, os.Chtimes(filepath.Join(folder, name), at, at))
	}
	s := open(t, folder)
	f, err := s.Stat(t.Context(), "a.csv")
	require.NoError(t, err)
	require.NoError(t, os.Rename(filepath.Join(folder, "new"), filepath.Join(folder, "a.csv")))
	_, err = s.Open(t.Context(), f, 0)
	requireKind(t, errkind.Conflict, err)
}

func TestChangedWhileReading(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 500_000)
	for name, change := range map[string]func(*testing.T, string){
		"touched": func(t *testing.T, file string) {
			require.NoError(t, os.Chtimes(file, time.Time{}, time.Now().Add(-time.Hour)))
		},
		"grown": func(t *testing.T, file string) {
			opened, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = opened.Write([]byte("more"))
			require.NoError(t, err)
			require.NoError(t, opened.Close())
		},
		"cut short": func(t *testing.T, file string) { require.NoError(t, os.Truncate(file, 1000)) },
		"replaced, with the same time and size": func(t *testing.T, file string) {
			info, err := os.Stat(file)
			require.NoError(t, err)
			put(t, file+".new", bytes.Repeat([]byte("x"), len(content)))
			require.NoError(t, os.Chtimes(file+".new", time.Time{}, info.ModTime()))
			require.NoError(t, os.Rename(file+".new", file))
		},
		"removed": func(t *testing.T, file string) { require.NoError(t, os.Remove(file)) },
		"a folder": func(t *testing.T, file string) {
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.Mkdir(file, 0o755))
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			put(t, filepath.Join(folder, "a.csv"), content)
			s := open(t, folder)
			f, err := s.Stat(t.Context(), "a.csv")
			require.NoError(t, err)
			body, err := s.Open(t.Context(), f, 0)
			require.NoError(t, err)
			defer body.Close()
			got := make([]byte, 1000)
			_, err = io.ReadFull(body, got)
			require.NoError(t, err)
			change(t, filepath.Join(folder, "a.csv"))
			rest, err := io.ReadAll(body)
			requireKind(t, errkind.Conflict, err)
			require.Len(t, append(got, rest...), blockSize, "nothing that was read after the change")
			require.True(t, bytes.HasPrefix(content, append(got, rest...)))
		})
	}
}

// asNobody makes the test run once more as a user who may not read everything; root may.
const asNobody = "PROSPECTOR_TEST_AS_NOBODY"

func TestPermissions(t *testing.T) {
	folder := os.Getenv(asNobody)
	if folder == "" {
		folder = t.TempDir()
		for name, mode := range map[string]os.FileMode{"open/a.csv": 0o644, "open/unreadable.csv": 0, "closed/a.csv": 0o644} {
			put(t, filepath.Join(folder, name), []byte("12345"))
			require.NoError(t, os.Chmod(filepath.Join(folder, name), mode))
		}
		require.NoError(t, os.Symlink("../closed/a.csv", filepath.Join(folder, "open", "link.csv")))
		require.NoError(t, os.Chmod(filepath.Join(folder, "closed"), 0))
		t.Cleanup(func() { require.NoError(t, os.Chmod(filepath.Join(folder, "closed"), 0o755)) })
		if os.Getuid() == 0 {
			for parent := folder; parent != os.TempDir() && parent != "/"; parent = filepath.Dir(parent) {
				require.NoError(t, os.Chmod(parent, 0o755))
			}
			again := exec.Command("/proc/self/exe", "-test.run=^TestPermissions$", "-test.v")
			again.Env = append(os.Environ(), asNobody+"="+folder)
			again.Dir = "/"
			again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			said, err := again.CombinedOutput()
			require.NoError(t, err, "%s", said)
			require.Contains(t, string(said), "--- PASS: TestPermissions")
			return
		}
	}
	s := open(t, folder)
	files, err := s.List(t.Context(), "**")
	var obstacles source.Obstacles
	require.ErrorAs(t, err, &obstacles)
	kinds := map[string]errkind.Kind{}
	for _, o := range obstacles {
		kinds[o.Path] = errkind.Of(o.Err)
	}
	require.Equal(t, map[string]errkind.Kind{"closed": errkind.Denied, "open/link.csv": errkind.BadInput}, kinds)
	require.Len(t, files, 2, "the other folders are listed")
	require.ErrorContains(t, err, `folder "closed": `)
	require.ErrorContains(t, err, allowReading)
	files, err = s.List(t.Context(), "open/*")
	require.Len(t, files, 2)
	require.ErrorContains(t, err, `"open/link.csv": it is a link that leads to nothing that can be read`)

	f, err := s.Stat(t.Context(), "open/unreadable.csv")
	require.NoError(t, err)
	_, err = s.Open(t.Context(), f, 0)
	requireKind(t, errkind.Denied, err)
	_, err = s.Stat(t.Context(), "closed/a.csv")
	requireKind(t, errkind.Denied, err)
	_, err = open(t, filepath.Join(folder, "closed", "deeper")).List(t.Context(), "**")
	requireKind(t, errkind.Denied, err)
}

// A mount that has died does not answer, and cannot be interrupted.
func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := make(chan struct{})
		hang := func() (int, error) { <-dead; return 1, nil }
		_, err := within(t.Context(), stallLimit, hang)
		requireKind(t, errkind.Transient, failure("look", err))
		require.ErrorContains(t, err, "has not answered for 1m0s")

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = within(ctx, stallLimit, hang)
		require.ErrorIs(t, failure("look", err), context.Canceled)
		_, err = within(ctx, stallLimit, func() (int, error) { t.Error("called after the end"); return 0, nil })
		require.ErrorIs(t, err, context.Canceled)
		close(dead)

		n, err := within(t.Context(), stallLimit, func() (int, error) { return 7, errBroken })
		require.Equal(t, 7, n)
		require.ErrorIs(t, err, errBroken)
	})
}

var errBroken = errors.New("broken")

func TestBrokenDisk(t *testing.T) {
	err := failure("read /in/a.csv", fmt.Errorf("block 7: %w", &os.PathError{Op: "read", Path: "a.csv", Err: syscall.EIO}))
	requireKind(t, errkind.Transient, err)
	require.ErrorIs(t, err, syscall.EIO)
}
