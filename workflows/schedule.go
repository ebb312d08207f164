package workflows

import (
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"prospector/internal/workspace"
)

// ScheduleMark is the memo of schedules that a workspace declares; all others are somebody else's.
const ScheduleMark = "prospector"

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
		Note:          s.Schedule.String() + ", as " + s.File() + DeclaredNote,
	}, err
}

// EvaluationSchedules are the Temporal Schedules of a workspace's audiences: one for those that have a schedule of their own,
// each, and one for all others.
func EvaluationSchedules(w *workspace.Workspace) (out []client.ScheduleOptions, err error) {
	add := func(in EvaluateAudiencesInput, id string, s *workspace.Schedule, file string) {
		spec, wrong := scheduleSpec(s)
		err = errors.Join(err, wrong)
		out = append(out, client.ScheduleOptions{
			ID:            id,
			Spec:          spec,
			Action:        &client.ScheduleWorkflowAction{ID: id, Workflow: EvaluateAudiences, Args: []any{in}, TaskQueue: TaskQueue},
			Overlap:       overlaps[s.Overlap],
			CatchupWindow: s.CatchUpWindow(),
			Paused:        s.Paused,
			Memo:          map[string]any{ScheduleMark: id},
			Note:          s.String() + ", as " + file + DeclaredNote,
		})
	}
	all, activate := EvaluateAudiencesInput{}.WorkflowID(), w.Sandbox.Evaluation.Activate
	if s := w.EvaluationSchedule(); s != nil {
		add(EvaluateAudiencesInput{Scheduled: true, Activate: activate}, all, s, w.Sandbox.File())
	}
	for _, a := range w.Audiences {
		if a.Schedule != nil && a.Status != workspace.Inactive {
			add(EvaluateAudiencesInput{Audiences: []string{a.Name}}, all+"/"+a.Name, a.Schedule, a.File())
		}
	}
	return out, err
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
