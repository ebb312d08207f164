package workflows

import (
	"strings"
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

var overlaps = map[string]enumspb.ScheduleOverlapPolicy{
	"":            enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
	"skip":        enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
	"bufferOne":   enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE,
	"bufferAll":   enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
	"cancelOther": enumspb.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER,
}

// SourceSchedule is the Temporal Schedule of a source's syncs: one at a time unless the source says otherwise.
func SourceSchedule(s *workspace.Source) (client.ScheduleOptions, error) {
	spec, err := scheduleSpec(s.Schedule)
	return client.ScheduleOptions{
		ID:            SourceScheduleID(s.Name),
		Spec:          spec,
		Action:        &client.ScheduleWorkflowAction{ID: SyncSourceInput{Source: s.Name}.WorkflowID(), Workflow: SyncSource, Args: []any{SyncSourceInput{Source: s.Name}}, TaskQueue: TaskQueue},
		Overlap:       overlaps[s.Schedule.Overlap],
		CatchupWindow: s.Schedule.CatchUpWindow(),
		Paused:        s.Schedule.Paused,
		Memo:          map[string]any{ScheduleMark: s.Name},
		Note:          scheduleNote(s.Schedule) + ", as " + s.File() + DeclaredNote,
	}, err
}

func scheduleSpec(s *workspace.Schedule) (spec client.ScheduleSpec, err error) {
	spec = client.ScheduleSpec{TimeZoneName: s.TimeZone, Jitter: s.JitterLimit()}
	if s.Cron != "" {
		spec.CronExpressions = []string{s.Cron}
	} else {
		var every time.Duration
		if every, err = s.Interval(); err != nil {
			return spec, err
		}
		spec.Intervals = []client.ScheduleIntervalSpec{{Every: every}}
	}
	if spec.StartAt, err = s.Instant(s.Start); err != nil {
		return spec, err
	}
	spec.EndAt, err = s.Instant(s.End)
	return spec, err
}

func scheduleNote(s *workspace.Schedule) string {
	text := s.Cron + " " + s.TimeZone
	if s.Every != "" {
		text = "every " + s.Every
	}
	for _, part := range []struct{ name, text string }{{"from", s.Start}, {"to", s.End}, {"overlap", s.Overlap}, {"jitter", s.Jitter}, {"catch up", s.CatchUp}} {
		if part.text != "" {
			text += ", " + part.name + " " + part.text
		}
	}
	return strings.TrimSpace(text)
}
