package workflows

import (
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/errkind"
	"prospector/internal/plan"
)

// ApplyWorkspaceInput is a workspace, such as {"dir": "/etc/prospector"}: a folder where the worker runs.
// The command line sends the files themselves.
type ApplyWorkspaceInput activities.WorkspaceInput

// WorkflowID is the id under which a person applies: one at a time.
func (ApplyWorkspaceInput) WorkflowID() string { return "apply-workspace" }

// ApplyWorkspaceResult is what was applied, or by PlanWorkspace what would be.
type ApplyWorkspaceResult struct {
	Plan      plan.Plan `json:"plan"`
	Version   string    `json:"version"` // that holds afterwards
	Schedules []string  `json:"schedules,omitempty"`
	Warnings  []string  `json:"warnings,omitempty"`
}

// ApplyWorkspace makes a workspace the one that runs use, and Temporal's schedules equal to it. It is
// checked and compared with the one that holds first; when something is refused nothing is applied and
// the run ends with all reasons. Applying what holds already changes nothing.
func ApplyWorkspace(ctx workflow.Context, in ApplyWorkspaceInput) (out ApplyWorkspaceResult, err error) {
	describe(ctx, attributeOutcome.ValueSet(OutcomeRunning))
	out, err = applyWorkspace(ctx, activities.WorkspaceInput(in))
	outcome := outcomeOf(err)
	if err == nil && out.Plan.Empty() {
		outcome = OutcomeUnchanged
	}
	ended(ctx, outcome)
	return out, err
}

func applyWorkspace(ctx workflow.Context, in activities.WorkspaceInput) (out ApplyWorkspaceResult, err error) {
	out, planned, err := planWorkspace(ctx, in)
	if err != nil {
		return out, err
	}
	if len(out.Plan.Refused) > 0 {
		refuse := activities.RefuseWorkspaceInput{RequestedBy: in.RequestedBy, Refused: out.Plan.Refused}
		if err := workflow.ExecuteActivity(quick(ctx), steps.RefuseWorkspace, refuse).Get(ctx, nil); err != nil {
			return out, plain(err)
		}
		return out, fail(errkind.Invalid, activities.Refusal(out.Plan).Error(), out)
	}
	if !planned.Same {
		record := activities.RecordWorkspaceInput{WorkspaceInput: in, Version: runID(ctx, "ws"), Previous: planned.Version, Digest: planned.Digest}
		if err := workflow.ExecuteActivity(quick(ctx), steps.RecordWorkspace, record).Get(ctx, nil); err != nil {
			return out, plain(err)
		}
		out.Version = record.Version
	}
	var synced activities.SyncSchedulesOutput
	if err := workflow.ExecuteActivity(quick(ctx), steps.SyncSchedules).Get(ctx, &synced); err != nil {
		return out, plain(err)
	}
	out.Schedules = synced.Changes
	return out, nil
}

func planWorkspace(ctx workflow.Context, in activities.WorkspaceInput) (out ApplyWorkspaceResult, planned activities.PlanWorkspaceOutput, err error) {
	if err := workflow.ExecuteActivity(quick(ctx), steps.PlanWorkspace, in).Get(ctx, &planned); err != nil {
		return out, planned, plain(err)
	}
	return ApplyWorkspaceResult{Plan: planned.Plan, Version: planned.Version, Warnings: planned.Warnings}, planned, nil
}
