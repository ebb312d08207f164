package workflows

import (
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
)

// PlanWorkspaceInput is a workspace, as for ApplyWorkspace.
type PlanWorkspaceInput activities.WorkspaceInput

// WorkflowID is the id under which a person plans.
func (PlanWorkspaceInput) WorkflowID() string { return "plan-workspace" }

// PlanWorkspace says what ApplyWorkspace would do, and does nothing. That changes are refused is a result.
func PlanWorkspace(ctx workflow.Context, in PlanWorkspaceInput) (out ApplyWorkspaceResult, err error) {
	describe(ctx, attributeOutcome.ValueSet(OutcomeRunning))
	out, _, err = planWorkspace(ctx, activities.WorkspaceInput(in))
	ended(ctx, outcomeOf(err))
	return out, err
}
