package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"prospector/internal/workspace"
)

// SR-16: what a source declares is what Temporal is told.
func TestScheduleSpec(t *testing.T) {
	s := &workspace.Source{Name: "acme", Schedule: &workspace.Schedule{Every: "2w", TimeZone: "Europe/Berlin", Start: "2026-12-01", End: "2027-01-01T06:00:00",
		Overlap: "bufferOne", CatchUp: "12h", Jitter: "5m"}}
	o, err := SourceSchedule(s)
	require.NoError(t, err)
	require.Equal(t, 14*24*time.Hour, o.Spec.Intervals[0].Every)
	require.True(t, o.Spec.StartAt.Equal(time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)))
	require.True(t, o.Spec.EndAt.Equal(time.Date(2027, 1, 1, 5, 0, 0, 0, time.UTC)))
	require.Equal(t, 5*time.Minute, o.Spec.Jitter)
	require.Equal(t, 12*time.Hour, o.CatchupWindow)
	require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE, o.Overlap)
	s.Schedule = &workspace.Schedule{Cron: "30 4 * * 1-5", TimeZone: "UTC"}
	o, err = SourceSchedule(s)
	require.NoError(t, err)
	require.Equal(t, []string{"30 4 * * 1-5"}, o.Spec.CronExpressions)
	require.Equal(t, 24*time.Hour, o.CatchupWindow)
	require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, o.Overlap)
}

// AU-29, AU-30: audiences are evaluated daily unless the workspace says otherwise; one with a schedule of its own by that.
func TestEvaluationSchedules(t *testing.T) {
	w := &workspace.Workspace{Audiences: []*workspace.Audience{{Name: "a"}, {Name: "b", Schedule: &workspace.Schedule{Every: "6h", TimeZone: "UTC"}},
		{Name: "c", Status: workspace.Inactive, Schedule: &workspace.Schedule{Every: "1d", TimeZone: "UTC"}}}}
	w.Sandbox.Evaluation = workspace.Evaluation{Schedule: &workspace.Schedule{Cron: "0 1 * * *", TimeZone: "Europe/Berlin"}, Activate: true}
	all, err := EvaluationSchedules(w)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, []string{"evaluate-audiences", "evaluate-audiences/b"}, []string{all[0].ID, all[1].ID})
	require.Equal(t, []any{EvaluateAudiencesInput{Scheduled: true, Activate: true}}, all[0].Action.(*client.ScheduleWorkflowAction).Args)
	require.Equal(t, []any{EvaluateAudiencesInput{Audiences: []string{"b"}}}, all[1].Action.(*client.ScheduleWorkflowAction).Args)
	require.Equal(t, "Europe/Berlin", all[0].Spec.TimeZoneName)
	w.Audiences = w.Audiences[1:]
	all, err = EvaluationSchedules(w)
	require.NoError(t, err)
	require.Len(t, all, 1, "nobody needs the sandbox's")
}
