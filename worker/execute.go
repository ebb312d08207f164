package main

import (
	"context"
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"prospector/internal/access"
	"prospector/internal/workspace"
	"prospector/workflows"
)

// execute runs a workflow and waits for its result. A run that is under way already, from a demo that
// was interrupted, is waited for.
func execute(ctx context.Context, c client.Client, id string, workflow, input, result any) error {
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: workflows.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING}, workflow, input)
	if err != nil {
		return err
	}
	if err := run.Get(ctx, result); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted; the next run goes on from here")
		}
		return err
	}
	return nil
}

// applyFirst applies the workspace in dir when none was applied yet. Otherwise it only says whether the
// folder differs from what holds: what runs is changed by people, not by a restart.
func (h *host) applyFirst(ctx context.Context, c client.Client, dir string) (differs bool, err error) {
	holds, err := h.catalog.Workspace(ctx)
	if err != nil {
		return false, err
	}
	if holds.Version == "" {
		in := workflows.ApplyWorkspaceInput{Dir: dir, RequestedBy: access.Worker}
		return false, execute(ctx, c, in.WorkflowID(), workflows.ApplyWorkspace, in, nil)
	}
	files, err := workspace.Read(dir)
	//nolint:nilerr // a worker goes on with what holds
	return err != nil || files.Digest() != holds.Digest, nil // what is wrong with it is said to whoever applies it next
}
