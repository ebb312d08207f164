package connect

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"prospector/internal/errkind"
)

const askPartner = "ask the partner by other means whether the host key was changed; " +
	"only then put the new one into "

// knownKeys are the host keys that a server may show. There is no way to connect without one.
type knownKeys struct {
	types      []string // of the keys; empty if the server is in no list
	algorithms []string // that make the server prove one of them: with several keys, it would choose another
	check      ssh.HostKeyCallback
	setting    string // where the keys are from
}

func newKnownKeys(address string, o SFTPOptions) (knownKeys, error) {
	switch {
	case o.HostKey != "" && o.KnownHosts != "":
		return knownKeys{}, errkind.New(errkind.Invalid, "", errors.New("both a host key and known hosts are given"), "set hostKey or knownHosts")
	case o.KnownHosts != "":
		return parseKnownHosts(address, o.KnownHosts)
	}
	return parseHostKey(address, o.HostKey)
}

func parseHostKey(address, line string) (knownKeys, error) {
	host, port, _ := net.SplitHostPort(address)
	hint := fmt.Sprintf("set hostKey to the line that `ssh-keyscan -p %s -t ed25519 %s` prints, after the partner has confirmed it", port, host)
	if line == "" {
		return knownKeys{}, errkind.New(errkind.Invalid, "", errors.New("no host key is given"), hint)
	}
	pinned, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)) // the host in ssh-keyscan's line passes for an option
	if err != nil {
		return knownKeys{}, errkind.New(errkind.Invalid, "", errors.New("the host key is not a public key"), hint)
	}
	return knownKeys{
		setting: "hostKey", types: []string{pinned.Type()}, algorithms: hostKeyAlgorithms(pinned.Type()),
		check: func(_ string, _ net.Addr, got ssh.PublicKey) error {
			if bytes.Equal(pinned.Marshal(), got.Marshal()) {
				return nil
			}
			return changedHostKey(got, []ssh.PublicKey{pinned}, "hostKey")
		},
	}, nil
}

func hostKeyAlgorithms(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{keyType}
}

func changedHostKey(got ssh.PublicKey, pinned []ssh.PublicKey, setting string) error {
	var fingerprints []string
	for _, key := range pinned {
		fingerprints = append(fingerprints, ssh.FingerprintSHA256(key))
	}
	slices.Sort(fingerprints)
	return errkind.New(errkind.Denied, "", fmt.Errorf("the server's host key is %s, not the pinned %s",
		ssh.FingerprintSHA256(got), strings.Join(fingerprints, " or ")), askPartner+setting)
}
