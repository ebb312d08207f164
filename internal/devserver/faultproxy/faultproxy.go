//go:build !release

// Package faultproxy is a TCP proxy whose network fails as a test wants: it cuts connections after a
// number of bytes or all at once, stalls, refuses, and delays. Delayed bytes are under way together, as
// on a long line: a latency takes no throughput away. It knows nothing of what it carries.
package faultproxy

import (
	"context"
	"net"
	"sync"
	"time"
)

// Direction is one of the two ways through the proxy.
type Direction int

// The directions, seen from the client.
const (
	Up   Direction = iota // from the client to the server
	Down                  // from the server to the client
)

// Cut is how a connection ends.
type Cut int

// The cuts.
const (
	Reset Cut = iota // as a router does that forgot the connection: bytes under way are lost
	Fin              // as a server does that is done: the client reads a clean end
)

// Proxy forwards every connection to one server. All methods may be called at any time.
type Proxy struct {
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	target  string
	latency time.Duration
	refuse  bool
	resumed chan struct{} // nil unless stalled; closed by Resume
	cuts    [2]*pendingCut
	live    map[*link]struct{}
	total   int
	cut     int
	stopped bool
}

// pendingCut is a cut that bytes are counted towards, those of all connections together.
type pendingCut struct {
	left  int64
	how   Cut
	every int64 // bytes to the next one; 0 = there is none
}

// Start listens on a free port of 127.0.0.1 and forwards to target, a host:port.
func Start(ctx context.Context, target string) (*Proxy, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, target: target, live: map[*link]struct{}{}}
	p.running.Go(p.accept)
	return p, nil
}

// Address is where clients connect to, as host:port.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Stop ends all connections and returns when nothing of the proxy runs any more.
func (p *Proxy) Stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.CutAll(Reset)
	p.Resume()
	p.running.Wait()
}

// Redirect sends new connections to another server.
func (p *Proxy) Redirect(target string) { p.set(func() { p.target = target }) }

// Latency delays every byte by d in each direction; a round trip takes 2d longer.
func (p *Proxy) Latency(d time.Duration) { p.set(func() { p.latency = d }) }

// Refuse makes the proxy reset new connections, or accept them again.
func (p *Proxy) Refuse(refuse bool) { p.set(func() { p.refuse = refuse }) }

// CutAfter cuts, once, the connection that carries the n-th byte from now in a direction. That byte is
// still forwarded; with Reset it may get lost, too.
func (p *Proxy) CutAfter(d Direction, n int64, how Cut) {
	p.set(func() { p.cuts[d] = &pendingCut{left: n, how: how} })
}

// CutEvery is CutAfter, again and again; n of 0 ends it.
func (p *Proxy) CutEvery(d Direction, n int64, how Cut) {
	p.set(func() {
		p.cuts[d] = nil
		if n > 0 {
			p.cuts[d] = &pendingCut{left: n, how: how, every: n}
		}
	})
}

// Stall holds every byte back, of all connections, until Resume.
func (p *Proxy) Stall() {
	p.set(func() {
		if p.resumed == nil {
			p.resumed = make(chan struct{})
		}
	})
}

// Resume forwards again.
func (p *Proxy) Resume() {
	p.set(func() {
		if p.resumed != nil {
			close(p.resumed)
			p.resumed = nil
		}
	})
}

// CutAll cuts the connections that there are.
func (p *Proxy) CutAll(how Cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.live {
		go l.cut(how)
	}
}

// Open is the number of connections that there are.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.live)
}

// Total is the number of connections that there have been, refused ones included.
func (p *Proxy) Total() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// Cuts is how often CutAfter and CutEvery have cut.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cut
}

func (p *Proxy) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed by Stop
		}
		p.running.Go(func() { p.forward(client.(*net.TCPConn)) })
	}
}

// forward carries one connection until it ends.
func (p *Proxy) forward(client *net.TCPConn) {
	p.mu.Lock()
	p.total++
	target, refuse := p.target, p.refuse || p.stopped
	p.mu.Unlock()
	var dialer net.Dialer
	if !refuse {
		if server, err := dialer.Dial("tcp", target); err == nil {
			p.carry(&link{client: client, server: server.(*net.TCPConn), ended: make(chan struct{})})
			return
		}
	}
	reset(client)
}

func (p *Proxy) carry(l *link) {
	p.mu.Lock()
	if p.stopped {
		p.mu.Unlock()
		l.cut(Reset)
		return
	}
	p.live[l] = struct{}{}
	p.mu.Unlock()
	var ways sync.WaitGroup
	ways.Go(func() { p.pump(l, Up, l.client, l.server) })
	ways.Go(func() { p.pump(l, Down, l.server, l.client) })
	ways.Wait()
	l.cut(Fin)
	p.mu.Lock()
	delete(p.live, l)
	p.mu.Unlock()
}

// charge counts n bytes towards the pending cut of a direction. It returns how many of them may still
// be forwarded, and how to cut then, if they reach it.
func (p *Proxy) charge(d Direction, n int) (int, *Cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pending := p.cuts[d]
	if pending == nil {
		return n, nil
	}
	if int64(n) < pending.left {
		pending.left -= int64(n)
		return n, nil
	}
	p.cut++
	p.cuts[d] = nil
	if pending.every > 0 {
		p.cuts[d] = &pendingCut{left: pending.every, how: pending.how, every: pending.every}
	}
	return int(pending.left), &pending.how
}

// delay returns the latency and, while the proxy stalls, what ends that.
func (p *Proxy) delay() (time.Duration, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latency, p.resumed
}
