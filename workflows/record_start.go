package workflows

import (
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
)

// recordStart records who started a run.
func recordStart(ctx workflow.Context, in activities.RecordStartInput) error {
	return plain(workflow.ExecuteActivity(quick(ctx), steps.RecordStart, in).Get(ctx, nil))
}

// requested records who started a run that schedules and other runs start too; they name nobody.
func requested(ctx workflow.Context, in activities.RecordStartInput) error {
	if in.RequestedBy == "" {
		return nil
	}
	return recordStart(ctx, in)
}
