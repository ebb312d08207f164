package workflows

import (
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/errkind"
)

// SyncSourceInput names a source, such as {"source": "acme"}.
type SyncSourceInput struct {
	Source string `json:"source"`
	Retry  bool   `json:"retry,omitempty"` // also take files again that were refused before
}

// WorkflowID is the id under which a source is synced: one run at a time.
func (in SyncSourceInput) WorkflowID() string { return "sync-source/" + in.Source }

// SyncSourceResult says what was new and what it came to.
type SyncSourceResult struct {
	Source        string             `json:"source"`
	Dataset       string             `json:"dataset"`
	Matching      int                `json:"matching"`                // files at the drop point
	AlreadyLoaded int                `json:"alreadyLoaded"`           // by earlier runs
	RefusedBefore int                `json:"refusedBefore,omitempty"` // and not taken again
	Files         []IngestFileResult `json:"files"`
	Failed        []FailedFile       `json:"failed,omitempty"`
	Evaluation    string             `json:"evaluation,omitempty"`
}

// FailedFile is a file that could not be loaded.
type FailedFile struct {
	Path    string       `json:"path"`
	Batch   string       `json:"batch"`
	Kind    errkind.Kind `json:"kind"`
	Message string       `json:"message"`
}

// SyncSource takes every new file of a source, oldest first, each exactly once. A file that fails does
// not keep the later ones back; the run then ends with its error, after the audiences have been
// evaluated when the source asks for that and something was loaded.
func SyncSource(ctx workflow.Context, in SyncSourceInput) (out SyncSourceResult, err error) {
	describe(ctx, attributeSource.ValueSet(in.Source), attributeOutcome.ValueSet(OutcomeRunning))
	out, err = syncSource(ctx, in)
	outcome := outcomeOf(err)
	switch {
	case err == nil && len(out.Files) == 0:
		outcome = OutcomeUnchanged
	case err != nil && len(out.Files) > 0:
		outcome = OutcomePartial
	}
	ended(ctx, outcome)
	return out, err
}

func syncSource(ctx workflow.Context, in SyncSourceInput) (out SyncSourceResult, err error) {
	if err := required("source", in.Source); err != nil {
		return out, err
	}
	var listed activities.ListSourceOutput
	err = workflow.ExecuteActivity(withPartner(ctx), steps.ListSource, activities.ListSourceInput(in)).Get(ctx, &listed)
	if err != nil {
		return out, plain(err)
	}
	describe(ctx, attributeDataset.ValueSet(listed.Dataset))
	out = SyncSourceResult{Source: in.Source, Dataset: listed.Dataset, Matching: listed.Matching, AlreadyLoaded: listed.AlreadyLoaded,
		RefusedBefore: listed.RefusedBefore, Files: []IngestFileResult{}}
	for _, file := range listed.Due {
		var result IngestFileResult
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:            "ingest-file/" + file.Batch,
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		})
		err := workflow.ExecuteChildWorkflow(child, IngestFile, IngestFileInput{Source: in.Source, Path: file.Path, Batch: file.Batch}).Get(ctx, &result)
		switch {
		case temporal.IsCanceledError(err) || ctx.Err() != nil:
			return out, err
		case temporal.IsWorkflowExecutionAlreadyStartedError(err):
			out.Failed = append(out.Failed, FailedFile{Path: file.Path, Batch: file.Batch, Kind: errkind.Conflict, Message: "another run is on this file"})
		case err != nil:
			out.Failed = append(out.Failed, FailedFile{Path: file.Path, Batch: file.Batch, Kind: KindOf(err), Message: MessageOf(err)})
		default:
			out.Files = append(out.Files, result)
		}
	}
	if listed.EvaluateAfterLoad && loadedSome(out.Files) {
		var evaluated EvaluateAudiencesResult
		if err := workflow.ExecuteChildWorkflow(ctx, EvaluateAudiences, EvaluateAudiencesInput{Activate: true}).Get(ctx, &evaluated); err != nil {
			err = plain(err)
			if len(out.Failed) == 0 && !temporal.IsCanceledError(err) {
				err = fail(KindOf(err), "the files were loaded, then: "+MessageOf(err), out)
			}
			if len(out.Failed) == 0 || temporal.IsCanceledError(err) {
				return out, err
			}
		}
		out.Evaluation = evaluated.Evaluation
	}
	if len(out.Failed) > 0 {
		return out, failedFiles(out)
	}
	return out, nil
}

func loadedSome(files []IngestFileResult) bool {
	for _, f := range files {
		if !f.AlreadyDone && f.DuplicateOf == "" {
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
	if len(out.Failed)+len(out.Files) == 1 {
		return fail(first.Kind, first.Message, out)
	}
	return fail(first.Kind, fmt.Sprintf("%d of %d files failed: %s", len(out.Failed), len(out.Failed)+len(out.Files), strings.Join(texts, "; ")), out)
}
