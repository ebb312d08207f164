package temporalclient

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// ScheduleStatus is how a schedule stands.
type ScheduleStatus struct {
	ID          string        `json:"id"`
	Paused      bool          `json:"paused"`
	Note        string        `json:"note,omitempty"`
	Next        []time.Time   `json:"next,omitempty"`
	Last        *ScheduledRun `json:"last,omitempty"`
	Overdue     *time.Time    `json:"overdue,omitempty"`     // a run that should have begun then and did not
	Missed      int           `json:"missed,omitempty"`      // runs that came too late to be made up for, ever
	Overlapping int           `json:"overlapping,omitempty"` // runs that were left out because one was under way, ever
}

// ScheduledRun is the last run that a schedule has started.
type ScheduledRun struct {
	WorkflowID   string    `json:"workflowId"`
	ScheduledFor time.Time `json:"scheduledFor"`
	StartedAt    time.Time `json:"startedAt"`
	Status       string    `json:"status"`
}

// overdueAfter is how late a run may begin before that is news.
const overdueAfter = 2 * time.Minute

// Schedules describes the schedules whose memo carries mark, by id.
func (c *Client) Schedules(ctx context.Context, mark string) (out []ScheduleStatus, err error) {
	listed, err := c.ScheduleClient().List(ctx, client.ScheduleListOptions{PageSize: 100})
	if err != nil {
		return nil, fmt.Errorf("list schedules: %w", err)
	}
	for listed.HasNext() {
		entry, err := listed.Next()
		if err != nil {
			return nil, fmt.Errorf("list schedules: %w", err)
		}
		if _, ours := entry.Memo.GetFields()[mark]; !ours {
			continue
		}
		status, err := c.schedule(ctx, entry.ID)
		if err != nil {
			return nil, fmt.Errorf("schedule %s: %w", entry.ID, err)
		}
		out = append(out, status)
	}
	slices.SortFunc(out, func(a, b ScheduleStatus) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func (c *Client) schedule(ctx context.Context, id string) (out ScheduleStatus, err error) {
	now := time.Now()
	described, err := c.ScheduleClient().GetHandle(ctx, id).Describe(ctx)
	if err != nil {
		return out, err
	}
	state, info := described.Schedule.State, described.Info
	out = ScheduleStatus{ID: id, Paused: state.Paused, Note: state.Note, Next: info.NextActionTimes, Missed: info.NumActionsMissedCatchupWindow, Overlapping: info.NumActionsSkippedOverlap}
	if state.Paused {
		out.Next = nil
	}
	if n := len(info.RecentActions); n > 0 {
		last := info.RecentActions[n-1]
		out.Last = &ScheduledRun{ScheduledFor: last.ScheduleTime, StartedAt: last.ActualTime}
		if run := last.StartWorkflowResult; run != nil {
			out.Last.WorkflowID = run.WorkflowID
			// The latest of its runs, for the first may have gone on in another history.
			if execution, err := c.DescribeWorkflowExecution(ctx, run.WorkflowID, ""); err == nil {
				out.Last.Status = strings.ToLower(execution.GetWorkflowExecutionInfo().GetStatus().String())
			}
		}
	}
	if state.Paused || len(info.RunningWorkflows) > 0 { // a run under way keeps the next one back
		return out, nil
	}
	since := info.CreatedAt
	if info.LastUpdateAt.After(since) {
		since = info.LastUpdateAt
	}
	if out.Last != nil && out.Last.StartedAt.After(since) {
		since = out.Last.StartedAt
	}
	due, err := c.WorkflowService().ListScheduleMatchingTimes(ctx, &workflowservice.ListScheduleMatchingTimesRequest{
		Namespace: c.Namespace, ScheduleId: id, StartTime: timestamppb.New(since), EndTime: timestamppb.New(now.Add(-overdueAfter))})
	if err != nil {
		return out, err
	}
	if times := due.GetStartTime(); len(times) > 0 {
		at := times[0].AsTime()
		out.Overdue = &at
	}
	return out, nil
}

// Workers is how many workers have asked for tasks of a task queue of late.
func (c *Client) Workers(ctx context.Context, taskQueue string) (int, error) {
	described, err := c.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{Namespace: c.Namespace,
		TaskQueue: &taskqueuepb.TaskQueue{Name: taskQueue}, TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW})
	if err != nil {
		return 0, fmt.Errorf("look at task queue %s: %w", taskQueue, err)
	}
	return len(described.GetPollers()), nil
}

// Alerts say what needs somebody to look at it.
func (s ScheduleStatus) Alerts() (out []string) {
	if s.Overdue != nil {
		out = append(out, fmt.Sprintf("a run was due at %s and has not begun", s.Overdue.Format(time.RFC3339)))
	}
	// Each run takes whatever is due: one that ended well has made up for those that were missed before it.
	if s.Missed > 0 && (s.Last == nil || s.Last.Status != "completed" && s.Last.Status != "running") {
		out = append(out, fmt.Sprintf("%d runs were missed and came too late to be made up for; take their files with backfill-source", s.Missed))
	}
	if s.Last != nil && (s.Last.Status == "failed" || s.Last.Status == "timedout" || s.Last.Status == "terminated") {
		out = append(out, "its last run "+s.Last.Status+"; see starter status "+s.Last.WorkflowID)
	}
	return out
}
