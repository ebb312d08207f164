package connect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"prospector/internal/errkind"
)

const (
	idleLimit = time.Minute // how long a connection is kept for the next operation
	idleMost  = 4           // connections that are kept
)

// SFTPOptions says where a folder on an SFTP server is and how to sign in.
type SFTPOptions struct {
	Address    string // host:port; port 22 unless said
	User       string
	Password   string // the password, the private key or both
	PrivateKey string // PEM, or that in Base64
	Passphrase string // of the private key
	HostKey    string // the server's public key, one line as in authorized_keys or from ssh-keyscan
	KnownHosts string // in place of HostKey: the content of a known_hosts file
	Folder     string // absolute, or relative to where a login starts

	HandshakeLimit time.Duration // 30 seconds unless said
	StallLimit     time.Duration // StallLimit unless said
	KeepAlive      time.Duration // between signs of life while nothing is asked; 15 seconds unless said
}

// Path is where a file of the folder is on the server.
func (o SFTPOptions) Path(file string) string { return path.Join(o.Folder, ".", file) }

// URL names the folder, or a file in it, for messages.
func (o SFTPOptions) URL(file string) string {
	return "sftp://" + path.Join(o.Address, o.Folder, file)
}

// String leaves the credentials out: options may end up in a message.
func (o SFTPOptions) String() string { return o.URL("") }

// SFTPClient signs in to one server. Every operation has a connection to itself, so that ending one
// does not disturb another; a connection whose operation went well is kept for the next for a while.
type SFTPClient struct {
	dialer *sftpDialer

	mu     sync.Mutex
	idle   []*SFTPConnection
	closed bool
}

// SFTP signs in, so that wrong options show at once. ctx is for that only.
func SFTP(ctx context.Context, o SFTPOptions) (*SFTPClient, error) {
	dialer, err := newSFTPDialer(o)
	if err != nil {
		return nil, err
	}
	c := &SFTPClient{dialer: dialer}
	connection, err := c.dialer.dial(ctx)
	if err != nil {
		return nil, err
	}
	c.Return(connection)
	return c, nil
}

// Close ends the idle connections. Operations that run end their own.
func (c *SFTPClient) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, connection := range c.idle {
		connection.expiry.Stop()
		connection.Abandon()
	}
	c.idle = nil
	return nil
}

// Do is Take, SFTPConnection.Do and Return.
func (c *SFTPClient) Do(ctx context.Context, op string, f func(*SFTPConnection) error) error {
	connection, err := c.Take(ctx, op)
	if err != nil {
		return err
	}
	err = connection.Do(ctx, op, func() error { return f(connection) })
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		c.Return(connection)
	} else {
		connection.Abandon()
	}
	return err
}

// Take hands over a connection, an idle one or a new one. The caller gives it to Return, or to
// Abandon after a failure that may be the connection's. op says what is attempted.
func (c *SFTPClient) Take(ctx context.Context, op string) (*SFTPConnection, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if connection := c.takeIdle(); connection != nil {
		return connection, nil
	}
	connection, err := c.dialer.dial(ctx)
	return connection, SFTPError(op, err)
}

// takeIdle returns the connection that was used last, or nil if there is none that is alive.
func (c *SFTPClient) takeIdle() *SFTPConnection {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.idle) > 0 {
		connection := c.idle[len(c.idle)-1]
		c.idle = c.idle[:len(c.idle)-1]
		if connection.expiry.Stop() && connection.Alive() {
			return connection
		}
	}
	return nil
}

// Return keeps a connection for the next operation, or closes it.
func (c *SFTPClient) Return(connection *SFTPConnection) {
	if !connection.Alive() {
		connection.Abandon()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = slices.DeleteFunc(c.idle, func(other *SFTPConnection) bool { return !other.Alive() })
	if c.closed || len(c.idle) == idleMost {
		connection.Abandon()
		return
	}
	connection.expiry = time.AfterFunc(idleLimit, connection.Abandon)
	c.idle = append(c.idle, connection)
}

// CheckSFTPName refuses names that lead out of the folder.
func CheckSFTPName(op, name string) error {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return errkind.New(errkind.Invalid, op, fmt.Errorf("%q is not a path below the folder", name), `write folders and a name with one "/" between them`)
		}
	}
	return nil
}
