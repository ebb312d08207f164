package workflows

import (
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
)

// ListFilesInput asks for the ledger of a source, such as {"source": "acme", "path": "in/today.csv.gz"}.
type ListFilesInput activities.ListFilesInput

// WorkflowID is the id under which a person asks.
func (in ListFilesInput) WorkflowID() string { return "list-files/" + in.Source }

// ListFiles reads the ledger: every file version that was ever seen at a source, what became of it, and the
// latest runs. It changes nothing.
func ListFiles(ctx workflow.Context, in ListFilesInput) (out activities.ListFilesOutput, err error) {
	describe(ctx, attributeSource.ValueSet(in.Source))
	if err = required("source", in.Source); err == nil {
		err = plain(workflow.ExecuteActivity(quick(ctx), steps.ListFiles, activities.ListFilesInput(in)).Get(ctx, &out))
	}
	ended(ctx, outcomeOf(err))
	return out, err
}
