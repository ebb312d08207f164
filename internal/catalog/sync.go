package catalog

import (
	"context"
	"database/sql"
	"time"

	"prospector/internal/errkind"
)

// Window is a stretch of time, from its beginning on to before its end. Zero times are open ends.
type Window struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// Holds reports whether an instant lies in the window.
func (w Window) Holds(at time.Time) bool {
	return (w.From.IsZero() || !at.Before(w.From)) && (w.To.IsZero() || at.Before(w.To))
}

// Sync is a run on a source: the times of the files that it answered for, and what it came to.
type Sync struct {
	Run          string     `json:"run"`
	Workflow     string     `json:"workflow"`
	Source       string     `json:"source"`
	Window       Window     `json:"window"`
	BusinessDate string     `json:"businessDate,omitempty"`
	UpTo         bool       `json:"upTo,omitempty"` // also for the days before BusinessDate
	BeganAt      time.Time  `json:"beganAt"`
	EndedAt      *time.Time `json:"endedAt,omitempty"`
	Outcome      string     `json:"outcome"`
	Files        int64      `json:"files"` // loaded
	Rows         int64      `json:"rows"`  // accepted in them
	Detail       string     `json:"detail,omitempty"`
}

// Outcomes of a run that matter to whether it may be retried.
const (
	SyncRunning   = "running"
	SyncSucceeded = "done"
)

// BeginSync records that a run looks at a source. Without a window of its own it answers for what has come since
// the last run; one that is for a single day answers for no window. Recording it again changes nothing.
func (c *Catalog) BeginSync(ctx context.Context, s Sync) error {
	from, to := "-", instant(s.BeganAt)
	switch {
	case s.Window == Window{} && s.BusinessDate != "":
		from, to = "", ""
	case s.Window != Window{}:
		if from = ""; !s.Window.From.IsZero() {
			from = instant(s.Window.From)
		}
		if !s.Window.To.IsZero() {
			to = instant(s.Window.To)
		}
	}
	return c.exec(ctx, c.db, "catalog/begin_sync", s.Run, s.Workflow, s.Source, from, to, s.BusinessDate, instant(s.BeganAt), s.UpTo)
}

// EndSync records what a run came to. Recording it again replaces it.
func (c *Catalog) EndSync(ctx context.Context, run, outcome string, files, rows int64, detail string, at time.Time) error {
	return c.exec(ctx, c.db, "catalog/end_sync", run, instant(at), outcome, files, rows, detail)
}

// SyncOf returns a run on a source. Missing when there is none.
func (c *Catalog) SyncOf(ctx context.Context, run string) (s Sync, err error) {
	found := false
	err = c.query(ctx, "catalog/select_sync", []any{run}, func(scan func(...any) error) (err error) {
		found = true
		s, err = scanSync(scan)
		return err
	})
	if err == nil && !found {
		err = errkind.New(errkind.Missing, "", errkind.Newf(errkind.Missing, "no run %s on a source is known", run), "list them with: starter files SOURCE --runs")
	}
	return s, err
}

// Syncs returns the latest runs on a source, the last one first.
func (c *Catalog) Syncs(ctx context.Context, sourceName string, limit int) (out []Sync, err error) {
	err = c.query(ctx, "catalog/source_syncs", []any{sourceName, limit}, func(scan func(...any) error) error {
		s, err := scanSync(scan)
		out = append(out, s)
		return err
	})
	return out, err
}

// SyncFiles returns the batches that a run has dealt with, each with the look in which it did.
func (c *Catalog) SyncFiles(ctx context.Context, run string) (looks map[string]int, err error) {
	looks = map[string]int{}
	err = c.query(ctx, "catalog/select_sync_files", []any{run}, func(scan func(...any) error) error {
		var batch string
		var look int
		err := scan(&batch, &look)
		looks[batch] = look
		return err
	})
	return looks, err
}

// EndLook records what a run's look at a source came to, all or nothing: the states of files, and which batches
// the run has dealt with. The same look again replaces the batches.
func (c *Catalog) EndLook(ctx context.Context, run string, look int, states []FileState, batches []string, at time.Time) error {
	return c.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := c.setFileStates(ctx, tx, states, at); err != nil {
			return err
		}
		if err := c.exec(ctx, tx, "catalog/forget_look", run, look); err != nil {
			return err
		}
		for _, batch := range batches {
			if err := c.exec(ctx, tx, "catalog/record_sync_file", run, batch, look); err != nil {
				return err
			}
		}
		return nil
	})
}

func scanSync(scan func(...any) error) (s Sync, err error) {
	var from, to, began, ended string
	if err = scan(&s.Run, &s.Workflow, &s.Source, &from, &to, &s.BusinessDate, &began, &ended, &s.Outcome, &s.Files, &s.Rows, &s.Detail, &s.UpTo); err != nil {
		return s, err
	}
	for text, into := range map[*string]*time.Time{&from: &s.Window.From, &to: &s.Window.To, &began: &s.BeganAt} {
		if *text != "" && err == nil {
			*into, err = parseInstant(*text)
		}
	}
	if ended != "" && err == nil {
		var at time.Time
		at, err = parseInstant(ended)
		s.EndedAt = &at
	}
	return s, err
}

// StartSources records since when sources have been. What is known stays.
func (c *Catalog) StartSources(ctx context.Context, names []string, at time.Time) error {
	for _, name := range names {
		if err := c.exec(ctx, c.db, "catalog/start_source", name, instant(at)); err != nil {
			return err
		}
	}
	return nil
}

// SourceStart says since when a source has been; the zero time when that is not known.
func (c *Catalog) SourceStart(ctx context.Context, name string) (start time.Time, err error) {
	err = c.query(ctx, "catalog/source_start", []any{name}, func(scan func(...any) error) error {
		var text string
		err := scan(&text)
		if err == nil {
			start, err = parseInstant(text)
		}
		return err
	})
	return start, err
}
