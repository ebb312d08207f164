package filecodec

import (
	"fmt"
	"io"
	"math"
)

// The limits of a source that sets none: 200 GB come out of a file at most, 300 bytes of every byte. Real
// delimited files reach about 30; the ratio is judged only when more than 64 MiB came out.
const (
	DefaultMaxBytes = 200_000_000_000
	DefaultMaxRatio = 300
	ratioFrom       = 64 << 20
)

// Limits bound what may come out of a compressed file: MaxBytes in bytes, MaxRatio in bytes for every byte
// of the file. 0 stands for the default.
type Limits struct {
	MaxBytes int64
	MaxRatio float64
}

func (l Limits) orDefaults() Limits {
	if l.MaxBytes == 0 {
		l.MaxBytes = DefaultMaxBytes
	}
	if l.MaxRatio == 0 {
		l.MaxRatio = DefaultMaxRatio
	}
	return l
}

// BombError says that more came out of a compressed file than its source allows, which is what a file made
// to fill disks does. Out is what came out by then and In the size of the file, both in bytes; Key is the
// source's key that raises the limit which was passed.
type BombError struct {
	In, Out int64
	Limits  Limits
	Key     string
}

func (e *BombError) Error() string {
	if e.Key == "format.maxBytes" {
		return fmt.Sprintf("more than %d bytes come out of the file; if that is right for this source, raise its format.maxBytes", e.Limits.MaxBytes)
	}
	return fmt.Sprintf("more than %g bytes come out of every byte of the file (%d of %d, and it goes on); if that is right for this source, raise its format.maxRatio",
		e.Limits.MaxRatio, e.Out, e.In)
}

// judge returns a *BombError when out bytes are more than may come out of in.
func (l Limits) judge(in, out int64) error {
	switch {
	case out > l.MaxBytes:
		return &BombError{In: in, Out: out, Limits: l, Key: "format.maxBytes"}
	case out > ratioFrom && float64(out) > l.MaxRatio*float64(in):
		return &BombError{In: in, Out: out, Limits: l, Key: "format.maxRatio"}
	}
	return nil
}

// judgeDeclared is judge for a size that an archive states.
func (l Limits) judgeDeclared(in, out uint64) error {
	return l.judge(int64(min(in, math.MaxInt64)), int64(min(out, math.MaxInt64)))
}

// guard ends reading when more came out than the limits allow.
type guard struct {
	reader  io.Reader
	in, out int64
	limits  Limits
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.reader.Read(p)
	g.out += int64(n)
	if bomb := g.limits.judge(g.in, g.out); bomb != nil {
		return 0, bomb
	}
	return n, err
}
