package foldersource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/source"
)

const blockSize = 1 << 20 // bytes that are read at once

// Open implements source.Source.
func (s *Source) Open(ctx context.Context, f source.File, offset int64) (io.ReadCloser, error) {
	op := "read " + s.path(f.Path)
	if err := checkPath(op, f.Path); err != nil {
		return nil, err
	}
	if offset < 0 || offset > f.Size {
		return nil, errkind.New(errkind.Internal, op, fmt.Errorf("offset %d is not within %d bytes", offset, f.Size), "")
	}
	r := &reader{ctx: ctx, op: op, stall: s.stall, file: f, offset: offset}
	opened, err := within(ctx, s.stall, func() (handles, error) { return s.open(f) })
	if err != nil {
		return nil, failure(op, err)
	}
	r.handles = opened
	return r, nil
}

// handles are what a reader holds open.
type handles struct {
	root    *os.Root
	content *os.File
}

func (h handles) close() {
	_ = h.content.Close() // only read
	_ = h.root.Close()
}

// open opens the version f describes. Looking first keeps pipes from being opened.
func (s *Source) open(f source.File) (handles, error) {
	root, err := s.root()
	if err != nil {
		return handles{}, err
	}
	h, err := openIn(root, f)
	if err != nil {
		_ = root.Close()
	}
	return h, err
}

func openIn(root *os.Root, f source.File) (handles, error) {
	info, err := stat(root, f.Path)
	if err != nil {
		return handles{}, err
	}
	if !same(f, info) {
		return handles{}, changed()
	}
	content, err := root.Open(filepath.FromSlash(f.Path))
	if err != nil {
		return handles{}, err
	}
	h := handles{root, content}
	if err := h.prove(f); err != nil {
		_ = content.Close()
		return handles{}, err
	}
	return h, nil
}

// prove fails unless what is open is the version, and the folder has it under its name still.
func (h handles) prove(f source.File) error {
	info, err := h.content.Stat()
	if err != nil {
		return err
	}
	now, err := stat(h.root, f.Path)
	switch {
	case errkind.Of(err) == errkind.Missing && err != nil, errors.Is(err, fs.ErrNotExist):
		return changed()
	case err != nil:
		return err
	case !same(f, info) || !os.SameFile(info, now):
		return changed()
	}
	return nil
}

func same(f source.File, info fs.FileInfo) bool {
	return f.Size == info.Size() && f.Version() == file(f.Path, info).Version()
}

func changed() error {
	return errkind.New(errkind.Conflict, "", errors.New("the file has changed since it was listed"), "list again and take the new version")
}

// reader gives the rest of a version, block by block: each is handed out after the file has proved to be
// the version still.
type reader struct {
	handles
	ctx    context.Context
	op     string
	stall  time.Duration
	file   source.File
	offset int64 // of the next block
	block  []byte
	err    error
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, fmt.Errorf("%s: %w", r.op, context.Cause(r.ctx))
	}
	if r.err != nil {
		return 0, r.err
	}
	if len(r.block) == 0 {
		if r.offset == r.file.Size {
			return 0, io.EOF
		}
		if r.block, r.err = r.next(); r.err != nil {
			r.err = failure(r.op, r.err)
			return 0, r.err
		}
		r.offset += int64(len(r.block))
	}
	n := copy(p, r.block)
	r.block = r.block[n:]
	return n, nil
}

// next reads into memory of its own: a read that is left behind may still write there.
func (r *reader) next() ([]byte, error) {
	size, offset := min(blockSize, r.file.Size-r.offset), r.offset
	return within(r.ctx, r.stall, func() ([]byte, error) {
		block := make([]byte, size)
		n, err := r.content.ReadAt(block, offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err := r.prove(r.file); err != nil {
			return nil, err
		}
		if n < len(block) {
			return nil, errkind.New(errkind.Transient, "", fmt.Errorf("the file ended %d bytes early", len(block)-n), "open the rest of the file")
		}
		return block, nil
	})
}

func (r *reader) Close() error {
	r.close()
	return nil
}
