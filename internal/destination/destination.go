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

// Unfinished is what a Put has begun and may not have finished: bytes at the destination that no reader takes for a file.
type Unfinished struct {
	Key string `json:"key"`
	ID  string `json:"id"` // the driver's own: of this Put and no other
	At  string `json:"at"` // what a person must look for to remove it, and where
}

// Hooks are called as a Put goes on, each if it is not nil. An error of one ends the Put.
type Hooks struct {
	Sent   func(bytes int64)      // how much has been sent so far
	Begin  func(Unfinished) error // before the first byte is sent: what Discard must be told if the Put does not end well
	Appear func() error           // when all bytes are there, right before the request that makes readers see them, each time it is sent
}

// Destination receives finished files. Errors carry an errkind: Denied for credentials,
// permissions and host keys, Missing for an absent bucket or folder, Transient for the network.
type Destination interface {
	// Put stores size bytes of body under key, all or nothing: until Put returns nil no reader sees
	// any of them under that name, unless the answer to its last request was lost. A file that is already
	// there under key is replaced whole, so that a repeated Put leaves what one leaves. Put returns soon
	// after ctx is done and fails, rather than hangs, once no byte has moved for a minute. When it
	// fails, what it has sent may be there until Discard takes it away.
	Put(ctx context.Context, key string, body io.ReadSeeker, size int64, hooks Hooks) error

	// Discard takes away what a Put has left that did not finish, and says whether it was there. It touches
	// neither a file that has appeared nor what another Put has sent, and may be repeated. Conflict when
	// it is not there and the destination was elsewhere when the Put began.
	Discard(ctx context.Context, u Unfinished) (found bool, err error)

	// ReadBack reads key from the destination and describes what is really stored there. Missing
	// when it holds no such file.
	ReadBack(ctx context.Context, key string, progress func(read int64)) (Receipt, error)

	// Close releases connections.
	Close() error
}
