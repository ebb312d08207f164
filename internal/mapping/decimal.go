package mapping

import (
	"bytes"
	"errors"
	"unicode"
	"unicode/utf8"
)

// Decimal says how numbers are written. A number is a sign if need be, digits, and a point with digits
// behind it if need be; groups are either all there, with three digits each, or none is.
type Decimal struct {
	// Point before the fraction, one character; a point unless given.
	Point string `yaml:"point"`
	// Group is the character between thousands; there is none unless given.
	Group string `yaml:"group"`
}

type decimal struct {
	point, group []byte
	buffer       []byte
}

func newDecimal(d Decimal) (function, error) {
	if d.Point == "" {
		d.Point = "."
	}
	if d.Point == d.Group {
		return nil, errors.New("point and group are the same")
	}
	for _, text := range []string{d.Point, d.Group} {
		if r, size := utf8.DecodeRuneInString(text); size != len(text) || r == '+' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return nil, errors.New("point and group must be one character each, and no sign, letter or digit")
		}
	}
	return &decimal{point: []byte(d.Point), group: []byte(d.Group)}, nil
}

func (s *decimal) apply(value []byte) ([]byte, bool) {
	out := s.buffer[:0]
	switch value[0] {
	case '-':
		out, value = append(out, '-'), value[1:]
	case '+':
		value = value[1:]
	}
	whole, fraction, pointed := bytes.Cut(value, s.point)
	if pointed && !allDigits(fraction) {
		return nil, false
	}
	signed := len(out)
	if out = s.appendWhole(out, whole); len(out) == signed {
		if !pointed || len(whole) > 0 {
			return nil, false
		}
		out = append(out, '0') // ",50"
	}
	if pointed {
		out = append(append(out, '.'), fraction...)
	}
	s.buffer = out
	return out, true
}

// appendWhole appends the digits before the point, and nothing when something is wrong with them.
func (s *decimal) appendWhole(out, whole []byte) []byte {
	start := len(out)
	for groups := 0; ; groups++ {
		group, rest, more := whole, []byte(nil), false
		if len(s.group) > 0 {
			group, rest, more = bytes.Cut(whole, s.group)
		}
		if !allDigits(group) || groups > 0 && len(group) != 3 || groups == 0 && more && len(group) > 3 {
			return out[:start]
		}
		if out = append(out, group...); !more {
			return out
		}
		whole = rest
	}
}

// allDigits reports whether text is digits, at least one.
func allDigits(text []byte) bool {
	for _, c := range text {
		if !isDigit(c) {
			return false
		}
	}
	return len(text) > 0
}
