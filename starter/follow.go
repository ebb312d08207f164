package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"golang.org/x/term"

	"prospector/activities"
	"prospector/internal/temporalclient"
)

// followEvery is how often a run is asked how far it is.
const followEvery = time.Second

// follower shows how far a run is: one line that is rewritten on a terminal, a line for each change
// elsewhere.
type follower struct {
	client *temporalclient.Client
	run    client.WorkflowRun
	out    io.Writer
	redraw bool
	last   string
}

func newFollower(c *temporalclient.Client, run client.WorkflowRun, out *os.File) *follower {
	return &follower{client: c, run: run, out: out, redraw: term.IsTerminal(int(out.Fd()))}
}

// until returns what ended delivers. That progress cannot be read is no failure: the run counts.
func (f *follower) until(ctx context.Context, ended <-chan error) error {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			if f.redraw && f.last != "" {
				fmt.Fprint(f.out, "\r\033[K")
			}
			return err
		case <-ticker.C:
			if steps, err := pendingSteps(ctx, f.client, f.run.GetID(), f.run.GetRunID()); err == nil {
				f.show(steps)
			}
		}
	}
}

func (f *follower) show(steps []pendingStep) {
	texts := make([]string, len(steps))
	for i, s := range steps {
		texts[i] = s.String()
	}
	text := strings.Join(texts, ", ")
	if text == "" || text == f.last {
		return
	}
	f.last = text
	if f.redraw {
		fmt.Fprint(f.out, "\r\033[K  "+text)
		return
	}
	fmt.Fprintln(f.out, "  "+text)
}

// pendingStep is an activity that is under way or waits for its next attempt.
type pendingStep struct {
	Activity    string              `json:"activity"`
	Attempt     int32               `json:"attempt"`
	MaxAttempts int32               `json:"maxAttempts,omitempty"`
	Progress    activities.Progress `json:"progress"`
	LastFailure string              `json:"lastFailure,omitempty"`
}

func (s pendingStep) String() string {
	text := s.Progress.Step
	if text == "" {
		text = s.Activity
	}
	if s.Progress.Done > 0 {
		p := s.Progress
		text += " " + amount(float64(p.Done), p.Unit)
		if p.Total > 0 {
			text += " of " + amount(float64(p.Total), p.Unit)
		}
		if p.PerSecond > 0 {
			text += ", " + amount(p.PerSecond, p.Unit) + "/s"
		}
		if p.SecondsLeft > 0 {
			text += ", about " + (time.Duration(p.SecondsLeft) * time.Second).String() + " left"
		}
	}
	if s.Attempt > 1 {
		text += fmt.Sprintf(" (attempt %d of %d after: %s)", s.Attempt, s.MaxAttempts, s.LastFailure)
	}
	return text
}

// amount writes a number of bytes or of other things as people read it.
func amount(n float64, unit string) string {
	if unit != "bytes" {
		return fmt.Sprintf("%.0f %s", n, unit)
	}
	for _, size := range []struct {
		bytes float64
		name  string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if n >= size.bytes {
			return fmt.Sprintf("%.1f %s", n/size.bytes, size.name)
		}
	}
	return fmt.Sprintf("%.0f bytes", n)
}

// pendingSteps lists the steps of a run and of the runs below it.
func pendingSteps(ctx context.Context, c *temporalclient.Client, id, runID string) ([]pendingStep, error) {
	described, err := c.DescribeWorkflowExecution(ctx, id, runID)
	if err != nil {
		return nil, err
	}
	var out []pendingStep
	for _, a := range described.GetPendingActivities() {
		s := pendingStep{Activity: a.GetActivityType().GetName(), Attempt: a.GetAttempt(), MaxAttempts: a.GetMaximumAttempts(),
			LastFailure: a.GetLastFailure().GetMessage(), Progress: progressOf(a.GetHeartbeatDetails())}
		out = append(out, s)
	}
	for _, child := range described.GetPendingChildren() {
		below, err := pendingSteps(ctx, c, child.GetWorkflowId(), child.GetRunId())
		if err != nil {
			return nil, err
		}
		out = append(out, below...)
	}
	return out, nil
}

func progressOf(details *commonpb.Payloads) (out activities.Progress) {
	if details != nil {
		_ = converter.GetDefaultDataConverter().FromPayloads(details, &out) // another program's heartbeat
	}
	return out
}

// statusText is a status as people say it.
func statusText(s enums.WorkflowExecutionStatus) string { return strings.ToLower(s.String()) }
