package connect

import (
	"bytes"
	"errors"
	"fmt"
	"net"

	"golang.org/x/crypto/ssh"

	"prospector/internal/errkind"
)

const askPartner = "ask the partner by other means whether the host key was changed; " +
	"only then put the new one into hostKey"

// parseHostKey reads the pinned key. There is no way to connect without one.
func parseHostKey(address, line string) (ssh.PublicKey, error) {
	host, port, _ := net.SplitHostPort(address)
	hint := fmt.Sprintf("set hostKey to the line that `ssh-keyscan -p %s -t ed25519 %s` prints, after the partner has confirmed it", port, host)
	if line == "" {
		return nil, errkind.New(errkind.Invalid, "", errors.New("no host key is given"), hint)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)) // the host in ssh-keyscan's line passes for an option
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "", errors.New("the host key is not a public key"), hint)
	}
	return key, nil
}

// hostKeyAlgorithms makes the server prove the key that is pinned: with several keys, it would
// choose another one.
func hostKeyAlgorithms(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{key.Type()}
}

func checkHostKey(pinned, got ssh.PublicKey) error {
	if bytes.Equal(pinned.Marshal(), got.Marshal()) {
		return nil
	}
	return errkind.New(errkind.Denied, "", fmt.Errorf("the server's host key is %s, not the pinned %s",
		ssh.FingerprintSHA256(got), ssh.FingerprintSHA256(pinned)), askPartner)
}
