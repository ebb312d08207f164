package ranged

import (
	"context"
	"time"

	"prospector/internal/errkind"
)

// Patience is how long something that fails for now is tried again. The zero Patience waits for about half a
// minute, unless bytes move.
type Patience struct {
	Attempts int           // in a row without a byte; 10 unless said
	First    time.Duration // the wait after the first; 100 ms unless said. It doubles
	Longest  time.Duration // 10 seconds unless said
}

const (
	defaultAttempts = 10
	defaultFirst    = 100 * time.Millisecond
	defaultLongest  = 10 * time.Second
)

// persist calls f until it succeeds, ends in a failure that time does not heal, or has moved nothing
// too often. f says whether it moved bytes and whether it may be called again.
func (p Patience) persist(ctx context.Context, f func() (moved, again bool, err error)) error {
	attempts, first, longest := orDefault(p.Attempts, defaultAttempts), orDefault(p.First, defaultFirst), orDefault(p.Longest, defaultLongest)
	wait := first
	for failed := 1; ; failed++ {
		moved, again, err := f()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if moved {
			failed, wait = 1, first
		}
		if !again || !errkind.Of(err).Retryable() || failed >= attempts {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		wait = min(2*wait, longest)
	}
}

func orDefault[T int | time.Duration](value, standard T) T {
	if value == 0 {
		return standard
	}
	return value
}
