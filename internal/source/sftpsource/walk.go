package sftpsource

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"prospector/internal/connect"
	"prospector/internal/errkind"
	"prospector/internal/source"
)

// walk collects the files that match a pattern and looks into no folder that cannot hold one.
type walk struct {
	connection *connect.SFTPConnection
	options    connect.SFTPOptions
	pattern    string
	top        string
	files      []source.File
	obstacles  source.Obstacles
}

func newWalk(c *connect.SFTPConnection, options connect.SFTPOptions, pattern string) *walk {
	return &walk{connection: c, options: options, pattern: pattern, top: source.Literal(pattern)}
}

func (w *walk) start() error {
	info, err := w.connection.Stat(w.options.Path(""))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return errkind.New(errkind.Missing, "", errors.New("the folder of the drop point is not there"), "create the folder or correct it in the workspace")
	}
	if err != nil {
		return err
	}
	if w.top != "" {
		info, err := w.connection.Stat(w.options.Path(w.top))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if err := w.folder(w.top); err != nil {
		return err
	}
	slices.SortFunc(w.files, func(a, b source.File) int { return cmp.Compare(a.Path, b.Path) })
	return nil
}

func (w *walk) folder(folder string) error {
	entries, err := w.connection.ReadDir(w.options.Path(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was removed meanwhile
	}
	if errors.Is(err, fs.ErrPermission) && folder != w.top {
		denied := errkind.New(errkind.Denied, "folder "+source.Quote(folder), errors.New("permission denied"), "let this user read it")
		w.obstacles = append(w.obstacles, source.Obstacle{Path: folder, Err: denied})
		return nil
	}
	if err != nil {
		return fmt.Errorf("folder %s: %w", source.Quote(folder), err)
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
			if err := w.file(at, entry); err != nil {
				return err
			}
		}
	}
	return nil
}

// file takes a regular file, and a link to one as what it leads to.
func (w *walk) file(at string, info fs.FileInfo) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		var err error
		if info, err = w.connection.Stat(w.options.Path(at)); errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return w.wrongLink(at)
		} else if err != nil {
			return err
		}
	}
	if info.Mode().IsRegular() {
		w.files = append(w.files, file(at, info))
	} else {
		w.instead(at, info.IsDir())
	}
	return nil
}

// wrongLink notes a link, unless it was removed meanwhile.
func (w *walk) wrongLink(at string) error {
	_, err := w.connection.Lstat(w.options.Path(at))
	switch {
	case err == nil:
		w.obstacles = append(w.obstacles, source.WrongLink(at, "to nothing that the server lets this user read"))
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
