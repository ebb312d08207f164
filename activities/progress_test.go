package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A step whose rows nobody has counted estimates its end by the bytes of its file.
func TestPace(t *testing.T) {
	p := Progress{Step: "validate", Unit: "rows", Done: 3000, Read: 30, Size: 120}.pace(Progress{}, 3*time.Second)
	require.InDelta(t, 25, p.Percent, 0)
	require.InDelta(t, 1000, p.PerSecond, 0)
	require.InDelta(t, 9, p.SecondsLeft, 0)

	p = Progress{Done: 600, Total: 1000}.pace(Progress{Done: 200}, 2*time.Second)
	require.InDelta(t, 60, p.Percent, 0, "of all, what was there before too")
	require.InDelta(t, 200, p.PerSecond, 0, "what this attempt has done")
	require.InDelta(t, 2, p.SecondsLeft, 0)

	p = Progress{Done: 7}.pace(Progress{}, time.Second)
	require.Zero(t, p.Percent)
	require.Zero(t, p.SecondsLeft, "nothing says how much there is")
}

// A part of a step has its own pace; the step's time goes on.
func TestGauge(t *testing.T) {
	hour := time.Now().Add(-time.Hour)
	g := &gauge{began: hour, since: hour}
	g.set(Progress{Done: 100})
	g.set(Progress{Done: 3700})
	require.InDelta(t, 1, g.now().PerSecond, 0.1)
	g.set(Progress{Part: "again", Done: 10, Total: 20})
	now := g.now()
	require.Zero(t, now.PerSecond)
	require.GreaterOrEqual(t, now.Seconds, float64(3600))
	require.InDelta(t, 50, now.Percent, 0)
}
