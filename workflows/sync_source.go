package workflows

import (
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
)

// SyncSourceInput names a source, such as {"source": "acme"}. Everything else narrows or widens what is taken.
type SyncSourceInput struct {
	Source       string     `json:"source"`
	Retry        bool       `json:"retry,omitempty"`        // also take files again that were refused before
	BusinessDate string     `json:"businessDate,omitempty"` // only files of that day, such as 2026-11-24
	From         *time.Time `json:"from,omitempty"`         // only files modified from then on
	To           *time.Time `json:"to,omitempty"`           // only files modified before
	RetryOf      string     `json:"retryOf,omitempty"`      // only files of the window of that run, which failed (SR-21)
	Skipped      bool       `json:"skipped,omitempty"`      // also files that were there before the source
	DryRun       bool       `json:"dryRun,omitempty"`       // list, and check a sample of each due file; take nothing

	Carried *carriedSync `json:"carried,omitempty"` // of a run that goes on in a new history
}

// carriedSync is what a run has come to so far.
type carriedSync struct {
	Result SyncSourceResult `json:"result"`
	Had    []string         `json:"had"` // batches that are not taken a second time
	Looks  int              `json:"looks"`
}

// WorkflowID is the id under which a source is synced: one run at a time.
func (in SyncSourceInput) WorkflowID() string {
	switch {
	case in.DryRun:
		return "dry-run/" + in.Source
	case in.BusinessDate != "":
		return "sync-source/" + in.Source + "/" + in.BusinessDate
	}
	return "sync-source/" + in.Source
}

// SyncSourceResult says what was there, what was new, and what it came to.
type SyncSourceResult struct {
	Source        string                       `json:"source"`
	Dataset       string                       `json:"dataset"`
	BusinessDate  string                       `json:"businessDate,omitempty"`
	Matching      int                          `json:"matching"`                // files at the drop point
	AlreadyLoaded int                          `json:"alreadyLoaded"`           // by earlier runs
	RefusedBefore int                          `json:"refusedBefore,omitempty"` // and not taken again
	Skipped       int                          `json:"skipped,omitempty"`       // there before the source
	Elsewhen      int                          `json:"elsewhen,omitempty"`      // due, outside of the asked day or window
	Waiting       []activities.WaitingFile     `json:"waiting,omitempty"`       // not ready yet
	Gone          []string                     `json:"gone,omitempty"`          // removed before they were taken
	Files         []IngestFileResult           `json:"files"`
	Failed        []FailedFile                 `json:"failed,omitempty"`
	Probed        []activities.ProbeFileOutput `json:"probed,omitempty"` // by a dry run
	Evaluation    string                       `json:"evaluation,omitempty"`
}

// FailedFile is a file that could not be loaded.
type FailedFile struct {
	Path    string       `json:"path"`
	Batch   string       `json:"batch"`
	Kind    errkind.Kind `json:"kind"`
	Message string       `json:"message"`
}

// A run waits for files that must not change for a while, and looks again at most so often.
const looksAtMost = 3

// SyncSource takes every new file of a source, oldest first, each exactly once. A file that fails does
// not keep the later ones back; the run then ends with its error, after the audiences have been
// evaluated when the source asks for that and something was loaded.
func SyncSource(ctx workflow.Context, in SyncSourceInput) (out SyncSourceResult, err error) {
	describe(ctx, attributeSource.ValueSet(in.Source), attributeOutcome.ValueSet(OutcomeRunning))
	out, err = syncSource(ctx, in)
	if workflow.IsContinueAsNewError(err) {
		return out, err
	}
	outcome := outcomeOf(err)
	switch {
	case err == nil && len(out.Files) == 0 && len(out.Probed) == 0:
		outcome = OutcomeUnchanged
	case err != nil && len(out.Files) > 0:
		outcome = OutcomePartial
	}
	finishSync(ctx, in, out, err)
	ended(ctx, outcome)
	return out, err
}

// finishSync records the end, also of a run that was cancelled. Runs of before this was recorded do not.
func finishSync(ctx workflow.Context, in SyncSourceInput, out SyncSourceResult, failure error) {
	if in.Source == "" || in.DryRun || workflow.GetVersion(ctx, "record syncs", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return
	}
	finish := activities.FinishSyncInput{Run: workflow.GetInfo(ctx).FirstRunID, Outcome: catalog.SyncSucceeded}
	if failure != nil {
		finish.Outcome, finish.Detail = OutcomeFailed, MessageOf(failure)
	}
	for _, f := range out.Files {
		if f.Outcome != nil && !f.AlreadyDone && f.State == catalog.Loaded {
			finish.Files++
			finish.Rows += f.Outcome.Accepted
		}
	}
	cleanup, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if err := workflow.ExecuteActivity(quick(cleanup), steps.FinishSync, finish).Get(cleanup, nil); err != nil {
		workflow.GetLogger(ctx).Error("the end of the run was not recorded", "error", err)
	}
}

func syncSource(ctx workflow.Context, in SyncSourceInput) (out SyncSourceResult, err error) {
	if err := required("source", in.Source); err != nil {
		return out, err
	}
	s := syncing{in: in, carriedSync: carriedSync{Result: SyncSourceResult{Source: in.Source, Files: []IngestFileResult{}}}}
	if in.Carried != nil {
		s.carriedSync = *in.Carried
	}
	err = s.run(ctx)
	return s.Result, err
}

// syncing is a run under way.
type syncing struct {
	in SyncSourceInput
	carriedSync
}

func (s *syncing) run(ctx workflow.Context) error {
	for {
		listed, err := s.list(ctx)
		if err != nil {
			return err
		}
		if s.in.DryRun {
			return s.probe(ctx, listed)
		}
		if err := s.take(ctx, listed); err != nil {
			return err
		}
		switch {
		case listed.More > 0:
		case listed.LookAgain > 0 && s.Looks < looksAtMost:
			s.Looks++
			if err := workflow.Sleep(ctx, listed.LookAgain); err != nil {
				return err
			}
		default:
			return s.end(ctx, listed.EvaluateAfterLoad)
		}
	}
}

func (s *syncing) list(ctx workflow.Context) (listed activities.ListSourceOutput, err error) {
	in := activities.ListSourceInput{Source: s.in.Source, Retry: s.in.Retry, BusinessDate: s.in.BusinessDate, From: s.in.From, To: s.in.To,
		RetryOf: s.in.RetryOf, Skipped: s.in.Skipped, DryRun: s.in.DryRun, Leave: s.Had, Run: workflow.GetInfo(ctx).FirstRunID}
	if at, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(attributeScheduledStart); ok && s.in.BusinessDate == "" {
		in.Scheduled = &at
	}
	if err = workflow.ExecuteActivity(withPartner(ctx), steps.ListSource, in).Get(ctx, &listed); err != nil {
		return listed, plain(err)
	}
	describe(ctx, attributeDataset.ValueSet(listed.Dataset))
	out := &s.Result
	if len(s.Had) == 0 {
		out.AlreadyLoaded, out.RefusedBefore = listed.AlreadyLoaded, listed.RefusedBefore
	}
	out.Dataset, out.BusinessDate, out.Matching = listed.Dataset, listed.BusinessDate, listed.Matching
	out.Skipped, out.Elsewhen, out.Waiting = listed.Skipped, listed.Elsewhen, listed.Waiting
	out.Gone = append(out.Gone, listed.Gone...)
	for _, f := range listed.Refused {
		out.Failed = append(out.Failed, FailedFile{Path: f.Path, Batch: f.Batch, Kind: errkind.BadInput, Message: f.Reason})
	}
	return listed, nil
}

// take ingests the due files, one after the other: a later file's rows win.
func (s *syncing) take(ctx workflow.Context, listed activities.ListSourceOutput) error {
	for _, file := range listed.Due {
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			next := s.in
			next.Carried = &s.carriedSync
			return workflow.NewContinueAsNewError(ctx, SyncSource, next)
		}
		var result IngestFileResult
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:            "ingest-file/" + file.Batch,
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		})
		err := workflow.ExecuteChildWorkflow(child, IngestFile, IngestFileInput{Source: s.in.Source, Path: file.Path, Batch: file.Batch}).Get(ctx, &result)
		out := &s.Result
		switch {
		case temporal.IsCanceledError(err) || ctx.Err() != nil:
			return err
		case temporal.IsWorkflowExecutionAlreadyStartedError(err):
			out.Failed = append(out.Failed, FailedFile{Path: file.Path, Batch: file.Batch, Kind: errkind.Conflict, Message: "another run is on this file"})
		case err != nil:
			out.Failed = append(out.Failed, FailedFile{Path: file.Path, Batch: file.Batch, Kind: KindOf(err), Message: MessageOf(err)})
		default:
			out.Files = append(out.Files, result)
		}
		s.Had = append(s.Had, file.Batch)
	}
	return nil
}

// probedAtMost is how many files a dry run looks into.
const probedAtMost = 3

func (s *syncing) probe(ctx workflow.Context, listed activities.ListSourceOutput) error {
	for _, file := range listed.Due[:min(len(listed.Due), probedAtMost)] {
		var probed activities.ProbeFileOutput
		if err := workflow.ExecuteActivity(withPartner(ctx), steps.ProbeFile, activities.ProbeFileInput{Source: s.in.Source, Path: file.Path}).Get(ctx, &probed); err != nil {
			if temporal.IsCanceledError(err) {
				return err
			}
			err = plain(err)
			s.Result.Failed = append(s.Result.Failed, FailedFile{Path: file.Path, Kind: KindOf(err), Message: MessageOf(err)})
			continue
		}
		s.Result.Probed = append(s.Result.Probed, probed)
	}
	for _, file := range listed.Due[min(len(listed.Due), probedAtMost):] {
		s.Result.Probed = append(s.Result.Probed, activities.ProbeFileOutput{Path: file.Path, Bytes: file.Size})
	}
	if len(s.Result.Failed) > 0 {
		return failedFiles(s.Result)
	}
	return nil
}

// end evaluates the audiences when that is asked for, and says what failed.
func (s *syncing) end(ctx workflow.Context, evaluate bool) error {
	out := &s.Result
	if evaluate && loadedSome(out.Files) {
		var evaluated EvaluateAudiencesResult
		if err := workflow.ExecuteChildWorkflow(ctx, EvaluateAudiences, EvaluateAudiencesInput{Activate: true}).Get(ctx, &evaluated); err != nil {
			err = plain(err)
			if len(out.Failed) == 0 && !temporal.IsCanceledError(err) {
				err = fail(KindOf(err), "the files were loaded, then: "+MessageOf(err), *out)
			}
			if len(out.Failed) == 0 || temporal.IsCanceledError(err) {
				return err
			}
		}
		out.Evaluation = evaluated.Evaluation
	}
	if len(out.Failed) > 0 {
		return failedFiles(*out)
	}
	return nil
}

func loadedSome(files []IngestFileResult) bool {
	for _, f := range files {
		if !f.AlreadyDone && f.State == catalog.Loaded {
			return true
		}
	}
	return false
}

// failedFiles is the error of a run with failed files; the whole result goes with it.
func failedFiles(out SyncSourceResult) error {
	first := out.Failed[0]
	var texts []string
	for _, f := range out.Failed[:min(3, len(out.Failed))] {
		texts = append(texts, f.Message)
	}
	if more := len(out.Failed) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	all := len(out.Failed) + len(out.Files) + len(out.Probed)
	if all == 1 {
		return fail(first.Kind, first.Message, out)
	}
	return fail(first.Kind, fmt.Sprintf("%d of %d files failed: %s", len(out.Failed), all, strings.Join(texts, "; ")), out)
}
