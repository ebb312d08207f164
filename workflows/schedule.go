package workflows

import (
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"prospector/internal/workspace"
)

// ScheduleMark is the memo of schedules that a workspace declares; all others are somebody else's.
const ScheduleMark = "prospectorSource"

// SourceScheduleID names the schedule of a source.
func SourceScheduleID(source string) string { return SyncSourceInput{Source: source}.WorkflowID() }

// DeclaredNote ends the note of a schedule whose pause nobody has changed by hand.
const DeclaredNote = " declares"

// SourceSchedule is the Temporal Schedule of a source's syncs: one at a time, runs missed by up to a
// day are made up for.
func SourceSchedule(s *workspace.Source) client.ScheduleOptions {
	return client.ScheduleOptions{
		ID:            SourceScheduleID(s.Name),
		Spec:          client.ScheduleSpec{CronExpressions: []string{s.Schedule.Cron}, TimeZoneName: s.Schedule.TimeZone},
		Action:        &client.ScheduleWorkflowAction{ID: SyncSourceInput{Source: s.Name}.WorkflowID(), Workflow: SyncSource, Args: []any{SyncSourceInput{Source: s.Name}}, TaskQueue: TaskQueue},
		Overlap:       enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		CatchupWindow: 24 * time.Hour,
		Paused:        s.Schedule.Paused,
		Memo:          map[string]any{ScheduleMark: s.Name},
		Note:          s.Schedule.Cron + " " + s.Schedule.TimeZone + ", as " + s.File() + DeclaredNote,
	}
}
