package workflows

import (
	"encoding/json"
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
	Brief        bool       `json:"brief,omitempty"`        // the result names few files; its totals count all
	RequestedBy  string     `json:"requestedBy,omitempty"`

	Carried *carriedSync `json:"carried,omitempty"` // of a run that goes on in a new history
}

// carriedSync is what a run has come to so far. Which files it has dealt with is in the ledger.
type carriedSync struct {
	Result SyncSourceResult     `json:"result"`
	Due    []activities.DueFile `json:"due,omitempty"` // listed and still to be taken
	More   bool                 `json:"more,omitempty"`
	Listed int                  `json:"listed,omitempty"` // times
	Late   bool                 `json:"late,omitempty"`   // it began long after its schedule meant it to
	Looks  int                  `json:"looks"`            // of them, those for files that were not ready
	Used   struct {             // bytes of the result's lists
		Files, Failed, Gone int
	} `json:"used"`

	LookAgain         time.Duration `json:"lookAgain,omitempty"`
	EvaluateAfterLoad bool          `json:"evaluateAfterLoad,omitempty"`
	Dataset           string        `json:"dataset,omitempty"` // that was loaded
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

// SyncSourceResult says what was there, what was new, and what it came to. Of very long lists it holds the first
// entries; the totals count all, and the ledger has every file.
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
	WaitingFiles  int                          `json:"waitingFiles,omitempty"`
	Gone          []string                     `json:"gone,omitempty"` // removed before they were taken
	GoneFiles     int                          `json:"goneFiles,omitempty"`
	Files         []IngestFileResult           `json:"files"`
	Taken         int                          `json:"taken,omitempty"`  // files that did not fail, as Files has them
	Loaded        int64                        `json:"loaded,omitempty"` // of them, those whose rows this run made profiles
	Rows          int64                        `json:"rows,omitempty"`   // accepted in them
	Failed        []FailedFile                 `json:"failed,omitempty"`
	FailedFiles   int                          `json:"failedFiles,omitempty"`
	Probed        []activities.ProbeFileOutput `json:"probed,omitempty"`  // by a dry run
	MoreDue       int                          `json:"moreDue,omitempty"` // that a dry run found, beyond Probed
	Evaluation    string                       `json:"evaluation,omitempty"`
}

// withTotals fills in what results of before totals were kept do not have.
func (r SyncSourceResult) withTotals() SyncSourceResult {
	r.WaitingFiles, r.GoneFiles, r.FailedFiles = max(r.WaitingFiles, len(r.Waiting)), max(r.GoneFiles, len(r.Gone)), max(r.FailedFiles, len(r.Failed))
	if r.Taken == 0 {
		for _, f := range r.Files {
			r.count(f)
		}
	}
	return r
}

func (r *SyncSourceResult) count(f IngestFileResult) {
	r.Taken++
	if f.Outcome != nil && !f.AlreadyDone && f.State == catalog.Loaded {
		r.Loaded++
		r.Rows += f.Outcome.Accepted
	}
}

// FailedFile is a file that could not be loaded.
type FailedFile struct {
	Path    string       `json:"path"`
	Batch   string       `json:"batch"`
	Kind    errkind.Kind `json:"kind"`
	Message string       `json:"message"`
}

// A scheduled run that begins so long after its time is one that a backfill of the schedule asks for, or one that is
// made up for. Either answers for the days up to its own; later ones have runs of their own.
const lateAfter = 24 * time.Hour

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
	case temporal.IsCanceledError(err):
		outcome = OutcomeCancelled
	case err == nil && out.Taken == 0 && len(out.Probed) == 0:
		outcome = OutcomeUnchanged
	case err != nil && out.Taken > 0:
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
	finish := activities.FinishSyncInput{Run: workflow.GetInfo(ctx).FirstRunID, Outcome: catalog.SyncSucceeded, Files: out.Loaded, Rows: out.Rows}
	switch {
	case temporal.IsCanceledError(failure):
		finish.Outcome, finish.Detail = OutcomeCancelled, "somebody cancelled it; the next run takes what it left"
	case failure != nil:
		finish.Outcome, finish.Detail = OutcomeFailed, MessageOf(failure)
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
		s.Result = s.Result.withTotals()
	} else if !in.DryRun {
		if err := requested(ctx, activities.RecordStartInput{RequestedBy: in.RequestedBy, Action: "sync", Kind: "Source", Object: in.Source, Detail: in.BusinessDate}); err != nil {
			return s.Result, err
		}
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
		if len(s.Due) == 0 {
			if err := s.list(ctx); err != nil {
				return err
			}
			if s.in.DryRun {
				return s.probe(ctx)
			}
		}
		if err := s.take(ctx); err != nil {
			return err
		}
		switch {
		case s.More:
		case s.LookAgain > 0 && s.Looks < looksAtMost:
			s.Looks++
			if err := workflow.Sleep(ctx, s.LookAgain); err != nil {
				return err
			}
		default:
			return s.end(ctx)
		}
	}
}

func (s *syncing) list(ctx workflow.Context) error {
	s.Listed++
	in := activities.ListSourceInput{Source: s.in.Source, Retry: s.in.Retry, BusinessDate: s.in.BusinessDate, From: s.in.From, To: s.in.To,
		RetryOf: s.in.RetryOf, Skipped: s.in.Skipped, DryRun: s.in.DryRun, Look: s.Listed, Run: workflow.GetInfo(ctx).FirstRunID}
	if at, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(attributeScheduledStart); ok && s.in.BusinessDate == "" {
		in.Scheduled = &at
		if s.Listed == 1 {
			s.Late = workflow.GetInfo(ctx).WorkflowStartTime.Sub(at) > lateAfter
		}
		in.Late = s.Late
	}
	var listed activities.ListSourceOutput
	if err := workflow.ExecuteActivity(withPartner(ctx), steps.ListSource, in).Get(ctx, &listed); err != nil {
		return plain(err)
	}
	describe(ctx, attributeDataset.ValueSet(listed.Dataset))
	s.Due, s.More, s.LookAgain, s.EvaluateAfterLoad, s.Dataset = listed.Due, listed.More > 0, listed.LookAgain, listed.EvaluateAfterLoad, listed.Dataset
	out := &s.Result
	if s.Listed == 1 { // later looks meet what this run has loaded and refused
		out.AlreadyLoaded, out.RefusedBefore = listed.AlreadyLoaded, listed.RefusedBefore
		for _, f := range listed.Unreadable {
			s.failed(FailedFile{Path: f.Path, Kind: f.Kind, Message: "source " + s.in.Source + ": " + f.Reason})
		}
		out.FailedFiles += listed.UnreadableFolders - len(listed.Unreadable)
	}
	if s.in.DryRun {
		out.MoreDue = listed.More
	}
	out.Dataset, out.BusinessDate, out.Matching = listed.Dataset, listed.BusinessDate, listed.Matching
	out.Skipped, out.Elsewhen, out.Waiting = listed.Skipped, listed.Elsewhen, listed.Waiting
	out.WaitingFiles = max(listed.WaitingFiles, len(listed.Waiting))
	out.GoneFiles += max(listed.GoneFiles, len(listed.Gone))
	for _, path := range listed.Gone {
		if s.fits(&s.Used.Gone, goneBytes, path) {
			out.Gone = append(out.Gone, path)
		}
	}
	for _, f := range listed.Refused {
		s.failed(FailedFile{Path: f.Path, Batch: f.Batch, Kind: errkind.BadInput, Message: f.Reason})
	}
	out.FailedFiles += max(0, listed.RefusedFiles-len(listed.Refused))
	return nil
}

// A run's result may have 2 MB in all, and goes with what is still due from one history to the next.
const (
	filesBytes  = 1 << 19
	failedBytes = 1 << 18
	goneBytes   = 1 << 16
	briefly     = 64 // times less in a brief result
)

// fits reports whether one more entry keeps a list within its bytes, and counts it. After one that does not, none does.
func (s *syncing) fits(used *int, most int, entry any) bool {
	if s.in.Brief {
		most /= briefly
	}
	text, err := json.Marshal(entry) //workflowcheck:ignore // the same entry has the same text
	if err != nil || *used+len(text) > most {
		*used = most
		return false
	}
	*used += len(text)
	return true
}

func (s *syncing) failed(f FailedFile) {
	s.Result.FailedFiles++
	if s.fits(&s.Used.Failed, failedBytes, f) || len(s.Result.Failed) == 0 {
		s.Result.Failed = append(s.Result.Failed, f)
	}
}

// take ingests the due files, one after the other: a later file's rows win.
func (s *syncing) take(ctx workflow.Context) error {
	for ; len(s.Due) > 0; s.Due = s.Due[1:] {
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			next := s.in
			next.Carried = &s.carriedSync
			return workflow.NewContinueAsNewError(ctx, SyncSource, next)
		}
		file := s.Due[0]
		var result IngestFileResult
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:            "ingest-file/" + file.Batch,
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		})
		ingest := func() error {
			return workflow.ExecuteChildWorkflow(child, IngestFile, IngestFileInput{Source: s.in.Source, Path: file.Path, Batch: file.Batch, ToldTo: s.in.RequestedBy}).Get(ctx, &result)
		}
		err := ingest()
		if temporal.IsWorkflowExecutionAlreadyStartedError(err) && workflow.GetVersion(ctx, "wait for another run on a file", workflow.DefaultVersion, 1) > workflow.DefaultVersion {
			err = whenFree(ctx, err, ingest) // another run is on it: what that comes to is this one's answer, too
		}
		switch {
		case temporal.IsCanceledError(err) || ctx.Err() != nil:
			return err
		case temporal.IsWorkflowExecutionAlreadyStartedError(err):
			s.failed(FailedFile{Path: file.Path, Batch: file.Batch, Kind: errkind.Conflict, Message: fmt.Sprintf("another run is still on %q", file.Path)})
		case err != nil:
			s.failed(FailedFile{Path: file.Path, Batch: file.Batch, Kind: KindOf(err), Message: MessageOf(err)})
		default:
			s.Result.count(result)
			if s.fits(&s.Used.Files, filesBytes, result) {
				s.Result.Files = append(s.Result.Files, result)
			}
		}
	}
	return nil
}

// probedAtMost is how many files a dry run looks into.
const probedAtMost = 3

// probe looks into the first due files. It fails as the run itself would when one of them would be refused.
func (s *syncing) probe(ctx workflow.Context) error {
	for i, file := range s.Due {
		probed := activities.ProbeFileOutput{Path: file.Path, Bytes: file.Size}
		if i < probedAtMost {
			err := workflow.ExecuteActivity(withPartner(ctx), steps.ProbeFile, activities.ProbeFileInput{Source: s.in.Source, Path: file.Path}).Get(ctx, &probed)
			if temporal.IsCanceledError(err) {
				return err
			}
			if err = plain(err); err != nil {
				s.failed(FailedFile{Path: file.Path, Kind: KindOf(err), Message: MessageOf(err)})
				continue
			}
		}
		if probed.Refused != "" {
			s.failed(FailedFile{Path: file.Path, Kind: errkind.BadInput, Message: probed.Refused})
		}
		if s.fits(&s.Used.Files, filesBytes, probed) {
			s.Result.Probed = append(s.Result.Probed, probed)
		} else {
			s.Result.MoreDue++
		}
	}
	if s.Result.FailedFiles > 0 {
		return failedFiles(s.Result)
	}
	return nil
}

// end evaluates the audiences when that is asked for, and says what failed.
func (s *syncing) end(ctx workflow.Context) error {
	out := &s.Result
	if s.EvaluateAfterLoad && out.Loaded > 0 {
		var evaluated EvaluateAudiencesResult
		evaluate := EvaluateAudiencesInput{Activate: true, RequestedBy: s.in.RequestedBy}
		if s.Dataset != "" { // runs that began before this was kept evaluate all
			evaluate.Datasets = []string{s.Dataset}
		}
		if err := workflow.ExecuteChildWorkflow(ctx, EvaluateAudiences, evaluate).Get(ctx, &evaluated); err != nil {
			err = plain(err)
			if out.FailedFiles == 0 && !temporal.IsCanceledError(err) {
				err = fail(KindOf(err), "the files were loaded, then: "+MessageOf(err), *out)
			}
			if out.FailedFiles == 0 || temporal.IsCanceledError(err) {
				return err
			}
		}
		out.Evaluation = evaluated.Evaluation
	}
	if out.FailedFiles > 0 {
		return failedFiles(*out)
	}
	return nil
}

// failedFiles is the error of a run with failed files; the whole result goes with it.
func failedFiles(out SyncSourceResult) error {
	first := out.Failed[0]
	var texts []string
	for _, f := range out.Failed[:min(3, len(out.Failed))] {
		texts = append(texts, f.Message)
	}
	if more := out.FailedFiles - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	all := out.FailedFiles + out.Taken
	for _, p := range out.Probed {
		if p.Refused == "" { // others have failed
			all++
		}
	}
	if all == 1 {
		return fail(first.Kind, first.Message, out)
	}
	return fail(first.Kind, fmt.Sprintf("%d of %d files failed: %s", out.FailedFiles, all, strings.Join(texts, "; ")), out)
}
