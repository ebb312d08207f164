package foldersource

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/source"
)

// List implements source.Source. Links to files within the folder count as files, any other link is an obstacle; links
// to folders are not followed, except where the pattern names them.
func (s *Source) List(ctx context.Context, pattern string) ([]source.File, error) {
	op := "list " + s.path(pattern)
	root, err := within(ctx, s.stall, s.root)
	if err != nil {
		return nil, failure(op, err)
	}
	defer func() { _ = root.Close() }() // only read
	w := &walk{ctx: ctx, stall: s.stall, root: root, pattern: pattern, top: source.Literal(pattern)}
	if err := w.folder(w.top); err != nil {
		return nil, failure(op, err)
	}
	slices.SortFunc(w.files, func(a, b source.File) int { return cmp.Compare(a.Path, b.Path) })
	return w.files, w.obstacles.Err()
}

// walk collects the files that match a pattern and looks into no folder that cannot hold one.
type walk struct {
	ctx       context.Context
	stall     time.Duration
	root      *os.Root
	pattern   string
	top       string
	files     []source.File
	obstacles source.Obstacles
}

func (w *walk) folder(folder string) error {
	entries, err := within(w.ctx, w.stall, func() ([]fs.DirEntry, error) { return w.entries(folder) })
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil // the pattern names no folder, or it was removed meanwhile
	}
	if err != nil {
		err = failure("folder "+source.Quote(cmp.Or(folder, ".")), err)
		if folder != w.top && errkind.Of(err) == errkind.Denied {
			w.obstacles = append(w.obstacles, source.Obstacle{Path: folder, Err: err})
			return nil
		}
		return err
	}
	for _, entry := range entries {
		at := path.Join(folder, entry.Name())
		switch {
		case entry.IsDir():
			w.instead(at, true)
			if source.Leads(w.pattern, at) {
				if err := w.folder(at); err != nil {
					return err
				}
			}
		case source.Ignored(at, nil) || !source.Match(w.pattern, at):
		default:
			if err := w.file(at, entry.Type()&fs.ModeSymlink != 0); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) entries(folder string) ([]fs.DirEntry, error) {
	opened, err := w.root.Open(filepath.FromSlash(cmp.Or(folder, ".")))
	if err != nil {
		return nil, err
	}
	defer func() { _ = opened.Close() }() // only read
	return opened.ReadDir(-1)
}

// file takes a regular file, and a link to one as what it leads to.
func (w *walk) file(at string, link bool) error {
	info, err := within(w.ctx, w.stall, func() (fs.FileInfo, error) { return w.root.Stat(filepath.FromSlash(at)) })
	switch {
	case err == nil:
	case link && leadsOut(err):
		return w.wrongLink(at, "out of the drop point")
	case link && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR)):
		return w.wrongLink(at, "to nothing that can be read")
	case errors.Is(err, fs.ErrNotExist):
		return nil // it was removed meanwhile
	case errors.Is(err, fs.ErrPermission):
		w.obstacles = append(w.obstacles, source.Obstacle{Path: at, Err: failure("look at "+source.Quote(at), err)})
		return nil
	default:
		return err
	}
	if info.Mode().IsRegular() {
		w.files = append(w.files, file(at, info))
	} else {
		w.instead(at, info.IsDir())
	}
	return nil
}

// wrongLink notes a link, unless it was removed meanwhile.
func (w *walk) wrongLink(at, leads string) error {
	_, err := within(w.ctx, w.stall, func() (fs.FileInfo, error) { return w.root.Lstat(filepath.FromSlash(at)) })
	switch {
	case err == nil:
		w.obstacles = append(w.obstacles, source.WrongLink(at, leads))
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// instead notes what stands where a file should.
func (w *walk) instead(at string, folder bool) {
	if source.Expects(w.pattern) && source.Match(w.pattern, at) && !source.Ignored(at, nil) {
		w.obstacles = append(w.obstacles, source.NotAFile(at, folder))
	}
}
