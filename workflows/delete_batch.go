package workflows

import (
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/store"
)

// DeleteBatchInput names a batch to undo, such as {"dataset": "acme_2026", "batch": "batch_…", "preview": true}.
type DeleteBatchInput activities.DeleteBatchInput

// WorkflowID is the id under which a person starts the run.
func (in DeleteBatchInput) WorkflowID() string {
	if in.Preview {
		return "preview-delete-batch/" + in.Batch
	}
	return "delete-batch/" + in.Batch
}

// DeleteBatch undoes one load, as if the batch had never come; later batches are kept. With preview it only says what
// would change. The profiles that it changes leave or enter audiences at the next evaluation.
func DeleteBatch(ctx workflow.Context, in DeleteBatchInput) (out store.Deletion, err error) {
	describe(ctx, attributeDataset.ValueSet(in.Dataset), attributeBatchID.ValueSet(in.Batch), attributeOutcome.ValueSet(OutcomeRunning))
	if err = required("dataset", in.Dataset); err == nil {
		err = required("batch", in.Batch)
	}
	if err == nil {
		err = plain(workflow.ExecuteActivity(withStore(ctx), steps.DeleteBatch, activities.DeleteBatchInput(in)).Get(ctx, &out))
	}
	outcome := outcomeOf(err)
	if err == nil && in.Preview {
		outcome = OutcomeUnchanged
	}
	ended(ctx, outcome)
	return out, err
}
