package pgp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
)

// gpg is Debian's, with keys of its own: ours and a partner's.
type gpg struct {
	home                   string
	exports                sync.Map
	rsa, ecc, partner, new string // fingerprints; new signs without anybody knowing it
}

var prepared = sync.OnceValues(func() (*gpg, error) {
	home, err := os.MkdirTemp("/tmp", "gpg")
	if err != nil {
		return nil, err
	}
	g := &gpg{home: home}
	for _, key := range []struct {
		fingerprint   *string
		name, algo, p string
	}{{&g.rsa, "rsa@us.example", "rsa3072", "secret words"}, {&g.ecc, "ecc@us.example", "", ""}, {&g.partner, "partner@acme.example", "", ""}, {&g.new, "new@acme.example", "", ""}} {
		script := "%no-protection\n"
		if key.p != "" {
			script = "Passphrase: " + key.p + "\n"
		}
		kind := "Key-Type: eddsa\nKey-Curve: ed25519\nKey-Usage: sign\nSubkey-Type: ecdh\nSubkey-Curve: cv25519\nSubkey-Usage: encrypt\n"
		if key.algo != "" {
			kind = "Key-Type: rsa\nKey-Length: 3072\nKey-Usage: sign\nSubkey-Type: rsa\nSubkey-Length: 3072\nSubkey-Usage: encrypt\n"
		}
		spec := kind + "Name-Email: " + key.name + "\nExpire-Date: 20d\n" + script + "%commit\n"
		if _, err := g.run([]byte(spec), "--gen-key"); err != nil {
			return nil, err
		}
		out, err := g.run(nil, "--with-colons", "--list-keys", key.name)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(out)) {
			if fields := strings.Split(line, ":"); fields[0] == "fpr" {
				*key.fingerprint = fields[9]
				break
			}
		}
	}
	return g, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if g, err := prepared(); err == nil {
		_ = exec.Command("gpgconf", "--homedir", g.home, "--kill", "all").Run()
		_ = os.RemoveAll(g.home)
	}
	os.Exit(code)
}

func (g *gpg) run(input []byte, arguments ...string) ([]byte, error) {
	c := exec.Command("gpg", append([]string{"--homedir", g.home, "--batch", "--yes", "--quiet", "--trust-model", "always", "--pinentry-mode", "loopback", "--passphrase", "secret words"}, arguments...)...)
	c.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("gpg %v: %w: %s", arguments, err, stderr.String())
	}
	return out, err
}

func newGPG(t *testing.T) *gpg {
	t.Helper()
	if _, err := exec.LookPath("gpg"); err != nil {
		if os.Getenv("PROSPECTOR_REQUIRE_TOOLS") != "" {
			t.Fatal("gpg is not installed")
		}
		t.Skip("gpg is not installed: apt-get install gnupg")
	}
	g, err := prepared()
	require.NoError(t, err)
	return g
}

func (g *gpg) must(t *testing.T, input []byte, arguments ...string) []byte {
	t.Helper()
	out, err := g.run(input, arguments...)
	require.NoError(t, err)
	return out
}

func (g *gpg) secret(t *testing.T, key string) string {
	return g.exported(t, "--armor", "--export-secret-keys", key)
}

func (g *gpg) public(t *testing.T, key string) string {
	return g.exported(t, "--armor", "--export", key)
}

// exported asks gpg once: it is slow to start.
func (g *gpg) exported(t *testing.T, arguments ...string) string {
	t.Helper()
	known, ok := g.exports.Load(strings.Join(arguments, " "))
	if !ok {
		known = string(g.must(t, nil, arguments...))
		g.exports.Store(strings.Join(arguments, " "), known)
	}
	return known.(string)
}

func (g *gpg) opener(t *testing.T, signedBy ...string) *Opener {
	t.Helper()
	o, err := New(Keys{Private: []string{g.secret(t, g.rsa), g.exported(t, "--export-secret-keys", g.ecc)}, Passphrase: "secret words", SignedBy: signedBy})
	require.NoError(t, err)
	return o
}

func decrypt(t *testing.T, o *Opener, file []byte) ([]byte, Result, error) {
	t.Helper()
	var out bytes.Buffer
	result, err := o.Decrypt(t.Context(), &out, bytes.NewReader(file), 0)
	return out.Bytes(), result, err
}

func content() []byte {
	var out bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 5000 {
		fmt.Fprintf(&out, "P%05d,%d,%x\n", i, random.IntN(100), random.Uint64())
	}
	return out.Bytes()
}

// What gpg writes opens: RSA and elliptic curves, signed or not, armored or not, compressed or not, for one or two.
func TestGPGFilesOpen(t *testing.T) {
	g := newGPG(t)
	plain := content()
	signer := g.public(t, g.partner)
	for name, arguments := range map[string][]string{
		"rsa": {"--encrypt", "-r", g.rsa}, "ecc": {"--encrypt", "-r", g.ecc}, "armored": {"--encrypt", "--armor", "-r", g.rsa},
		"signed and compressed": {"--sign", "-u", g.partner, "--encrypt", "--compress-algo", "zip", "-r", g.ecc},
		"signed, rsa, bzip2":    {"--sign", "-u", g.partner, "--encrypt", "--compress-algo", "bzip2", "--armor", "-r", g.rsa},
		"two recipients":        {"--sign", "-u", g.partner, "--encrypt", "-r", g.partner, "-r", g.ecc}, "uncompressed": {"--encrypt", "--compress-algo", "none", "-r", g.ecc},
	} {
		t.Run(name, func(t *testing.T) {
			file := g.must(t, plain, arguments...)
			got, result, err := decrypt(t, g.opener(t), file)
			require.NoError(t, err)
			require.True(t, bytes.Equal(plain, got))
			require.EqualValues(t, len(plain), result.Bytes)
			got, result, err = decrypt(t, g.opener(t, signer), file)
			if arguments[0] == "--sign" {
				require.NoError(t, err)
				require.True(t, bytes.Equal(plain, got))
				require.Equal(t, strings.ToLower(g.partner), result.Signer)
				return
			}
			require.Equal(t, errkind.BadInput, errkind.Of(err), "%v", err)
			require.ErrorContains(t, err, "not signed")
		})
	}
}

// One flipped bit anywhere, or a missing end, is an error.
func TestDamagedFilesAreRefused(t *testing.T) {
	g := newGPG(t)
	file := g.must(t, content(), "--sign", "-u", g.partner, "--encrypt", "-r", g.ecc)
	o := g.opener(t, g.public(t, g.partner))
	for i := 0; i < len(file); i += 1 + len(file)/150 {
		broken := bytes.Clone(file)
		broken[i] ^= 1 << (i % 8)
		_, _, err := decrypt(t, o, broken)
		require.Error(t, err, "byte %d", i)
		require.Contains(t, []errkind.Kind{errkind.BadInput, errkind.Denied}, errkind.Of(err), "byte %d: %v", i, err)
		_, _, err = decrypt(t, o, file[:i])
		require.Error(t, err, "cut at %d", i)
	}
}

func TestForeignKeysAndSigners(t *testing.T) {
	g := newGPG(t)
	_, _, err := decrypt(t, g.opener(t), g.must(t, content(), "--encrypt", "--armor", "-r", g.partner))
	require.Equal(t, errkind.Denied, errkind.Of(err), "%v", err)
	require.ErrorContains(t, err, strings.ToLower(g.rsa))
	_, _, err = decrypt(t, g.opener(t, g.public(t, g.partner)), g.must(t, content(), "--sign", "-u", g.new, "--encrypt", "-r", g.ecc))
	require.Equal(t, errkind.Denied, errkind.Of(err), "%v", err)
	require.ErrorContains(t, err, "signedBy does not hold")
	for _, text := range []string{"", "pid,age\n1,2\n", "\x1f\x8b\x08"} {
		_, _, err = decrypt(t, g.opener(t), []byte(text))
		require.Equal(t, errkind.BadInput, errkind.Of(err), "%q: %v", text, err)
	}
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	g := newGPG(t)
	for name, keys := range map[string]Keys{
		"none": {}, "no key": {Private: []string{"hello"}}, "public": {Private: []string{g.public(t, g.ecc)}}, "locked": {Private: []string{g.secret(t, g.rsa)}},
		"wrong passphrase": {Private: []string{g.secret(t, g.rsa)}, Passphrase: "other words"}, "signer": {Private: []string{g.secret(t, g.ecc)}, SignedBy: []string{"x"}},
	} {
		_, err := New(keys)
		require.Equal(t, errkind.Denied, errkind.Of(err), "%s: %v", name, err)
		require.NotContains(t, err.Error(), "words")
	}
	both, err := New(Keys{Private: []string{string(g.must(t, nil, "--armor", "--export-secret-keys", g.ecc, g.partner))}})
	require.NoError(t, err, "an export of two keys")
	_, _, err = decrypt(t, both, g.must(t, content(), "--encrypt", "-r", g.partner))
	require.NoError(t, err)
}

// A key that has ended opens what was encrypted for it before, and is warned of.
func TestExpiry(t *testing.T) {
	g := newGPG(t)
	o := g.opener(t, g.public(t, g.partner))
	require.Empty(t, o.Expiring(time.Now(), 24*time.Hour))
	soon := o.Expiring(time.Now(), 30*24*time.Hour)
	require.Len(t, soon, 3)
	require.Equal(t, "verify", soon[2].Use)
	require.WithinDuration(t, time.Now().Add(20*24*time.Hour), soon[0].At, 25*time.Hour)

	g.must(t, []byte("Key-Type: eddsa\nKey-Curve: ed25519\nSubkey-Type: ecdh\nSubkey-Curve: cv25519\nName-Email: short@us.example\nExpire-Date: seconds=2\n%no-protection\n%commit\n"), "--gen-key")
	file := g.must(t, content(), "--encrypt", "-r", "short@us.example")
	short, err := New(Keys{Private: []string{g.secret(t, "short@us.example")}})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(short.Expiring(time.Now(), 0)) == 1 }, 10*time.Second, 100*time.Millisecond)
	_, _, err = decrypt(t, short, file)
	require.NoError(t, err)
}

func TestLimitAndOwnErrors(t *testing.T) {
	g := newGPG(t)
	file := g.must(t, bytes.Repeat([]byte("0"), 1<<20), "--encrypt", "-r", g.ecc)
	_, err := g.opener(t).Decrypt(t.Context(), &bytes.Buffer{}, bytes.NewReader(file), 1000)
	require.Equal(t, errkind.BadInput, errkind.Of(err), "%v", err)
	require.ErrorContains(t, err, "format.maxBytes")
	full := errors.New("disk full")
	_, err = g.opener(t).Decrypt(t.Context(), failing{full}, bytes.NewReader(file), 0)
	require.ErrorIs(t, err, full)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = g.opener(t).Decrypt(ctx, &bytes.Buffer{}, bytes.NewReader(file), 0)
	require.ErrorIs(t, err, context.Canceled)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
