package mapping

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// date writes a day as 2006-01-02.
type date struct {
	layout *layout
	buffer []byte
}

func newDate(format string) (function, error) {
	l, err := newLayout(format)
	if err != nil {
		return nil, err
	}
	for _, letter := range "HmsSZA" {
		if l.has[letter] {
			return nil, fmt.Errorf("format %q has a time of day; use dateTime, or split it off", format)
		}
	}
	return &date{layout: l}, nil
}

func (s *date) apply(value []byte) ([]byte, bool) {
	m, ok := s.layout.read(value)
	if !ok {
		return nil, false
	}
	s.buffer = appendNumber(s.buffer[:0], m.year, 4)
	s.buffer = appendNumber(append(s.buffer, '-'), m.month, 2)
	s.buffer = appendNumber(append(s.buffer, '-'), m.day, 2)
	return s.buffer, true
}

// DateTime says how instants are written. A local time that a clock shows twice, in the hour that autumn
// repeats, is the first of the two instants; one that no clock shows, in the hour that spring leaves out,
// fails.
type DateTime struct {
	// Format of date and time: epochMilliseconds or epochSeconds for whole numbers since 1970 in UTC; otherwise what date has, and HH (or H), mm, ss and SSS, each only with the one before it. A is AM or PM, with hours from 1 to 12, and Z an offset such as Z, +01:00 or +0100. Other letters than T go in brackets: [at].
	Format string `yaml:"format" jsonschema:"required,pattern=\\S"`
	// TimeZone of values without an offset, as an IANA name. With Z in the format there is none.
	TimeZone string `yaml:"timeZone"`
}

// dateTime writes an instant in UTC as RFC 3339, with as many digits of a second as the format has.
type dateTime struct {
	layout *layout
	zone   *time.Location // nil when values have an offset
	buffer []byte
}

func newDateTime(d DateTime) (function, error) {
	if perSecond, ok := epochs[d.Format]; ok {
		if d.TimeZone != "" {
			return nil, fmt.Errorf("values in %s are in UTC; leave timeZone out", d.Format)
		}
		return &epoch{perSecond: perSecond}, nil
	}
	l, err := newLayout(d.Format)
	if err != nil {
		return nil, err
	}
	for _, pair := range []string{"mH", "sm", "Ss", "AH"} {
		if l.has[pair[0]] && !l.has[pair[1]] {
			return nil, fmt.Errorf("format %q has %c without %c", d.Format, pair[0], pair[1])
		}
	}
	switch {
	case !l.has['H']:
		return nil, fmt.Errorf("format %q has no time of day; use date", d.Format)
	case l.has['Z'] && d.TimeZone != "":
		return nil, errors.New("values have an offset (Z) or a timeZone, not both")
	case l.has['Z']:
		return &dateTime{layout: l}, nil
	case d.TimeZone == "":
		return nil, errors.New("timeZone is missing; without an offset (Z) in the format it must be known where the clock stands")
	}
	zone, err := time.LoadLocation(d.TimeZone)
	if err != nil || strings.EqualFold(d.TimeZone, "local") { // not the same on every machine
		return nil, fmt.Errorf("there is no time zone %q", d.TimeZone)
	}
	return &dateTime{layout: l, zone: zone}, nil
}

func (s *dateTime) apply(value []byte) ([]byte, bool) {
	m, ok := s.layout.read(value)
	if !ok {
		return nil, false
	}
	seconds := time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.second, 0, time.UTC).Unix() - int64(m.offset)
	if s.zone != nil {
		if seconds, ok = instant(seconds, s.zone); !ok {
			return nil, false
		}
	}
	at := time.Unix(seconds, int64(m.nanosecond)).UTC()
	if at.Year() < 1 || at.Year() > 9999 {
		return nil, false
	}
	s.buffer = s.appendInstant(s.buffer[:0], at)
	return s.buffer, true
}

func (s *dateTime) appendInstant(out []byte, at time.Time) []byte {
	out = at.AppendFormat(out, "2006-01-02T15:04:05")
	if digits := s.layout.fraction; digits > 0 {
		out = append(out, '.')
		out = appendNumber(out, at.Nanosecond(), 9)
		out = out[:len(out)-9+digits]
	}
	return append(out, 'Z')
}

// furthest is more than any clock differs, or has differed, from UTC.
const furthest = 26 * 60 * 60 // seconds

// instant is the first Unix time at which a zone's clocks show the local time, itself counted as if it
// were UTC. It is false when they never do.
func instant(local int64, zone *time.Location) (first int64, found bool) {
	for at := local - furthest; at <= local+furthest; {
		t := time.Unix(at, 0).In(zone)
		offset := offsetAt(t)
		seconds := local - offset
		if offsetAt(time.Unix(seconds, 0).In(zone)) == offset && (!found || seconds < first) {
			first, found = seconds, true
		}
		_, end := t.ZoneBounds()
		if end.IsZero() {
			break
		}
		at = max(end.Unix(), at+60*60) // on the last day of leap years, ZoneBounds ends in the past
	}
	return first, found
}

// offsetAt is how many seconds the zone's clocks are ahead of UTC.
func offsetAt(t time.Time) int64 {
	_, offset := t.Zone()
	return int64(offset)
}

func appendNumber(out []byte, number, width int) []byte {
	for range width {
		out = append(out, '0')
	}
	for i := len(out) - 1; number > 0; i-- {
		out[i] = byte('0' + number%10)
		number /= 10
	}
	return out
}
