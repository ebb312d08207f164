package activities

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
)

// Progress is what a running step says of itself: Temporal's Web UI and `status` show it.
type Progress struct {
	Step  string `json:"step"`
	Done  int64  `json:"done"`
	Total int64  `json:"total,omitempty"` // 0 when it is not known
	Unit  string `json:"unit"`            // bytes, rows or audiences

	PerSecond   float64 `json:"perSecond,omitempty"`   // units, since the step began
	SecondsLeft float64 `json:"secondsLeft,omitempty"` // at that pace; 0 when it is not known
}

// pace fills in how fast the step is and when it may end.
func (p Progress) pace(from int64, took time.Duration) Progress {
	if took <= 0 || p.Done <= from {
		return p
	}
	p.PerSecond = math.Round(float64(p.Done-from)/took.Seconds()*10) / 10
	if p.Total > p.Done && p.PerSecond > 0 {
		p.SecondsLeft = math.Ceil(float64(p.Total-p.Done) / p.PerSecond)
	}
	return p
}

// heartbeatEvery is well below the heartbeat timeout of the workflows' options, whatever the step's
// own pace.
const heartbeatEvery = 3 * time.Second

var errStopping = errors.New("the worker is stopping")

// progress begins heartbeats for a step. The returned context ends when the run is cancelled or the
// worker stops; report tells how far the step is; end must be called.
func (a *Activities) progress(parent context.Context, step, unit string, total int64) (ctx context.Context, report func(done int64), end func()) {
	ctx, cancel := context.WithCancelCause(parent)
	var first, latest atomic.Int64 // the first report of a resumed download is not ours
	first.Store(-1)
	began := time.Now()
	beat := func() {
		now := Progress{Step: step, Done: latest.Load(), Total: total, Unit: unit}
		activity.RecordHeartbeat(parent, now.pace(max(first.Load(), 0), time.Since(began)))
	}
	beat()
	go func() {
		ticker := time.NewTicker(heartbeatEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-activity.GetWorkerStopChannel(parent):
				cancel(errStopping)
				return
			case <-ticker.C:
				beat()
			}
		}
	}()
	report = func(done int64) {
		first.CompareAndSwap(-1, done)
		latest.Store(done)
		if a.Reached != nil {
			a.Reached(step)
		}
	}
	return ctx, report, func() { cancel(nil) }
}
