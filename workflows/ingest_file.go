package workflows

import (
	"cmp"
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/catalog"
	"prospector/internal/ingest"
	"prospector/internal/store"
)

// IngestFileInput names one file at a source, such as {"source": "acme", "path": "in/today.csv.gz"}.
type IngestFileInput struct {
	Source string `json:"source"`
	Path   string `json:"path"`            // relative to the drop point
	Batch  string `json:"batch,omitempty"` // the version that is meant; the current one unless said

	// Dataset, instead of source: of a file on the worker's machine, whose path begins with local:, read as the
	// dataset's one source says.
	Dataset string `json:"dataset,omitempty"`

	// AllowRemovals lets a full file remove more profiles than mostRemoved of its dataset allows.
	AllowRemovals bool `json:"allowRemovals,omitempty"`

	// Again loads the file also when the same bytes were loaded before under another name.
	Again bool `json:"again,omitempty"`

	RequestedBy string `json:"requestedBy,omitempty"`
	// ToldTo is who asked for the run that this one is a part of, which has recorded it.
	ToldTo string `json:"toldTo,omitempty"`
}

// WorkflowID is the id under which a person starts the run.
func (in IngestFileInput) WorkflowID() string {
	return "ingest-file/" + cmp.Or(in.Source, in.Dataset) + "/" + ascii(in.Path)
}

func (in IngestFileInput) toldTo() string { return cmp.Or(in.RequestedBy, in.ToldTo) }

// ascii writes what is not printable ASCII as URLs do: Temporal's client sends ids in headers, which take nothing else.
func ascii(text string) string {
	var out strings.Builder
	for i := range len(text) {
		if b := text[i]; b < ' ' || b > '~' || b == '%' {
			fmt.Fprintf(&out, "%%%02X", b)
		} else {
			out.WriteByte(b)
		}
	}
	return out.String()
}

// IngestFileResult is what the file came to.
type IngestFileResult struct {
	Source      string                 `json:"source"`
	Path        string                 `json:"path"`
	Dataset     string                 `json:"dataset"`
	Batch       string                 `json:"batch"`
	State       catalog.State          `json:"state"` // loaded, duplicate, or set aside
	AlreadyDone bool                   `json:"alreadyDone,omitempty"`
	DuplicateOf string                 `json:"duplicateOf,omitempty"`
	SHA256      string                 `json:"sha256,omitempty"`
	Bytes       int64                  `json:"bytes,omitempty"`
	Outcome     *store.Outcome         `json:"outcome,omitempty"`
	Reason      string                 `json:"reason,omitempty"` // why it was set aside
	Drift       *ingest.Drift          `json:"drift,omitempty"`  // columns that were not taken, or not there
	Warnings    []string               `json:"warnings,omitempty"`
	Diagnostic  *activities.Diagnostic `json:"diagnostic,omitempty"` // of a batch with rejected rows
	Reasons     []store.RejectionCount `json:"reasons,omitempty"`
	ReplayOf    string                 `json:"replayOf,omitempty"` // the batch whose rejected rows these are
}

// IngestFile takes one file into its dataset as one batch: fetch, validate, label, load. A file version
// that was loaded before is not loaded again.
func IngestFile(ctx workflow.Context, in IngestFileInput) (out IngestFileResult, err error) {
	describe(ctx, attributeSource.ValueSet(in.Source), attributeOutcome.ValueSet(OutcomeRunning))
	out, err = ingestFile(ctx, in)
	outcome := outcomeOf(err)
	if err == nil && (out.AlreadyDone || out.State != catalog.Loaded) {
		outcome = OutcomeUnchanged
	}
	ended(ctx, outcome)
	return out, err
}

func ingestFile(ctx workflow.Context, in IngestFileInput) (out IngestFileResult, err error) {
	if in.Dataset == "" {
		if err := required("source", in.Source); err != nil {
			return out, err
		}
	}
	if err := required("path", in.Path); err != nil {
		return out, err
	}
	out = IngestFileResult{Source: in.Source, Path: in.Path}
	start := activities.RecordStartInput{RequestedBy: in.RequestedBy, Action: "ingest", Kind: "Source", Object: in.Source, Detail: in.Path}
	if in.Source == "" {
		start.Kind, start.Object = "Dataset", in.Dataset
	}
	if err := requested(ctx, start); err != nil {
		return out, err
	}
	var taken activities.TakeFileOutput
	err = workflow.ExecuteActivity(withPartner(ctx), steps.TakeFile, activities.TakeFileInput{Source: in.Source, Path: in.Path, Batch: in.Batch, Dataset: in.Dataset, Again: in.Again, RequestedBy: in.toldTo()}).Get(ctx, &taken)
	if err != nil {
		return out, plain(err)
	}
	if taken.Source != "" { // histories of before carry none
		out.Source = taken.Source
	}
	out.Batch, out.Dataset, out.State, out.Outcome = taken.Batch, taken.Dataset, taken.State, taken.Outcome
	describe(ctx, attributeSource.ValueSet(out.Source), attributeDataset.ValueSet(taken.Dataset), attributeBatchID.ValueSet(taken.Batch))
	if taken.State == catalog.Loaded || taken.State == catalog.Duplicate {
		out.AlreadyDone = true
		return out, nil
	}
	return finished(ctx, &out, loadTaken(ctx, &out, in))
}

// finished records what a run on staged rows came to, and removes them.
func finished(ctx workflow.Context, result *IngestFileResult, err error) (IngestFileResult, error) {
	err = plain(err)
	out := *result
	finish := activities.FinishFileInput{Batch: out.Batch, Failure: out.Reason, Aside: out.State == catalog.SetAside}
	if err != nil {
		finish.Kind, finish.Failure = KindOf(err), MessageOf(err)
	}
	cleanup, cancel := workflow.NewDisconnectedContext(ctx) // also when the run was cancelled
	defer cancel()
	finishErr := workflow.ExecuteActivity(quick(cleanup), steps.FinishFile, finish).Get(cleanup, nil)
	if err == nil {
		err = plain(finishErr)
	}
	return out, err
}

func loadTaken(ctx workflow.Context, out *IngestFileResult, in IngestFileInput) error {
	var fetched activities.FetchFileOutput
	if err := workflow.ExecuteActivity(withPartner(ctx), steps.FetchFile, activities.FetchFileInput{Batch: out.Batch, Again: in.Again}).Get(ctx, &fetched); err != nil {
		return err
	}
	out.SHA256, out.Bytes, out.DuplicateOf = fetched.SHA256, fetched.Bytes, fetched.DuplicateOf
	if fetched.DuplicateOf != "" {
		out.State = catalog.Duplicate
		return nil
	}
	if fetched.Encrypted {
		var decrypted activities.DecryptFileOutput
		if err := workflow.ExecuteActivity(withStore(ctx), steps.DecryptFile, activities.DecryptFileInput{Batch: out.Batch}).Get(ctx, &decrypted); err != nil {
			return err
		}
		out.Warnings = decrypted.Warnings
	}
	return loadStaged(ctx, out, in.AllowRemovals, in.toldTo())
}

// loadStaged checks staged rows and makes the accepted ones profiles.
func loadStaged(ctx workflow.Context, out *IngestFileResult, allowRemovals bool, toldTo string) error {
	var counts ingest.Counts
	if err := workflow.ExecuteActivity(withStore(ctx), steps.ValidateFile, activities.ValidateFileInput{Batch: out.Batch}).Get(ctx, &counts); err != nil {
		return err
	}
	out.Drift = counts.Drift
	if counts.SetAside != "" {
		out.State, out.Reason = catalog.SetAside, counts.SetAside
		return nil
	}
	var labelled activities.LabelBatchOutput
	if err := workflow.ExecuteActivity(quick(ctx), steps.LabelBatch, activities.LabelBatchInput{Batch: out.Batch}).Get(ctx, &labelled); err != nil {
		return err
	}
	var loaded activities.LoadBatchOutput
	load := activities.LoadBatchInput{Batch: out.Batch, Counts: counts, Labels: labelled.Labels, AllowRemovals: allowRemovals, RequestedBy: toldTo}
	if err := workflow.ExecuteActivity(withStore(ctx), steps.LoadBatch, load).Get(ctx, &loaded); err != nil {
		return err
	}
	out.State, out.Outcome, out.Reasons, out.Diagnostic = catalog.Loaded, &loaded.Outcome, loaded.Reasons, loaded.Diagnostic
	out.Warnings = append(out.Warnings, loaded.Warnings...)
	return nil
}
