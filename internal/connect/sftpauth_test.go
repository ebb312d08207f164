//go:build !release

package connect

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/devserver/sftpserver/sshdtest"
	"prospector/internal/errkind"
)

// SR-7, SR-8: keys as OpenSSH makes them, with a passphrase (EC-34), and as Base64.
func TestSFTPPrivateKeys(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		if os.Getenv("PROSPECTOR_REQUIRE_TOOLS") == "1" {
			t.Fatal("ssh-keygen is not installed and PROSPECTOR_REQUIRE_TOOLS=1 is set; install openssh-client")
		}
		t.Skip("ssh-keygen is not installed: its keys are not tested; install openssh-client")
	}
	server := sshdtest.Start(t)
	require.NoError(t, os.WriteFile(filepath.Join(server.Dir, "a.csv"), nil, 0o600))
	for name, arguments := range map[string][]string{
		"ed25519": {"-t", "ed25519"}, "ecdsa": {"-t", "ecdsa", "-b", "384"}, "rsa": {"-t", "rsa", "-b", "2048"}, "rsa in PEM": {"-t", "rsa", "-b", "2048", "-m", "PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "key")
			made, err := exec.Command(keygen, append(arguments, "-q", "-a", "1", "-f", file, "-N", sftpPassphrase)...).CombinedOutput()
			require.NoError(t, err, "%s", made)
			public, err := os.ReadFile(file + ".pub")
			require.NoError(t, err)
			accepted, err := os.OpenFile(server.AuthorizedKeys, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = accepted.Write(public)
			require.NoError(t, err)
			require.NoError(t, accepted.Close())
			private, err := os.ReadFile(file)
			require.NoError(t, err)

			o := SFTPOptions{Address: server.Address, User: server.User, HostKey: server.HostKey, PrivateKey: string(private), Passphrase: sftpPassphrase}
			require.NoError(t, signIn(t, o).Do(t.Context(), "look", look))
			o.PrivateKey = base64.StdEncoding.EncodeToString(private)
			require.NoError(t, signIn(t, o).Do(t.Context(), "look", look))
			o.Passphrase = "wrong"
			_, err = SFTP(t.Context(), o)
			requireSFTPKind(t, errkind.Denied, err)
			require.ErrorContains(t, err, "check passphrase")
			o.Passphrase = ""
			_, err = SFTP(t.Context(), o)
			requireSFTPKind(t, errkind.Denied, err)
			require.ErrorContains(t, err, "set passphrase")
		})
	}
}
