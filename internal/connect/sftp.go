package connect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"

	"prospector/internal/errkind"
)

// idleLimit is how long a connection is kept for the next operation. Kept longer, it may have been
// dropped on the way without a sign.
const idleLimit = 15 * time.Second

// SFTPOptions says where a folder on an SFTP server is and how to sign in.
type SFTPOptions struct {
	Address    string // host:port; port 22 unless said
	User       string
	Password   string // the password, the private key or both
	PrivateKey string // PEM
	Passphrase string // of the private key
	HostKey    string // the server's public key, one line as in authorized_keys or from ssh-keyscan
	KnownHosts string
	Folder     string // absolute, or relative to where a login starts

	HandshakeLimit time.Duration // 30 seconds unless said
	StallLimit     time.Duration // StallLimit unless said
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
	stall  time.Duration

	mu     sync.Mutex
	idle   *SFTPConnection
	closed bool
}

// SFTPConnection is a signed-in connection while an operation has it.
type SFTPConnection struct {
	*sftp.Client
	wire   *watchedConn
	gone   chan struct{} // closed when the connection has ended
	expiry *time.Timer   // of an idle connection
}

// Unwatched calls f, during which nothing needs to move: the operation waits for somebody else
// than the server.
func (c *SFTPConnection) Unwatched(f func()) {
	c.wire.unwatch()
	defer c.wire.watch()
	f()
}

// CreateFile creates or empties a file for writing only: some servers refuse to open one both ways,
// which Create does.
func (c *SFTPConnection) CreateFile(path string) (*sftp.File, error) {
	return c.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
}

func (c *SFTPConnection) alive() bool {
	select {
	case <-c.gone:
		return false
	default:
		return true
	}
}

// close ends the connection without asking the server, which may not answer.
func (c *SFTPConnection) close() { _ = c.wire.Close() }

// SFTP signs in, so that wrong options show at once. ctx is for that only.
func SFTP(ctx context.Context, o SFTPOptions) (*SFTPClient, error) {
	dialer, err := newSFTPDialer(o)
	if err != nil {
		return nil, err
	}
	c := &SFTPClient{dialer: dialer, stall: o.StallLimit}
	if c.stall == 0 {
		c.stall = StallLimit
	}
	connection, err := dialer.dial(ctx, c.stall)
	if err != nil {
		return nil, err
	}
	c.keep(connection)
	return c, nil
}

// Close ends the idle connection. Operations that run end their own.
func (c *SFTPClient) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.idle != nil {
		c.idle.expiry.Stop()
		c.idle.close()
		c.idle = nil
	}
	return nil
}

// Do calls f with a connection. It is closed, which makes f's calls on it fail, when ctx is done and
// once no byte has moved for the stall limit; the error then says so. op says what is attempted and
// on which object. Every error has a kind, except ctx's, which keeps its meaning.
func (c *SFTPClient) Do(ctx context.Context, op string, f func(*SFTPConnection) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	connection := c.take()
	if connection == nil {
		var err error
		if connection, err = c.dialer.dial(ctx, c.stall); err != nil {
			return SFTPError(op, err)
		}
	}
	release := context.AfterFunc(ctx, connection.close)
	connection.wire.watch()
	err := f(connection)
	connection.wire.unwatch()
	switch usable := release() && (err == nil || errors.Is(err, fs.ErrNotExist)); {
	case usable && connection.alive():
		c.keep(connection)
	default:
		connection.close()
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", op, ctx.Err())
	case connection.wire.stalled.Load():
		return SFTPError(op, Stalled(c.stall))
	}
	return SFTPError(op, err)
}

// take returns the idle connection, or nil if there is none that is alive.
func (c *SFTPClient) take() *SFTPConnection {
	c.mu.Lock()
	defer c.mu.Unlock()
	connection := c.idle
	c.idle = nil
	if connection == nil || !connection.expiry.Stop() || !connection.alive() {
		return nil
	}
	return connection
}

func (c *SFTPClient) keep(connection *SFTPConnection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.idle != nil && c.idle.alive() {
		connection.close()
		return
	}
	connection.expiry = time.AfterFunc(idleLimit, connection.close)
	c.idle = connection
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
