package workspace

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schedule says when something runs by itself: by cron, or every so often.
type Schedule struct {
	// Cron line of five fields: minute, hour, day, month, weekday.
	Cron string `yaml:"cron"`
	// Every so many minutes (15 or more), hours, days or weeks, such as 15m, 6h, 1d or 2w, counted from midnight UTC of 1970-01-01.
	Every string `yaml:"every"`
	// TimeZone of cron, start and end as an IANA name; the sandbox's default, or UTC.
	TimeZone string `yaml:"timeZone"`
	// Start of the schedule, such as 2026-11-24 or 2026-11-24T06:00:00; at once unless given.
	Start string `yaml:"start"`
	// End of the schedule; never unless given.
	End string `yaml:"end"`
	// Overlap says what happens to a run that is due while the one before is under way: skip it (unless given), bufferOne to start one after it, bufferAll to start each, or cancelOther.
	Overlap string `yaml:"overlap" jsonschema:"enum=skip,enum=bufferOne,enum=bufferAll,enum=cancelOther"`
	// CatchUp is how long ago a run that was missed, because Temporal was down, may have been due to be made up for, such as 12h; a day unless given.
	CatchUp string `yaml:"catchUp"`
	// Jitter starts each run up to so much later, such as 5m, so that not all start at once.
	Jitter string `yaml:"jitter"`
	// Paused schedules exist and start nothing.
	Paused bool `yaml:"paused"`
}

// String is the schedule for people.
func (s *Schedule) String() string {
	text := s.Cron + " " + s.TimeZone
	if s.Every != "" {
		text = "every " + s.Every
	}
	for _, part := range []struct{ name, text string }{{"from", s.Start}, {"to", s.End}, {"overlap", s.Overlap}, {"jitter", s.Jitter}, {"catch up", s.CatchUp}} {
		if part.text != "" {
			text += ", " + part.name + " " + part.text
		}
	}
	if s.Paused {
		text += ", paused"
	}
	return strings.TrimSpace(text)
}

// checkSchedule judges a schedule whose defaults are in place.
func (l *loader) checkSchedule(at place, s *Schedule) {
	switch wrong := cronProblem(s.Cron); {
	case (s.Cron == "") == (s.Every == ""):
		at.problem("give one of them, such as cron: 30 4 * * 1-5 or every: 6h", "a schedule has either cron or every")
	case s.Cron != "" && wrong != "":
		at.in("cron").problem("write minute, hour, day, month and weekday, such as 30 4 * * 1-5", "the cron line %q %s", s.Cron, wrong)
	case s.Cron != "" && !cronFires(s.Cron):
		at.in("cron").problem("write a day that one of its months has", "the cron line %q names a day that none of its months has, so that nothing would ever run", s.Cron)
	}
	if s.Every != "" {
		if _, err := s.Interval(); err != nil {
			at.in("every").problem("write such as 15m, 6h, 1d or 2w", "%s", err)
		}
	}
	l.checkTimeZone(at.in("timeZone"), s.TimeZone)
	start, startErr := s.Instant(s.Start)
	end, endErr := s.Instant(s.End)
	for _, key := range []struct {
		name string
		err  error
	}{{"start", startErr}, {"end", endErr}} {
		if key.err != nil {
			at.in(key.name).problem("write such as 2026-11-24 or 2026-11-24T06:00:00, in the schedule's time zone", "%s is no time", key.name)
		}
	}
	if startErr == nil && endErr == nil && s.End != "" && !end.After(start) {
		at.in("end").problem("let it end after it starts", "the schedule ends before it starts")
	}
	for _, key := range []struct{ name, text string }{{"catchUp", s.CatchUp}, {"jitter", s.Jitter}} {
		if key.text == "" {
			continue
		}
		if d, err := span(key.text); err != nil || d < time.Second {
			at.in(key.name).problem("write such as 90s, 15m, 6h or 2d", "%s cannot be %q", key.name, key.text)
		}
	}
}

// EndedSchedules warns of schedules that start nothing any more.
func (w *Workspace) EndedSchedules(now time.Time) (out Problems) {
	look := func(o object, s *Schedule, path ...string) {
		if s == nil || s.End == "" {
			return
		}
		if end, err := s.Instant(s.End); err == nil && !end.After(now) {
			out = append(out, Problem{Position: o.At(append(path, "end")...), Object: titled(o), Message: fmt.Sprintf("its schedule ended at %s and starts nothing any more", s.End),
				Hint: "give it a later end, or leave schedule out"})
		}
	}
	for _, s := range w.Sources {
		look(s, s.Schedule, "schedule")
	}
	for _, a := range w.Audiences {
		look(a, a.Schedule, "schedule")
	}
	look(&w.Sandbox, w.Sandbox.Evaluation.Schedule, "evaluation", "schedule")
	out.sort()
	return out
}

// Interval is how often a schedule with every runs. Minutes are 15 or more (SR-17).
func (s *Schedule) Interval() (time.Duration, error) {
	d, err := span(s.Every)
	switch {
	case err != nil, strings.HasSuffix(s.Every, "s"):
		return 0, fmt.Errorf("every cannot be %q", s.Every)
	case d < 15*time.Minute:
		return 0, fmt.Errorf("every %s is more often than every 15 minutes", s.Every)
	}
	return d, nil
}

// CatchUpWindow is how long ago a missed run may have been due to be made up for.
func (s *Schedule) CatchUpWindow() time.Duration {
	if d, err := span(s.CatchUp); err == nil {
		return d
	}
	return 24 * time.Hour
}

// JitterLimit is by how much a run may start later than it is due.
func (s *Schedule) JitterLimit() time.Duration {
	d, _ := span(s.Jitter) // checked; none is 0
	return d
}

// Instant reads start or end; the zero time for none.
func (s *Schedule) Instant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return time.Time{}, err
	}
	for _, form := range []string{time.DateOnly, "2006-01-02T15:04:05", "2006-01-02T15:04", time.RFC3339} {
		if at, err := time.ParseInLocation(form, text, zone); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errors.New("no time")
}

// span reads a whole number and a unit: s, m, h, d or w.
func span(text string) (time.Duration, error) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if text == "" {
		return 0, errors.New("empty")
	}
	n, err := strconv.Atoi(text[:len(text)-1])
	unit := units[text[len(text)-1]]
	if err != nil || n < 1 || n > 10000 || unit == 0 {
		return 0, errors.New("no span of time")
	}
	return time.Duration(n) * unit, nil
}

func (l *loader) checkTimeZone(at place, name string) {
	if _, err := time.LoadLocation(name); err != nil || name == "Local" { // not the same on every machine
		at.problem("write an IANA name, such as Europe/Berlin or UTC", "there is no time zone %q", name)
	}
}

var (
	cronNames = [][]string{3: {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}, 4: {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}}
	cronRules = []struct {
		name            string
		lowest, highest int
	}{{"minute", 0, 59}, {"hour", 0, 23}, {"day", 1, 31}, {"month", 1, 12}, {"weekday", 0, 7}}
)

// cronProblem says what is wrong with a cron line: lists of values, names and ranges, with steps.
func cronProblem(line string) string {
	fields := strings.Fields(line)
	if len(fields) != len(cronRules) {
		return fmt.Sprintf("has %d fields, not 5", len(fields))
	}
	for i, rule := range cronRules {
		for _, part := range strings.Split(fields[i], ",") {
			span, step, stepped := strings.Cut(part, "/")
			if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1) {
				return fmt.Sprintf("has the %s %q", rule.name, part)
			}
			if span == "*" {
				continue
			}
			from, to, ranged := strings.Cut(span, "-")
			first, ok := cronValue(i, from)
			last, also := first, ok
			if ranged {
				last, also = cronValue(i, to)
			}
			if !ok || !also || first > last {
				return fmt.Sprintf("has the %s %q", rule.name, part)
			}
		}
	}
	return ""
}

// mostDays are the days that a month may have, from January on.
var mostDays = [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// cronFires reports whether a month of a sound cron line has one of its days. Temporal holds weekdays beside days, and each
// day of the year is any weekday in some year.
func cronFires(line string) bool {
	fields := strings.Fields(line)
	first := slices.Min(cronValues(2, fields[2]))
	return slices.ContainsFunc(cronValues(3, fields[3]), func(month int) bool { return first <= mostDays[month-1] })
}

// cronValues are the values of a field that cronProblem has found sound.
func cronValues(field int, text string) (out []int) {
	for part := range strings.SplitSeq(text, ",") {
		span, step, stepped := strings.Cut(part, "/")
		first, last, by := cronRules[field].lowest, cronRules[field].highest, 1
		if span != "*" {
			from, to, ranged := strings.Cut(span, "-")
			first, _ = cronValue(field, from)
			if ranged {
				last, _ = cronValue(field, to)
			} else if !stepped {
				last = first
			}
		}
		if stepped {
			by, _ = strconv.Atoi(step)
		}
		for value := first; value <= last; value += by {
			out = append(out, value)
		}
	}
	return out
}

func cronValue(field int, text string) (value int, ok bool) {
	if i := slices.Index(cronNames[field], strings.ToUpper(text)); i >= 0 {
		return i + cronRules[field].lowest, true
	}
	value, err := strconv.Atoi(text)
	return value, err == nil && value >= cronRules[field].lowest && value <= cronRules[field].highest
}
