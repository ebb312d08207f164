package connect

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"prospector/internal/errkind"
)

// parseKnownHosts reads the content of a known_hosts file. Lines of other hosts do not matter.
func parseKnownHosts(address, content string) (knownKeys, error) {
	check, err := readKnownHosts(content)
	if err != nil {
		return knownKeys{}, errkind.New(errkind.Invalid, "", errors.New("the known hosts cannot be read"),
			"set knownHosts to the content of a known_hosts file, with lines as ssh-keyscan prints them")
	}
	known := knownKeys{setting: "knownHosts", check: func(address string, remote net.Addr, got ssh.PublicKey) error {
		return refusedHostKey(address, got, check(address, remote, got))
	}}
	var unlike *knownhosts.KeyError
	if !errors.As(check(address, &net.TCPAddr{}, nobodysKey()), &unlike) {
		return known, nil
	}
	for _, want := range unlike.Want {
		if keyType := want.Key.Type(); !slices.Contains(known.types, keyType) {
			known.types = append(known.types, keyType)
			known.algorithms = append(known.algorithms, hostKeyAlgorithms(keyType)...)
		}
	}
	return known, nil
}

// readKnownHosts goes through a file, which is all that the library reads.
func readKnownHosts(content string) (ssh.HostKeyCallback, error) {
	file, err := os.CreateTemp("", "known_hosts-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString(content)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	return knownhosts.New(file.Name())
}

// nobodysKey makes the library say which keys it would take instead.
func nobodysKey() ssh.PublicKey {
	key, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		panic(err) // it is a constant
	}
	return key
}

// refusedHostKey says what the server has shown, and how to take it.
func refusedHostKey(address string, got ssh.PublicKey, err error) error {
	var unlike *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &revoked):
		return errkind.New(errkind.Denied, "", fmt.Errorf("the server's host key %s is revoked in the known hosts", ssh.FingerprintSHA256(got)),
			askPartner+"knownHosts")
	case errors.As(err, &unlike) && len(unlike.Want) > 0:
		var pinned []ssh.PublicKey
		for _, want := range unlike.Want {
			pinned = append(pinned, want.Key)
		}
		return changedHostKey(got, pinned, "knownHosts")
	case errors.As(err, &unlike):
		return errkind.New(errkind.Denied, "", fmt.Errorf("the known hosts have no key of %s, which shows %s", address, ssh.FingerprintSHA256(got)),
			fmt.Sprintf("ask the partner by other means for the fingerprint; if it is this one, add the line %q to knownHosts",
				knownhosts.Line([]string{address}, got)))
	}
	return errkind.New(errkind.Denied, "", fmt.Errorf("the server's host key %s is refused: %w", ssh.FingerprintSHA256(got), err), askPartner+"knownHosts")
}
