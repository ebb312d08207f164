package activities

import (
	"context"
	"sync"
	"time"
)

// guardEvery is how long a file that may not leave any more is still sent, at most and beside the time that judging takes.
const guardEvery = 2 * time.Second

// guard asks while a file is sent whether it may still leave. Whatever it cannot tell, it takes for no.
type guard struct {
	ask    func(context.Context) error
	cancel context.CancelFunc

	mu      sync.Mutex
	stopped error // why it may not leave
}

// guarded returns a context that ends when ask fails, which is called again and again until then.
func guarded(ctx context.Context, every time.Duration, ask func(context.Context) error) (context.Context, *guard) {
	ctx, cancel := context.WithCancel(ctx)
	g := &guard{ask: ask, cancel: cancel}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(every):
				_ = g.judge(ctx) // it is kept
			}
		}
	}()
	return ctx, g
}

// judge asks now. What may not leave once does not leave.
func (g *guard) judge(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped == nil && ctx.Err() == nil {
		if err := g.ask(ctx); ctx.Err() == nil { // else nobody could be asked
			g.stopped = err
		}
	}
	if g.stopped != nil {
		g.cancel()
		return g.stopped
	}
	return ctx.Err()
}

// end ends the context and gives back why the file may not leave, if it was that by which sending failed.
func (g *guard) end(err error) error {
	g.cancel()
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil && g.stopped != nil {
		return g.stopped
	}
	return err
}
