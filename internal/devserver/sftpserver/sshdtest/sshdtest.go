//go:build !release

// Package sshdtest runs OpenSSH's own server for a test, because partners run it and only it behaves
// quite like it. Each server has its own folder, port and keys, and serves the user that runs the
// test.
package sshdtest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"prospector/internal/devserver"
)

const (
	program      = "/usr/sbin/sshd" // it insists on being started by its full path
	privilegeDir = "/run/sshd"      // it insists on it when it runs as root
	required     = "PROSPECTOR_REQUIRE_TOOLS"
	startTimeout = 10 * time.Second
)

// Server is a running sshd.
type Server struct {
	Dir        string // where a login starts; a test may change files in it
	Address    string
	User       string
	PrivateKey string // that the server accepts
	HostKey    string // one of the server's two, and not the one it prefers

	AuthorizedKeys string // the file; a test may add lines
}

// Start starts sshd and stops it at the end of the test. Without sshd on this machine, the test is
// skipped; with PROSPECTOR_REQUIRE_TOOLS=1 it fails.
func Start(t testing.TB) *Server {
	t.Helper()
	if _, err := os.Stat(program); err != nil {
		if os.Getenv(required) == "1" {
			t.Fatalf("%s is not installed and %s=1 is set; install openssh-server", program, required)
		}
		t.Skipf("%s is not installed: this is not tested against OpenSSH; install openssh-server", program)
	}
	if os.Getuid() == 0 {
		require.NoError(t, os.MkdirAll(privilegeDir, 0o755))
	}
	me, err := user.Current()
	require.NoError(t, err)
	s := &Server{Dir: t.TempDir(), User: me.Username}
	conf := t.TempDir()
	_, hostKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	preferred, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, login, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	s.HostKey = writeKey(t, filepath.Join(conf, "host_ed25519"), hostKey)
	writeKey(t, filepath.Join(conf, "host_ecdsa"), preferred)
	accepted := writeKey(t, filepath.Join(conf, "login"), login)
	s.AuthorizedKeys = filepath.Join(conf, "authorized_keys")
	write(t, s.AuthorizedKeys, accepted+"\n")
	private, err := os.ReadFile(filepath.Join(conf, "login"))
	require.NoError(t, err)
	s.PrivateKey = string(private)
	port, err := devserver.FreePort(0)
	require.NoError(t, err)
	s.Address = fmt.Sprintf("127.0.0.1:%d", port)
	write(t, filepath.Join(conf, "sshd_config"), strings.Join([]string{
		"ListenAddress " + s.Address,
		"HostKey " + filepath.Join(conf, "host_ecdsa"),
		"HostKey " + filepath.Join(conf, "host_ed25519"),
		"AuthorizedKeysFile " + s.AuthorizedKeys,
		"PidFile none",
		"UsePAM no",
		"StrictModes no", // the folders of tests are below one that anybody may write to
		"PasswordAuthentication no",
		"PermitRootLogin prohibit-password",
		"Subsystem sftp internal-sftp -d " + s.Dir,
		"",
	}, "\n"))
	run(t, s.Address, filepath.Join(conf, "sshd_config"))
	return s
}

// run returns when the server answers.
func run(t testing.TB, address, config string) {
	t.Helper()
	var said bytes.Buffer
	command := exec.Command(program, "-D", "-e", "-f", config)
	command.Stderr = &said
	command.WaitDelay = time.Second // its sessions have the same standard error
	require.NoError(t, command.Start())
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("sshd says:\n%s", said.String())
		}
	})
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("sshd ended: %s", said.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("sshd does not answer: %v", err)
		}
	}
}

// writeKey writes the private key and returns the public one as a line.
func writeKey(t testing.TB, file string, key crypto.Signer) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	require.NoError(t, err)
	write(t, file, string(pem.EncodeToMemory(block)))
	public, err := ssh.NewPublicKey(key.Public())
	require.NoError(t, err)
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
}

func write(t testing.TB, file, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
}
