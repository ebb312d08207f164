// Package errkind says, for every failure, who can fix it and whether trying again can help.
// The side that knows (a driver, the validator, the policy check) sets the kind; anyone may wrap
// the error with %w without losing it. Commands turn kinds into exit codes and activities turn
// them into Temporal's retry decision, each in one place.
package errkind

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Kind names who can fix a failure.
type Kind string

// The kinds. An error without one counts as Transient, with bounded attempts.
const (
	Transient Kind = "Transient" // network, throttling, a busy server: try again
	Missing   Kind = "Missing"   // the named thing is not there: the partner or an operator must provide it
	BadInput  Kind = "BadInput"  // partner data breaks its contract: the partner must send it again
	Denied    Kind = "Denied"    // credentials, host keys or permissions: an operator must act
	Refused   Kind = "Refused"   // a usage policy forbids it: the data steward must act
	Invalid   Kind = "Invalid"   // the workspace or the request is wrong: its author must correct it
	Conflict  Kind = "Conflict"  // something else already holds this name
	Internal  Kind = "Internal"  // our own bug
)

// Retryable reports whether the same call may succeed later without anybody acting.
func (k Kind) Retryable() bool { return k == Transient }

// ExitCode is the commands' exit code for the kind: 1 failed, 2 usage, 3 refused by policy,
// 4 bad partner data.
func (k Kind) ExitCode() int {
	switch k {
	case Refused:
		return 3
	case BadInput:
		return 4
	case Invalid:
		return 2
	}
	return 1
}

// Error is a failure with its kind. Op says what was attempted and on which object, Hint what to
// do next. None of them may carry row values or secrets.
type Error struct {
	Kind Kind
	Op   string
	Err  error
	Hint string
}

// New builds an Error around err.
func New(kind Kind, op string, err error, hint string) *Error {
	return &Error{Kind: kind, Op: op, Err: err, Hint: hint}
}

// Newf builds an Error from a formatted message, without an operation or a hint.
func Newf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// WithHint returns a copy of e that tells the reader what to do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	out := *e
	out.Hint = fmt.Sprintf(format, args...)
	return &out
}

func (e *Error) Error() string {
	text := ""
	if e.Err != nil {
		text = e.Err.Error()
	}
	if e.Op != "" {
		text = e.Op + ": " + text
	}
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Of returns the kind of the outermost *Error in err's chain. Without one, a missing file is
// Missing and everything else Transient.
func Of(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, context.Canceled) {
		return Missing
	}
	return Transient
}
