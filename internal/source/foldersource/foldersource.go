// Package foldersource reads drop points that are folders of this machine, local or mounted. Nothing
// leads out of the folder: a relative link to a file within it is followed as sftpsource does, any other is said and
// not followed. A version is told by the file's number, its size and its time to the nanosecond, so that a
// replacement of the same size in the same second is another one; on a mount that numbers its files anew,
// all are. A call on a mount that has died ends like one on a network that has.
package foldersource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/source"
)

// stallLimit is how long the system may take for one answer.
const stallLimit = time.Minute

const allowReading = "let the user that runs this read it"

// Source is a drop point in a folder.
type Source struct {
	folder string
	stall  time.Duration
}

var _ source.Source = (*Source)(nil)

// New takes a folder, which the first call shows to be there or not: it may be mounted later.
func New(folder string) (*Source, error) {
	if folder == "" {
		return nil, errkind.New(errkind.Invalid, "open a folder", errors.New("no folder is given"), "set folder")
	}
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "open the folder "+folder, err, "write the folder's whole path")
	}
	return &Source{folder: absolute, stall: stallLimit}, nil
}

// Close implements source.Source.
func (s *Source) Close() error { return nil }

// Stat implements source.Source.
func (s *Source) Stat(ctx context.Context, filePath string) (source.File, error) {
	op := "look at " + s.path(filePath)
	if err := checkPath(op, filePath); err != nil {
		return source.File{}, err
	}
	f, err := within(ctx, s.stall, func() (source.File, error) {
		root, err := s.root()
		if err != nil {
			return source.File{}, err
		}
		defer func() { _ = root.Close() }() // only read
		info, err := stat(root, filePath)
		if err != nil {
			return source.File{}, err
		}
		return file(filePath, info), nil
	})
	return f, failure(op, err)
}

// path names a file for messages.
func (s *Source) path(filePath string) string {
	return s.folder + string(filepath.Separator) + filepath.FromSlash(filePath)
}

// root opens the folder, for one call: another one may be mounted there for the next.
func (s *Source) root() (*os.Root, error) {
	root, err := os.OpenRoot(s.folder)
	if err == nil {
		return root, nil
	}
	if info, absent := os.Stat(s.folder); errors.Is(absent, fs.ErrNotExist) || errors.Is(absent, syscall.ENOTDIR) || absent == nil && !info.IsDir() {
		return nil, errkind.New(errkind.Missing, "", errors.New("the folder of the drop point is not there"),
			"create or mount the folder, or correct it in the workspace")
	}
	return nil, err
}

// stat follows links.
func stat(root *os.Root, filePath string) (fs.FileInfo, error) {
	info, err := root.Stat(filepath.FromSlash(filePath))
	if err == nil && !info.Mode().IsRegular() {
		return nil, errkind.New(errkind.Missing, "", errors.New("it is not a file"), "name a file in it, or ask the partner to put the file itself there")
	}
	return info, err
}

// file describes a file. Its token tells versions apart that size and second do not.
func file(filePath string, info fs.FileInfo) source.File {
	return source.File{
		Path: filePath, Size: info.Size(), Modified: info.ModTime().UTC(),
		ETag: strings.TrimPrefix(fmt.Sprintf("%s-%d-%d", number(info), info.ModTime().UnixNano(), info.Size()), "-"),
	}
}

func checkPath(op, filePath string) error {
	if filePath == "." || path.Clean(filePath) != filePath || !filepath.IsLocal(filepath.FromSlash(filePath)) {
		return errkind.New(errkind.Invalid, op, fmt.Errorf("%s is not a path below the folder", source.Quote(filePath)), `write folders and a name with one "/" between them`)
	}
	return nil
}

// failure gives an error of the system its kind. A cancellation keeps its meaning.
func failure(op string, err error) error {
	var known *errkind.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", op, err)
	case errors.As(err, &known):
		return errkind.New(known.Kind, op, err, "")
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return errkind.New(errkind.Missing, op, cause(err), "")
	case errors.Is(err, fs.ErrPermission):
		return errkind.New(errkind.Denied, op, cause(err), allowReading)
	case leadsOut(err):
		return errkind.New(errkind.Missing, op, errors.New("it is a link that leads out of the folder"), "put the file itself into the folder")
	}
	return errkind.New(errkind.Transient, op, cause(err), "check the disk or the mount; it is tried again")
}

// cause leaves out the path, which op names.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// leadsOut goes by the text: the library has no type for it.
func leadsOut(err error) bool {
	var at *fs.PathError
	return errors.As(err, &at) && strings.Contains(at.Err.Error(), "escapes")
}
