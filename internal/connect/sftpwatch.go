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
	limit    time.Duration
	stalled  atomic.Bool
	received atomic.Int64 // bytes

	mu       sync.Mutex
	watchers int
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
	if c.watchers > 0 { // else it fired while it was being stopped
		c.stalled.Store(true)
		_ = c.Close()
	}
}

func (c *watchedConn) watch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers++
	if c.watchers == 1 {
		c.timer.Reset(c.limit)
	}
}

func (c *watchedConn) unwatch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers--
	if c.watchers == 0 {
		c.timer.Stop()
	}
}

func (c *watchedConn) watched() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.watchers > 0
}

func (c *watchedConn) moved(n int) {
	if n == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watchers > 0 {
		c.timer.Reset(c.limit)
	}
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	c.moved(n)
	return n, err
}

func (c *watchedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.moved(n)
	return n, err
}
