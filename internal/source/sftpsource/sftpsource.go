// Package sftpsource reads drop points on SFTP servers: everything below a folder. A version is a
// size and a modification time, both asked for again before the first byte, after every part, and before
// the last one is handed over, so that a file that changes in the middle of a download fails instead of
// mixing. Parts are read side by side, over several connections where the server allows them; a cut
// part is taken up where it stopped.
package sftpsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"

	"prospector/internal/connect"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/ranged"
)

// Source is a drop point on an SFTP server.
type Source struct {
	options connect.SFTPOptions
	client  *connect.SFTPClient
	reading ranged.Options
	lonely  atomic.Bool // the server has refused a second sign-in
}

var _ source.Source = (*Source)(nil)

// New signs in to a drop point. The first call shows whether the folder is there.
func New(ctx context.Context, options connect.SFTPOptions) (*Source, error) {
	client, err := connect.SFTP(ctx, options)
	if err != nil {
		return nil, err
	}
	return &Source{options: options, client: client, reading: reading}, nil
}

// Close implements source.Source.
func (s *Source) Close() error { return s.client.Close() }

// List implements source.Source. Links to files count as files; links to folders are not followed,
// except where the folder or the pattern names them.
func (s *Source) List(ctx context.Context, pattern string) (files []source.File, err error) {
	var obstacles source.Obstacles
	err = s.client.Do(ctx, "list "+s.options.URL(pattern), func(c *connect.SFTPConnection) error {
		walk := newWalk(c, s.options, pattern)
		err := walk.start()
		files, obstacles = walk.files, walk.obstacles
		return err
	})
	if err != nil {
		return nil, err
	}
	return files, obstacles.Err()
}

// Stat implements source.Source.
func (s *Source) Stat(ctx context.Context, filePath string) (f source.File, err error) {
	op := "look at " + s.options.URL(filePath)
	if err := connect.CheckSFTPName(op, filePath); err != nil {
		return f, err
	}
	err = s.client.Do(ctx, op, func(c *connect.SFTPConnection) (err error) {
		f, err = s.stat(c, filePath)
		return err
	})
	return f, err
}

func (s *Source) stat(c *connect.SFTPConnection, filePath string) (source.File, error) {
	info, err := c.Stat(s.options.Path(filePath))
	if err != nil {
		return source.File{}, err
	}
	if !info.Mode().IsRegular() {
		return source.File{}, errkind.New(errkind.Missing, "", errors.New("it is not a file"), "name a file in it, or ask the partner to put the file itself there")
	}
	return file(filePath, info), nil
}

func file(filePath string, info fs.FileInfo) source.File {
	return source.File{Path: filePath, Size: info.Size(), Modified: info.ModTime().UTC()}
}

// Open implements source.Source.
func (s *Source) Open(ctx context.Context, f source.File, offset int64) (io.ReadCloser, error) {
	op := "read " + s.options.URL(f.Path)
	if err := connect.CheckSFTPName(op, f.Path); err != nil {
		return nil, err
	}
	if offset < 0 || offset > f.Size {
		return nil, errkind.New(errkind.Internal, op, fmt.Errorf("offset %d is not within %d bytes", offset, f.Size), "")
	}
	return s.open(ctx, op, f, offset)
}
