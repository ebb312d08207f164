// Package foldersource reads drop points that are folders of this machine, or mounted on it. Nothing outside of
// the folder can be reached, not by a path and not by a link. A version is told by the file's number, its size and
// its time to the nanosecond, so that a replacement of the same size in the same second is another one.
package foldersource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/source"
)

// Source is a drop point in a folder.
type Source struct {
	folder string
	root   *os.Root
}

var _ source.Source = (*Source)(nil)

// New opens a folder. Missing when it is not there.
func New(folder string) (*Source, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, failure("open folder "+folder, err, "create the folder, mount it, or correct it in the workspace")
	}
	return &Source{folder: folder, root: root}, nil
}

// Close implements source.Source.
func (s *Source) Close() error { return s.root.Close() }

// List implements source.Source.
func (s *Source) List(ctx context.Context, pattern string) (out []source.File, err error) {
	if err = s.walk(ctx, ".", pattern, &out); err != nil {
		return nil, failure("list "+path.Join(s.folder, pattern), err, "let the worker's user read the folder")
	}
	slices.SortFunc(out, func(a, b source.File) int { return cmp.Compare(a.Path, b.Path) })
	return out, nil
}

func (s *Source) walk(ctx context.Context, folder, pattern string, out *[]source.File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(s.root.FS(), folder)
	if errors.Is(err, fs.ErrNotExist) && folder != "." {
		return nil // it was removed meanwhile
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		at := path.Join(folder, entry.Name())
		switch {
		case entry.IsDir():
			if err := s.walk(ctx, at, pattern, out); err != nil {
				return err
			}
		case source.Ignored(at, nil) || !source.Match(pattern, at):
		default:
			// What a link leads to counts; out of the folder it leads nowhere.
			if info, err := s.root.Stat(at); err == nil && info.Mode().IsRegular() {
				*out = append(*out, file(at, info))
			}
		}
	}
	return nil
}

// Stat implements source.Source.
func (s *Source) Stat(ctx context.Context, filePath string) (source.File, error) {
	op := "look at " + path.Join(s.folder, filePath)
	if err := ctx.Err(); err != nil {
		return source.File{}, fmt.Errorf("%s: %w", op, err)
	}
	info, err := s.root.Stat(filePath)
	if err != nil {
		return source.File{}, failure(op, err, "check the file's name")
	}
	if !info.Mode().IsRegular() {
		return source.File{}, errkind.New(errkind.Missing, op, errors.New("it is not a file"), "name a file")
	}
	return file(filePath, info), nil
}

// Open implements source.Source.
func (s *Source) Open(ctx context.Context, f source.File, offset int64) (io.ReadCloser, error) {
	op := "read " + path.Join(s.folder, f.Path)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if offset < 0 || offset > f.Size {
		return nil, errkind.New(errkind.Internal, op, fmt.Errorf("offset %d is not within %d bytes", offset, f.Size), "")
	}
	opened, err := s.root.Open(f.Path)
	if err != nil {
		return nil, failure(op, err, "check the file's name")
	}
	r := &reader{ctx: ctx, op: op, file: opened, version: f, left: f.Size - offset}
	if err := r.unchanged(); err != nil {
		_ = opened.Close() // only read
		return nil, err
	}
	if _, err := opened.Seek(offset, io.SeekStart); err != nil {
		_ = opened.Close()
		return nil, failure(op, err, "")
	}
	return r, nil
}

// reader gives exactly the bytes that are left of the version, or an error before the last of them.
type reader struct {
	ctx     context.Context
	op      string
	file    *os.File
	version source.File
	left    int64
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, fmt.Errorf("%s: %w", r.op, context.Cause(r.ctx))
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.file.Read(p[:min(int64(len(p)), r.left)])
	if int64(n) == r.left || errors.Is(err, io.EOF) { // the last bytes count only when nobody has written meanwhile
		if err := r.unchanged(); err != nil {
			return 0, err
		}
	}
	r.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF) && r.left > 0:
		return n, errkind.New(errkind.Transient, r.op, fmt.Errorf("the file ended %d bytes early", r.left), "it is tried again")
	case err != nil && !errors.Is(err, io.EOF):
		return n, failure(r.op, err, "it is tried again")
	}
	return n, nil
}

// unchanged holds what is open, and what the name leads to now, against the version.
func (r *reader) unchanged() error {
	info, err := r.file.Stat()
	if err == nil && info.Mode().IsRegular() && file(r.version.Path, info).Version() == r.version.Version() {
		return nil
	}
	if err != nil {
		return failure(r.op, err, "it is tried again")
	}
	return errkind.New(errkind.Conflict, r.op, errors.New("the file has changed since it was listed"), "list again and take the new version")
}

func (r *reader) Close() error { return r.file.Close() }

// file describes a file. Its token tells versions apart that size and second do not.
func file(filePath string, info fs.FileInfo) source.File {
	return source.File{Path: filePath, Size: info.Size(), Modified: info.ModTime().UTC(),
		ETag: strings.TrimPrefix(fmt.Sprintf("%s-%d-%d", number(info), info.ModTime().UnixNano(), info.Size()), "-")}
}

func failure(op string, err error, hint string) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", op, err)
	case errors.Is(err, fs.ErrNotExist):
		return errkind.New(errkind.Missing, op, errors.New("it is not there"), hint)
	case errors.Is(err, fs.ErrPermission):
		return errkind.New(errkind.Denied, op, errors.New("permission denied"), "let the worker's user read it")
	case strings.Contains(err.Error(), "escapes"), errors.Is(err, fs.ErrInvalid):
		return errkind.New(errkind.Invalid, op, errors.New("it leads out of the folder"), "name a file below the folder")
	}
	return errkind.New(errkind.Transient, op, err, hint)
}
