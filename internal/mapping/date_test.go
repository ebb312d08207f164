package mapping

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/xdm"
)

// equivalents are our formats and those of the standard library that mean the same.
var equivalents = []struct{ ours, theirs, also string }{
	{ours: "DD.MM.YYYY", theirs: "02.01.2006"},
	{ours: "YYYYMMDD", theirs: "20060102"},
	{ours: "D/M/YYYY", theirs: "2/1/2006"},
	{ours: "MM/DD/YY", theirs: "01/02/06"},
	{ours: "M-D-YY", theirs: "1-2-06"},
	{ours: "YYYY-MM-DD HH:mm:ss", theirs: "2006-01-02 15:04:05"},
	{ours: "YYYY-MM-DDTHH:mm:ss.SSSSSS", theirs: "2006-01-02T15:04:05.000000"},
	{ours: "YYYYMMDDHHmmss", theirs: "20060102150405"},
	{ours: "D.M.YYYY H:mm", theirs: "2.1.2006 15:04"},
	{ours: "M/D/YYYY H:mm A", theirs: "1/2/2006 3:04 PM", also: "1/2/2006 3:04 pm"},
	{ours: "MM/DD/YYYY HH:mm A", theirs: "01/02/2006 03:04 PM", also: "01/02/2006 03:04 pm"},
	{ours: "YYYY-MM-DDTHH:mm:ssZ", theirs: "2006-01-02T15:04:05Z07:00", also: "2006-01-02T15:04:05Z0700"},
	{ours: "DD.MM.YYYY HH:mm:ss Z", theirs: "02.01.2006 15:04:05 Z0700", also: "02.01.2006 15:04:05 Z07:00"},
}

// ours reads a value as an instant, in UTC where the value says nothing else.
func ours(l *layout, value string) (time.Time, bool) {
	m, ok := l.read([]byte(value))
	return time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.second-m.offset, m.nanosecond, time.UTC), ok
}

// What the standard library writes we read as it does; what we read of values that are nearly right, it
// reads the same, and what it reads and would write so, we read.
func TestFormatsAgreeWithTheStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	first, last := time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC).Unix(), time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC).Unix()
	const characters = "0123456789 .:/-+TZAPMapm"
	for _, pair := range equivalents {
		l, err := newLayout(pair.ours)
		require.NoError(t, err)
		for range 5000 {
			zone := time.FixedZone("", 60*(random.IntN(28*60)-14*60))
			value := []byte(time.Unix(first+random.Int64N(last-first), random.Int64N(1_000_000_000)).In(zone).Format(pair.theirs))
			for range random.IntN(4) {
				value[random.IntN(len(value))] = characters[random.IntN(len(characters))]
			}
			requireReadAlike(t, l, pair.ours, string(value), pair.theirs, pair.also)
		}
	}
}

func requireReadAlike(t *testing.T, l *layout, format, value string, layouts ...string) {
	t.Helper()
	got, read := ours(l, value)
	var want time.Time
	theirs, canonical := false, false
	for _, layout := range layouts {
		if parsed, err := time.Parse(layout, value); err == nil && layout != "" {
			want, theirs = parsed.UTC(), true
			_, offset := parsed.Zone()
			canonical = canonical || parsed.Format(layout) == value && parsed.Year() > 0 && offset > -24*60*60 && offset < 24*60*60
		}
	}
	require.False(t, read && !theirs, "only we read %q as %s", value, format)
	require.False(t, canonical && !read, "only the standard library reads %q as %s", value, format)
	if read {
		require.True(t, got.Equal(want), "%q as %s: %s, not %s", value, format, got, want)
	}
}

// Every day there is, and none else: four hundred years are the whole calendar.
func TestEveryDay(t *testing.T) {
	l, err := newLayout("D.M.YYYY")
	require.NoError(t, err)
	for year := 1900; year < 2300; year++ {
		for month := 1; month <= 12; month++ {
			for day := 28; day <= 32; day++ {
				_, ok := l.read(fmt.Appendf(nil, "%d.%d.%d", day, month, year))
				there := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() == day
				if ok != there {
					t.Fatalf("%d.%d.%d is read: %t", day, month, year, ok)
				}
			}
		}
	}
}

// A local time is the first instant at which a clock shows it; what no clock shows is none.
func TestLocalTimes(t *testing.T) {
	var zones []*time.Location
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Manila", "UTC"} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		zones = append(zones, zone)
	}
	shows := func(zone *time.Location, seconds, local int64) bool {
		_, offset := time.Unix(seconds, 0).In(zone).Zone()
		return seconds+int64(offset) == local
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		zone := zones[random.IntN(len(zones))]
		// near a change of the clocks, where there is one
		_, change := time.Unix(random.Int64N(10_000_000_000)-5_000_000_000, 0).In(zone).ZoneBounds()
		local := change.Unix() + (random.Int64N(801)-400)*15*60
		got, ok := instant(local, zone)
		// all differences from UTC that there are within two days, minute by minute
		var first int64
		found := false
		for at := local - furthest; at <= local+furthest; at += 60 {
			_, offset := time.Unix(at, 0).In(zone).Zone()
			if seconds := local - int64(offset); shows(zone, seconds, local) && (!found || seconds < first) {
				first, found = seconds, true
			}
		}
		require.Equal(t, found, ok)
		require.Equal(t, first, got)
		require.Equal(t, ok, shows(zone, time.Date(1970, 1, 1, 0, 0, int(local), 0, zone).Unix(), local), "the standard library finds one where there is one")
	}
}

var formats = []string{"DD.MM.YYYY", "M/D/YY", "YYYYMMDD", "[Tag ]D.M.YYYY", "YYYY-MM-DDTHH:mm:ss.SSSZ", "YYYY-MM-DD HH:mm", "M/D/YYYY H:mm A", "D.M.", "[", "MMM", "[]"}

// No format and no value ends the process; what comes out is a value of the field's type and, read as what
// it is, comes out again.
func FuzzDate(f *testing.F) {
	for _, format := range formats {
		for _, value := range []string{"05.01.2024", "1/5/24", "20240105", "Tag 5.1.2024", "", "31.02.2024", "0000"} {
			f.Add(format, value)
		}
	}
	form := regexp.MustCompile("^(?:" + xdm.DateForm + ")$")
	f.Fuzz(func(t *testing.T, format, value string) {
		compiled, err := newDate(format)
		if err != nil || value == "" {
			return
		}
		out, ok := compiled.apply([]byte(value))
		if !ok {
			return
		}
		require.Regexp(t, form, string(out))
		_, err = time.Parse(time.DateOnly, string(out))
		require.NoError(t, err)
		again, failed := chain(t, "[{date: YYYY-MM-DD}]").Apply(out)
		require.Empty(t, failed)
		require.Equal(t, string(out), string(again))
	})
}

func FuzzDateTime(f *testing.F) {
	for _, format := range formats {
		for _, value := range []string{"2024-01-05T13:30:15.120+01:00", "2024-01-05 13:30", "31.03.2024 02:30", "1/5/2024 1:30 PM", ""} {
			f.Add(format, "Europe/Berlin", value)
			f.Add(format, "", value)
		}
	}
	form := regexp.MustCompile("^(?:" + xdm.DateTimeForm + ")$")
	f.Fuzz(func(t *testing.T, format, zone, value string) {
		compiled, err := newDateTime(DateTime{Format: format, TimeZone: zone})
		if err != nil || value == "" {
			return
		}
		out, ok := compiled.apply([]byte(value))
		if !ok {
			return
		}
		require.Regexp(t, form, string(out))
		want, err := time.Parse(time.RFC3339Nano, string(out))
		require.NoError(t, err)
		plain := map[bool]string{true: "YYYY-MM-DDTHH:mm:ssZ", false: "YYYY-MM-DDTHH:mm:ss.SSSSSSSSSZ"}[want.Nanosecond() == 0]
		written := want.Format(map[bool]string{true: "2006-01-02T15:04:05Z", false: "2006-01-02T15:04:05.000000000Z"}[want.Nanosecond() == 0])
		again, failed := chain(t, "[{dateTime: {format: "+plain+"}}]").Apply([]byte(written))
		require.Empty(t, failed)
		require.Equal(t, written, string(again))
	})
}

// What comes out is a number, and stays as it is.
func FuzzDecimal(f *testing.F) {
	for _, value := range []string{"1.234,50", "-,5", "1234", "+0", "1.23", ",", "1.234.5"} {
		f.Add(value)
	}
	form := regexp.MustCompile("^(?:" + xdm.NumberForm + ")$")
	f.Fuzz(func(t *testing.T, value string) {
		out, failed := chain(t, `[{decimal: {point: ",", group: "."}}]`).Apply([]byte(value))
		if failed != "" || out == nil {
			return
		}
		require.Regexp(t, form, string(out))
		again, failed := chain(t, "[{decimal: {}}]").Apply(out)
		require.Empty(t, failed)
		require.Equal(t, string(out), string(again))
	})
}
