package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"prospector/internal/errkind"
)

// failure turns an error into Temporal's terms: its kind becomes the type that Temporal's Web UI shows,
// and decides whether the step is tried again. Details go to whoever asks for the result.
func failure(err error, details ...any) error {
	if err == nil {
		return nil
	}
	var canceled *temporal.CanceledError
	if errors.Is(err, context.Canceled) || errors.As(err, &canceled) {
		return err
	}
	kind := errkind.Of(err)
	return temporal.NewApplicationErrorWithOptions(err.Error(), string(kind), temporal.ApplicationErrorOptions{
		NonRetryable: !kind.Retryable(), Details: details,
	})
}
