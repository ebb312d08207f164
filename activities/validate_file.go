package activities

import (
	"context"
	"fmt"

	"prospector/internal/ingest"
	"prospector/internal/prospect"
	"prospector/internal/store"
)

// Batches is what the steps of one batch need of the store.
type Batches interface {
	ingest.PartWriter
	Load(ctx context.Context, l store.Load, step func(name string)) (store.Outcome, error)
	RemovePart(dataset, batch string) error
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
	ctx, report, end := a.progress(ctx, "validate", "rows", 0)
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
	counts, err := ingest.Validate(ctx, a.Batches, file, report)
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
	w, err := a.Workspace(ctx)
	if err != nil {
		return ingest.File{}, "", err
	}
	s, err := w.Source(entry.Source)
	if err != nil {
		return ingest.File{}, "", err
	}
	stored, d, err := dataset(w, s.Dataset)
	if err != nil {
		return ingest.File{}, "", err
	}
	staged := a.staged(ctx, batch, "raw")
	if s.Encryption != nil {
		staged = a.staged(ctx, batch, "plain")
	}
	rejections := ""
	if s.Diagnoses() {
		rejections = a.staged(ctx, batch, "rejections.jsonl")
	}
	return ingest.File{Name: entry.Path, Path: staged, Batch: batch, Source: s, Dataset: stored, BusinessDate: entry.BusinessDate, Expected: entry.Expected.RowCount(), Parquet: a.Parquet,
		Identity: w.Schema(d).PrimaryIdentity.Field, Rejections: rejections, Guardrails: w.Sandbox.Guardrails}, entry.SHA256, nil
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
