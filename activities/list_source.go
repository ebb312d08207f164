package activities

import (
	"context"
	"fmt"
	"time"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// Ledger is the record of files and batches.
type Ledger interface {
	SeeFiles(ctx context.Context, source string, files []source.File, at time.Time) ([]catalog.File, error)
	FilesSeen(ctx context.Context, source string) (int64, error)
	File(ctx context.Context, batch string) (catalog.File, error)
	SetFileState(ctx context.Context, batch string, state catalog.State, sha256, detail string, at time.Time) error
	SameContent(ctx context.Context, dataset, sha256, batch string) (string, error)
	RecordBatch(ctx context.Context, dataset string, b store.Batch, o store.Outcome, at time.Time) error
	Batch(ctx context.Context, id string) (store.Outcome, error)
}

// ListSourceInput asks what is new at a source.
type ListSourceInput struct {
	Source string `json:"source"`
	Retry  bool   `json:"retry,omitempty"` // also files that were refused before
}

// ListSourceOutput says what there is. Due files come oldest first.
type ListSourceOutput struct {
	Dataset           string    `json:"dataset"`
	EvaluateAfterLoad bool      `json:"evaluateAfterLoad"`
	Matching          int       `json:"matching"`
	AlreadyLoaded     int       `json:"alreadyLoaded"`
	RefusedBefore     int       `json:"refusedBefore,omitempty"`
	Due               []DueFile `json:"due"`
}

// DueFile is a file version that waits to be ingested.
type DueFile struct {
	Path  string `json:"path"`
	Batch string `json:"batch"`
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
	ctx, _, end := a.progress(ctx, "list", "files", 0)
	defer end()
	opened, err := a.Sources(ctx, s)
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	defer func() { _ = opened.Close() }() // nothing was written
	files, err := opened.List(ctx, s.Path)
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	if len(files) == 0 {
		seen, err := a.Ledger.FilesSeen(ctx, s.Name)
		if err == nil && seen == 0 {
			err = errkind.New(errkind.Missing, "source "+s.Name, fmt.Errorf("no file matches %s, and none ever has", s.Path),
				"correct path of the source, or ask the partner when the first file comes")
		}
		return out, err
	}
	entries, err := a.Ledger.SeeFiles(ctx, s.Name, files, now())
	if err != nil {
		return out, err
	}
	out.Matching = len(entries)
	sortOldestFirst(entries)
	for _, f := range entries {
		switch {
		case f.State.Due(), f.State == catalog.Rejected && in.Retry:
			out.Due = append(out.Due, DueFile{Path: f.Path, Batch: f.Batch})
		case f.State == catalog.Rejected:
			out.RefusedBefore++
		default:
			out.AlreadyLoaded++
		}
	}
	return out, nil
}

// source finds a source in the workspace as it is now.
func (a *Activities) source(ctx context.Context, name string) (*workspace.Source, error) {
	w, err := a.Workspace(ctx)
	if err != nil {
		return nil, err
	}
	return w.Source(name)
}
