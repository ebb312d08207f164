package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// Ledger is the record of files, batches and runs on sources.
type Ledger interface {
	SeeFiles(ctx context.Context, source string, files []catalog.Sighting, at time.Time) ([]catalog.File, error)
	Files(ctx context.Context, source string) ([]catalog.File, error)
	FileEvents(ctx context.Context, batch string) ([]catalog.FileEvent, error)
	ExpectFile(ctx context.Context, batch string, e catalog.Expected) error
	File(ctx context.Context, batch string) (catalog.File, error)
	SetFileState(ctx context.Context, batch string, state catalog.State, sha256, detail string, at time.Time) error
	SyncFiles(ctx context.Context, run string) (looks map[string]int, err error)
	EndLook(ctx context.Context, run string, look int, states []catalog.FileState, batches []string, at time.Time) error
	SameContent(ctx context.Context, dataset, sha256, batch, reading string) (string, error)
	RecordBatch(ctx context.Context, dataset string, b store.Batch, o store.Outcome, at time.Time) error
	Batch(ctx context.Context, id string) (store.Outcome, error)
	DeleteBatch(ctx context.Context, id, detail string, audit catalog.AuditRecord, at time.Time) error
	BeginSync(ctx context.Context, s catalog.Sync) error
	EndSync(ctx context.Context, run, outcome string, files, rows int64, detail string, at time.Time) error
	SyncOf(ctx context.Context, run string) (catalog.Sync, error)
	Syncs(ctx context.Context, source string, limit int) ([]catalog.Sync, error)
	StartSources(ctx context.Context, names []string, at time.Time) error
	SourceStart(ctx context.Context, source string) (time.Time, error)
}

// ListSourceInput asks what is new at a source.
type ListSourceInput struct {
	Source       string     `json:"source"`
	Retry        bool       `json:"retry,omitempty"`        // also files that were refused before
	BusinessDate string     `json:"businessDate,omitempty"` // only files of that day
	From         *time.Time `json:"from,omitempty"`         // only files modified from then on
	To           *time.Time `json:"to,omitempty"`           // only files modified before
	RetryOf      string     `json:"retryOf,omitempty"`      // only files of the window of that run, which failed
	Skipped      bool       `json:"skipped,omitempty"`      // also files that were there before the source
	Scheduled    *time.Time `json:"scheduled,omitempty"`    // when the schedule meant the run to be
	Late         bool       `json:"late,omitempty"`         // the run began long after that: only files of days up to that one
	Run          string     `json:"run,omitempty"`          // of the whole sync
	DryRun       bool       `json:"dryRun,omitempty"`       // the ledger stays as it is
	Look         int        `json:"look,omitempty"`         // of the run, from 1 on; what an earlier one dealt with is left
}

// ListSourceOutput says what there is. Due files come oldest first, by business date, then by time. Lists that may
// become long hold the first entries only; totals count all.
type ListSourceOutput struct {
	Dataset           string             `json:"dataset"`
	EvaluateAfterLoad bool               `json:"evaluateAfterLoad"`
	Matching          int                `json:"matching"`
	AlreadyLoaded     int                `json:"alreadyLoaded"`
	RefusedBefore     int                `json:"refusedBefore,omitempty"`
	Skipped           int                `json:"skipped,omitempty"`
	Elsewhen          int                `json:"elsewhen,omitempty"` // due, outside of the asked window
	Waiting           []WaitingFile      `json:"waiting,omitempty"`
	WaitingFiles      int                `json:"waitingFiles,omitempty"`
	Refused           []RefusedFile      `json:"refused,omitempty"` // by this look
	RefusedFiles      int                `json:"refusedFiles,omitempty"`
	Unreadable        []UnreadableFolder `json:"unreadable,omitempty"`
	UnreadableFolders int                `json:"unreadableFolders,omitempty"`
	Gone              []string           `json:"gone,omitempty"`
	GoneFiles         int                `json:"goneFiles,omitempty"`
	Due               []DueFile          `json:"due"`
	More              int                `json:"more,omitempty"`      // due files beyond the ones in Due
	DueBytes          int64              `json:"dueBytes,omitempty"`  // of all that are due
	LookAgain         time.Duration      `json:"lookAgain,omitempty"` // when a waiting file may be ready by itself
	BusinessDate      string             `json:"businessDate,omitempty"`
	Window            catalog.Window     `json:"window,omitzero"`
}

// DueFile is a file version that waits to be ingested.
type DueFile struct {
	Path         string `json:"path"`
	Batch        string `json:"batch"`
	BusinessDate string `json:"businessDate,omitempty"`
	Size         int64  `json:"size,omitempty"`
}

// WaitingFile is a file that is not ready.
type WaitingFile struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// UnreadableFolder is a folder whose files could not be listed.
type UnreadableFolder struct {
	Path   string       `json:"path"`
	Kind   errkind.Kind `json:"kind"`
	Reason string       `json:"reason"`
}

// RefusedFile is a file that cannot be taken as it is called, or something that is no file.
type RefusedFile struct {
	Path   string `json:"path"`
	Batch  string `json:"batch"`
	Reason string `json:"reason"`
}

// ListSource lists the drop point, enters what it sees into the ledger and returns what is due.
// That nothing matches is Missing for a source that has never had a file, and normal later.
func (a *Activities) ListSource(ctx context.Context, in ListSourceInput) (ListSourceOutput, error) {
	out, err := a.listSource(ctx, in)
	return out, failure(err)
}

func (a *Activities) listSource(ctx context.Context, in ListSourceInput) (out ListSourceOutput, err error) {
	s, err := a.source(ctx, in.Source)
	if err != nil {
		return out, err
	}
	out.Dataset, out.EvaluateAfterLoad, out.Due = s.Dataset, s.EvaluateAfterLoad, []DueFile{}
	asked, err := a.asked(ctx, s, in)
	if err != nil {
		return out, err
	}
	out.BusinessDate, out.Window = asked.day, asked.window
	ctx, report, end := a.progress(ctx, "list", "files", 0)
	defer end()
	if !in.DryRun {
		if err := a.beginSync(ctx, in, asked); err != nil {
			return out, err
		}
	}
	opened, err := a.Sources(ctx, s)
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	defer func() { _ = opened.Close() }() // nothing was written
	rails, err := a.guardrails(ctx)
	if err != nil {
		return out, err
	}
	pattern, err := s.Pattern()
	if err != nil {
		return out, errkind.New(errkind.Invalid, "source "+s.Name, err, "correct path of the source")
	}
	l := listing{activities: a, source: s, opened: opened, pattern: pattern, rule: s.Rule(), in: in, run: runOf(ctx, in.Run), at: now(), most: rails.FilesPerRun}
	if err := l.list(ctx); err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	report(int64(len(l.files)))
	if err := l.enter(ctx); err != nil {
		return out, err
	}
	if len(l.files) == 0 && len(l.known) == 0 && len(l.unreadable) == 0 {
		return out, errkind.New(errkind.Missing, "source "+s.Name, fmt.Errorf("no file matches %s, and none ever has", s.Path),
			"correct path of the source, or ask the partner when the first file comes")
	}
	if err := l.judge(ctx, asked, &out); err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	if !in.DryRun {
		err = a.Ledger.EndLook(ctx, l.run, in.Look, l.changes, l.dealt, l.at)
	}
	return out, err
}

// asked is what a run is for: a day, a window, or everything that is due.
type asked struct {
	day    string
	upTo   bool // also of earlier days
	window catalog.Window
	zone   *time.Location
}

func (a *Activities) asked(ctx context.Context, s *workspace.Source, in ListSourceInput) (out asked, err error) {
	out.zone = time.UTC
	if s.Schedule != nil {
		if out.zone, err = time.LoadLocation(s.Schedule.TimeZone); err != nil {
			return out, err
		}
	}
	if in.From != nil {
		out.window.From = *in.From
	}
	if in.To != nil {
		out.window.To = *in.To
	}
	switch {
	case in.BusinessDate != "":
		if _, err := time.Parse(time.DateOnly, in.BusinessDate); err != nil {
			return out, errkind.Newf(errkind.Invalid, "the business date %q is no day; write it as 2026-11-24", in.BusinessDate)
		}
		out.day = in.BusinessDate
	case in.Scheduled != nil && in.Late:
		out.upTo, out.day = true, in.Scheduled.In(out.zone).Format(time.DateOnly)
	}
	if in.RetryOf == "" {
		return out, nil
	}
	before, err := a.Ledger.SyncOf(ctx, in.RetryOf)
	if err != nil {
		return out, err
	}
	op := "retry run " + in.RetryOf
	switch {
	case before.Source != s.Name:
		return out, errkind.New(errkind.Invalid, op, fmt.Errorf("it was on source %s", before.Source), "name that source")
	case before.Outcome == catalog.SyncRunning:
		return out, errkind.New(errkind.Conflict, op, errors.New("it has not ended"), "wait for it, or cancel it in Temporal's Web UI")
	case before.Outcome == catalog.SyncSucceeded && before.Rows > 0: // SR-21
		return out, errkind.New(errkind.Conflict, op, fmt.Errorf("it succeeded and took %d rows", before.Rows), "only a run that failed, or took nothing, is retried")
	}
	out.window, out.day, out.upTo = before.Window, before.BusinessDate, before.UpTo
	return out, nil
}

// wants reports whether a file is of the day and in the window.
func (w asked) wants(f catalog.File) bool {
	if day := w.dayOf(f); w.day != "" && day != w.day && (!w.upTo || day > w.day) {
		return false
	}
	return w.window.Holds(f.Modified)
}

// dayOf is a file's business date, or without one the day of its arrival.
func (w asked) dayOf(f catalog.File) string {
	if f.BusinessDate != "" {
		return f.BusinessDate
	}
	return f.Modified.In(w.zone).Format(time.DateOnly)
}

// runOf is the run that a step belongs to: the whole sync's where that is said.
func runOf(ctx context.Context, run string) string {
	return cmp.Or(run, activity.GetInfo(ctx).WorkflowExecution.RunID)
}

func (a *Activities) beginSync(ctx context.Context, in ListSourceInput, w asked) error {
	info := activity.GetInfo(ctx)
	return a.Ledger.BeginSync(ctx, catalog.Sync{Run: runOf(ctx, in.Run), Workflow: info.WorkflowExecution.ID, Source: in.Source,
		Window: w.window, BusinessDate: w.day, UpTo: w.upTo, BeganAt: now()})
}

// source finds a source in the workspace as it is now.
func (a *Activities) source(ctx context.Context, name string) (*workspace.Source, error) {
	w, err := a.Workspace(ctx)
	if err != nil {
		return nil, err
	}
	return w.Source(name)
}
