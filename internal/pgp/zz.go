// Package pgp interim.
package pgp

import (
	"context"
	"errors"
	"io"
	"time"
)

type Keys struct {
	Private    []string
	Passphrase string
	SignedBy   []string
}
type Opener struct{}
type Result struct {
	Signer string
	Bytes  int64
}
type Expiry struct {
	Fingerprint, Use string
	At               time.Time
}

func New(Keys) (*Opener, error) { return nil, errors.New("interim") }
func (o *Opener) Decrypt(ctx context.Context, dst io.Writer, src io.Reader, limit int64) (Result, error) {
	return Result{}, nil
}
func (o *Opener) Expiring(now time.Time, within time.Duration) []Expiry { return nil }
