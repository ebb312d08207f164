package activities

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
)

// Progress is what a running step says of itself: Temporal's Web UI and `status` show it.
type Progress struct {
	Step  string `json:"step"`
	Part  string `json:"part,omitempty"` // of a step that has several: the one it is at
	Done  int64  `json:"done"`
	Total int64  `json:"total,omitempty"` // 0 when it is not known
	Unit  string `json:"unit"`            // bytes, rows or audiences

	Read int64 `json:"read,omitempty"` // bytes of a file of Size, where its Total is not known
	Size int64 `json:"size,omitempty"`

	Seconds     float64 `json:"seconds,omitempty"`     // since the step began
	Percent     float64 `json:"percent,omitempty"`     // of Total, or of Size; 0 when neither is known
	PerSecond   float64 `json:"perSecond,omitempty"`   // units, since the step or its part began
	SecondsLeft float64 `json:"secondsLeft,omitempty"` // at that pace; 0 when it is not known
}

// pace fills in how fast the step is and when it may end. It was at from so long ago.
func (p Progress) pace(from Progress, took time.Duration) Progress {
	done, before, total := p.Done, from.Done, p.Total
	if total == 0 {
		done, before, total = p.Read, from.Read, p.Size
	}
	if total > 0 {
		p.Percent = math.Floor(1000*float64(min(done, total))/float64(total)) / 10
	}
	if took <= 0 || p.Done <= from.Done {
		return p
	}
	p.PerSecond = math.Round(float64(p.Done-from.Done)/took.Seconds()*10) / 10
	if total > done && done > before {
		p.SecondsLeft = math.Ceil(float64(total-done) / float64(done-before) * took.Seconds())
	}
	return p
}

// heartbeatEvery is how often a step says how far it is, well below the heartbeat timeout of the workflows' options,
// whatever the step's own pace.
const heartbeatEvery = time.Second

var errStopping = errors.New("the worker is stopping")

// gauge keeps how far a step is.
type gauge struct {
	sync.Mutex
	began  time.Time
	latest Progress

	reported bool
	first    Progress // of the part at hand: what a resumed download has already is not of our pace
	since    time.Time
}

func (g *gauge) set(p Progress) {
	g.Lock()
	defer g.Unlock()
	if !g.reported {
		g.reported, g.first = true, p
	} else if p.Part != g.latest.Part {
		g.first, g.since = p, time.Now()
	}
	g.latest = p
}

func (g *gauge) now() Progress {
	g.Lock()
	defer g.Unlock()
	p := g.latest.pace(g.first, time.Since(g.since))
	p.Seconds = math.Floor(time.Since(g.began).Seconds())
	return p
}

// progress begins heartbeats for a step. The returned context ends when the run is cancelled or the
// worker stops; report tells how far the step is; end must be called.
func (a *Activities) progress(parent context.Context, step, unit string, total int64) (ctx context.Context, report func(done int64), end func()) {
	ctx, detailed, end := a.progressInParts(parent, Progress{Step: step, Unit: unit, Total: total})
	return ctx, func(done int64) { detailed(Progress{Step: step, Unit: unit, Total: total, Done: done}) }, end
}

// progressInParts is progress for a step that tells more of itself than a number.
func (a *Activities) progressInParts(parent context.Context, start Progress) (ctx context.Context, report func(Progress), end func()) {
	ctx, cancel := context.WithCancelCause(parent)
	g := &gauge{began: time.Now(), since: time.Now(), latest: start, first: start}
	beat := func() { activity.RecordHeartbeat(parent, g.now()) }
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
	report = func(p Progress) {
		g.set(p)
		if a.Reached != nil {
			a.Reached(p.Step)
		}
	}
	return ctx, report, func() { cancel(nil) }
}
