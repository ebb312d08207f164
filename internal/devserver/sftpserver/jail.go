//go:build !release

package sftpserver

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/pkg/sftp"
)

// jail answers requests with the files below one folder. The folder is "/" to clients, and links
// that lead out of it are refused. Clients cannot make links.
type jail struct {
	root   *os.Root
	refuse func(method, path string) error
}

var (
	_ sftp.OpenFileWriter       = jail{}
	_ sftp.PosixRenameFileCmder = jail{}
	_ sftp.LstatFileLister      = jail{}
)

// name is where a client's path is, relative to the folder.
func name(clientPath string) string {
	below := strings.TrimPrefix(path.Clean("/"+clientPath), "/")
	if below == "" {
		return "."
	}
	return below
}

// status is what the protocol has for an error. A path that leads out has no errno.
func status(err error) error {
	var errno syscall.Errno
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return sftp.ErrSSHFxNoSuchFile
	case errors.Is(err, fs.ErrPermission):
		return sftp.ErrSSHFxPermissionDenied
	case errors.As(err, &errno):
		return sftp.ErrSSHFxFailure
	}
	return sftp.ErrSSHFxPermissionDenied
}

func (j jail) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	file, err := j.root.Open(name(r.Filepath))
	if err != nil {
		return nil, status(err)
	}
	return file, nil
}

func (j jail) Filewrite(r *sftp.Request) (io.WriterAt, error) { return j.open(r, os.O_WRONLY) }

func (j jail) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) { return j.open(r, os.O_RDWR) }

// open leaves O_APPEND out: os.File refuses WriteAt with it, and clients say where to write.
func (j jail) open(r *sftp.Request, flags int) (*os.File, error) {
	asked := r.Pflags()
	if asked.Creat {
		flags |= os.O_CREATE
	}
	if asked.Trunc {
		flags |= os.O_TRUNC
	}
	if asked.Excl {
		flags |= os.O_EXCL
	}
	file, err := j.root.OpenFile(name(r.Filepath), flags, 0o644)
	if err != nil {
		return nil, status(err)
	}
	return file, nil
}

func (j jail) Filecmd(r *sftp.Request) error {
	at := name(r.Filepath)
	if err := j.asked(r.Method, at); err != nil {
		return err
	}
	switch r.Method {
	case "Setstat":
		return status(j.setAttributes(at, r))
	case "Rename":
		to := name(r.Target)
		if _, err := j.root.Lstat(to); err == nil { // as the protocol has it; posix-rename replaces
			return sftp.ErrSSHFxFailure
		}
		return status(j.root.Rename(at, to))
	case "Mkdir":
		return status(j.root.Mkdir(at, 0o755))
	case "Remove", "Rmdir":
		info, err := j.root.Lstat(at)
		if err != nil {
			return status(err)
		}
		if info.IsDir() != (r.Method == "Rmdir") {
			return sftp.ErrSSHFxFailure
		}
		return status(j.root.Remove(at))
	}
	return sftp.ErrSSHFxOpUnsupported
}

func (j jail) asked(method, at string) error {
	if j.refuse == nil {
		return nil
	}
	return j.refuse(method, at)
}

func (j jail) PosixRename(r *sftp.Request) error {
	if err := j.asked("PosixRename", name(r.Filepath)); err != nil {
		return err
	}
	return status(j.root.Rename(name(r.Filepath), name(r.Target)))
}

// setAttributes leaves owners alone.
func (j jail) setAttributes(at string, r *sftp.Request) error {
	asked, values := r.AttrFlags(), r.Attributes()
	if asked.Size {
		file, err := j.root.OpenFile(at, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		if err := errors.Join(file.Truncate(int64(values.Size)), file.Close()); err != nil {
			return err
		}
	}
	if asked.Permissions {
		if err := j.root.Chmod(at, values.FileMode().Perm()); err != nil {
			return err
		}
	}
	if asked.Acmodtime {
		return j.root.Chtimes(at, time.Unix(int64(values.Atime), 0), time.Unix(int64(values.Mtime), 0))
	}
	return nil
}

func (j jail) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	switch r.Method {
	case "List":
		return j.list(name(r.Filepath))
	case "Stat":
		info, err := j.root.Stat(name(r.Filepath))
		return entries{info}, status(err)
	}
	return nil, sftp.ErrSSHFxOpUnsupported
}

func (j jail) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	info, err := j.root.Lstat(name(r.Filepath))
	return entries{info}, status(err)
}

func (j jail) list(folder string) (sftp.ListerAt, error) {
	opened, err := j.root.Open(folder)
	if err != nil {
		return nil, status(err)
	}
	defer opened.Close()
	infos, err := opened.Readdir(-1)
	if err != nil {
		return nil, status(err)
	}
	return entries(infos), nil
}

type entries []os.FileInfo

func (e entries) ListAt(into []os.FileInfo, from int64) (int, error) {
	if from >= int64(len(e)) {
		return 0, io.EOF
	}
	n := copy(into, e[from:])
	if n < len(into) {
		return n, io.EOF
	}
	return n, nil
}
