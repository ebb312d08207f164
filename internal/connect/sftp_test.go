//go:build !release

package connect

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"prospector/internal/devserver/sftpserver"
	"prospector/internal/devserver/sftpserver/sshdtest"
	"prospector/internal/errkind"
)

// stallLimit is short for a silence, and long for a machine with much to do.
const stallLimit = time.Second

const sftpPassword, sftpPassphrase = "not-a-secret", "not-a-phrase"

// sftpFolder is a server with one folder, and options that fit.
func sftpFolder(t *testing.T) (*sftpserver.Server, SFTPOptions) {
	t.Helper()
	return sftpServer(t, filepath.Join(t.TempDir(), "host_key"))
}

func sftpServer(t *testing.T, hostKeyFile string) (*sftpserver.Server, SFTPOptions) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.csv"), []byte("12345"), 0o600))
	server, err := sftpserver.Start(t.Context(), sftpserver.Options{Dir: dir, HostKeyFile: hostKeyFile, User: "test", Password: sftpPassword})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	return server, SFTPOptions{Address: server.Address(), User: "test", Password: sftpPassword, HostKey: server.HostKey()}
}

func signIn(t *testing.T, o SFTPOptions) *SFTPClient {
	t.Helper()
	c, err := SFTP(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func look(c *SFTPConnection) error {
	_, err := c.Stat("a.csv")
	return err
}

func requireSFTPKind(t *testing.T, kind errkind.Kind, err error) {
	t.Helper()
	var known *errkind.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, kind, known.Kind, "%v", err)
	require.NotContains(t, err.Error(), sftpPassword)
	require.NotContains(t, err.Error(), sftpPassphrase)
	t.Log(err)
}

// privateKey is a PEM file and the line for its public key.
func privateKey(t *testing.T, passphrase string) (string, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	require.NoError(t, err)
	public, err := ssh.NewPublicKey(private.Public())
	require.NoError(t, err)
	return string(pem.EncodeToMemory(block)), string(ssh.MarshalAuthorizedKey(public))
}

func TestSFTPSignsIn(t *testing.T) {
	_, o := sftpFolder(t)
	require.NoError(t, signIn(t, o).Do(t.Context(), "look", look))

	// As ssh-keyscan prints it.
	o.HostKey = "# 127.0.0.1:22 SSH-2.0-Go\n[127.0.0.1]:2022 " + o.HostKey + "\n"
	require.NoError(t, signIn(t, o).Do(t.Context(), "look", look))
}

func TestSFTPSignsInToRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "host_key")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	_, o := sftpServer(t, file)
	require.True(t, strings.HasPrefix(o.HostKey, "ssh-rsa "))
	require.NoError(t, signIn(t, o).Do(t.Context(), "look", look))
}

// OpenSSH has two host keys here and prefers the one that is not pinned.
func TestSFTPSignsInToOpenSSH(t *testing.T) {
	server := sshdtest.Start(t)
	require.NoError(t, os.WriteFile(filepath.Join(server.Dir, "a.csv"), nil, 0o600))
	o := SFTPOptions{Address: server.Address, User: server.User, PrivateKey: server.PrivateKey, HostKey: server.HostKey}
	require.NoError(t, signIn(t, o).Do(t.Context(), "look", look))

	stranger, _ := privateKey(t, "")
	o.PrivateKey = stranger
	_, err := SFTP(t.Context(), o)
	requireSFTPKind(t, errkind.Denied, err)
}

func TestSFTPErrors(t *testing.T) {
	plain, otherHost := privateKey(t, "")
	locked, _ := privateKey(t, sftpPassphrase)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	rsaPublic, err := ssh.NewPublicKey(rsaKey.Public())
	require.NoError(t, err)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	dead := free.Addr().String()
	free.Close()
	silent := listen(t, func(net.Conn) {})
	rude := listen(t, func(c net.Conn) { c.Close() })
	chatty := listen(t, func(c net.Conn) { _, _ = c.Write([]byte("220 this is no SSH server\r\n")); c.Close() })
	for name, test := range map[string]struct {
		change func(*SFTPOptions)
		kind   errkind.Kind
		text   string
	}{
		"wrong password":    {func(o *SFTPOptions) { o.Password = "wrong" }, errkind.Denied, "check the user, and the password"},
		"wrong user":        {func(o *SFTPOptions) { o.User = "nobody" }, errkind.Denied, "refuses to sign in user nobody"},
		"unknown key":       {func(o *SFTPOptions) { o.Password, o.PrivateKey = "", plain }, errkind.Denied, "private key"},
		"nothing to show":   {func(o *SFTPOptions) { o.Password = "" }, errkind.Denied, "set password or privateKey"},
		"no private key":    {func(o *SFTPOptions) { o.PrivateKey = "a file name" }, errkind.Denied, "whole key file"},
		"no passphrase":     {func(o *SFTPOptions) { o.PrivateKey = locked }, errkind.Denied, "set passphrase"},
		"wrong passphrase":  {func(o *SFTPOptions) { o.PrivateKey, o.Passphrase = locked, "wrong" }, errkind.Denied, "check passphrase"},
		"changed host key":  {func(o *SFTPOptions) { o.HostKey = otherHost }, errkind.Denied, "ask the partner"},
		"other type of key": {func(o *SFTPOptions) { o.HostKey = string(ssh.MarshalAuthorizedKey(rsaPublic)) }, errkind.Denied, "ask the partner"},
		"no host key":       {func(o *SFTPOptions) { o.HostKey = "" }, errkind.Invalid, "ssh-keyscan -p "},
		"broken host key":   {func(o *SFTPOptions) { o.HostKey = "SHA256:abc" }, errkind.Invalid, "ssh-keyscan -p "},
		"both":              {func(o *SFTPOptions) { o.KnownHosts = "host " + o.HostKey }, errkind.Invalid, "set hostKey or knownHosts"},
		"no known hosts":    {func(o *SFTPOptions) { o.HostKey, o.KnownHosts = "", "host ssh-ed25519" }, errkind.Invalid, "known_hosts file"},
		"no user":           {func(o *SFTPOptions) { o.User = "" }, errkind.Invalid, "set user"},
		"no address":        {func(o *SFTPOptions) { o.Address = "" }, errkind.Invalid, "host:port"},
		"broken address":    {func(o *SFTPOptions) { o.Address = "sftp://host:22" }, errkind.Invalid, "host:port"},
		"closed port":       {func(o *SFTPOptions) { o.Address = dead }, errkind.Transient, "check that " + dead},
		"silent server":     {func(o *SFTPOptions) { o.Address = silent }, errkind.Transient, "check that " + silent},
		"hangs up":          {func(o *SFTPOptions) { o.Address = rude }, errkind.Transient, "check that " + rude},
		"no SSH server":     {func(o *SFTPOptions) { o.Address = chatty }, errkind.Transient, "check that " + chatty},
	} {
		t.Run(name, func(t *testing.T) {
			_, o := sftpFolder(t)
			o.HandshakeLimit = 5 * time.Second
			if name == "silent server" {
				o.HandshakeLimit = 100 * time.Millisecond
			}
			test.change(&o)
			_, err := SFTP(t.Context(), o)
			require.ErrorContains(t, err, test.text)
			requireSFTPKind(t, test.kind, err)
		})
	}
}

// listen accepts connections, does something with each, and keeps them open until the end.
func listen(t *testing.T, do func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			do(c)
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return listener.Addr().String()
}

func TestSFTPCancelledHandshake(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, o := sftpFolder(t)
	o.Address = listen(t, func(net.Conn) { cancel() })
	_, err := SFTP(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
}

func TestSFTPKeepsConnections(t *testing.T) {
	server, o := sftpFolder(t)
	c := signIn(t, o)
	first := c.idle[0]
	require.NoError(t, c.Do(t.Context(), "look", func(connection *SFTPConnection) error {
		require.Same(t, first, connection)
		return c.Do(t.Context(), "look", func(other *SFTPConnection) error {
			require.NotSame(t, connection, other)
			return look(other)
		})
	}))
	require.Len(t, c.idle, 2)

	err := c.Do(t.Context(), "look", func(connection *SFTPConnection) error { _, err := connection.Stat("absent"); return err })
	requireSFTPKind(t, errkind.Missing, err)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Len(t, c.idle, 2, "an answer is no failure of the connection")

	server.CutAll()
	for _, connection := range c.idle {
		<-connection.gone
	}
	require.NoError(t, c.Do(t.Context(), "look", look), "a new one takes its place")
	require.Len(t, c.idle, 1)
	require.NoError(t, c.Close())
	require.Empty(t, c.idle)
}

func TestSFTPCutConnection(t *testing.T) {
	server, o := sftpFolder(t)
	c := signIn(t, o)
	err := c.Do(t.Context(), "look", func(connection *SFTPConnection) error {
		server.CutAll()
		return look(connection)
	})
	requireSFTPKind(t, errkind.Transient, err)
	require.NoError(t, c.Do(t.Context(), "look", look))
}

func TestSFTPStall(t *testing.T) {
	t.Parallel()
	server, o := sftpFolder(t)
	o.StallLimit = stallLimit
	c := signIn(t, o)
	err := c.Do(t.Context(), "look", func(connection *SFTPConnection) error {
		server.SilenceAll()
		return look(connection)
	})
	requireSFTPKind(t, errkind.Transient, err)
	require.ErrorContains(t, err, "look: no byte has moved for 1s")
	require.NoError(t, c.Do(t.Context(), "look", look))
}

// Silence counts only while somebody waits for the server.
func TestSFTPUnwatched(t *testing.T) {
	t.Parallel()
	_, o := sftpFolder(t)
	o.StallLimit = stallLimit
	c := signIn(t, o)
	time.Sleep(stallLimit + stallLimit/2)
	require.NoError(t, c.Do(t.Context(), "look", func(connection *SFTPConnection) error {
		connection.Unwatched(func() { time.Sleep(stallLimit + stallLimit/2) })
		return look(connection)
	}))
	require.Len(t, c.idle, 1)
}

// A link that has died shows while nobody asks for anything; a server that answers is left alone, be it
// with a refusal.
func TestSFTPKeepAlive(t *testing.T) {
	t.Parallel()
	server, o := sftpFolder(t)
	o.KeepAlive = 50 * time.Millisecond
	c := signIn(t, o)
	idle := c.idle[0]
	before := idle.wire.received.Load()
	require.Eventually(t, func() bool { return idle.wire.received.Load() > before }, 30*time.Second, time.Millisecond, "an answer")
	require.True(t, idle.Alive())
	require.NoError(t, c.Do(t.Context(), "look", func(connection *SFTPConnection) error {
		require.Same(t, idle, connection)
		connection.Unwatched(func() {
			before := idle.wire.received.Load()
			require.Eventually(t, func() bool { return idle.wire.received.Load() > before }, 30*time.Second, time.Millisecond, "in use, but unwatched")
		})
		return look(connection)
	}))
	server.SilenceAll()
	<-idle.gone
	require.NoError(t, c.Do(t.Context(), "look", look), "a new one takes its place")
}

// Signs of life must not hide that a request is not answered.
func TestSFTPKeepAliveAndStall(t *testing.T) {
	t.Parallel()
	_, o := sftpFolder(t)
	o.KeepAlive, o.StallLimit = 20*time.Millisecond, 200*time.Millisecond
	c := signIn(t, o)
	err := c.Do(t.Context(), "wait", func(connection *SFTPConnection) error {
		<-connection.gone // nothing is asked: the server, which is well, has nothing to say
		return io.EOF
	})
	requireSFTPKind(t, errkind.Transient, err)
	require.ErrorContains(t, err, "no byte has moved for 200ms")
}

func TestSFTPCancelledOperation(t *testing.T) {
	server, o := sftpFolder(t)
	c := signIn(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	err := c.Do(ctx, "look", func(connection *SFTPConnection) error {
		server.SilenceAll()
		cancel()
		return look(connection)
	})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, c.Do(ctx, "look", look), context.Canceled)
	require.NoError(t, c.Do(t.Context(), "look", look))
}

func TestSFTPAddress(t *testing.T) {
	for address, want := range map[string]string{
		"host": "host:22", "host:2022": "host:2022", "10.0.0.1": "10.0.0.1:22", "::1": "[::1]:22", "[::1]": "[::1]:22", "[::1]:2022": "[::1]:2022",
	} {
		got, err := sftpAddress(address)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestCheckSFTPName(t *testing.T) {
	for _, name := range []string{"a.csv", "a/b.csv", "..a", "a b/grüße.csv"} {
		require.NoError(t, CheckSFTPName("op", name))
	}
	for _, name := range []string{"", ".", "..", "../a", "a/../../b", "/a", "a//b", "a/"} {
		requireSFTPKind(t, errkind.Invalid, CheckSFTPName("op", name))
	}
}

func TestSFTPOptionsHideSecrets(t *testing.T) {
	o := SFTPOptions{Address: "host:22", User: "u", Password: sftpPassword, PrivateKey: "key", Folder: "/in"}
	require.Equal(t, "sftp://host:22/in", o.String())
	require.Equal(t, "sftp://host:22/in/a.csv", o.URL("a.csv"))
	require.Equal(t, "/in/a.csv", o.Path("a.csv"))
	o.Folder = ""
	require.Equal(t, ".", o.Path(""))
	require.Equal(t, "a.csv", o.Path("a.csv"))
}
