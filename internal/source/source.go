// Package source is where partners drop files: it lists a drop point and reads one version of one
// file. Drivers (s3, sftp, folder) implement Source and pass the one suite in sourcetest. Nothing here
// decides what is new; the ledger in the catalog does.
package source

import (
	"context"
	"io"
	"strconv"
	"time"
)

// File is one version of one file at a drop point.
type File struct {
	Path     string    `json:"path"`           // relative to the drop point, '/' separated
	Size     int64     `json:"size"`           // bytes
	Modified time.Time `json:"modified"`       // UTC
	ETag     string    `json:"etag,omitempty"` // a token of the version, where the driver has one that tells more than Size and Modified

	// Checksum is the server's of the whole content, as algorithm:hex (see NewChecksum). Only Stat fills
	// it, and only where the server has one; it is no part of the Version.
	Checksum string `json:"checksum,omitempty"`
}

// Version identifies the bytes as far as a listing can tell: the ETag where the server has one,
// else size and modification time. Two listings of an untouched file give the same Version.
func (f File) Version() string {
	if f.ETag != "" {
		return f.ETag
	}
	return f.Modified.UTC().Format("20060102T150405Z") + "-" + strconv.FormatInt(f.Size, 10)
}

// Source is a partner's drop point. Errors carry an errkind: Denied for credentials, permissions
// and host keys, Missing for what is not there, Transient for the network.
type Source interface {
	// List returns every file below the drop point whose path matches pattern (see Match), in path
	// order. Files that are visibly being written (see Ignored) are left out; names that CheckName
	// refuses are not. Folders below that may not be read, and what stands in the place of a file that
	// pattern expects, come as Obstacles beside all other files.
	List(ctx context.Context, pattern string) ([]File, error)

	// Stat describes the current version of one file, with its Checksum where the server has one.
	// Missing when there is none.
	Stat(ctx context.Context, filePath string) (File, error)

	// Open reads exactly the version f describes, from byte offset on. If the file has changed since
	// the listing, Open or the reader fails with kind Conflict and no byte of the new version is returned as if it
	// were the old one. A reader that delivers fewer bytes than f.Size-offset ends with an error,
	// never with io.EOF. Reads fail, rather than hang, once no byte has arrived for a minute.
	Open(ctx context.Context, f File, offset int64) (io.ReadCloser, error)

	// Close releases connections.
	Close() error
}
