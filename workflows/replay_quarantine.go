package workflows

import (
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/catalog"
)

// ReplayQuarantineInput names the batch whose rejected rows to read again, such as {"dataset": "acme_2026", "batch": "batch_…"}.
type ReplayQuarantineInput activities.PrepareReplayInput

// WorkflowID is the id under which a person starts the run.
func (in ReplayQuarantineInput) WorkflowID() string { return "replay-quarantine/" + in.Batch }

// ReplayQuarantine checks the rejected rows of a batch again, under today's mapping and schema or corrected by hand, and
// loads those that are accepted as a batch of their own; what was loaded after the first batch stays. The others stay in
// quarantine with today's reasons.
func ReplayQuarantine(ctx workflow.Context, in ReplayQuarantineInput) (out IngestFileResult, err error) {
	describe(ctx, attributeDataset.ValueSet(in.Dataset), attributeBatchID.ValueSet(in.Batch), attributeOutcome.ValueSet(OutcomeRunning))
	if err = required("dataset", in.Dataset); err == nil {
		err = required("batch", in.Batch)
	}
	if err == nil {
		out, err = replayQuarantine(ctx, in)
	}
	outcome := outcomeOf(err)
	if err == nil && (out.AlreadyDone || out.Outcome == nil || out.Outcome.Accepted == 0) {
		outcome = OutcomeUnchanged
	}
	ended(ctx, outcome)
	return out, err
}

func replayQuarantine(ctx workflow.Context, in ReplayQuarantineInput) (out IngestFileResult, err error) {
	out = IngestFileResult{Dataset: in.Dataset, Path: in.Path, ReplayOf: in.Batch}
	var prepared activities.PrepareReplayOutput
	if err := workflow.ExecuteActivity(withStore(ctx), steps.PrepareReplay, activities.PrepareReplayInput(in)).Get(ctx, &prepared); err != nil {
		return out, plain(err)
	}
	out.Source, out.Batch, out.State, out.SHA256, out.Outcome = prepared.Source, prepared.Batch, prepared.State, prepared.SHA256, prepared.Outcome
	if prepared.Rows == 0 {
		out.Reason = "no row of the batch is in quarantine that could be read again"
		return out, nil
	}
	if prepared.State == catalog.Loaded {
		out.AlreadyDone = true
		return out, nil
	}
	return finished(ctx, &out, loadStaged(ctx, &out, false, in.RequestedBy))
}
