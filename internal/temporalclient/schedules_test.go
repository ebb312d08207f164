package temporalclient

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Missed runs are news until a run has ended well: it took what they left.
func TestAlerts(t *testing.T) {
	due := time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		status ScheduleStatus
		alerts []string
	}{
		"all is well":             {ScheduleStatus{Last: &ScheduledRun{Status: "completed"}}, nil},
		"missed and never run":    {ScheduleStatus{Missed: 2}, []string{"2 runs were missed"}},
		"missed and made up for":  {ScheduleStatus{Missed: 2, Last: &ScheduledRun{Status: "completed"}}, nil},
		"being made up for":       {ScheduleStatus{Missed: 2, Last: &ScheduledRun{Status: "running"}}, nil},
		"missed, then failed":     {ScheduleStatus{Missed: 1, Last: &ScheduledRun{Status: "failed", WorkflowID: "w"}}, []string{"1 runs were missed", "its last run failed; see starter status w"}},
		"missed after a good run": {ScheduleStatus{Overdue: &due, Missed: 1, Last: &ScheduledRun{Status: "completed"}}, []string{"a run was due at 2026-11-24T04:00:00Z"}},
		"terminated":              {ScheduleStatus{Last: &ScheduledRun{Status: "terminated"}}, []string{"its last run terminated"}},
	} {
		alerts := c.status.Alerts()
		require.Len(t, alerts, len(c.alerts), name)
		for i, text := range c.alerts {
			require.Contains(t, alerts[i], text, name)
		}
	}
}
