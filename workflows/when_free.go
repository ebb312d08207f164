package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// How long a run waits for another one that has the id which it needs, at first and at last; about twice that in all.
const (
	busyFirst = time.Second
	busyLast  = 8 * time.Minute
)

// whenFree starts a run again, under an id that only one may have at a time, once another one that has it has ended, if that is why it failed.
// The error of the last attempt says that it still has not.
func whenFree(ctx workflow.Context, err error, start func() error) error {
	for pause := busyFirst; temporal.IsWorkflowExecutionAlreadyStartedError(err) && pause <= busyLast; pause *= 2 {
		if err = workflow.Sleep(ctx, pause); err == nil {
			err = start()
		}
	}
	return err
}
