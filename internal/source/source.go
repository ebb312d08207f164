// Package source is where partners drop files: it lists a drop point and reads one version of one
// file. Drivers (s3, sftp) implement Source and pass the one suite in sourcetest. Nothing here
// decides what is new; the ledger in the catalog does.
package source

import (
	"context"
	"io"
	"path"
	"strconv"
	"strings"
	"time"
)

// File is one version of one file at a drop point.
type File struct {
	Path     string    `json:"path"`           // relative to the drop point, '/' separated
	Size     int64     `json:"size"`           // bytes
	Modified time.Time `json:"modified"`       // UTC
	ETag     string    `json:"etag,omitempty"` // S3 only
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
	// order. Files that are visibly being written (see Ignored) are left out.
	List(ctx context.Context, pattern string) ([]File, error)

	// Stat describes the current version of one file. Missing when there is none.
	Stat(ctx context.Context, filePath string) (File, error)

	// Open reads exactly the version f describes, from byte offset on. If the file has changed since
	// the listing, Open or the reader fails with kind Conflict and no byte of the new version is returned as if it
	// were the old one. A reader that delivers fewer bytes than f.Size-offset ends with an error,
	// never with io.EOF. Reads fail, rather than hang, once no byte has arrived for a minute.
	Open(ctx context.Context, f File, offset int64) (io.ReadCloser, error)

	// Close releases connections.
	Close() error
}

// Match reports whether a file's path matches a pattern: path.Match on whole path segments, with
// "**" standing for any number of segments.
func Match(pattern, filePath string) bool {
	return matchSegments(strings.Split(pattern, "/"), strings.Split(filePath, "/"))
}

func matchSegments(pattern, segments []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := 0; i <= len(segments); i++ {
				if matchSegments(pattern[1:], segments[i:]) {
					return true
				}
			}
			return false
		}
		if len(segments) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], segments[0]); err != nil || !ok {
			return false
		}
		pattern, segments = pattern[1:], segments[1:]
	}
	return len(segments) == 0
}

// Ignored reports whether a file's name says that it is still being written or is not data:
// dot files, the usual suffixes of half-written uploads, folder keys.
func Ignored(filePath string) bool {
	name := path.Base(filePath)
	if strings.HasPrefix(name, ".") || strings.HasSuffix(filePath, "/") {
		return true
	}
	for _, suffix := range []string{".part", ".partial", ".tmp", ".filepart"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}
