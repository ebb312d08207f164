package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"prospector/internal/errkind"
	"prospector/workflows"
)

// shortRun is how long a run of a few records may take; only a worker that is not there takes longer.
const shortRun = time.Minute

// execute starts a run of a few records and waits for its result.
func execute(ctx context.Context, c client.Client, id string, workflow, in, result any) error {
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: workflows.TaskQueue, WorkflowRunTimeout: shortRun,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL, WorkflowExecutionErrorWhenAlreadyStarted: true}, workflow, in)
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &started) {
		return errkind.New(errkind.Conflict, "", fmt.Errorf("%s is running already", id), "try again in a moment")
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", id, err)
	}
	err = run.Get(ctx, result)
	var late *temporal.TimeoutError
	if errors.As(err, &late) {
		return errkind.New(errkind.Transient, "", fmt.Errorf("%s was not done within %s", id, shortRun), "see that a worker is up: go run ./worker dev, or worker run")
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return errkind.New(errkind.Transient, "", fmt.Errorf("no answer from Temporal while %s was under way; it may have happened", id), "plan again to see")
	}
	return err
}
