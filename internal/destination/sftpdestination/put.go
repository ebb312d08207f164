package sftpdestination

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"prospector/internal/connect"
	"prospector/internal/errkind"
)

// The extensions by which servers say that they can do more than the protocol asks for.
const (
	fsyncExtension       = "fsync@openssh.com"
	posixRenameExtension = "posix-rename@openssh.com"
)

const cleanUpLimit = 5 * time.Second // of a Put that has failed already

// Put implements destination.Destination.
func (d *Destination) Put(ctx context.Context, key string, body io.ReadSeeker, size int64, progress func(sent int64), before ...func() error) error {
	op := "put " + d.options.URL(key)
	if err := connect.CheckSFTPName(op, key); err != nil {
		return err
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("%s: read the file: %w", op, err)
	}
	u := &upload{options: d.options, key: key, body: &exactBody{body: body, size: size, progress: progress}, before: before}
	err := d.client.Do(ctx, op, u.run)
	if err == nil {
		return nil
	}
	if u.began {
		d.cleanUp(ctx, u.temporary())
	}
	if u.body.failed != nil && ctx.Err() == nil { // not the server's fault
		return fmt.Errorf("%s: read the file: %w", op, u.body.failed)
	}
	return err
}

// cleanUp removes a temporary file as well as it can: the failure that led here counts.
func (d *Destination) cleanUp(ctx context.Context, file string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpLimit)
	defer cancel()
	_ = d.client.Do(ctx, "remove "+d.options.URL(file), func(c *connect.SFTPConnection) error {
		return c.Remove(d.options.Path(file))
	})
}

// upload is one attempt to put one file.
type upload struct {
	options connect.SFTPOptions
	key     string
	body    *exactBody
	before  []func() error
	began   bool // the temporary file may be there
}

// temporary is a name that readers of the folder ignore, by its dot and by its ending.
func (u *upload) temporary() string {
	folder, name := path.Split(u.key)
	return folder + "." + name + ".part"
}

func (u *upload) run(c *connect.SFTPConnection) error {
	if err := u.makeFolders(c); err != nil {
		return err
	}
	temporary := u.options.Path(u.temporary())
	// A cut attempt may still be writing on the server's side: it keeps its file, and we get our own.
	_ = c.Remove(temporary)
	u.began = true
	if err := u.write(c, temporary); err != nil {
		return err
	}
	info, err := c.Stat(temporary)
	if err != nil {
		return err
	}
	if info.Size() != u.body.size {
		return errkind.New(errkind.Transient, "", fmt.Errorf("%d of %d bytes arrived", info.Size(), u.body.size), "it is tried again")
	}
	for _, before := range u.before {
		c.Unwatched(func() { err = before() })
		if err != nil {
			return err
		}
	}
	return rename(c, temporary, u.options.Path(u.key))
}

// makeFolders makes the folders of the key, but never the destination's own: that it is missing is
// more likely a mistake.
func (u *upload) makeFolders(c *connect.SFTPConnection) error {
	info, err := c.Stat(u.options.Path(""))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return errkind.New(errkind.Missing, "", errors.New("the folder of the destination is not there"), "create the folder or correct it in the workspace")
	}
	if err != nil {
		return err
	}
	parts := strings.Split(u.key, "/")
	for i := 1; i < len(parts); i++ {
		if err := makeFolder(c, u.options.Path(path.Join(parts[:i]...))); err != nil {
			return err
		}
	}
	return nil
}

func makeFolder(c *connect.SFTPConnection, folder string) error {
	info, err := c.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		refused := c.Mkdir(folder)
		if refused == nil {
			return nil
		}
		if info, err = c.Stat(folder); err != nil { // else somebody was faster
			return refused
		}
	}
	if err != nil || info.IsDir() {
		return err
	}
	return errkind.New(errkind.Conflict, "", errors.New("a file has the name of one of the folders"), "remove the file or correct the name")
}

func (u *upload) write(c *connect.SFTPConnection, name string) error {
	file, err := c.CreateFile(name)
	if err != nil {
		return err
	}
	_, err = file.ReadFrom(u.body)
	if _, ok := c.HasExtension(fsyncExtension); ok && err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

func rename(c *connect.SFTPConnection, from, to string) error {
	if _, ok := c.HasExtension(posixRenameExtension); ok {
		return c.PosixRename(from, to)
	}
	err := c.Rename(from, to) // of a new name, or by a server that replaces anyway
	if err == nil {
		return nil
	}
	if removed := c.Remove(to); removed != nil {
		return err
	}
	return c.Rename(from, to)
}
