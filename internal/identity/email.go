package identity

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// NormalizeEmail writes an address as the namespace "Emails (SHA256, lowercased)" wants it before it is
// hashed (ID-21): without the space around it and in lower case. It is false when the text has not the
// form of an address: one @ with something before it, a domain with a dot behind it, and no space. That
// the address exists is not said.
func NormalizeEmail(text string) (string, bool) {
	out, ok := AppendEmail(nil, []byte(text))
	return string(out), ok
}

// AppendEmail is NormalizeEmail without an allocation: it appends to into, and nothing when it is false.
func AppendEmail(into, text []byte) ([]byte, bool) {
	start := len(into)
	at, dots, label := -1, 0, 0 // where the @ stands; in the domain, the dots and the length of the last label
	for text = bytes.TrimSpace(text); len(text) > 0; {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		switch {
		case r == utf8.RuneError && size == 1, unicode.IsSpace(r), unicode.IsControl(r):
			return into[:start], false
		case r == '@':
			if at >= 0 || len(into) == start {
				return into[:start], false
			}
			at = len(into)
		case at >= 0 && r == '.':
			if label == 0 {
				return into[:start], false
			}
			dots, label = dots+1, 0
		case at >= 0:
			label++
		}
		into = utf8.AppendRune(into, unicode.ToLower(r))
	}
	if dots == 0 || label == 0 {
		return into[:start], false
	}
	return into, true
}
