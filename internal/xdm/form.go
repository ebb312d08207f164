package xdm

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// The forms that a text must have to be a value of a type. Whoever casts text to a type checks them
// first: databases' casts alone take "12.6" for an integer and "2024/1/5" for a date, and drop time zones.
const (
	IntegerForm  = `[+-]?[0-9]{1,18}`
	NumberForm   = `[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?`
	BooleanForm  = `true|false`
	DateForm     = `[0-9]{4}-[0-9]{2}-[0-9]{2}`
	DateTimeForm = DateForm + `([T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))?`
)

// FormatForms are the forms of the formats of strings: enough to tell a value of another kind, not a
// proof that an address exists.
var FormatForms = map[string]string{
	Email:        `[^@\s]+@[^@\s.]+([.][^@\s.]+)+`,
	URI:          `[A-Za-z][A-Za-z0-9+.-]*:[^\s]+`,
	URIReference: `[^\s]+`,
}

// CheckText says why a text written in a workspace (a default, an allowed value) is not a value of the
// field's type.
func (f Field) CheckText(text string) error {
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
		_, err = time.Parse(time.DateOnly, text)
	case DateTime:
		if _, err = time.Parse(time.RFC3339, text); err != nil {
			_, err = time.Parse(time.DateOnly, text)
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
