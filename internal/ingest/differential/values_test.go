package differential_test

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"prospector/internal/xdm"
)

// value is what a field holds, in a form that can be compared: text, digits, true or false, a day, or microseconds since 1970.
type value string

// judge says what a text is as a value of the field, and otherwise with which codes it is refused.
func judge(f xdm.Field, text string) (out value, codes []string) {
	switch f.Type {
	case xdm.String:
		return value(text), judgeText(f, text)
	case xdm.Integer, xdm.Number:
		out, number := readNumber(f.Type, text)
		if number == nil {
			return "", []string{"PROSPECT-TYPE"}
		}
		if f.Minimum != nil && number.Cmp(big.NewFloat(*f.Minimum)) < 0 || f.Maximum != nil && number.Cmp(big.NewFloat(*f.Maximum)) > 0 {
			return "", []string{"PROSPECT-RANGE"}
		}
		return out, nil
	case xdm.Boolean:
		if text == "true" || text == "false" {
			return value(text), nil
		}
	case xdm.Date:
		if _, ok := dayOf(text); ok {
			return value(text), nil
		}
	case xdm.DateTime:
		if microseconds, ok := instantOf(text); ok {
			return value(strconv.FormatInt(microseconds, 10)), nil
		}
	}
	return "", []string{"PROSPECT-TYPE"}
}

func judgeText(f xdm.Field, text string) (codes []string) {
	if len(f.Enum) > 0 {
		found := false
		for _, allowed := range f.Enum {
			found = found || allowed == text
		}
		if !found {
			codes = append(codes, "PROSPECT-ENUM")
		}
	}
	if f.Pattern != "" && !regexp.MustCompile(`\A(?:`+f.Pattern+`)\z`).MatchString(text) {
		codes = append(codes, "PROSPECT-PATTERN")
	}
	if f.Format != "" && !formats[f.Format](text) {
		codes = append(codes, "PROSPECT-FORMAT")
	}
	if n := utf8.RuneCountInString(text); n < f.MinLength || f.MaxLength > 0 && n > f.MaxLength {
		codes = append(codes, "PROSPECT-LENGTH")
	}
	return codes
}

// digits reports whether text is so many ASCII digits.
func digits(text string, least, most int) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return len(text) >= least && len(text) <= most
}

func unsigned(text string) string {
	if strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-") {
		return text[1:]
	}
	return text
}

// readNumber returns the value, and the number to compare with bounds: of an integer to the last digit, of a number the
// double that is kept. There is none when text is no such number.
func readNumber(kind xdm.Type, text string) (value, *big.Float) {
	if kind == xdm.Integer {
		if !digits(unsigned(text), 1, 18) {
			return "", nil
		}
		n, _ := strconv.ParseInt(text, 10, 64)
		return value(strconv.FormatInt(n, 10)), new(big.Float).SetInt64(n)
	}
	mantissa, exponent, scientific := unsigned(text), "0", false
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		mantissa, exponent, scientific = mantissa[:i], unsigned(mantissa[i+1:]), true
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if !digits(whole, 0, len(whole)) || !digits(fraction, 0, len(fraction)) || len(whole)+len(fraction) == 0 || scientific && !digits(exponent, 1, 3) {
		return "", nil
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", nil // too large for a double
	}
	return value(doubleText(number)), big.NewFloat(number)
}

// doubleText has all digits of a number, and no sign of zero.
func doubleText(number float64) string {
	if number == 0 {
		number = math.Abs(number)
	}
	return strconv.FormatFloat(number, 'g', -1, 64)
}

// dayOf returns the days from 1970-01-01 to a day of the years 0001 to 9999.
func dayOf(text string) (days int64, ok bool) {
	if len(text) != 10 || text[4] != '-' || text[7] != '-' || !digits(text[:4]+text[5:7]+text[8:], 8, 8) {
		return 0, false
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	year, month, day := number(text[:4]), number(text[5:7]), number(text[8:])
	if year == 0 || month < 1 || month > 12 || day < 1 || day > monthLength(year, month) {
		return 0, false
	}
	for y := 1; y < year; y++ {
		days += 365
		if leap(y) {
			days++
		}
	}
	for m := 1; m < month; m++ {
		days += int64(monthLength(year, m))
	}
	const before1970 = 719162 // days from 0001-01-01
	return days + int64(day) - 1 - before1970, true
}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func monthLength(year, month int) int {
	if month == 2 && leap(year) {
		return 29
	}
	return []int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
}

const dayMicroseconds = 86_400_000_000

// instantOf returns the microseconds from 1970 to an instant.
func instantOf(text string) (microseconds int64, ok bool) {
	if digits(text, 13, 13) && text[0] != '0' {
		n, _ := strconv.ParseInt(text, 10, 64)
		return n * 1000, true
	}
	if len(text) < 10 {
		return 0, false
	}
	days, ok := dayOf(text[:10])
	if !ok || len(text) == 10 {
		return days * dayMicroseconds, ok
	}
	if text[10] != 'T' && text[10] != ' ' {
		return 0, false
	}
	clock, offset := text[11:], int64(0)
	if strings.HasSuffix(clock, "Z") {
		clock = clock[:len(clock)-1]
	} else {
		if len(clock) < 6 {
			return 0, false
		}
		sign := clock[len(clock)-6]
		offset, ok = clockOf(clock[len(clock)-5:])
		if !ok || sign != '+' && sign != '-' {
			return 0, false
		}
		if sign == '-' {
			offset = -offset
		}
		clock = clock[:len(clock)-6]
	}
	clock, fraction, fractional := strings.Cut(clock, ".")
	if fractional && !digits(fraction, 1, 9) || len(clock) != 8 {
		return 0, false
	}
	time, ok := clockOf(clock)
	if !ok {
		return 0, false
	}
	below, _ := strconv.ParseInt((fraction + "000000")[:6], 10, 64)
	microseconds = days*dayMicroseconds + time - offset + below
	first, _ := dayOf("0001-01-01")
	last, _ := dayOf("9999-12-31")
	return microseconds, microseconds >= first*dayMicroseconds && microseconds < (last+1)*dayMicroseconds
}

// clockOf reads 15:04 or 15:04:05, in microseconds.
func clockOf(text string) (microseconds int64, ok bool) {
	parts := strings.Split(text, ":")
	for i, part := range parts {
		most := 59
		if i == 0 {
			most = 23
		}
		n, err := strconv.Atoi(part)
		if err != nil || !digits(part, 2, 2) || n > most {
			return 0, false
		}
		microseconds = microseconds*60 + int64(n)
	}
	if len(parts) == 2 {
		microseconds *= 60
	}
	return microseconds * 1_000_000, len(parts) == 2 || len(parts) == 3
}

// separator is white space as Unicode has it, but for the control characters.
func separator(r rune) bool { return unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp) }

var formats = map[string]func(text string) bool{
	// An address has one @ with something in front of it, and a domain of two or more labels behind it; no white space
	// and no control characters.
	xdm.Email: func(text string) bool {
		if strings.ContainsFunc(text, func(r rune) bool { return separator(r) || unicode.IsControl(r) }) {
			return false
		}
		parts := strings.Split(text, "@")
		if len(parts) != 2 || parts[0] == "" {
			return false
		}
		labels := strings.Split(parts[1], ".")
		for _, label := range labels {
			if label == "" {
				return false
			}
		}
		return len(labels) >= 2
	},
	xdm.URI: func(text string) bool {
		scheme, rest, ok := strings.Cut(text, ":")
		if !ok || scheme == "" || !letter(scheme[0]) {
			return false
		}
		for i := range len(scheme) {
			if c := scheme[i]; !letter(c) && !digits(string(c), 1, 1) && !strings.ContainsRune("+-.", rune(c)) {
				return false
			}
		}
		return reference(rest) && !strings.HasPrefix(rest, "#")
	},
	xdm.URIReference: reference,
}

func letter(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }

// reference reports whether text is made of characters of RFC 3986, with at most one fragment.
func reference(text string) bool {
	marks := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case letter(c), digits(string(c), 1, 1), strings.IndexByte("-._~:/?[]@!$&'()*+,;=", c) >= 0:
		case c == '#':
			marks++
		case c == '%':
			if i+2 >= len(text) || !hexadecimal(text[i+1]) || !hexadecimal(text[i+2]) {
				return false
			}
			i += 2
		default:
			return false
		}
	}
	return text != "" && marks <= 1
}

func hexadecimal(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

// judgeIdentity says what is wrong with the value of a primary identity.
func judgeIdentity(text string) (code string) {
	if len(text) > 1000 || strings.ContainsFunc(text, unicode.IsControl) || strings.TrimFunc(text, separator) != text {
		return "PROSPECT-IDENTITY"
	}
	return ""
}

// blank reports whether there is nothing but white space, which is no value of a required field.
func blank(text string) bool {
	return strings.TrimFunc(text, func(r rune) bool { return separator(r) || unicode.IsSpace(r) }) == ""
}

func (v value) String() string { return fmt.Sprintf("%q", string(v)) }
