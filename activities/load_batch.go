package activities

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/ingest"
	"prospector/internal/store"
)

// LoadBatchInput asks to load what validation wrote.
type LoadBatchInput struct {
	Batch  string              `json:"batch"`
	Counts ingest.Counts       `json:"counts"`
	Labels map[string][]string `json:"labels"`
	// AllowRemovals lets a full file remove more profiles than the dataset's guard allows.
	AllowRemovals bool `json:"allowRemovals,omitempty"`
}

// LoadBatchOutput is what the batch came to.
type LoadBatchOutput struct {
	store.Outcome
	Reasons []store.RejectionCount `json:"reasons,omitempty"` // the most frequent ones
}

const topReasons = 10

// LoadBatch makes the accepted rows profiles in one transaction of the dataset's file. With more
// refused rows than the source's threshold allows, nothing is loaded, the refused rows are kept for
// inspection, and the step fails with BadInput (BI-7).
func (a *Activities) LoadBatch(ctx context.Context, in LoadBatchInput) (LoadBatchOutput, error) {
	out, err := a.loadBatch(ctx, in)
	return out, failure(err)
}

func (a *Activities) loadBatch(ctx context.Context, in LoadBatchInput) (out LoadBatchOutput, err error) {
	ctx, report, end := a.progress(ctx, "load", "rows", in.Counts.Accepted)
	defer end()
	release, err := a.alone(ctx, in.Batch)
	if err != nil {
		return out, err
	}
	defer release()
	file, sum, err := a.stagedFile(ctx, in.Batch)
	if err != nil {
		return out, err
	}
	rules, err := file.Rules()
	if err != nil {
		return out, err
	}
	if in.Counts.Rules != "" && in.Counts.Rules != rules { // histories of before carry none
		return out, errkind.New(errkind.Conflict, fmt.Sprintf("source %s: %s", file.Source.Name, file.Name),
			errors.New("the schema or the mapping has changed since its rows were checked; nothing was loaded"), "the next sync checks and loads it under the new rules")
	}
	columns, err := file.Columns()
	if err != nil {
		return out, err
	}
	threshold := file.Source.Threshold()
	load := store.Load{Dataset: file.Dataset, Columns: columns, Labels: in.Labels, Quarantine: file.Rejections, At: now(), Status: store.Loaded,
		Batch: store.Batch{ID: in.Batch, Source: file.Source.Name, File: file.Name, SHA256: sum, BusinessDate: file.BusinessDate},
		Read:  in.Counts.Read, Accepted: in.Counts.Accepted, Rejected: in.Counts.Rejected}
	if in.Counts.Percent() > threshold {
		load.Status = store.Failed
	}
	if out.Outcome, err = a.Batches.Load(ctx, load, func(string) { report(0) }); err != nil {
		return out, err
	}
	report(out.Accepted)
	if out.Reasons, err = a.Batches.RejectionCounts(ctx, file.Dataset, in.Batch); err != nil {
		return out, err
	}
	out.Reasons = out.Reasons[:min(len(out.Reasons), topReasons)]
	if err := a.Ledger.RecordBatch(ctx, file.Dataset.Name, load.Batch, out.Outcome, load.At); err != nil {
		return out, err
	}
	if out.Status == store.Failed {
		return out, errkind.New(errkind.BadInput, fmt.Sprintf("source %s: %s", file.Source.Name, file.Name),
			fmt.Errorf("%d of %d rows rejected (%.1f%%), above the threshold of %g%%; nothing was loaded; most frequent: %s",
				out.Rejected, out.Read, in.Counts.Percent(), threshold, reasonTexts(out.Reasons, 3)),
			"ask the partner for a corrected file, or raise errorThreshold of the source and run again with retry")
	}
	return out, a.Ledger.SetFileState(ctx, in.Batch, catalog.Loaded, sum, "", load.At)
}

func reasonTexts(reasons []store.RejectionCount, n int) string {
	var out []string
	for _, r := range reasons[:min(n, len(reasons))] {
		out = append(out, fmt.Sprintf("%s %d×", r.Reason, r.Rows))
	}
	return strings.Join(out, ", ")
}
