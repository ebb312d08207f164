package mapping

import (
	"strconv"
	"time"
)

// epochs are the formats of instants that are counted since 1970, by their units in a second.
var epochs = map[string]int64{"epochMilliseconds": 1000, "epochSeconds": 1}

// epoch writes an instant in UTC as RFC 3339, in milliseconds where it was counted in them. It takes whole numbers,
// negative ones before 1970, of the years 0001 to 9999.
type epoch struct {
	perSecond int64
	buffer    []byte
}

func (s *epoch) apply(value []byte) ([]byte, bool) {
	digits := value
	if digits[0] == '-' {
		digits = digits[1:]
	}
	if !allDigits(digits) || len(digits) > 15 {
		return nil, false
	}
	count, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return nil, false
	}
	at := time.UnixMilli(count * (1000 / s.perSecond)).UTC()
	if at.Year() < 1 || at.Year() > 9999 {
		return nil, false
	}
	layout := "2006-01-02T15:04:05Z"
	if s.perSecond > 1 {
		layout = "2006-01-02T15:04:05.000Z"
	}
	s.buffer = at.AppendFormat(s.buffer[:0], layout)
	return s.buffer, true
}
