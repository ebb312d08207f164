package workflows

import (
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/errkind"
)

// BackfillSourceInput asks for the files of past days, such as {"source": "acme", "from": "2026-11-01", "to": "2026-11-14"}.
type BackfillSourceInput struct {
	Source string `json:"source"`
	From   string `json:"from"`            // first day
	To     string `json:"to"`              // last day
	Retry  bool   `json:"retry,omitempty"` // also take files again that were refused before
	Plan   bool   `json:"plan,omitempty"`  // only say what would be taken

	RequestedBy string `json:"requestedBy,omitempty"`
}

// WorkflowID is the id under which a source is backfilled: one run at a time.
func (in BackfillSourceInput) WorkflowID() string {
	if in.Plan {
		return "plan-backfill/" + in.Source
	}
	return "backfill-source/" + in.Source
}

// BackfillSourceResult is what each day came to, oldest first.
type BackfillSourceResult struct {
	Source string        `json:"source"`
	Plan   bool          `json:"plan,omitempty"`
	Days   []BackfillDay `json:"days"`
}

// BackfillDay is one day of a backfill.
type BackfillDay struct {
	BusinessDate string       `json:"businessDate"`
	Files        int          `json:"files"`           // taken; of a plan, to take
	Bytes        int64        `json:"bytes,omitempty"` // of a plan
	Rows         int64        `json:"rows,omitempty"`  // accepted
	Waiting      int          `json:"waiting,omitempty"`
	Failed       []FailedFile `json:"failed,omitempty"` // the first of them
	FailedFiles  int          `json:"failedFiles,omitempty"`
	Error        string       `json:"error,omitempty"`
	Workflow     string       `json:"workflow,omitempty"` // its run
}

// What a backfill covers at most.
const (
	daysAtMost = 400
	failedADay = 1 // that the result names
)

// BackfillSource takes the files of past days that were never loaded, one SyncSource for each day, oldest
// first; files that were there before the source are taken, too. What was loaded is not loaded again. A day
// that fails does not keep the later ones back.
func BackfillSource(ctx workflow.Context, in BackfillSourceInput) (out BackfillSourceResult, err error) {
	describe(ctx, attributeSource.ValueSet(in.Source), attributeOutcome.ValueSet(OutcomeRunning))
	out, err = backfillSource(ctx, in)
	ended(ctx, outcomeOf(err))
	return out, err
}

func backfillSource(ctx workflow.Context, in BackfillSourceInput) (out BackfillSourceResult, err error) {
	if err := required("source", in.Source); err != nil {
		return out, err
	}
	days, err := in.days()
	if err != nil {
		return out, err
	}
	if !in.Plan && workflow.GetVersion(ctx, "audit", workflow.DefaultVersion, 1) != workflow.DefaultVersion {
		start := activities.RecordStartInput{RequestedBy: in.RequestedBy, Action: "backfill", Kind: "Source", Object: in.Source, Detail: in.From + " to " + in.To}
		if err := recordStart(ctx, start); err != nil {
			return out, err
		}
	}
	out = BackfillSourceResult{Source: in.Source, Plan: in.Plan, Days: []BackfillDay{}}
	var failed *BackfillDay
	var kind errkind.Kind
	for _, day := range days {
		done := BackfillDay{BusinessDate: day}
		if in.Plan {
			err = planDay(ctx, in, &done)
		} else {
			err = backfillDay(ctx, in, &done)
		}
		if temporal.IsCanceledError(err) || ctx.Err() != nil {
			return out, err
		}
		if err != nil {
			done.Error = MessageOf(err)
			if failed == nil {
				failed, kind = &done, KindOf(err)
			}
		}
		out.Days = append(out.Days, done)
		if err != nil && in.Plan {
			break // the next day would say the same
		}
	}
	if failed != nil {
		return out, fail(kind, failed.BusinessDate+": "+failed.Error, out)
	}
	return out, nil
}

func (in BackfillSourceInput) days() (out []string, err error) {
	from, fromErr := time.Parse(time.DateOnly, in.From)
	to, toErr := time.Parse(time.DateOnly, in.To)
	switch {
	case fromErr != nil || toErr != nil:
		return nil, fail(errkind.Invalid, `from and to are days; write for example {"source": "acme", "from": "2026-11-01", "to": "2026-11-14"}`)
	case to.Before(from):
		return nil, fail(errkind.Invalid, fmt.Sprintf("the last day %s is before the first %s", in.To, in.From))
	case to.Sub(from) >= daysAtMost*24*time.Hour:
		return nil, fail(errkind.Invalid, fmt.Sprintf("a backfill covers at most %d days; start several, one after the other", daysAtMost))
	}
	for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
		out = append(out, day.Format(time.DateOnly))
	}
	return out, nil
}

func planDay(ctx workflow.Context, in BackfillSourceInput, out *BackfillDay) error {
	var listed activities.ListSourceOutput
	list := activities.ListSourceInput{Source: in.Source, BusinessDate: out.BusinessDate, Retry: in.Retry, Skipped: true, DryRun: true}
	if err := workflow.ExecuteActivity(withPartner(ctx), steps.ListSource, list).Get(ctx, &listed); err != nil {
		return plain(err)
	}
	out.Files, out.Waiting, out.Bytes = len(listed.Due)+listed.More, max(listed.WaitingFiles, len(listed.Waiting)), listed.DueBytes
	return nil
}

func backfillDay(ctx workflow.Context, in BackfillSourceInput, out *BackfillDay) error {
	sync := SyncSourceInput{Source: in.Source, BusinessDate: out.BusinessDate, Retry: in.Retry, Skipped: true, Brief: true}
	out.Workflow = sync.WorkflowID()
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: out.Workflow,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL})
	var synced SyncSourceResult
	err := workflow.ExecuteChildWorkflow(child, SyncSource, sync).Get(ctx, &synced)
	switch {
	case temporal.IsCanceledError(err):
		return err
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		return fail(errkind.Conflict, "another run is on this day")
	case err != nil:
		synced = partOf(err)
	}
	synced = synced.withTotals()
	out.Waiting, out.FailedFiles, out.Failed = synced.WaitingFiles, synced.FailedFiles, synced.Failed[:min(failedADay, len(synced.Failed))]
	out.Files, out.Rows = synced.Taken, synced.Rows
	return plain(err)
}

// partOf is what a failed sync did before it failed, as its error carries it.
func partOf(err error) (out SyncSourceResult) {
	var application *temporal.ApplicationError
	if errors.As(err, &application) && application.HasDetails() {
		_ = application.Details(&out) // of another failure: nothing was done
	}
	return out
}
