package mapping

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// tokens of a format, by their letter and how often it may stand.
var tokens = map[byte]string{'Y': "YYYY YY", 'M': "MM M", 'D': "DD D", 'H': "HH H", 'm': "mm", 's': "ss", 'S': "S SS SSS SSSS SSSSS SSSSSS SSSSSSS SSSSSSSS SSSSSSSSS", 'Z': "Z", 'A': "A"}

const tokenHelp = "a format is made of YYYY YY MM M DD D HH H mm ss SSS Z and A, other letters stand in brackets, such as [at]"

// pivot is the first two-digit year of the last century: 69 is 1969, 68 is 2068.
const pivot = 69

// layout is a compiled format. What it reads is exactly what is written: as many digits as the format
// says, a date that is in the calendar, and nothing before or behind it.
//
// YYYY is a year from 0001, YY one from 1969 to 2068. MM, DD, HH, mm and ss are two digits; M, D and H are
// one or two. One to nine S are as many digits of a second's fraction. A is AM, PM, am or pm, and hours
// are then 1 to 12; otherwise they are 0 to 23. Z is an offset from UTC: Z, +01:00 or +0100. T stands for
// itself, as does all that is no letter; other text stands in brackets.
type layout struct {
	elements []element
	has      [128]bool // letters of the tokens
	fraction int       // digits
}

// element is a token, or text that stands in every value.
type element struct {
	letter byte
	count  int
	text   string
}

func newLayout(format string) (*layout, error) {
	l := &layout{}
	for rest := format; rest != ""; {
		e, length, err := firstElement(rest)
		if err != nil {
			return nil, err
		}
		if err := l.add(e); err != nil {
			return nil, err
		}
		rest = rest[length:]
	}
	if !l.has['Y'] || !l.has['M'] || !l.has['D'] {
		return nil, fmt.Errorf("format %q needs a year, a month and a day; %s", format, tokenHelp)
	}
	return l, nil
}

// firstElement reads what a format begins with.
func firstElement(format string) (e element, length int, err error) {
	c := format[0]
	switch {
	case c == '[':
		text, _, closed := strings.Cut(format[1:], "]")
		if !closed {
			return e, 0, fmt.Errorf("format %q has a bracket that is not closed", format)
		}
		return element{text: text}, len(text) + 2, nil
	case c == 'T' || (c < 'A' || c > 'Z') && (c < 'a' || c > 'z'):
		return element{text: format[:1]}, 1, nil
	}
	count := 1
	for count < len(format) && format[count] == c {
		count++
	}
	if word := format[:count]; !slices.Contains(strings.Fields(tokens[c]), word) {
		return e, 0, fmt.Errorf("there is no %s in formats; %s", word, tokenHelp)
	}
	return element{letter: c, count: count}, count, nil
}

// add appends an element, if what a value means remains clear.
func (l *layout) add(e element) error {
	if n := len(l.elements); n > 0 && l.elements[n-1].oneOrTwo() && e.startsWithDigit() {
		return fmt.Errorf("digits follow %[1]c directly, so that it is not clear where it ends; write %[1]c%[1]c", l.elements[n-1].letter)
	}
	if e.letter == 0 && e.text == "" {
		return nil
	}
	if e.letter != 0 {
		if l.has[e.letter] {
			return fmt.Errorf("%c stands twice in a format", e.letter)
		}
		l.has[e.letter] = true
	}
	if e.letter == 'S' {
		l.fraction = e.count
	}
	l.elements = append(l.elements, e)
	return nil
}

// oneOrTwo reports whether the element is a number that may have two digits and need not.
func (e element) oneOrTwo() bool { return e.count == 1 && strings.IndexByte("MDH", e.letter) >= 0 }

func (e element) startsWithDigit() bool {
	if e.letter == 0 {
		return e.text != "" && isDigit(e.text[0])
	}
	return e.letter != 'Z' && e.letter != 'A'
}

// moment is what a value says.
type moment struct {
	year, month, day, hour, minute, second int
	nanosecond                             int
	afternoon                              bool
	offset                                 int // seconds east of UTC
}

// read is false when the value is not written in the layout or not in the calendar.
func (l *layout) read(value []byte) (m moment, ok bool) {
	for _, e := range l.elements {
		if value, ok = e.read(value, &m); !ok {
			return m, false
		}
	}
	if len(value) > 0 || m.year < 1 || m.month < 1 || m.month > 12 || m.day < 1 || m.day > daysIn(m.year, m.month) || m.minute > 59 || m.second > 59 {
		return m, false
	}
	if !l.has['A'] {
		return m, m.hour <= 23
	}
	ok = m.hour >= 1 && m.hour <= 12
	m.hour %= 12
	if m.afternoon {
		m.hour += 12
	}
	return m, ok
}

// read takes the element off the beginning of a value.
func (e element) read(value []byte, m *moment) (rest []byte, ok bool) {
	switch e.letter {
	case 0:
		if len(value) < len(e.text) || string(value[:len(e.text)]) != e.text {
			return nil, false
		}
		return value[len(e.text):], true
	case 'A':
		return readHalf(value, m)
	case 'Z':
		return readOffset(value, m)
	}
	count := e.count
	if e.oneOrTwo() && len(value) > 1 && isDigit(value[1]) {
		count = 2
	}
	number, rest, ok := readDigits(value, count)
	if !ok {
		return nil, false
	}
	switch e.letter {
	case 'Y':
		m.year = number
		if count == 2 {
			m.year += 1900
			if number < pivot {
				m.year += 100
			}
		}
	case 'M':
		m.month = number
	case 'D':
		m.day = number
	case 'H':
		m.hour = number
	case 'm':
		m.minute = number
	case 's':
		m.second = number
	case 'S':
		for m.nanosecond = number; count < 9; count++ {
			m.nanosecond *= 10
		}
	}
	return rest, true
}

// readDigits takes count digits off the beginning of a value.
func readDigits(value []byte, count int) (number int, rest []byte, ok bool) {
	if len(value) < count {
		return 0, nil, false
	}
	for _, c := range value[:count] {
		if !isDigit(c) {
			return 0, nil, false
		}
		number = 10*number + int(c-'0')
	}
	return number, value[count:], true
}

func readHalf(value []byte, m *moment) (rest []byte, ok bool) {
	if len(value) < 2 {
		return nil, false
	}
	switch string(value[:2]) {
	case "AM", "am":
	case "PM", "pm":
		m.afternoon = true
	default:
		return nil, false
	}
	return value[2:], true
}

func readOffset(value []byte, m *moment) (rest []byte, ok bool) {
	if len(value) == 0 {
		return nil, false
	}
	sign := 1
	switch value[0] {
	case 'Z':
		return value[1:], true
	case '-':
		sign = -1
	case '+':
	default:
		return nil, false
	}
	hours, rest, ok := readDigits(value[1:], 2)
	if !ok {
		return nil, false
	}
	if len(rest) > 0 && rest[0] == ':' {
		rest = rest[1:]
	}
	minutes, rest, ok := readDigits(rest, 2)
	m.offset = sign * (hours*60 + minutes) * 60
	return rest, ok && hours <= 23 && minutes <= 59
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
