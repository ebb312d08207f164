package ranged

import "sync/atomic"

// part is a stretch of the file, filled from its beginning on.
type part struct {
	offset  int64
	content []byte
	last    bool
	arrived atomic.Int64
	more    chan struct{} // says that arrived has grown
	done    chan struct{} // closed when the fetch has succeeded
}

func newPart(offset int64, content []byte) *part {
	return &part{offset: offset, content: content, more: make(chan struct{}, 1), done: make(chan struct{})}
}

func (p *part) size() int { return int(p.arrived.Load()) }

func (p *part) grow(size int) {
	p.arrived.Store(int64(size))
	select {
	case p.more <- struct{}{}:
	default: // it is said already
	}
}
