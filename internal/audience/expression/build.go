package expression

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"prospector/internal/xdm"
)

// What parsers of both notations build from.

// Readable refuses a text that no parser should see.
func Readable(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return Errorf(Empty, 0, "write a condition such as partner.hiking = 'Y'", "the rule is empty")
	case len(text) > MaxBytes:
		return Errorf(TooLarge, 0, "write it as several audiences", "a rule has at most %d bytes, this one has %d", MaxBytes, len(text))
	case !utf8.ValidString(text):
		return Errorf(Syntax, 0, "save it as UTF-8", "the rule is not UTF-8")
	}
	if i := strings.IndexFunc(text, func(c rune) bool { return c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f }); i >= 0 {
		return Errorf(Syntax, i, "remove it", "the rule holds a control character")
	}
	return nil
}

// Number reads a number. A whole one stays exact however it is written, 1.0 or 1.
func Number(at int, text string) (*Node, error) {
	digits, fraction, _ := strings.Cut(text, ".")
	if strings.Trim(fraction, "0") != "" {
		digits = text
	}
	if whole, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return NewConstant(at, whole), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, Errorf(WrongValue, at, "", "this number is too large, or none")
	}
	return NewConstant(at, v), nil
}

// Instant reads a date, or a date with time and zone.
func Instant(at int, text string, date bool) (*Node, error) {
	value, midnight, ok := instantOf(text)
	if !ok || date && !midnight {
		return nil, Errorf(WrongValue, at, "write "+examples[xdm.DateTime], "this is no date")
	}
	n := NewConstant(at, value)
	if date {
		n.Type = Of(xdm.Date)
	}
	return n, nil
}

// Day makes a date.
func Day(at int, year, month, day int64) (*Node, error) {
	value := time.Date(int(year), time.Month(month), int(day), 0, 0, 0, 0, time.UTC)
	if year < 1 || year > 9999 || month < 1 || month > 12 || value.Day() != int(day) {
		return nil, Errorf(WrongValue, at, "write date(1990, 1, 31)", "there is no such date")
	}
	return &Node{Op: Constant, Value: value, At: at, Type: Of(xdm.Date)}, nil
}

// NewShift moves a date by so many units, in singular or plural.
func NewShift(at int, date *Node, count int64, unit string) *Node {
	unit = strings.ToLower(unit)
	for _, larger := range []struct {
		names string
		years int64
	}{{"decade decades", 10}, {"century centuries", 100}, {"millennium millennia", 1000}} {
		for name := range strings.FieldsSeq(larger.names) {
			if unit == name {
				count, unit = count*larger.years, "year"
			}
		}
	}
	if _, ok := seconds[strings.TrimSuffix(unit, "s")]; ok {
		unit = strings.TrimSuffix(unit, "s")
	}
	return &Node{Op: Shift, Args: []*Node{date}, Word: unit, Value: count, At: at}
}

// ReadRange takes the two numbers of a split out of its arguments.
func ReadRange(n *Node) error {
	var share [2]float64
	for i, arg := range n.Args {
		checked, err := constant(arg)
		if err != nil || arg.Op != Constant || !checked.Type.numeric() {
			return Errorf(WrongValue, n.At, "write percents such as split('test', 0, 10)", "a split goes from a smaller to a larger percent between 0 and 100")
		}
		share[i] = float(arg.Value)
	}
	n.Args, n.Value = nil, Range{share[0], share[1]}
	return nil
}
