//go:build !release

package faultproxy

import (
	"io"
	"net"
	"sync"
	"time"
)

const (
	chunkSize = 32 << 10
	onTheLine = 4096 // chunks that are under way at most, in one direction of a connection
)

// link is one connection: its two ends.
type link struct {
	client, server *net.TCPConn
	once           sync.Once
	ended          chan struct{}
}

// cut ends both ends, once.
func (l *link) cut(how Cut) {
	l.once.Do(func() {
		close(l.ended)
		if how == Reset {
			reset(l.client)
			reset(l.server)
			return
		}
		finish(l.client)
		finish(l.server)
	})
}

// finish ends what is written, and reads on for a moment: a socket that is closed while bytes wait in it is reset.
func finish(c *net.TCPConn) {
	_ = c.CloseWrite()
	go func() {
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	}()
}

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// chunk is a piece of the stream that may be forwarded from due on.
type chunk struct {
	content []byte
	due     time.Time
}

// pump forwards one direction until its reading end is over. A clean end is passed on, so that the
// other direction can end in its own time.
func (p *Proxy) pump(l *link, d Direction, from, to *net.TCPConn) {
	line := make(chan chunk, onTheLine)
	var writer sync.WaitGroup
	writer.Go(func() { p.deliver(l, d, line, to) })
	defer writer.Wait()
	defer close(line)
	for {
		content := make([]byte, chunkSize)
		n, err := from.Read(content)
		if n > 0 {
			latency, _ := p.delay()
			select {
			case line <- chunk{content[:n], time.Now().Add(latency)}:
			case <-l.ended:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// deliver writes what is under way when it is due.
func (p *Proxy) deliver(l *link, d Direction, line <-chan chunk, to *net.TCPConn) {
	for c := range line {
		if !p.wait(l, c.due) {
			return
		}
		n, how := p.charge(d, len(c.content))
		if _, err := to.Write(c.content[:n]); err != nil {
			l.cut(Reset)
			return
		}
		if how != nil {
			l.cut(*how)
			return
		}
	}
	_ = to.CloseWrite()
}

// wait returns when bytes that are due then may be forwarded; false when the connection has ended.
func (p *Proxy) wait(l *link, due time.Time) bool {
	if left := time.Until(due); left > 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-l.ended:
			return false
		}
	}
	for {
		_, resumed := p.delay()
		if resumed == nil {
			return true
		}
		select {
		case <-resumed:
		case <-l.ended:
			return false
		}
	}
}
