package duckdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A pipe is a FIFO in the staging directory: rows stream between Go and DuckDB through it without
// ever standing on disk, once: a second reader could be woken by the first. Both directions wait for the other side without blocking a thread for ever.
type pipe struct{ path string }

const pipePrefix = "pipe-"

func (s *Store) newPipe() (*pipe, error) {
	p := &pipe{path: filepath.Join(s.dir, "staging", pipePrefix+rand.Text())}
	if err := syscall.Mkfifo(p.path, 0o600); err != nil {
		return nil, fmt.Errorf("create pipe: %w", err)
	}
	return p, nil
}

func (p *pipe) remove() { _ = os.Remove(p.path) } // a leftover is swept at the next start

// feed runs query, which reads the pipe, while write fills it. When write fails the query is
// cancelled: an early end of the stream must never look like a short file.
func (p *pipe) feed(ctx context.Context, query func(ctx context.Context) error, write func(w io.Writer) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan error, 1)
	go func() { done <- query(ctx) }()

	w, err := p.openForWriting(done)
	if err != nil {
		return err
	}
	if err := write(w); err != nil {
		cancel(err)
		_ = w.Close()
		if queryErr := <-done; queryErr != nil && errors.Is(err, syscall.EPIPE) {
			return queryErr // the reader went away first: its reason is the reason
		}
		return err
	}
	if err := w.Close(); err != nil {
		cancel(err)
		<-done
		return err
	}
	return <-done
}

// openForWriting opens the pipe as soon as the query reads it, or returns the query's failure.
func (p *pipe) openForWriting(done chan error) (*os.File, error) {
	for {
		w, err := os.OpenFile(p.path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			return w, nil
		}
		if !errors.Is(err, syscall.ENXIO) { // no reader yet
			return nil, fmt.Errorf("open pipe: %w", err)
		}
		select {
		case err := <-done:
			if err == nil {
				err = errors.New("the query did not read its input")
			}
			return nil, err
		case <-time.After(time.Millisecond):
		}
	}
}

// drain runs query, which writes the pipe, while read takes from it. When read fails the query is
// cancelled and the rest is read away, so that DuckDB never writes into a closed pipe.
func (p *pipe) drain(ctx context.Context, query func(ctx context.Context) error, read func(r io.Reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	finished := make(chan struct{})
	var queryErr error
	go func() {
		queryErr = query(ctx)
		close(finished)
		// A query that failed before it opened the pipe leaves the reader waiting: wake it.
		if w, err := os.OpenFile(p.path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			_ = w.Close()
		}
	}()
	r, err := os.OpenFile(p.path, os.O_RDONLY, fs.FileMode(0)) // waits for the writer
	if err != nil {
		cancel(err)
		<-finished
		return fmt.Errorf("open pipe: %w", err)
	}
	defer func() { _ = r.Close() }()
	readErr := read(r)
	if readErr != nil {
		cancel(readErr)
	}
	_, _ = io.Copy(io.Discard, r)
	<-finished
	if readErr != nil {
		return readErr
	}
	return queryErr
}
