package connect

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"prospector/internal/errkind"
)

const (
	sftpDefaultPort    = "22"
	sftpDialTimeout    = 10 * time.Second
	sftpHandshakeLimit = 30 * time.Second
)

// sftpDialer opens signed-in connections.
type sftpDialer struct {
	address   string
	user      string
	hostKey   ssh.PublicKey
	auth      []ssh.AuthMethod
	handshake time.Duration
}

func newSFTPDialer(o SFTPOptions) (*sftpDialer, error) {
	if o.Address == "" {
		return nil, errkind.New(errkind.Invalid, "connect to SFTP", errors.New("no address is given"), "set address to host:port")
	}
	d := &sftpDialer{user: o.User, handshake: o.HandshakeLimit}
	if d.handshake == 0 {
		d.handshake = sftpHandshakeLimit
	}
	op := "connect to " + o.URL("")
	var err error
	if d.address, err = withPort(o.Address); err != nil {
		return nil, errkind.New(errkind.Invalid, op, err, "write the address as host:port")
	}
	if o.User == "" {
		return nil, errkind.New(errkind.Invalid, op, errors.New("no user is given"), "set user")
	}
	if d.hostKey, err = pinnedKey(d.address, o.HostKey); err != nil {
		var known *errkind.Error
		errors.As(err, &known)
		return nil, errkind.New(known.Kind, op, err, "")
	}
	if d.auth, err = credentials(o); err != nil {
		return nil, errkind.New(errkind.Denied, op, err, "")
	}
	return d, nil
}

// withPort completes an address that names only a host.
func withPort(address string) (string, error) {
	_, _, err := net.SplitHostPort(address)
	if err == nil {
		return address, nil
	}
	host := strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
	if strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return "", err
	}
	return net.JoinHostPort(host, sftpDefaultPort), nil
}
