package sftpsource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"prospector/internal/connect"
	"prospector/internal/errkind"
	"prospector/internal/source"
)

// download reads the rest of a version ahead of its reader, which keeps many requests on their way.
// It returns when the file is open.
func (s *Source) download(ctx context.Context, op string, f source.File, offset int64) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	from, to := io.Pipe()
	r := &reader{PipeReader: from, ctx: ctx, op: op, cancel: cancel, done: make(chan struct{})}
	opened := make(chan error, 2)
	go func() {
		defer close(r.done)
		release := context.AfterFunc(ctx, func() { to.CloseWithError(fmt.Errorf("%s: %w", op, ctx.Err())) })
		defer release()
		err := s.client.Do(ctx, op, func(c *connect.SFTPConnection) error {
			return s.copyVersion(c, f, offset, to, func() { opened <- nil })
		})
		to.CloseWithError(err) // nil is the end of the file
		opened <- err
	}()
	if err := <-opened; err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// copyVersion copies exactly the version f describes, from offset on, or fails before its last byte.
func (s *Source) copyVersion(c *connect.SFTPConnection, f source.File, offset int64, to io.Writer, opened func()) error {
	if now, err := s.stat(c, f.Path); err != nil {
		return err
	} else if !same(f, now) {
		return changed()
	}
	if offset == f.Size {
		opened()
		return nil
	}
	remote, err := c.Open(s.options.Path(f.Path))
	if err != nil {
		return err
	}
	defer func() { _ = remote.Close() }() // only read
	if _, err := remote.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	opened()
	held := &lastHeld{connection: c, to: to, left: f.Size - offset}
	if _, err := remote.WriteTo(held); err != nil {
		return err
	}
	// The library takes a cut connection for the end of the file at times: asking again settles it.
	switch now, err := s.stat(c, f.Path); {
	case errors.Is(err, fs.ErrNotExist), err == nil && !same(f, now):
		return changed()
	case err != nil:
		return err
	case held.left > 0:
		return errkind.New(errkind.Transient, "", fmt.Errorf("the file ended %d bytes early", held.left), "open the rest of the file")
	}
	return held.flush()
}

func same(a, b source.File) bool { return a.Size == b.Size && a.Version() == b.Version() }

func changed() error {
	return errkind.New(errkind.Conflict, "", errors.New("the file has changed since it was listed"), "list again and take the new version")
}

// lastHeld passes on all but the last chunk of a version, which waits for flush, and nothing of what
// a file has grown by.
type lastHeld struct {
	connection *connect.SFTPConnection
	to         io.Writer
	left       int64
	last       []byte
}

func (w *lastHeld) Write(p []byte) (int, error) {
	if int64(len(p)) > w.left {
		return 0, changed()
	}
	w.left -= int64(len(p))
	if w.left == 0 {
		w.last = bytes.Clone(p)
		return len(p), nil
	}
	return w.pass(p)
}

func (w *lastHeld) flush() error {
	_, err := w.pass(w.last)
	return err
}

// pass waits for the reader, which may be slow without the server being at fault.
func (w *lastHeld) pass(p []byte) (n int, err error) {
	w.connection.Unwatched(func() { n, err = w.to.Write(p) })
	return n, err
}

type reader struct {
	*io.PipeReader
	ctx    context.Context // what has arrived already is not handed over after its end
	op     string
	cancel context.CancelFunc
	done   chan struct{}
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, fmt.Errorf("%s: %w", r.op, context.Cause(r.ctx))
	}
	return r.PipeReader.Read(p)
}

// Close ends a download that is not finished, and its connection.
func (r *reader) Close() error {
	r.cancel()
	_ = r.PipeReader.Close() // never fails
	<-r.done
	return nil
}
