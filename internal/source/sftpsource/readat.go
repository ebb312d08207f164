package sftpsource

import (
	"io"
	"sync"
	"sync/atomic"
)

// maxRequests is how many requests of one part are under way.
const maxRequests = 32

// readAt fills p from offset on, with several requests under way, and returns how many bytes at its
// beginning are there. The library's own way to do that takes a server that sends less per request than
// it was asked for, as it may, for the end of the file.
func readAt(file io.ReaderAt, p []byte, offset int64, packet int) (int, error) {
	var next, failed atomic.Int64 // where in p
	failed.Store(int64(len(p)))
	var mu sync.Mutex
	var failure error
	one := func() {
		for {
			at := next.Add(int64(packet)) - int64(packet)
			if at >= failed.Load() {
				return
			}
			piece := p[at:min(at+int64(packet), int64(len(p)))]
			n, err := file.ReadAt(piece, offset+at)
			if n == len(piece) {
				continue
			}
			mu.Lock()
			if here := at + int64(n); here < failed.Load() {
				failed.Store(here)
				failure = err
			}
			mu.Unlock()
			return
		}
	}
	var requests sync.WaitGroup
	for range min(maxRequests, (len(p)+packet-1)/packet) {
		requests.Go(one)
	}
	requests.Wait()
	if failure == nil && failed.Load() < int64(len(p)) {
		failure = io.ErrUnexpectedEOF
	}
	return int(failed.Load()), failure
}
