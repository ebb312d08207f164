// Package workflows holds the order of steps and nothing else: one workflow per file, each with one
// small input that a person can type as JSON into Temporal's Web UI. Everything here is
// deterministic; what touches the world is an activity.
package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/errkind"
)

// TaskQueue is the one task queue of a worker and its data directory.
const TaskQueue = "prospector"

// The search attributes of every run; all of them are keywords.
var (
	attributeDataset     = temporal.NewSearchAttributeKeyKeyword("Dataset")
	attributeSource      = temporal.NewSearchAttributeKeyKeyword("Source")
	attributeAudience    = temporal.NewSearchAttributeKeyKeyword("Audience")
	attributeDestination = temporal.NewSearchAttributeKeyKeyword("Destination")
	attributeBatchID     = temporal.NewSearchAttributeKeyKeyword("BatchID")
	attributeOutcome     = temporal.NewSearchAttributeKeyKeyword("Outcome")

	// Temporal's own, of runs that a schedule has started.
	attributeScheduledStart = temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")
)

// SearchAttributes names the keyword attributes that a Temporal namespace must know.
var SearchAttributes = []string{attributeDataset.GetName(), attributeSource.GetName(), attributeAudience.GetName(),
	attributeDestination.GetName(), attributeBatchID.GetName(), attributeOutcome.GetName()}

// Outcomes of a run, as the search attribute Outcome shows them.
const (
	OutcomeRunning   = "running"
	OutcomeDone      = "done"
	OutcomeUnchanged = "unchanged" // there was nothing new to do
	OutcomePartial   = "partial"   // some of several parts failed
	OutcomeFailed    = "failed"
	OutcomeBlocked   = "blocked" // by policy
	OutcomeCancelled = "cancelled"
)

// Register makes a worker carry out all workflows and activities.
func Register(r worker.Registry, a *activities.Activities) {
	r.RegisterWorkflow(ApplyWorkspace)
	r.RegisterWorkflow(PlanWorkspace)
	r.RegisterWorkflow(SyncSource)
	r.RegisterWorkflow(IngestFile)
	r.RegisterWorkflow(BackfillSource)
	r.RegisterWorkflow(ListFiles)
	r.RegisterWorkflow(DeleteBatch)
	r.RegisterWorkflow(ReplayQuarantine)
	r.RegisterWorkflow(EvaluateAudiences)
	r.RegisterWorkflow(ActivateAudiences)
	r.RegisterDynamicWorkflow(unknownWorkflow, workflow.DynamicRegisterOptions{})
	r.RegisterActivity(a)
}

// unknownWorkflow ends a run of a mistyped workflow type, which would wait for ever otherwise.
func unknownWorkflow(ctx workflow.Context, _ converter.EncodedValues) error {
	ended(ctx, OutcomeFailed)
	return fail(errkind.Invalid, fmt.Sprintf("there is no workflow type %s; known are ActivateAudiences, ApplyWorkspace, BackfillSource, DeleteBatch, EvaluateAudiences, IngestFile, ListFiles, PlanWorkspace, ReplayQuarantine, SyncSource",
		workflow.GetInfo(ctx).WorkflowType.Name))
}

// steps gives activities their names without carrying them out.
var steps *activities.Activities

// How long steps may take and how often they are tried. The heartbeat timeout is what a crash costs:
// after it, another attempt goes on.
const heartbeatTimeout = 15 * time.Second

// withPartner is for steps that talk to a partner's or a destination's server: six attempts within
// about half a minute of waiting; the next scheduled run tries again.
func withPartner(ctx workflow.Context) workflow.Context {
	return options(ctx, 12*time.Hour, heartbeatTimeout, 6)
}

// withStore is for heavy work on this machine.
func withStore(ctx workflow.Context) workflow.Context {
	return options(ctx, 12*time.Hour, heartbeatTimeout, 4)
}

// quick is for a few records.
func quick(ctx workflow.Context) workflow.Context { return options(ctx, 30*time.Second, 0, 10) }

func options(ctx workflow.Context, limit, heartbeat time.Duration, attempts int32) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: limit, HeartbeatTimeout: heartbeat, WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute, MaximumAttempts: attempts},
	})
}

// runID is an id of this run: prefix, its start and a digest, so that ids sort by time.
func runID(ctx workflow.Context, prefix string) string {
	info := workflow.GetInfo(ctx)
	return prefix + "_" + info.WorkflowStartTime.UTC().Format("20060102150405") + "_" + activities.RunDigest(info.WorkflowExecution.ID, info.WorkflowExecution.RunID)
}

// describe sets search attributes of the run. They help to find it and decide nothing, so a failure to
// set them is logged only.
func describe(ctx workflow.Context, updates ...temporal.SearchAttributeUpdate) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, updates...); err != nil {
		workflow.GetLogger(ctx).Warn("search attributes were not set", "error", err)
	}
}

func required(field, value string) error {
	if value != "" {
		return nil
	}
	return fail(errkind.Invalid, `the input has no "`+field+`"; write for example {"`+field+`": "…"}`)
}
