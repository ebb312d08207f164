package foldersource

import (
	"context"
	"fmt"
	"time"

	"prospector/internal/errkind"
)

// within calls f, which waits for the system and cannot be interrupted. When ctx is done, or f takes
// longer than limit, it returns without it: a mount that has died may hold f for ever.
func within[T any](ctx context.Context, limit time.Duration, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	if ctx.Err() != nil {
		return none, ctx.Err()
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := f()
		answers <- answer{value, err}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-timer.C:
		return none, errkind.New(errkind.Transient, "", fmt.Errorf("the system has not answered for %s", limit), "check the mount; it is tried again")
	}
}
