package pgp

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const secret = "correct horse"

// gnupg is a real GnuPG with keys of its own, made once for all tests.
type gnupg struct{ home string }

var (
	once   sync.Once
	shared gnupg
	failed error
)

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.home != "" {
		_ = exec.Command("gpgconf", "--homedir", shared.home, "--kill", "all").Run()
		_ = os.RemoveAll(shared.home)
	}
	os.Exit(code)
}

// newGPG returns GnuPG with the keys rsa and ecc (ours), partner and stranger, locked (with a passphrase) and
// expired (of 2020, for a year).
func newGPG(t testing.TB) gnupg {
	t.Helper()
	if _, err := exec.LookPath("gpg"); err != nil {
		if os.Getenv("PROSPECTOR_REQUIRE_TOOLS") != "" {
			t.Fatal("gpg is not installed: apt-get install gnupg")
		}
		t.Skip("gpg is not installed")
	}
	once.Do(func() {
		if shared.home, failed = os.MkdirTemp("/tmp", "gpg"); failed != nil { // sockets need a short path
			return
		}
		const rsa = "Key-Type: RSA\nKey-Length: 3072\nKey-Usage: sign\nSubkey-Type: RSA\nSubkey-Length: 3072\nSubkey-Usage: encrypt\n"
		const ecc = "Key-Type: eddsa\nKey-Curve: ed25519\nKey-Usage: sign\nSubkey-Type: ecdh\nSubkey-Curve: cv25519\nSubkey-Usage: encrypt\n"
		add := func(name, kind, protection string, args ...string) {
			if failed == nil {
				_, failed = shared.try(kind+"Name-Real: "+name+"\nName-Email: "+name+"@example.com\n"+protection+"\n%commit\n", append(args, "--gen-key")...)
			}
		}
		add("rsa", rsa, "Expire-Date: 0\n%no-protection")
		add("ecc", ecc, "Expire-Date: 0\n%no-protection")
		add("partner", rsa, "Expire-Date: 0\n%no-protection")
		add("stranger", ecc, "Expire-Date: 0\n%no-protection")
		add("locked", ecc, "Expire-Date: 0\nPassphrase: "+secret)
		add("expired", ecc, "Expire-Date: 1y\n%no-protection", "--faked-system-time", "20200101T000000")
	})
	require.NoError(t, failed)
	return shared
}

func (g gnupg) try(input string, args ...string) ([]byte, error) {
	command := exec.Command("gpg", append([]string{"--homedir", g.home, "--batch", "--yes", "--no-tty", "--trust-model", "always", "--pinentry-mode", "loopback", "--passphrase", secret}, args...)...)
	command.Stdin = strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("gpg %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.Bytes(), nil
}

func (g gnupg) run(t testing.TB, input []byte, args ...string) []byte {
	t.Helper()
	out, err := g.try(string(input), args...)
	require.NoError(t, err)
	return out
}

// encrypt encrypts for the key ecc.
func (g gnupg) encrypt(t testing.TB, content []byte, args ...string) []byte {
	t.Helper()
	return g.run(t, content, append([]string{"--encrypt", "--recipient", "ecc@example.com"}, args...)...)
}

func (g gnupg) public(t testing.TB, names ...string) string { return g.export(t, "--export", names...) }

func (g gnupg) private(t testing.TB, names ...string) string {
	return g.export(t, "--export-secret-keys", names...)
}

func (g gnupg) export(t testing.TB, what string, names ...string) string {
	t.Helper()
	args := []string{"--armor", what}
	for _, name := range names {
		args = append(args, name+"@example.com")
	}
	return string(g.run(t, nil, args...))
}

// fingerprints returns those of a key and of its subkey.
func (g gnupg) fingerprints(t testing.TB, name string) (out []string) {
	t.Helper()
	for line := range strings.Lines(string(g.run(t, nil, "--with-colons", "--list-keys", name+"@example.com"))) {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			out = append(out, fields[9])
		}
	}
	return out
}

// copyWith is a second GnuPG that knows some keys, to change them in.
func (g gnupg) copyWith(t testing.TB, keys string) gnupg {
	t.Helper()
	home, err := os.MkdirTemp("/tmp", "gpg")
	require.NoError(t, err)
	other := gnupg{home}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		require.NoError(t, os.RemoveAll(home))
	})
	file := filepath.Join(home, "keys.asc")
	require.NoError(t, os.WriteFile(file, []byte(keys), 0o600))
	other.run(t, nil, "--import", file)
	return other
}
