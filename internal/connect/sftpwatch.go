package connect

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// watchedConn closes itself once it is watched and no byte has moved for limit, in either direction.
// An SFTP client without it waits forever for a server that fell silent.
type watchedConn struct {
	net.Conn
	limit   time.Duration
	stalled atomic.Bool

	mu       sync.Mutex
	watching bool
	timer    *time.Timer
}

func newWatchedConn(conn net.Conn, limit time.Duration) *watchedConn {
	c := &watchedConn{Conn: conn, limit: limit}
	c.timer = time.AfterFunc(limit, c.expire)
	c.timer.Stop()
	return c
}

func (c *watchedConn) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watching { // else it fired while it was being stopped
		c.stalled.Store(true)
		_ = c.Close()
	}
}

func (c *watchedConn) watch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watching = true
	c.timer.Reset(c.limit)
}

func (c *watchedConn) unwatch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watching = false
	c.timer.Stop()
}

func (c *watchedConn) moved(n int) {
	if n == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watching {
		c.timer.Reset(c.limit)
	}
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.moved(n)
	return n, err
}

func (c *watchedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.moved(n)
	return n, err
}
