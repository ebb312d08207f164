package mapping

import (
	"bytes"
	"errors"
	"unicode"
	"unicode/utf8"
)

// trim takes away the white space around a value, no-break spaces included.
type trim struct{}

func (trim) apply(value []byte) ([]byte, bool) { return bytes.TrimSpace(value), true }

// letters changes the case of a value. Bytes that are no UTF-8 stay as they are.
type letters struct {
	change func(rune) rune
	buffer []byte
}

func (s *letters) apply(value []byte) ([]byte, bool) {
	first := s.firstChange(value)
	if first == len(value) {
		return value, true // most values are in the case that is wanted
	}
	out := s.buffer[:0]
	out = append(out, value[:first]...)
	for rest := value[first:]; len(rest) > 0; {
		if c := rest[0]; c < utf8.RuneSelf {
			out, rest = append(out, byte(s.change(rune(c)))), rest[1:]
			continue
		}
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			out = append(out, rest[0])
		} else {
			out = utf8.AppendRune(out, s.change(r))
		}
		rest = rest[size:]
	}
	s.buffer = out
	return out, true
}

// firstChange is where the first character stands that may change.
func (s *letters) firstChange(value []byte) int {
	for i, c := range value {
		if c >= utf8.RuneSelf || s.change(rune(c)) != rune(c) {
			return i
		}
	}
	return len(value)
}

func lower(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	return unicode.ToLower(r)
}

func upper(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	return unicode.ToUpper(r)
}

// digits keeps the digits 0 to 9 of a value.
type digits struct{ buffer []byte }

func (s *digits) apply(value []byte) ([]byte, bool) {
	s.buffer = s.buffer[:0]
	for _, c := range value {
		if isDigit(c) {
			s.buffer = append(s.buffer, c)
		}
	}
	return s.buffer, true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// Split takes one of the parts between the separators of a value. A part that is not there is null.
type Split struct {
	// By is the text between the parts.
	By string `yaml:"by" jsonschema:"required,minLength=1"`
	// Part to take: 1 is the first, -1 the last.
	Part int `yaml:"part" jsonschema:"required"`
}

type split struct {
	by   []byte
	part int
}

func newSplit(s Split) (function, error) {
	switch {
	case s.By == "":
		return nil, errors.New("by is empty")
	case s.Part == 0:
		return nil, errors.New("parts are counted from 1, or from -1 at the end")
	}
	return split{by: []byte(s.By), part: s.Part}, nil
}

func (s split) apply(value []byte) ([]byte, bool) {
	for n := s.part; n > 1; n-- {
		_, rest, found := bytes.Cut(value, s.by)
		if !found {
			return nil, true
		}
		value = rest
	}
	for n := s.part; n < -1; n++ {
		end := bytes.LastIndex(value, s.by)
		if end < 0 {
			return nil, true
		}
		value = value[:end]
	}
	if s.part > 0 {
		value, _, _ = bytes.Cut(value, s.by)
	} else if end := bytes.LastIndex(value, s.by); end >= 0 {
		value = value[end+len(s.by):]
	}
	return value, true
}
