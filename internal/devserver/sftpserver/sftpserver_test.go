//go:build !release

package sftpserver

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"prospector/internal/errkind"
)

// options are of a new folder beside a file that no client may reach.
func options(t *testing.T) Options {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "outside.csv"), []byte("outside"), 0o600))
	return Options{Dir: filepath.Join(dir, "served"), HostKeyFile: filepath.Join(dir, "keys", "host_key"), User: "test", Password: "not-a-secret"}
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func dial(s *Server, user, password string) (*ssh.Client, error) {
	pinned, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s.HostKey()))
	if err != nil {
		return nil, err
	}
	return ssh.Dial("tcp", s.Address(), &ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: ssh.FixedHostKey(pinned)})
}

func signIn(t *testing.T, s *Server, settings ...sftp.ClientOption) (*ssh.Client, *sftp.Client) {
	t.Helper()
	conn, err := dial(s, "test", "not-a-secret")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	c, err := sftp.NewClient(conn, settings...)
	require.NoError(t, err)
	return conn, c
}

func TestListensOnThisMachineOnly(t *testing.T) {
	host, _, err := net.SplitHostPort(start(t, options(t)).Address())
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
}

func TestRefusesOthers(t *testing.T) {
	s := start(t, options(t))
	for _, who := range [][2]string{{"test", "wrong"}, {"test", ""}, {"nobody", "not-a-secret"}, {"", "not-a-secret"}} {
		_, err := dial(s, who[0], who[1])
		require.ErrorContains(t, err, "unable to authenticate")
	}
}

func TestRefusesCommands(t *testing.T) {
	conn, _ := signIn(t, start(t, options(t)))
	session, err := conn.NewSession()
	require.NoError(t, err)
	require.Error(t, session.Run("ls"))
	_, err = conn.Dial("tcp", "127.0.0.1:22")
	require.ErrorContains(t, err, "only sessions")
	answered, _, err := conn.SendRequest("keepalive@openssh.com", true, nil)
	require.NoError(t, err)
	require.False(t, answered, "any answer will do")
}

func TestFiles(t *testing.T) {
	o := options(t)
	_, c := signIn(t, start(t, o))
	require.NoError(t, c.Mkdir("in"))
	write(t, c, "in/a.csv", "first")
	write(t, c, "/in/a.csv", "2nd")
	content, err := os.ReadFile(filepath.Join(o.Dir, "in", "a.csv"))
	require.NoError(t, err)
	require.Equal(t, "2nd", string(content))
	modified := time.Unix(1_700_000_000, 0)
	require.NoError(t, c.Chtimes("in/a.csv", modified, modified))
	require.NoError(t, c.Chmod("in/a.csv", 0o640))
	require.NoError(t, c.Truncate("in/a.csv", 2))
	require.NoError(t, c.Chtimes("in/a.csv", modified, modified))
	infos, err := c.ReadDir("in")
	require.NoError(t, err)
	require.Len(t, infos, 1)
	require.Equal(t, "a.csv", infos[0].Name())
	require.EqualValues(t, 2, infos[0].Size())
	require.Equal(t, modified, infos[0].ModTime())
	require.Equal(t, os.FileMode(0o640), infos[0].Mode())

	write(t, c, "in/b.csv", "other")
	require.Error(t, c.Rename("in/a.csv", "in/b.csv"), "plain rename does not replace")
	require.NoError(t, c.PosixRename("in/a.csv", "in/b.csv"))
	require.NoError(t, c.Rename("in/b.csv", "c.csv"))
	require.Equal(t, "2n", read(t, c, "c.csv"))
	require.NoError(t, c.Remove("c.csv"))
	require.NoError(t, c.RemoveDirectory("in"))
	_, err = c.Stat("in")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = c.OpenFile("x.csv", os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	require.NoError(t, err)
	_, err = c.OpenFile("x.csv", os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	require.Error(t, err)
	_, err = c.Stat("x.csv/y.csv")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func write(t *testing.T, c *sftp.Client, name, content string) {
	t.Helper()
	file, err := c.Create(name)
	require.NoError(t, err)
	_, err = io.WriteString(file, content)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}

func read(t *testing.T, c *sftp.Client, name string) string {
	t.Helper()
	file, err := c.Open(name)
	require.NoError(t, err)
	defer file.Close()
	content, err := io.ReadAll(file)
	require.NoError(t, err)
	return string(content)
}

// A client may ask for more than 32 KiB in one packet.
func TestLargePackets(t *testing.T) {
	o := options(t)
	_, c := signIn(t, start(t, o), sftp.MaxPacketUnchecked(255<<10))
	require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "a.csv"), make([]byte, 3_000_000), 0o600))
	require.Len(t, read(t, c, "a.csv"), 3_000_000)
}

// Nothing leads out of the folder: neither dots nor links, not even of folders.
func TestEscapes(t *testing.T) {
	o := options(t)
	_, c := signIn(t, start(t, o))
	write(t, c, "a.csv", "inside")
	outside := filepath.Dir(o.Dir)
	for name, target := range map[string]string{
		"file.csv": filepath.Join(outside, "outside.csv"), "relative.csv": "../outside.csv", "folder": outside, "dots": "..", "inner.csv": "a.csv",
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(o.Dir, name)))
	}
	for _, name := range []string{
		"../outside.csv", "/../outside.csv", "in/../../outside.csv", "file.csv", "relative.csv", "folder/outside.csv", "dots/outside.csv",
		filepath.Join(outside, "outside.csv"),
	} {
		_, err := c.Open(name)
		require.Error(t, err, name)
		_, err = c.Stat(name)
		require.Error(t, err, name)
		require.Error(t, c.Chmod(name, 0o777), name)
		require.Error(t, c.Truncate(name, 0), name)
	}
	for _, folder := range []string{"folder", "dots", outside} {
		_, err := c.ReadDir(folder)
		require.Error(t, err, folder)
		_, err = c.Create(folder + "/new.csv")
		require.Error(t, err, folder)
		require.Error(t, c.Mkdir(folder+"/new"), folder)
		require.Error(t, c.Remove(folder+"/outside.csv"), folder)
		require.Error(t, c.PosixRename("a.csv", folder+"/a.csv"), folder)
		require.Error(t, c.Rename("a.csv", folder+"/a.csv"), folder)
		require.Error(t, c.PosixRename(folder+"/outside.csv", "stolen.csv"), folder)
	}
	_, err := c.Stat("file.csv")
	require.ErrorIs(t, err, os.ErrPermission)
	info, err := c.Lstat("file.csv")
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink)
	_, err = c.ReadLink("file.csv")
	require.Error(t, err)
	require.Error(t, c.Symlink("/etc/passwd", "link"))
	require.Error(t, c.Link("a.csv", "link"))
	require.Equal(t, "inside", read(t, c, "inner.csv"))
	infos, err := c.ReadDir("..")
	require.NoError(t, err, "above the folder is the folder")
	require.Len(t, infos, 6)

	content, err := os.ReadFile(filepath.Join(outside, "outside.csv"))
	require.NoError(t, err)
	require.Equal(t, "outside", string(content))
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Len(t, entries, 3, "the folder, the keys and the file")
}

func TestRestart(t *testing.T) {
	o := options(t)
	s := start(t, o)
	_, c := signIn(t, s)
	write(t, c, "a.csv", "content")
	s.Stop()
	s.Stop()
	_, err := c.Stat("a.csv")
	require.Error(t, err)

	_, port, err := net.SplitHostPort(s.Address())
	require.NoError(t, err)
	o.Port, err = strconv.Atoi(port)
	require.NoError(t, err)
	again := start(t, o)
	require.Equal(t, s.HostKey(), again.HostKey())
	require.Equal(t, s.Address(), again.Address())
	_, c = signIn(t, again)
	require.Equal(t, "content", read(t, c, "a.csv"))
	info, err := os.Stat(o.HostKeyFile)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
}

func TestCutAll(t *testing.T) {
	s := start(t, options(t))
	conn, c := signIn(t, s)
	write(t, c, "a.csv", "content")
	s.CutAll()
	require.Error(t, conn.Wait())
	_, err := c.Stat("a.csv")
	require.Error(t, err)
	_, c = signIn(t, s)
	require.Equal(t, "content", read(t, c, "a.csv"))
}

func TestCannotStart(t *testing.T) {
	requireKind := func(kind errkind.Kind, err error) {
		t.Helper()
		require.Error(t, err)
		require.Equal(t, kind, errkind.Of(err), "%v", err)
		t.Log(err)
	}
	o := options(t)
	taken := start(t, o)
	_, port, err := net.SplitHostPort(taken.Address())
	require.NoError(t, err)
	o.Port, err = strconv.Atoi(port)
	require.NoError(t, err)
	_, err = Start(t.Context(), o)
	requireKind(errkind.Conflict, err)

	o = options(t)
	require.NoError(t, os.Mkdir(filepath.Dir(o.HostKeyFile), 0o755))
	require.NoError(t, os.WriteFile(o.HostKeyFile, []byte("broken"), 0o600))
	_, err = Start(t.Context(), o)
	requireKind(errkind.Invalid, err)

	o = options(t)
	o.Password = ""
	_, err = Start(t.Context(), o)
	requireKind(errkind.Invalid, err)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Start(ctx, options(t))
	require.ErrorIs(t, err, context.Canceled)
}
