package main

import (
	"context"
	"fmt"
	"io"
	"math"
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

const (
	followEvery = time.Second      // how often a run is asked how far it is
	linesEvery  = 10 * time.Second // where each answer is a line of its own, unless another step begins
)

// follower shows how far a run is: one line that is rewritten on a terminal, with the time since the run began; elsewhere
// a line now and then, and for each step.
type follower struct {
	client *temporalclient.Client
	run    client.WorkflowRun
	out    io.Writer
	width  func() int // of the terminal; 0: it is none
	began  time.Time

	last   string    // line
	steps  string    // of the last line
	lastAt time.Time // when it was written
}

func newFollower(c *temporalclient.Client, run client.WorkflowRun, out *os.File) *follower {
	return &follower{client: c, run: run, out: out, width: func() int { return widthOf(out) }, began: time.Now()}
}

// widthOf is how many characters a line of a terminal has, and 0 of what is none.
func widthOf(out *os.File) int {
	width, _, err := term.GetSize(int(out.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// until returns what ended delivers. That progress cannot be read is no failure: the run counts.
func (f *follower) until(ctx context.Context, ended <-chan error) error {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			if f.width() > 0 && f.last != "" {
				fmt.Fprint(f.out, "\r\033[K")
			}
			return err
		case <-ticker.C:
			if steps, err := pendingSteps(ctx, f.client, f.run.GetID(), f.run.GetRunID()); err == nil {
				f.show(steps, time.Now())
			}
		}
	}
}

func (f *follower) show(steps []pendingStep, now time.Time) {
	texts, titles := make([]string, len(steps)), make([]string, len(steps))
	for i, s := range steps {
		texts[i], titles[i] = s.String(), fmt.Sprint(s.title(), s.Attempt)
	}
	text := visible(strings.Join(texts, "; "))
	if width := f.width(); width > 0 {
		if text = strings.TrimRight(fmt.Sprintf("  %s  %s", now.Sub(f.began).Truncate(time.Second), text), " "); text != f.last {
			f.last = text
			fmt.Fprint(f.out, "\r\033[K"+cut(text, width-1))
		}
		return
	}
	same := strings.Join(titles, "\n") == f.steps
	if text == "" || text == f.last || same && now.Sub(f.lastAt) < linesEvery {
		return
	}
	f.last, f.steps, f.lastAt = text, strings.Join(titles, "\n"), now
	fmt.Fprintln(f.out, "  "+text)
}

// cut keeps a line from going over into the next one of a terminal.
func cut(text string, width int) string {
	if letters := []rune(text); len(letters) > width && width > 0 {
		return string(letters[:width-1]) + "…"
	}
	return text
}

// pendingStep is an activity that is under way or waits for its next attempt.
type pendingStep struct {
	Activity    string              `json:"activity"`
	Attempt     int32               `json:"attempt"`
	MaxAttempts int32               `json:"maxAttempts,omitempty"`
	Progress    activities.Progress `json:"progress"`
	LastFailure string              `json:"lastFailure,omitempty"`
}

// title is what the step is about.
func (s pendingStep) title() string {
	switch p := s.Progress; {
	case p.Step == "":
		return s.Activity
	case p.Part != "":
		return p.Step + " (" + p.Part + ")"
	default:
		return p.Step
	}
}

func (s pendingStep) String() string {
	p, text := s.Progress, s.title()
	switch {
	case p.Done > 0 && p.Total > 0:
		text += " " + amount(float64(p.Done), p.Unit) + " of " + amount(float64(p.Total), p.Unit)
	case p.Done > 0:
		text += " " + amount(float64(p.Done), p.Unit)
	case p.Total > 0:
		text += " " + amount(float64(p.Total), p.Unit)
	}
	if p.Percent > 0 {
		text += fmt.Sprintf(", %.0f%%", math.Floor(p.Percent))
	}
	if p.PerSecond > 0 {
		text += ", " + amount(p.PerSecond, p.Unit) + "/s"
	}
	if p.Seconds > 0 {
		text += ", for " + (time.Duration(p.Seconds) * time.Second).String()
	}
	if p.SecondsLeft > 0 {
		text += ", about " + (time.Duration(p.SecondsLeft) * time.Second).String() + " left"
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
