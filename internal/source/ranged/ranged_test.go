package ranged

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
)

const (
	partSize = 1000
	parallel = 4
	size     = 50_300 // bytes of the file: its last part is short
)

var (
	content  = random(size)
	options  = Options{Op: "read a.csv", PartSize: partSize, Parallel: parallel}
	errCut   = errkind.Newf(errkind.Transient, "cut")
	errMixed = errkind.Newf(errkind.Conflict, "changed")
)

func random(n int) []byte {
	out := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(out)
	return out
}

// good answers in steps, each after a while.
func good(ctx context.Context, _ int, offset int64, into []byte, arrived func(int)) error {
	arrived(0)
	for n := 0; n < len(into); {
		select {
		case <-time.After(time.Duration(rand.IntN(1000)) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		step := min(1+rand.IntN(partSize), len(into)-n)
		copy(into[n:n+step], content[offset+int64(n):])
		n += step
		arrived(n)
	}
	return nil
}

// inBubble runs a test whose time is not the clock's, and which fails when a goroutine is left.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

func openAt(t *testing.T, offset int64, o Options, fetch Fetch) *Reader {
	t.Helper()
	r, err := Open(t.Context(), offset, size, o, fetch)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func TestInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for _, offset := range []int64{0, 1, 999, 1000, 12_345, size - 1, size} {
			r := openAt(t, offset, options, good)
			got, err := io.ReadAll(r)
			require.NoError(t, err)
			require.True(t, bytes.Equal(content[offset:], got), "from %d", offset)
			n, err := r.Read(make([]byte, 1))
			require.Zero(t, n)
			require.Equal(t, io.EOF, err)
		}
	})
}

// A part is handed out while it arrives.
func TestHandsOutWhatHasArrived(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := openAt(t, 0, options, func(ctx context.Context, _ int, offset int64, into []byte, arrived func(int)) error {
			copy(into, content[offset:])
			arrived(10)
			<-ctx.Done()
			return ctx.Err()
		})
		got := make([]byte, 100)
		n, err := r.Read(got)
		require.NoError(t, err)
		require.Equal(t, content[:10], got[:n])
	})
}

func TestBounds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var now, most, started atomic.Int64
		workers := sync.Map{}
		r := openAt(t, 0, options, func(ctx context.Context, worker int, offset int64, into []byte, arrived func(int)) error {
			require.Equal(t, partSize, cap(into), "memory beyond a part")
			workers.Store(worker, true)
			started.Add(1)
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			return good(ctx, worker, offset, into, arrived)
		})
		time.Sleep(time.Hour)
		require.EqualValues(t, parallel+1, started.Load(), "nobody has read yet")
		_, err := io.CopyN(io.Discard, r, partSize)
		require.NoError(t, err)
		_, err = io.CopyN(io.Discard, r, 1) // the first part is given back
		require.NoError(t, err)
		time.Sleep(time.Hour)
		require.EqualValues(t, parallel+2, started.Load())
		require.LessOrEqual(t, most.Load(), int64(parallel))
		for worker := range parallel {
			_, ok := workers.Load(worker)
			require.True(t, ok, "worker %d", worker)
		}
	})
}

// Nobody but the first asks a server that has not answered yet.
func TestFirstAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		calls := 0
		_, err := Open(t.Context(), 0, size, options, func(context.Context, int, int64, []byte, func(int)) error {
			calls++
			return errCut
		})
		require.ErrorIs(t, err, errCut)
		require.Equal(t, 1, calls)
	})
}

func TestCutsAreTakenUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var calls, cuts atomic.Int64
		r := openAt(t, 0, options, func(ctx context.Context, worker int, offset int64, into []byte, arrived func(int)) error {
			if calls.Add(1)%2 == 0 {
				return good(ctx, worker, offset, into, arrived)
			}
			cuts.Add(1)
			n := rand.IntN(len(into))
			copy(into[:n], content[offset:])
			arrived(0)
			arrived(n)
			return errCut
		})
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, got))
		require.Greater(t, cuts.Load(), int64(20))
	})
}

// One byte at a time is progress; none at all ends it.
func TestPatience(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		o := options
		o.Patience = Patience{Attempts: 3}
		calls := 0
		r, err := Open(t.Context(), 0, 100, o, func(_ context.Context, _ int, offset int64, into []byte, arrived func(int)) error {
			arrived(0)
			calls++
			if offset == 50 {
				return errCut
			}
			into[0] = content[offset]
			arrived(1)
			return errCut
		})
		require.NoError(t, err)
		begin := time.Now()
		_, err = io.ReadAll(r)
		require.ErrorIs(t, err, errCut)
		require.Equal(t, 52, calls, "after the last byte, three attempts in all")
		require.Equal(t, 50*defaultFirst+2*defaultFirst, time.Since(begin))
		require.NoError(t, r.Close())
	})
}

func TestFinalFailures(t *testing.T) {
	for _, final := range []error{errMixed, errkind.Newf(errkind.Denied, "expired"), errkind.Newf(errkind.Missing, "removed")} {
		inBubble(t, func(t *testing.T) {
			failed := 0
			r := openAt(t, 0, options, func(ctx context.Context, worker int, offset int64, into []byte, arrived func(int)) error {
				if offset == 7*partSize {
					failed++
					return final
				}
				return good(ctx, worker, offset, into, arrived)
			})
			got, err := io.ReadAll(r)
			require.ErrorIs(t, err, final)
			require.True(t, bytes.HasPrefix(content[:7*partSize], got))
			require.Equal(t, 1, failed)
			_, err = r.Read(make([]byte, 1))
			require.ErrorIs(t, err, final, "it stays")
		})
	}
}

// A wrong checksum at the end of a part must not pass for a success, nor be tried again.
func TestFailureAfterTheLastByte(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		wrong := errkind.Newf(errkind.Transient, "wrong checksum")
		r, err := Open(t.Context(), size-10, size, options, func(ctx context.Context, worker int, offset int64, into []byte, arrived func(int)) error {
			require.NoError(t, good(ctx, worker, offset, into, arrived))
			return wrong
		})
		if err == nil { // unless all of it has come and gone before Open returns
			_, err = io.ReadAll(r)
			require.NoError(t, r.Close())
		}
		require.ErrorIs(t, err, wrong)
	})
}

func TestFetchThatClaimsSuccess(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		o := options
		o.Patience = Patience{Attempts: 2}
		r := openAt(t, 0, o, func(_ context.Context, _ int, _ int64, _ []byte, arrived func(int)) error {
			arrived(0)
			return nil
		})
		_, err := io.ReadAll(r)
		require.ErrorContains(t, err, "read a.csv: a part ended 1000 bytes early")
	})
}

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		answers []error
		want    error
	}{"same": {[]error{nil}, nil}, "changed": {[]error{errMixed}, errMixed}, "cut, then same": {[]error{errCut, errCut, nil}, nil}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				asked, complete := 0, false
				o := options
				o.Check = func(context.Context) error {
					asked++
					require.True(t, complete)
					return test.answers[asked-1]
				}
				r := openAt(t, 0, o, func(ctx context.Context, worker int, offset int64, into []byte, arrived func(int)) error {
					err := good(ctx, worker, offset, into, arrived)
					if offset+int64(len(into)) == size {
						complete = true
					}
					return err
				})
				got, err := io.ReadAll(r)
				require.Equal(t, len(test.answers), asked)
				if test.want == nil {
					require.NoError(t, err)
					require.True(t, bytes.Equal(content, got))
					return
				}
				require.ErrorIs(t, err, test.want)
				require.True(t, bytes.Equal(content[:size-size%partSize], got), "the last part is held back")
			})
		})
	}
}

// What has arrived is not handed over after the end of the context, however long the backoff is.
func TestCancelled(t *testing.T) {
	for name, fetch := range map[string]Fetch{
		"while it waits": func(ctx context.Context, _ int, _ int64, _ []byte, arrived func(int)) error {
			arrived(10)
			<-ctx.Done()
			return ctx.Err()
		},
		"between attempts": func(_ context.Context, _ int, _ int64, _ []byte, arrived func(int)) error {
			arrived(0)
			return errCut
		},
		"when all is there": good,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				o := options
				o.Patience = Patience{First: time.Hour, Longest: time.Hour}
				r, err := Open(ctx, 0, size, o, fetch)
				require.NoError(t, err)
				time.Sleep(30 * time.Minute)
				cancel()
				begin := time.Now()
				n, err := r.Read(make([]byte, 10))
				require.Zero(t, n)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorContains(t, err, "read a.csv: ")
				require.NoError(t, r.Close())
				require.Zero(t, time.Since(begin))
			})
		})
	}
}

func TestCancelledBeforeTheFirstAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := Open(ctx, 0, size, options, func(ctx context.Context, _ int, _ int64, _ []byte, _ func(int)) error {
			<-ctx.Done()
			return errors.New("the request was cancelled")
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// The bubble fails when Close leaves a goroutine.
func TestCloseEarly(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r, err := Open(t.Context(), 0, size, options, good)
		require.NoError(t, err)
		_, err = io.CopyN(io.Discard, r, 1500)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		_, err = r.Read(make([]byte, 1))
		require.ErrorIs(t, err, fs.ErrClosed)
		require.NoError(t, r.Close())
	})
}

// An unread Reader waits for its consumer for any time.
func TestSlowConsumer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := openAt(t, 0, options, good)
		var got bytes.Buffer
		for {
			_, err := io.CopyN(&got, r, 1700)
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			time.Sleep(24 * time.Hour)
		}
		require.True(t, bytes.Equal(content, got.Bytes()))
	})
}
