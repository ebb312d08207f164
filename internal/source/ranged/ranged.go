// Package ranged reads one version of a file as parts, several at a time, and hands the bytes out in
// order. A part that is cut is taken up where it stopped, as long as bytes arrive; a failure that
// trying again cannot help ends the reading at once. Memory is bounded by the parts, and a consumer
// that takes its time holds up no request that is under way. Drivers say how to fetch a part; nothing
// here knows a protocol.
package ranged

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"prospector/internal/errkind"
)

// Fetch reads len(into) bytes from offset on, and returns nil only when it has them all. It calls
// arrived with the number of bytes that are at the beginning of into, and never touches those again;
// with 0 as soon as the server has begun to answer. It ends soon after ctx does. worker tells the
// callers that run side by side apart, from 0 on; only as many are there as there are parts.
type Fetch func(ctx context.Context, worker int, offset int64, into []byte, arrived func(n int)) error

// Options say how to read.
type Options struct {
	Op       string // what is attempted and on which file, for the errors of this package
	PartSize int64  // bytes
	Parallel int    // parts that are fetched side by side; one more is held in memory for the consumer
	Patience Patience

	// Check, unless nil, is asked once all bytes have arrived. The last part is held back until it
	// returns nil.
	Check func(ctx context.Context) error
}

// Reader hands out the bytes of a version in order. After an error it gives nothing more, and no
// byte that had arrived but was not read yet.
type Reader struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	options  Options
	fetch    Fetch
	running  sync.WaitGroup
	begun    chan struct{} // closed when the server has begun to answer
	beginner sync.Once

	free  chan []byte // buffers of parts; nil ones are not allocated yet
	todo  chan *part  // to the workers
	order chan *part  // to Read; closed after the last part

	current *part
	read    int // bytes of current
	checked bool
}

// Open starts to read the bytes from offset to end. It returns when the server has begun to answer:
// until then every failure is final, so that wrong options show at once. ctx is the Reader's, too.
func Open(ctx context.Context, offset, end int64, options Options, fetch Fetch) (*Reader, error) {
	r := &Reader{
		options: options, fetch: fetch, begun: make(chan struct{}),
		free: make(chan []byte, options.Parallel+1), todo: make(chan *part), order: make(chan *part, options.Parallel+1),
	}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	for range options.Parallel + 1 {
		r.free <- nil
	}
	r.running.Go(func() { r.distribute(offset, end) })
	select {
	case <-r.begun:
	case <-r.ctx.Done():
	}
	if err := r.failure(); err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// distribute cuts the range into parts. Only the first is asked for until the server answers.
func (r *Reader) distribute(offset, end int64) {
	defer close(r.todo)
	if offset == end {
		close(r.begun)
	}
	for worker := 0; offset < end; worker++ {
		var buffer []byte
		select {
		case buffer = <-r.free:
		case <-r.ctx.Done():
			return
		}
		size := min(r.options.PartSize, end-offset)
		if buffer == nil {
			buffer = make([]byte, size)
		}
		p := newPart(offset, buffer[:size])
		offset += size
		p.last = offset == end
		r.order <- p // has room for every buffer
		if worker < r.options.Parallel {
			r.running.Go(func() { r.work(worker, p) })
		} else {
			select {
			case r.todo <- p:
			case <-r.ctx.Done():
				return
			}
		}
		select {
		case <-r.begun:
		case <-r.ctx.Done():
			return
		}
	}
	close(r.order)
}

func (r *Reader) work(worker int, p *part) {
	for ok := true; ok; p, ok = <-r.todo {
		if err := r.complete(worker, p); err != nil {
			r.cancel(err)
			return
		}
		close(p.done)
	}
}

// complete fetches a part, taking it up again where it was cut.
func (r *Reader) complete(worker int, p *part) error {
	return r.options.Patience.persist(r.ctx, func() (moved, again bool, err error) {
		before := p.size()
		err = r.fetch(r.ctx, worker, p.offset+int64(before), p.content[before:], func(n int) {
			r.beginner.Do(func() { close(r.begun) })
			p.grow(before + n)
		})
		after := p.size()
		if err == nil && after < len(p.content) {
			err = errkind.New(errkind.Transient, r.options.Op, fmt.Errorf("a part ended %d bytes early", len(p.content)-after), "")
		}
		// What fails although all is there is the content itself.
		return after > before, r.hasBegun() && after < len(p.content), err
	})
}

func (r *Reader) hasBegun() bool {
	select {
	case <-r.begun:
		return true
	default:
		return false
	}
}

func (r *Reader) failure() error {
	switch cause := context.Cause(r.ctx); {
	case cause == nil:
		return nil
	case errors.Is(cause, context.Canceled), errors.Is(cause, context.DeadlineExceeded), errors.Is(cause, fs.ErrClosed):
		return fmt.Errorf("%s: %w", r.options.Op, cause)
	default:
		return cause
	}
}

// Read implements io.Reader. It is for one goroutine at a time.
func (r *Reader) Read(p []byte) (int, error) {
	for {
		if err := r.failure(); err != nil {
			return 0, err
		}
		if r.current == nil && !r.next() {
			return 0, io.EOF
		}
		if r.current == nil {
			continue // ended
		}
		if n := copy(p, r.ready()); n > 0 || len(p) == 0 {
			r.read += n
			return n, nil
		}
		if r.read < len(r.current.content) {
			r.await(r.current.more)
		} else if r.await(r.current.done) {
			r.free <- r.current.content[:cap(r.current.content)]
			r.current = nil
		}
	}
}

// next takes the next part; false when there is none.
func (r *Reader) next() bool {
	select {
	case p, more := <-r.order:
		r.current, r.read = p, 0
		return more
	case <-r.ctx.Done():
		return true
	}
}

func (r *Reader) await(event <-chan struct{}) bool {
	select {
	case <-event:
		return true
	case <-r.ctx.Done():
		return false
	}
}

// ready is what of the current part may be handed out.
func (r *Reader) ready() []byte {
	if r.current.last && r.options.Check != nil && !r.checked {
		if !r.await(r.current.done) || !r.check() {
			return nil
		}
	}
	return r.current.content[r.read:r.current.size()]
}

// check runs when the consumer has had all parts but the last, so they have arrived.
func (r *Reader) check() bool {
	err := r.options.Patience.persist(r.ctx, func() (moved, again bool, err error) {
		return false, true, r.options.Check(r.ctx)
	})
	if err != nil {
		r.cancel(err)
		return false
	}
	r.checked = true
	return true
}

// Close ends what is under way and returns when nothing of it runs any more.
func (r *Reader) Close() error {
	r.cancel(fs.ErrClosed)
	r.running.Wait()
	return nil
}
