package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

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
