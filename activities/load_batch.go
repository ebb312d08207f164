package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/ingest"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// LoadBatchInput asks to load what validation wrote.
type LoadBatchInput struct {
	Batch  string              `json:"batch"`
	Counts ingest.Counts       `json:"counts"`
	Labels map[string][]string `json:"labels"`
	// AllowRemovals lets a full file remove more profiles than the dataset's guard allows.
	AllowRemovals bool `json:"allowRemovals,omitempty"`

	RequestedBy string `json:"requestedBy,omitempty"`
}

// LoadBatchOutput is what the batch came to.
type LoadBatchOutput struct {
	store.Outcome
	Reasons    []store.RejectionCount `json:"reasons,omitempty"`    // the most frequent ones; none without diagnostics
	Diagnostic *Diagnostic            `json:"diagnostic,omitempty"` // of a batch with rejected rows
	Warnings   []string               `json:"warnings,omitempty"`
}

// Diagnostic says what became of a batch with rejected rows, with a code of the public documentation (BI-10).
type Diagnostic struct {
	Code    prospect.Code `json:"code"`
	Message string        `json:"message"`
}

func (d *Diagnostic) String() string { return fmt.Sprintf("%s: %s", d.Code, d.Message) }

// underWay says what comes after a step of the load's transaction, for people.
var underWay = map[string]string{
	"last lines chosen": "replacing profiles", "replaced profiles deleted": "inserting profiles", "profiles inserted": "checking and recording",
	"quarantine recorded": "checking and recording", "before commit": "committing", "committed": "committed",
}

const (
	topReasons = 10
	// alarming is the share of rejected rows, in percent, above which a batch that is loaded warns (MO-8, EC-17).
	alarming = 0.5
)

// LoadBatch makes the accepted rows profiles in one transaction of the dataset's file. With more
// refused rows than the source's threshold allows, nothing is loaded, the refused rows are kept for
// inspection, and the step fails with BadInput (BI-7); the counts are the failure's details (BI-9).
func (a *Activities) LoadBatch(ctx context.Context, in LoadBatchInput) (LoadBatchOutput, error) {
	out, err := a.loadBatch(ctx, in)
	if out.Status == store.Failed {
		return out, failure(err, out)
	}
	return out, failure(err)
}

func (a *Activities) loadBatch(ctx context.Context, in LoadBatchInput) (out LoadBatchOutput, err error) {
	rows := Progress{Step: "load", Unit: "rows", Total: in.Counts.Accepted}
	ctx, report, end := a.progressInParts(ctx, rows)
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
	loaded, err := a.Batches.Loaded(ctx, file.Dataset, in.Batch) // by an attempt that died before it could say so
	if err != nil {
		return out, err
	}
	if !loaded && in.Counts.Rules != "" && in.Counts.Rules != rules { // histories of before carry none
		return out, errkind.New(errkind.Conflict, fmt.Sprintf("source %s: %s", file.Source.Name, file.Name),
			errors.New("the schema, the mapping or a suppression list has changed since its rows were checked; nothing was loaded"), "the next sync checks and loads it under the new rules")
	}
	columns, err := file.Columns()
	if err != nil {
		return out, err
	}
	load := store.Load{Dataset: file.Dataset, Columns: columns, Labels: in.Labels, Quarantine: file.Rejections, At: now(), Status: store.Loaded,
		Batch: store.Batch{ID: in.Batch, Source: file.Source.Name, File: file.Name, SHA256: sum, BusinessDate: file.BusinessDate, Reading: file.Source.Reading()},
		Read:  in.Counts.Read, Accepted: in.Counts.Accepted, Rejected: in.Counts.Rejected, AllowRemovals: in.AllowRemovals}
	switch {
	case file.Replay != nil: // what is rejected again stays where it was
		load.Batch.ReplayOf = file.Replay.Batch
	case in.Counts.Exceeds(file.Source.Threshold()):
		load.Status = store.Failed
	}
	if load.Batch.Header, err = file.Header(); err != nil {
		return out, err
	}
	if out.Outcome, err = a.Batches.Load(ctx, load, func(step string) {
		now := rows
		now.Part = underWay[step] // the database does not say how far a statement is
		report(now)
	}); err != nil {
		return out, err
	}
	rows.Done = out.Accepted
	report(rows)
	if file.Source.Diagnoses() {
		if out.Reasons, err = a.reasons(ctx, file); err != nil {
			return out, err
		}
		out.Reasons = out.Reasons[:min(len(out.Reasons), topReasons)]
	}
	out.diagnose(file.Source, in.Counts.Suppressed)
	if err := a.Ledger.RecordBatch(ctx, file.Dataset.Name, load.Batch, out.Outcome, load.At); err != nil {
		return out, err
	}
	if out.Outcome, err = a.toldOutcome(ctx, in.RequestedBy, file.Dataset.Name, out.Outcome); err != nil {
		return out, err
	}
	if out.Status == store.Failed {
		return out, notLoaded(file, in.Counts, out.Reasons)
	}
	return out, a.Ledger.SetFileState(ctx, in.Batch, catalog.Loaded, sum, "", load.At)
}

// reasons are why rows of a file were rejected. Those of a replay are not in quarantine under its own batch.
func (a *Activities) reasons(ctx context.Context, file ingest.File) ([]store.RejectionCount, error) {
	if file.Replay != nil {
		return ingest.RejectionCounts(file.Rejections)
	}
	return a.Batches.RejectionCounts(ctx, file.Dataset, file.Batch)
}

// diagnose says in the result what somebody who only sees that the batch is green should know.
func (out *LoadBatchOutput) diagnose(s *workspace.Source, suppressed int64) {
	counts := ingest.Counts{Read: out.Read, Accepted: out.Accepted, Rejected: out.Rejected, Suppressed: suppressed}
	switch {
	case out.Rejected == 0:
	case !s.Diagnoses() && out.Rejected > suppressed:
		out.Diagnostic = &Diagnostic{prospect.NoDiagnostics, fmt.Sprintf("%d rows rejected, without diagnostics", out.Rejected)}
	case out.Status == store.Loaded:
		out.Diagnostic = &Diagnostic{prospect.PartlyLoaded, fmt.Sprintf("%d rows rejected, %d rows ingested", out.Rejected, out.Accepted)}
		if counts.Exceeds(alarming) {
			out.Warnings = append(out.Warnings, fmt.Sprintf("%.2f%% of its rows were rejected, more than %g%%", counts.Percent(), alarming))
		}
	}
}

// notLoaded is why a file with rejected rows is not loaded, or of a sample, why the file would not be.
func notLoaded(file ingest.File, counts ingest.Counts, reasons []store.RejectionCount) error {
	op, s := fmt.Sprintf("source %s: %s", file.Source.Name, file.Name), file.Source
	rows, nothing, again := "rows", "nothing was loaded", " and run again with retry"
	if file.Sample > 0 {
		rows, nothing, again = "rows checked", "nothing would be loaded", ""
	}
	rejected := fmt.Sprintf("%d of %d %s rejected (%.1f%%)", counts.Rejected-counts.Suppressed, counts.Read-counts.Suppressed, rows, counts.Percent())
	switch {
	case !s.Diagnoses() && file.Sample == 0:
		return errkind.New(errkind.BadInput, op, fmt.Errorf("%s: %s, and partialIngestion of the source is off; %s, and no reasons were kept", prospect.NoDiagnostics, rejected, nothing),
			"set errorDiagnostics: true in the source"+again+" to get the reasons")
	case !s.Partial():
		return errkind.New(errkind.BadInput, op, fmt.Errorf("%s, and partialIngestion of the source is off; %s; most frequent: %s", rejected, nothing, reasonTexts(reasons, 3)),
			"ask the partner for a corrected file, or set partialIngestion: true in the source"+again)
	}
	return errkind.New(errkind.BadInput, op, fmt.Errorf("%s, above the threshold of %g%%; %s; most frequent: %s", rejected, s.Threshold(), nothing, reasonTexts(reasons, 3)),
		"ask the partner for a corrected file, or raise errorThreshold of the source"+again)
}

func reasonTexts(reasons []store.RejectionCount, n int) string {
	var out []string
	for _, r := range reasons[:min(n, len(reasons))] {
		out = append(out, fmt.Sprintf("%s %d×", r.Reason, r.Rows))
	}
	return strings.Join(out, ", ")
}
