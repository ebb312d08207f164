package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/activities"
)

// What a step tells is said as people read it: how much, how much of all, how fast, for how long, and until when.
func TestStepText(t *testing.T) {
	for want, step := range map[string]pendingStep{
		"TakeFile": {Activity: "TakeFile"},
		"validate 1200000 rows, 41%, 150000 rows/s, for 8s, about 12s left": {Progress: activities.Progress{Step: "validate", Unit: "rows", Done: 1_200_000, Read: 41, Size: 100,
			Seconds: 8, Percent: 41.9, PerSecond: 150_000, SecondsLeft: 12}},
		"load (replacing profiles) 3000000 rows, for 1m2s": {Progress: activities.Progress{Step: "load", Part: "replacing profiles", Unit: "rows", Total: 3_000_000, Seconds: 62}},
		"fetch 1.5 MB of 3.0 MB, 50%, for 2s (attempt 2 of 6 after: cut)": {Attempt: 2, MaxAttempts: 6, LastFailure: "cut",
			Progress: activities.Progress{Step: "fetch", Unit: "bytes", Done: 1_500_000, Total: 3_000_000, Percent: 50, Seconds: 2}},
	} {
		require.Equal(t, want, step.String())
	}
}

// On a terminal the time moves with every answer and a line never becomes two; elsewhere there is a line for each step,
// and one every ten seconds.
func TestFollowing(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
	validating := func(rows int64) []pendingStep {
		return []pendingStep{{Progress: activities.Progress{Step: "validate", Unit: "rows", Done: rows}}}
	}
	var out strings.Builder
	width := 24
	f := &follower{out: &out, width: func() int { return width }, began: at(0)}
	for second := 1; second <= 3; second++ {
		f.show(validating(1000), at(second))
	}
	require.Equal(t, "\r\033[K  1s  validate 1000 ro…\r\033[K  2s  validate 1000 ro…\r\033[K  3s  validate 1000 ro…", out.String())

	out.Reset()
	width = 0
	f = &follower{out: &out, width: func() int { return width }, began: at(0)}
	for second := 1; second <= 25; second++ {
		f.show(validating(int64(second)), at(second))
	}
	f.show([]pendingStep{{Activity: "LoadBatch"}}, at(26))
	require.Equal(t, "  validate 1 rows\n  validate 11 rows\n  validate 21 rows\n  LoadBatch\n", out.String())
}
