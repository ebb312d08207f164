package sftpdestination

import (
	"errors"
	"fmt"
	"io"
)

// exactBody gives size bytes of body, no more, and fails when it has fewer: the library would take
// an early end for the end. It remembers why reading failed, because the error may be the server's.
type exactBody struct {
	body     io.Reader
	size     int64
	sent     int64
	progress func(int64)
	failed   error
}

// Size makes the library keep many writes on their way at the same time.
func (b *exactBody) Size() int64 { return b.size }

func (b *exactBody) Read(p []byte) (int, error) {
	left := b.size - b.sent
	if left <= 0 {
		return 0, io.EOF
	}
	n, err := b.body.Read(p[:min(int64(len(p)), left)])
	b.sent += int64(n)
	if n > 0 && b.progress != nil {
		b.progress(b.sent)
	}
	if errors.Is(err, io.EOF) {
		err = nil
		if b.sent < b.size {
			err = fmt.Errorf("%w: %d of %d bytes", io.ErrUnexpectedEOF, b.sent, b.size)
		}
	}
	b.failed = err
	return n, err
}
