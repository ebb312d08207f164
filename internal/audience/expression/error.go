package expression

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kind says what is wrong with a rule, so that nobody has to read it from the message.
type Kind string

// The kinds.
const (
	Empty        Kind = "empty"
	Syntax       Kind = "syntax"
	Unfinished   Kind = "unfinished"    // the text ends too early
	OpenText     Kind = "open-text"     // a text has no closing quote
	UnknownField Kind = "unknown-field" // Error.Name is its path
	UnknownName  Kind = "unknown-name"  // of a function, a unit, an audience
	WrongType    Kind = "wrong-type"
	WrongValue   Kind = "wrong-value" // a constant that the attribute or function cannot take
	NotAllowed   Kind = "not-allowed"
	TooLarge     Kind = "too-large"
	NoWord       Kind = "no-word" // the other notation cannot say it
)

// Error is a rule that cannot be used, with the place in its text.
type Error struct {
	Kind    Kind
	Offset  int // bytes from the start of the rule
	Line    int // from 1
	Column  int // in characters, from 1
	Name    string
	Message string
	Hint    string
}

// Errorf makes an error; Locate gives it line and column.
func Errorf(kind Kind, at int, hint, format string, args ...any) *Error {
	return &Error{Kind: kind, Offset: at, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// Locate gives an error its line and column in the rule's text.
func (e *Error) Locate(text string) *Error {
	e.Offset = min(max(0, e.Offset), len(text))
	before := text[:e.Offset]
	e.Line = 1 + strings.Count(before, "\n")
	e.Column = 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return e
}

func (e *Error) Error() string {
	text := fmt.Sprintf("column %d: %s", e.Column, e.Message)
	if e.Line > 1 {
		text = fmt.Sprintf("line %d, ", e.Line) + text
	}
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Warning is something in a rule that works and may not be meant.
type Warning struct {
	Offset  int
	Message string
}
