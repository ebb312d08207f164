package identity

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Digits of a number with its country code: E.164 allows 15; shorter ones than any country's are refused.
const (
	fewestDigits = 7
	mostDigits   = 15
)

// Countries with numbers of which a leading zero is a part, also when they are called from abroad.
var zeroCountries = []string{"39", "225", "229", "241", "242", "378"}

// Countries whose numbers always have ten digits, and with what they begin when a domestic prefix or the
// country code is written in front of them.
var tenDigitCountries = map[string]string{"1": "1", "7": "78"}

// IsCallingCode reports whether text has the form of a country calling code: 1 to 3 digits, such as 49.
func IsCallingCode(text string) bool {
	return len(text) >= 1 && len(text) <= 3 && text[0] != '0' && strings.Trim(text, "0123456789") == ""
}

// NormalizePhone writes a telephone number as E.164 does: a plus, the country code and the number, all
// digits. For "Phone (SHA256)" the plus is left out before hashing, for "Phone (SHA256_E.164)" it stays.
//
// It follows the documented rule (ID-21) and nothing that depends on a country's numbering plan: symbols,
// letters and leading zeroes are stripped, and the country code is prefixed. A number that begins with +
// or 00 brings its own country code, and a zero in parentheses behind that is left out; any other is one
// of the country, even if it begins with the digits of its code. Without a country ("") every number must
// bring a code, with or without + or 00. What follows x, ext or # is an extension and is left out.
// Two facts are known beyond the rule: in a few countries, such as Italy, the zero is part of the number;
// and in +1 and +7 numbers have ten digits, so that one more in front is the domestic prefix. Of other
// domestic prefixes than zeroes (Hungary's 06, 8 in Belarus and Turkmenistan, 15 in Argentine mobile numbers)
// nothing is known: such numbers must come with their country code.
//
// It is false for fewer than 7 or more than 15 digits with the code, for a second plus, and for a number
// that needs a country where none is given. A result put in again comes out unchanged.
//
// The library github.com/nyaruka/phonenumbers knows every numbering plan. It is not used: it makes the
// command line 3 MB larger, takes more than 10 µs for a number, and with each release of its metadata the
// same number may come out otherwise, so that it would no longer match what was hashed before.
func NormalizePhone(text, country string) (string, bool) {
	out, ok := AppendPhone(nil, []byte(text), country)
	return string(out), ok
}

// AppendPhone is NormalizePhone without an allocation: it appends to into, and nothing when it is false.
func AppendPhone(into, text []byte, country string) ([]byte, bool) {
	if country != "" && !IsCallingCode(country) {
		return into, false
	}
	var w writtenPhone
	if !w.read(text, country) {
		return into, false
	}
	number := w.digits[:w.length]
	if rest, found := bytes.CutPrefix(number, []byte("00")); found {
		number, w.international = rest, true
	}
	code := ""
	switch {
	case !w.international && country != "":
		code = country
	case country != "" && bytes.HasPrefix(number, []byte(country)):
		number, code = number[len(country):], country
	case len(number) == 0 || number[0] == '0':
		return into, false
	}
	if code != "" && !slices.Contains(zeroCountries, code) {
		number = bytes.TrimLeft(number, "0")
	}
	if prefixes, ok := tenDigitCountries[code]; ok {
		if len(number) == 11 && strings.IndexByte(prefixes, number[0]) >= 0 && !w.international {
			number = number[1:]
		}
		if len(number) != 10 || number[0] == '0' {
			return into, false
		}
	}
	if n := len(code) + len(number); n < fewestDigits || n > mostDigits {
		return into, false
	}
	return append(append(append(into, '+'), code...), number...), true
}

// writtenPhone is what stands in a text: its digits, and whether they begin with a country code.
type writtenPhone struct {
	digits        [mostDigits + 9]byte // and prefixes
	length        int
	international bool
}

// read takes a text's digits up to an extension. It is false when they cannot be one number.
func (w *writtenPhone) read(text []byte, country string) bool {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r >= '0' && r <= '9':
			if w.length == len(w.digits) {
				return false
			}
			w.digits[w.length] = byte(r)
			w.length++
		case r == '+' || r == '\uff0b':
			if w.length > 0 || w.international {
				return false
			}
			w.international = true
		case r == '(':
			size += w.domesticZeroes(text[1:], country)
		case r == '#' && w.length > 0:
			return true
		case isLetter(r):
			size = 1
			for size < len(text) && isLetter(rune(text[size])) {
				size++
			}
			if w.length > 0 && isExtension(text[:size]) {
				return true
			}
		case unicode.IsDigit(r): // left out, it would make another number
			return false
		}
		text = text[size:]
	}
	return true
}

// domesticZeroes counts the bytes in which zeroes stand at the beginning of parentheses behind a country
// code: they are dialled at home only.
func (w *writtenPhone) domesticZeroes(inside []byte, country string) int {
	code, zeroes := w.digits[:w.length], bytes.TrimLeft(inside, " 0")
	skipped := len(inside) - len(zeroes)
	if rest, found := bytes.CutPrefix(code, []byte("00")); found {
		code = rest
	} else if !w.international && string(code) != country {
		return 0
	}
	if len(code) == 0 || bytes.IndexByte(inside[:skipped], '0') < 0 || slices.Contains(zeroCountries, string(code)) {
		return 0
	}
	w.international = true
	return skipped
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func isExtension(word []byte) bool {
	for _, marker := range [][]byte{[]byte("x"), []byte("ext"), []byte("extn"), []byte("extension")} {
		if bytes.EqualFold(word, marker) {
			return true
		}
	}
	return false
}
