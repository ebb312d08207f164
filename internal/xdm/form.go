package xdm

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The forms that a text must have to be a value of a type. Whoever casts text to a type checks them
// first: databases' casts alone take "12.6" for an integer and "2024/1/5" for a date, and drop time zones.
// Years are 0001 to 9999, hours 00 to 23, minutes and seconds 00 to 59: there are no leap seconds. That a day
// is in the calendar, the cast says.
const (
	IntegerForm  = `[+-]?[0-9]{1,18}`
	NumberForm   = `[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?`
	BooleanForm  = `true|false`
	DateForm     = `([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}`
	DateTimeForm = DateForm + `([T ]` + clock + `:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-]` + clock + `))?`
	clock        = `([01][0-9]|2[0-3]):[0-5][0-9]`

	// EpochForm is the other form of a date-time: milliseconds since 1970, from 2001-09-09 to 2286-11-20 (BI-4,
	// EC-20). All other whole numbers may be seconds, days or a date without its hyphens, and are not guessed.
	EpochForm = `[1-9][0-9]{12}`
)

// FormatForms are the forms of the formats of strings: enough to tell a value of another kind, not a
// proof that an address exists. URIs are those of RFC 3986, which has no characters beyond ASCII. The form of
// an e-mail address is the one that the step email leaves.
var FormatForms = map[string]string{
	Email:        `[^@\pZ\p{Cc}]+@[^@\pZ\p{Cc}.]+([.][^@\pZ\p{Cc}.]+)+`,
	URI:          `[A-Za-z][A-Za-z0-9+.-]*:` + uriCharacter + `+(#` + uriCharacter + `*)?`,
	URIReference: uriCharacter + `+(#` + uriCharacter + `*)?|#` + uriCharacter + `*`,
}

const uriCharacter = `([A-Za-z0-9._~:/?@!$&'()*+,;=\[\]-]|%[0-9A-Fa-f]{2})`

// IsText reports whether rows can hold a text: it is UTF-8 without NUL.
func IsText(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// CheckText says why a text written in a workspace (a default, an allowed value) is not a value of the
// field's type.
func (f Field) CheckText(text string) error {
	if !IsText(text) {
		return fmt.Errorf("%q is no text: no row can hold it", text)
	}
	wrong := fmt.Errorf("%q is not of type %s", text, f.Type)
	var number float64
	var err error
	switch f.Type {
	case String:
		return f.checkString(text)
	case Integer:
		if !whole(IntegerForm, text) {
			return wrong
		}
		number, err = strconv.ParseFloat(text, 64)
	case Number:
		if !whole(NumberForm, text) {
			return wrong
		}
		number, err = strconv.ParseFloat(text, 64)
	case Boolean:
		if !whole(BooleanForm, text) {
			return wrong
		}
		return nil
	case Date:
		err = checkDate(text, DateForm)
	case DateTime:
		if !whole(EpochForm, text) {
			err = checkDate(text, DateTimeForm)
		}
	}
	if err != nil {
		return wrong
	}
	if f.Minimum != nil && number < *f.Minimum || f.Maximum != nil && number > *f.Maximum {
		return fmt.Errorf("%q is out of the field's range", text)
	}
	return nil
}

// checkDate says why a text that should begin with a day has not the form, or is not in the calendar.
func checkDate(text, form string) error {
	if !whole(form, text) {
		return errors.New("another form")
	}
	if len(text) == len(time.DateOnly) {
		_, err := time.Parse(time.DateOnly, text)
		return err
	}
	if !InYears(time.Parse(time.RFC3339, strings.Replace(text, " ", "T", 1))) {
		return errors.New("outside of the calendar")
	}
	return nil
}

// InYears reports whether an instant was read and is in the years 0001 to 9999, which an offset can lead out of.
func InYears(at time.Time, err error) bool {
	return err == nil && at.UTC().Year() >= 1 && at.UTC().Year() <= 9999
}

func (f Field) checkString(text string) error {
	length := utf8.RuneCountInString(text)
	switch {
	case len(f.Enum) > 0 && !slices.Contains(f.Enum, text):
		return fmt.Errorf("%q is none of the allowed values", text)
	case f.Pattern != "" && !whole(f.Pattern, text):
		return fmt.Errorf("%q does not match the field's pattern", text)
	case f.Format != "" && !whole(FormatForms[f.Format], text):
		return fmt.Errorf("%q has not the format %s", text, f.Format)
	case f.MinLength > length || f.MaxLength > 0 && f.MaxLength < length:
		return fmt.Errorf("%q has not the field's length", text)
	}
	return nil
}

func whole(form, text string) bool {
	matched, err := regexp.MatchString(`^(?:`+form+`)$`, text)
	return err == nil && matched
}
