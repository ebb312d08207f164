package activities

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"prospector/internal/catalog"
	"prospector/internal/ingest"
	"prospector/internal/prospect"
	"prospector/internal/store"
)

// Batches is what the steps of one batch need of the store.
type Batches interface {
	ingest.PartWriter
	Loaded(ctx context.Context, d store.Dataset, batch string) (bool, error)
	Load(ctx context.Context, l store.Load, step func(name string)) (store.Outcome, error)
	ForgetPart(ctx context.Context, d store.Dataset, batch string) error
	DeleteBatch(ctx context.Context, n store.Namespace, d store.Dataset, batch string, preview bool, memberships []store.Membership) (store.Deletion, error)
	RejectedRows(ctx context.Context, d store.Dataset, batch string) iter.Seq2[store.RejectedRow, error]
	RejectedLines(ctx context.Context, d store.Dataset, batch string) (map[int64]string, error)
	Header(ctx context.Context, d store.Dataset, batch string) ([]string, error)
	RejectionCounts(ctx context.Context, dataset store.Dataset, batch string) ([]store.RejectionCount, error)
}

// ValidateFileInput names the batch whose staged file to validate.
type ValidateFileInput struct {
	Batch string `json:"batch"`
}

// ValidateFile checks every row of the staged file against the schema and writes the batch's typed part
// and its rejections. Nothing is visible to readers yet.
func (a *Activities) ValidateFile(ctx context.Context, in ValidateFileInput) (ingest.Counts, error) {
	out, err := a.validateFile(ctx, in)
	return out, failure(err)
}

func (a *Activities) validateFile(ctx context.Context, in ValidateFileInput) (ingest.Counts, error) {
	ctx, report, end := a.progressInParts(ctx, Progress{Step: "validate", Unit: "rows"})
	defer end()
	release, err := a.alone(ctx, in.Batch)
	if err != nil {
		return ingest.Counts{}, err
	}
	defer release()
	file, _, err := a.stagedFile(ctx, in.Batch)
	if err != nil {
		return ingest.Counts{}, err
	}
	counts, err := ingest.Validate(ctx, a.Batches, file, func(p ingest.Progress) {
		report(Progress{Step: "validate", Unit: "rows", Part: p.Part, Done: p.Records, Total: p.Total, Read: p.Read, Size: p.Size})
	})
	if err != nil {
		return ingest.Counts{}, fmt.Errorf("source %s: %w", file.Source.Name, err)
	}
	return counts, nil
}

// stagedFile describes a batch's staged file under the workspace as it is now.
func (a *Activities) stagedFile(ctx context.Context, batch string) (ingest.File, string, error) {
	entry, err := a.Ledger.File(ctx, batch)
	if err != nil {
		return ingest.File{}, "", err
	}
	if original, ok := strings.CutPrefix(entry.Path, replayPrefix); ok {
		file, err := a.replayedFile(ctx, entry, original, a.staged(ctx, batch, "raw"))
		return file, entry.SHA256, err
	}
	file, err := a.fileOf(ctx, entry)
	if err != nil {
		return file, "", err
	}
	file.Path = a.staged(ctx, batch, "raw")
	if file.Source.Encryption != nil {
		file.Path = a.staged(ctx, batch, "plain")
	}
	return file, entry.SHA256, nil
}

// fileOf describes a file version under the workspace as it is now.
func (a *Activities) fileOf(ctx context.Context, entry catalog.File) (ingest.File, error) {
	w, err := a.Workspace(ctx)
	if err != nil {
		return ingest.File{}, err
	}
	s, err := w.Source(entry.Source)
	if err != nil {
		return ingest.File{}, err
	}
	stored, d, err := dataset(w, s.Dataset)
	if err != nil {
		return ingest.File{}, err
	}
	held, err := lists(w, w.LoadingLists(d))
	if err != nil {
		return ingest.File{}, err
	}
	rejections := ""
	if s.Diagnoses() {
		rejections = a.staged(ctx, entry.Batch, "rejections.jsonl")
	}
	return ingest.File{Name: entry.Path, Batch: entry.Batch, Source: s, Dataset: stored, BusinessDate: entry.BusinessDate, Expected: entry.Expected.RowCount(), Parquet: a.Parquet,
		Identity: w.Schema(d).PrimaryIdentity.Field, Rejections: rejections, Guardrails: w.Sandbox.Guardrails, Lists: held}, nil
}

// replayedFile describes staged rows that another batch had rejected. They are of that batch's file.
func (a *Activities) replayedFile(ctx context.Context, entry catalog.File, original, staged string) (ingest.File, error) {
	file, err := a.fileOf(ctx, entry)
	if err != nil {
		return file, err
	}
	of, err := a.Ledger.File(ctx, original)
	if err != nil {
		return file, err
	}
	header, err := a.Batches.Header(ctx, file.Dataset, original)
	file.Name, file.Path, file.Expected = of.Path, staged, nil
	file.Replay = &ingest.Replay{Batch: original, Header: header}
	return file, err
}

// LabelBatchInput names the batch whose columns get their labels.
type LabelBatchInput struct {
	Batch string `json:"batch"`
}

// LabelBatchOutput holds the labels of every column that the batch fills, by path.
type LabelBatchOutput struct {
	Labels map[string][]string `json:"labels"`
}

// LabelBatch settles under which labels the batch's columns are taken. The load records them with the
// rows, so that a later change of the workspace cannot lift them (LB-8).
func (a *Activities) LabelBatch(ctx context.Context, in LabelBatchInput) (LabelBatchOutput, error) {
	out, err := a.labelBatch(ctx, in)
	return out, failure(err)
}

func (a *Activities) labelBatch(ctx context.Context, in LabelBatchInput) (LabelBatchOutput, error) {
	file, _, err := a.stagedFile(ctx, in.Batch)
	if err != nil {
		return LabelBatchOutput{}, err
	}
	w, err := a.Workspace(ctx)
	if err != nil {
		return LabelBatchOutput{}, err
	}
	_, d, err := dataset(w, file.Dataset.Name)
	if err != nil {
		return LabelBatchOutput{}, err
	}
	columns, err := file.Columns()
	if err != nil {
		return LabelBatchOutput{}, err
	}
	return LabelBatchOutput{Labels: labelsOf(columns, w.FieldLabels(d))}, nil
}

func labelsOf(columns []prospect.Column, labels map[string][]string) map[string][]string {
	out := map[string][]string{}
	for _, c := range columns {
		out[c.Field.Path] = labels[c.Field.Path]
	}
	return out
}
