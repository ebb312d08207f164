// Package destination is where finished audience files go. Drivers (s3, sftp) implement
// Destination and pass the one suite in destinationtest. A driver moves bytes and proves that they
// arrived; names, formats and policies are decided before it is called.
package destination

import (
	"context"
	"io"
)

// Receipt is what a destination says of a file that it holds.
type Receipt struct {
	Key    string `json:"key"`    // name at the destination, relative to its folder
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // lower-case hex of the stored bytes
}

// Destination receives finished files. Errors carry an errkind: Denied for credentials,
// permissions and host keys, Missing for an absent bucket or folder, Transient for the network.
type Destination interface {
	// Put stores size bytes of body under key, all or nothing: until Put returns nil no reader sees
	// any of them under that name. A file that is already there under key is replaced whole, so that
	// a repeated Put leaves what one leaves. Put returns soon after ctx is done and fails, rather
	// than hangs, once no byte has moved for a minute. progress, if not nil, is called with
	// the bytes sent so far. Each of before is called when all bytes are there, right before the request that
	// makes readers see them, and each time that is tried again; its error ends the Put.
	Put(ctx context.Context, key string, body io.ReadSeeker, size int64, progress func(sent int64), before ...func() error) error

	// ReadBack reads key from the destination and describes what is really stored there. Missing
	// when it holds no such file.
	ReadBack(ctx context.Context, key string, progress func(read int64)) (Receipt, error)

	// Close releases connections.
	Close() error
}
