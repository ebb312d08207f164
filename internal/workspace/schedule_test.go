package workspace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A cron line is refused when no month that it names has a day that it names, and only then.
func TestCronThatFires(t *testing.T) {
	for line, want := range map[string]bool{
		"0 0 30 2 *": false, "0 0 30,31 FEB *": false, "0 0 31 4,6,9,11 *": false, "0 0 30-31 2-2 *": false, "0 0 31 */20 *": true, "0 0 31 2/2 *": true,
		"0 0 29 2 *": true, "0 0 29 2 MON": true, "0 0 30 2,3 *": true, "0 0 1,31 2 *": true, "0 0 */30 2 *": true, "0 4 * * *": true, "0 0 31 4-5 *": true, "30 4 * * 1-5": true,
	} {
		require.Empty(t, cronProblem(line), line)
		require.Equal(t, want, cronFires(line), line)
	}
}

// A schedule whose end is past is warned of where it says so; the end is in its own time zone.
func TestEndedSchedules(t *testing.T) {
	w := accepted(t, edit{"sources.yaml", "paused: true}", "paused: true, end: 2026-11-24}"})
	end := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC) // midnight in New York
	require.Empty(t, w.EndedSchedules(end.Add(-time.Second)))
	require.EqualError(t, w.EndedSchedules(end), "sources.yaml:30:78: source acme: its schedule ended at 2026-11-24 and starts nothing any more; give it a later end, or leave schedule out")
	require.Empty(t, w.Warnings, "what is true of today only is no part of the workspace")
}
