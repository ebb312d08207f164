package connect

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// SFTPConnection is a signed-in connection while somebody has it. While nobody waits for an answer, it
// gives signs of life, so that nothing on the way forgets it.
type SFTPConnection struct {
	*sftp.Client
	Packet    int // bytes that one request may read
	wire      *watchedConn
	gone      chan struct{} // closed when the connection has ended
	abandoned atomic.Bool   // it ends soon
	expiry    *time.Timer   // of an idle connection
}

// Do calls f, which asks the server for something. The connection is closed, which makes f's calls on
// it fail, when ctx is done and once no byte has moved for the stall limit; the error then says so. op
// says what is attempted and on which object. Every error has a kind, except ctx's, which keeps its
// meaning. Several calls may run side by side, and end together when the connection does.
func (c *SFTPConnection) Do(ctx context.Context, op string, f func() error) error {
	release := context.AfterFunc(ctx, c.Abandon)
	c.wire.watch()
	err := f()
	c.wire.unwatch()
	release()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", op, ctx.Err())
	case c.wire.stalled.Load():
		return SFTPError(op, Stalled(c.wire.limit))
	}
	return SFTPError(op, err)
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

// Abandon ends the connection without asking the server, which may not answer.
func (c *SFTPConnection) Abandon() {
	c.abandoned.Store(true)
	_ = c.wire.Close()
}

// Alive reports whether the connection has not ended, as far as is known.
func (c *SFTPConnection) Alive() bool {
	select {
	case <-c.gone:
		return false
	default:
		return !c.abandoned.Load() && !c.wire.stalled.Load()
	}
}

// keepAlive gives signs of life until the connection ends, and ends it when the server gives none for
// as long. It pauses while the stall limit is watched over, which the answers would make blind.
func (c *SFTPConnection) keepAlive(ssh ssh.Conn, every time.Duration) {
	pause := time.NewTicker(every)
	defer pause.Stop()
	for {
		select {
		case <-c.gone:
			return
		case <-pause.C:
		}
		if c.wire.watched() {
			continue
		}
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			_, _, _ = ssh.SendRequest("keepalive@openssh.com", true, nil) // any answer is a sign of life
		}()
		if !c.answers(answered, every) {
			c.Abandon()
			return
		}
	}
}

// answers waits for an answer, for longer than limit only while bytes arrive: the answer is behind
// them.
func (c *SFTPConnection) answers(answered <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTicker(limit)
	defer timer.Stop()
	for {
		received := c.wire.received.Load()
		select {
		case <-answered:
			return true
		case <-timer.C:
			if c.wire.received.Load() == received {
				return false
			}
		}
	}
}
