//go:build !release

package connect

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"prospector/internal/devserver/sftpserver/sshdtest"
	"prospector/internal/errkind"
)

func parseKey(t *testing.T, line string) ssh.PublicKey {
	t.Helper()
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	require.NoError(t, err)
	return key
}

func TestSFTPKnownHosts(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	_, o := sftpFolder(t)
	_, strange := privateKey(t, "")
	key := parseKey(t, o.HostKey)
	o.HostKey = ""
	hashed := knownhosts.HashHostname(knownhosts.Normalize(o.Address)) + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	for name, content := range map[string]string{
		"host and port": knownhosts.Line([]string{o.Address}, key),
		"hashed":        hashed,
		"among others":  "# comment\n\nother.example.com " + strange + "other.example.com,[127.0.0.1]:22 " + strange + knownhosts.Line([]string{"a.example.com", o.Address}, key) + "\n",
		"several keys":  knownhosts.Line([]string{o.Address}, parseKey(t, strange)) + "\n" + hashed,
	} {
		t.Run(name, func(t *testing.T) {
			o.KnownHosts = content
			require.NoError(t, signIn(t, o).Do(t.Context(), "look", look))
		})
	}
	left, err := filepath.Glob(filepath.Join(temporary, "known_hosts-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// EC-34: an unknown and a changed host key say what the server shows, and what to do about it.
func TestSFTPKnownHostsRefuse(t *testing.T) {
	_, o := sftpFolder(t)
	_, strange := privateKey(t, "")
	key, other := parseKey(t, o.HostKey), parseKey(t, strange)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	rsaPublic, err := ssh.NewPublicKey(rsaKey.Public())
	require.NoError(t, err)
	o.HostKey = ""
	for name, test := range map[string]struct {
		content string
		text    []string
	}{
		"unknown": {knownhosts.Line([]string{"other.example.com"}, key),
			[]string{ssh.FingerprintSHA256(key), fmt.Sprintf("%q", knownhosts.Line([]string{o.Address}, key)), "knownHosts"}},
		"changed": {knownhosts.Line([]string{o.Address}, other),
			[]string{ssh.FingerprintSHA256(key), "not the pinned " + ssh.FingerprintSHA256(other), "ask the partner by other means"}},
		"another type": {knownhosts.Line([]string{o.Address}, rsaPublic), []string{"the pinned type ssh-rsa", "knownHosts"}},
		"revoked":      {"@revoked * " + string(ssh.MarshalAuthorizedKey(key)) + knownhosts.Line([]string{o.Address}, key), []string{ssh.FingerprintSHA256(key), "revoked"}},
	} {
		t.Run(name, func(t *testing.T) {
			o.KnownHosts = test.content
			_, err := SFTP(t.Context(), o)
			requireSFTPKind(t, errkind.Denied, err)
			for _, text := range test.text {
				require.ErrorContains(t, err, text)
			}
		})
	}
}

// The file has one of the server's two keys, and not the one that the server prefers.
func TestSFTPKnownHostsOfOpenSSH(t *testing.T) {
	server := sshdtest.Start(t)
	require.NoError(t, os.WriteFile(filepath.Join(server.Dir, "a.csv"), nil, 0o600))
	o := SFTPOptions{Address: server.Address, User: server.User, PrivateKey: server.PrivateKey,
		KnownHosts: knownhosts.Line([]string{knownhosts.HashHostname(knownhosts.Normalize(server.Address))}, parseKey(t, server.HostKey))}
	require.NoError(t, signIn(t, o).Do(t.Context(), "look", look))
}
