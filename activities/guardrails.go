package activities

import (
	"context"
	"fmt"

	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/workspace"
)

// guardrails are those of the workspace as it is now.
func (a *Activities) guardrails(ctx context.Context) (workspace.Guardrails, error) {
	w, err := a.Workspace(ctx)
	if err != nil {
		return workspace.Guardrails{}, err
	}
	return w.Sandbox.Guardrails.OrDefaults(), nil
}

// holdBatchBytes refuses a file that is larger than a batch may be (BI-6, GR-12), before it is fetched.
func (a *Activities) holdBatchBytes(ctx context.Context, f source.File) error {
	rails, err := a.guardrails(ctx)
	if err != nil || f.Size <= rails.BatchBytes {
		return err
	}
	return errkind.New(errkind.BadInput, "", fmt.Errorf("it has %d bytes, and %d is the limit", f.Size, rails.BatchBytes),
		"ask the partner for smaller files, or raise guardrails.batchBytes of the Sandbox and run again with retry")
}
