package mapping

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The last days of leap years are days as others, however far away: there the standard library's bounds
// of a zone's period end in the past.
func TestLastDayOfLeapYears(t *testing.T) {
	for _, name := range []string{"America/New_York", "Europe/Berlin", "Australia/Sydney", "Asia/Kolkata"} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		for year := 2000; year <= 2400; year += 4 {
			for _, day := range []int{30, 31, 32} {
				want := time.Date(year, 12, day, 12, 0, 0, 0, zone).Unix()
				got, ok := instant(time.Date(year, 12, day, 12, 0, 0, 0, time.UTC).Unix(), zone)
				require.True(t, ok)
				require.Equal(t, want, got)
			}
		}
	}
}
