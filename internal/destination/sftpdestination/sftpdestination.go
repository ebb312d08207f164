// Package sftpdestination puts audience files into a folder on an SFTP server. A file is written
// under a temporary name beside its own and then renamed, which replaces an earlier one at once.
// Servers without the posix-rename extension cannot do that: there, an earlier file is moved aside
// first, and for a moment there is none. Each Put has temporary names of its own, which Discard removes.
package sftpdestination

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"prospector/internal/connect"
	"prospector/internal/destination"
	"prospector/internal/errkind"
)

// Destination is a folder on an SFTP server.
type Destination struct {
	options connect.SFTPOptions
	client  *connect.SFTPClient
}

var _ destination.Destination = (*Destination)(nil)

// New signs in to a destination. The first call shows whether the folder is there.
func New(ctx context.Context, options connect.SFTPOptions) (*Destination, error) {
	client, err := connect.SFTP(ctx, options)
	if err != nil {
		return nil, err
	}
	return &Destination{options: options, client: client}, nil
}

// Close implements destination.Destination.
func (d *Destination) Close() error { return d.client.Close() }

// ReadBack implements destination.Destination.
func (d *Destination) ReadBack(ctx context.Context, key string, progress func(read int64)) (destination.Receipt, error) {
	op := "read back " + d.options.URL(key)
	if err := connect.CheckSFTPName(op, key); err != nil {
		return destination.Receipt{}, err
	}
	sum := &counted{hash: sha256.New(), progress: progress}
	err := d.client.Do(ctx, op, func(c *connect.SFTPConnection) error {
		info, err := c.Stat(d.options.Path(key))
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return errkind.New(errkind.Missing, "", errors.New("it is not a file"), "")
		}
		file, err := c.Open(d.options.Path(key))
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // only read
		if _, err := file.WriteTo(sum); err != nil {
			return err
		}
		// The library takes a cut connection for the end of the file at times.
		if sum.size != info.Size() {
			return errkind.New(errkind.Transient, "", fmt.Errorf("read %d of %d bytes", sum.size, info.Size()), "it is tried again")
		}
		return nil
	})
	if err != nil {
		return destination.Receipt{}, err
	}
	return destination.Receipt{Key: key, Size: sum.size, SHA256: hex.EncodeToString(sum.hash.Sum(nil))}, nil
}

type counted struct {
	hash     hash.Hash
	size     int64
	progress func(int64)
}

func (c *counted) Write(p []byte) (int, error) {
	c.hash.Write(p)
	c.size += int64(len(p))
	if c.progress != nil {
		c.progress(c.size)
	}
	return len(p), nil
}
