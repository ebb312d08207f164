package s3destination

import (
	"errors"
	"fmt"
	"io"
)

// exactBody gives size bytes of body, no more, and fails when it has fewer: the uploader would
// take an early end for the end. It remembers why reading failed, because the SDK may say only
// that sending did.
type exactBody struct {
	body     io.ReadSeeker
	size     int64
	position int64
	failed   error
}

func (b *exactBody) Read(p []byte) (int, error) {
	left := b.size - b.position
	if left <= 0 {
		return 0, io.EOF
	}
	n, err := b.body.Read(p[:min(int64(len(p)), left)])
	b.position += int64(n)
	if errors.Is(err, io.EOF) {
		err = nil
		if b.position < b.size {
			err = fmt.Errorf("%w: %d of %d bytes", io.ErrUnexpectedEOF, b.position, b.size)
		}
	}
	if err != nil {
		b.failed = err
	}
	return n, err
}

func (b *exactBody) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.position
	case io.SeekEnd:
		offset += b.size
	}
	position, err := b.body.Seek(offset, io.SeekStart)
	if err != nil {
		b.failed = err
		return 0, err
	}
	b.position = position
	return position, nil
}
