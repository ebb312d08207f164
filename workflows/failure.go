package workflows

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"prospector/internal/errkind"
)

// fail is a run's own failure.
func fail(kind errkind.Kind, message string, details ...any) error {
	return temporal.NewApplicationErrorWithOptions(message, string(kind), temporal.ApplicationErrorOptions{NonRetryable: true, Details: details})
}

// plain strips what Temporal wraps around a step's or a child's failure, so that a run ends with the
// one sentence that says what happened and what to do. Cancellation passes unchanged.
func plain(err error) error {
	if err == nil || temporal.IsCanceledError(err) {
		return err
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		return fail(errkind.Transient, fmt.Sprintf("a step did not report within its time (%s) and was not tried again; look at the worker's log, then start the run again", timeout.TimeoutType()))
	}
	var application *temporal.ApplicationError
	if !errors.As(err, &application) {
		return err
	}
	return reworded(application, application.Message())
}

// remarked adds to the sentence that a run ends with. Of a cancelled run nothing is said.
func remarked(err error, remark string) error {
	var application *temporal.ApplicationError
	if remark == "" || temporal.IsCanceledError(err) || !errors.As(err, &application) {
		return err
	}
	return reworded(application, application.Message()+"; "+remark)
}

func reworded(application *temporal.ApplicationError, message string) error {
	out := temporal.ApplicationErrorOptions{NonRetryable: true}
	if application.HasDetails() {
		var details any
		if application.Details(&details) == nil {
			out.Details = []any{details}
		}
	}
	return temporal.NewApplicationErrorWithOptions(message, application.Type(), out)
}

// KindOf returns the kind of a failed run.
func KindOf(err error) errkind.Kind {
	var application *temporal.ApplicationError
	switch {
	case !errors.As(err, &application) || application.Type() == "":
		return errkind.Of(err)
	case unreadable(application):
		return errkind.Invalid
	}
	return errkind.Kind(application.Type())
}

// MessageOf returns the sentence that a failed run ended with.
func MessageOf(err error) string {
	var application *temporal.ApplicationError
	switch {
	case !errors.As(err, &application):
		return err.Error()
	case unreadable(application):
		return "the input is not what the workflow takes: " + application.Message() + "; the README shows the input of each workflow type"
	}
	return application.Message()
}

// unreadable reports whether a run ended because its input could not be decoded: no step has begun then,
// and the error is the SDK's own.
func unreadable(err *temporal.ApplicationError) bool {
	return strings.Contains(err.Message(), "unable to decode the workflow function input payload")
}

// outcome of a run for the search attribute.
func outcomeOf(err error) string {
	switch {
	case err == nil:
		return OutcomeDone
	case KindOf(err) == errkind.Refused:
		return OutcomeBlocked
	}
	return OutcomeFailed
}

// ended records the outcome of a run, also of one that was cancelled.
func ended(ctx workflow.Context, outcome string) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	describe(ctx, attributeOutcome.ValueSet(outcome))
}
