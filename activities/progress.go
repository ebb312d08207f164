package activities

import (
	"context"
	"errors"
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
}

// heartbeatEvery is well below the heartbeat timeout of the workflows' options, whatever the step's
// own pace.
const heartbeatEvery = 3 * time.Second

var errStopping = errors.New("the worker is stopping")

// progress begins heartbeats for a step. The returned context ends when the run is cancelled or the
// worker stops; report tells how far the step is; end must be called.
func (a *Activities) progress(parent context.Context, step, unit string, total int64) (ctx context.Context, report func(done int64), end func()) {
	ctx, cancel := context.WithCancelCause(parent)
	var latest atomic.Int64
	beat := func() {
		activity.RecordHeartbeat(parent, Progress{Step: step, Done: latest.Load(), Total: total, Unit: unit})
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
		latest.Store(done)
		if a.Reached != nil {
			a.Reached(step)
		}
	}
	return ctx, report, func() { cancel(nil) }
}
