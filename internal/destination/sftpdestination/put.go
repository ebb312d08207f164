package sftpdestination

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/pkg/sftp"

	"prospector/internal/connect"
	"prospector/internal/destination"
	"prospector/internal/errkind"
)

// The extensions by which servers say that they can do more than the protocol asks for.
const (
	fsyncExtension       = "fsync@openssh.com"
	posixRenameExtension = "posix-rename@openssh.com"
)

// What servers answer to a rename whose target exists: in version 3 of the protocol, which has no code for it, that it failed.
const (
	fxFailure           = 4
	fxFileAlreadyExists = 11
)

// Put implements destination.Destination.
func (d *Destination) Put(ctx context.Context, key string, body io.ReadSeeker, size int64, hooks destination.Hooks) error {
	op := "put " + d.options.URL(key)
	if err := connect.CheckSFTPName(op, key); err != nil {
		return err
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("%s: read the file: %w", op, err)
	}
	u := &upload{Unfinished: d.unfinished(key, strings.ToLower(rand.Text()[:12])), options: d.options,
		body: &exactBody{body: body, size: size, progress: hooks.Sent}, hooks: hooks}
	err := d.client.Do(ctx, op, u.run)
	if u.body.failed != nil && ctx.Err() == nil { // not the server's fault
		return fmt.Errorf("%s: read the file: %w", op, u.body.failed)
	}
	return err
}

// Discard implements destination.Destination.
func (d *Destination) Discard(ctx context.Context, u destination.Unfinished) (found bool, err error) {
	op := "remove " + u.At
	err = d.client.Do(ctx, op, func(c *connect.SFTPConnection) error {
		removed := c.Remove(d.options.Path(temporary(u)))
		if found = removed == nil; !found && !errors.Is(removed, fs.ErrNotExist) {
			return removed
		}
		if _, replaces := c.HasExtension(posixRenameExtension); replaces {
			return nil
		}
		return putBack(c, d.options.Path(aside(u)), d.options.Path(u.Key))
	})
	if now := d.unfinished(u.Key, u.ID).At; err == nil && !found && now != u.At {
		err = errkind.New(errkind.Conflict, op, fmt.Errorf("the destination has moved: there is no %s", now), "remove it by hand")
	}
	return found, err
}

// unfinished names a user too: folders may be relative to where one's login starts.
func (d *Destination) unfinished(key, id string) destination.Unfinished {
	u := destination.Unfinished{Key: key, ID: id}
	u.At = "file " + d.options.URL(temporary(u)) + " of user " + d.options.User
	return u
}

// temporary is a name that readers of the folder ignore, by its dot and by its ending.
func temporary(u destination.Unfinished) string {
	folder, name := path.Split(u.Key)
	return folder + "." + name + "." + u.ID + ".part"
}

// aside is where an earlier file is until the new one has its name.
func aside(u destination.Unfinished) string {
	folder, name := path.Split(u.Key)
	return folder + "." + name + "." + u.ID + ".old.part"
}

// upload is one attempt to put one file.
type upload struct {
	destination.Unfinished
	options connect.SFTPOptions
	body    *exactBody
	hooks   destination.Hooks
}

func (u *upload) run(c *connect.SFTPConnection) error {
	if err := u.makeFolders(c); err != nil {
		return err
	}
	if u.hooks.Begin != nil {
		if err := ours(c, func() error { return u.hooks.Begin(u.Unfinished) }); err != nil {
			return err
		}
	}
	temporary := u.options.Path(temporary(u.Unfinished))
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
	if u.hooks.Appear != nil {
		if err := ours(c, u.hooks.Appear); err != nil {
			return err
		}
	}
	return replace(c, temporary, u.options.Path(u.Key), u.options.Path(aside(u.Unfinished)))
}

// ours does something of ours, for which the server is not waited for.
func ours(c *connect.SFTPConnection, do func() error) (err error) {
	c.Unwatched(func() { err = do() })
	return err
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
	parts := strings.Split(u.Key, "/")
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

// replace gives a file the name of another, which is lost only when it has been replaced.
func replace(c *connect.SFTPConnection, from, to, aside string) error {
	if _, ok := c.HasExtension(posixRenameExtension); ok {
		return c.PosixRename(from, to)
	}
	err := c.Rename(from, to) // of a new name, or by a server that replaces anyway
	if err == nil || !exists(c, err, to) {
		return err
	}
	if c.Rename(to, aside) != nil {
		return err
	}
	if err := c.Rename(from, to); err != nil {
		_ = c.Rename(aside, to) // else Discard does it
		return err
	}
	return c.Remove(aside)
}

// exists reports whether it can be the reason of a refused rename that the target is there. Others, as that
// nothing may be written there, are no reason to touch it.
func exists(c *connect.SFTPConnection, refused error, target string) bool {
	var status *sftp.StatusError
	if !errors.As(refused, &status) || status.Code != fxFailure && status.Code != fxFileAlreadyExists {
		return false
	}
	info, err := c.Stat(target)
	return err == nil && info.Mode().IsRegular()
}

// putBack gives an earlier file that was moved aside its name again, unless the new one has it.
func putBack(c *connect.SFTPConnection, aside, name string) error {
	if _, err := c.Stat(aside); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	_, err := c.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return c.Rename(aside, name)
	}
	if err != nil {
		return err
	}
	return c.Remove(aside)
}
