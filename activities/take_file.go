package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/store"
)

// TakeFileInput names a file at a source. Batch, if set, is the version that is meant.
type TakeFileInput struct {
	Source string `json:"source"`
	Path   string `json:"path"`
	Batch  string `json:"batch,omitempty"`
}

// TakeFileOutput is the file version that the run is on.
type TakeFileOutput struct {
	Batch   string         `json:"batch"`
	Dataset string         `json:"dataset"`
	State   catalog.State  `json:"state"`
	Outcome *store.Outcome `json:"outcome,omitempty"` // of a batch that has been loaded before
}

// TakeFile resolves a file to its current version and marks it as taken. A version that has been
// loaded is not taken again.
func (a *Activities) TakeFile(ctx context.Context, in TakeFileInput) (TakeFileOutput, error) {
	out, err := a.takeFile(ctx, in)
	return out, failure(err)
}

func (a *Activities) takeFile(ctx context.Context, in TakeFileInput) (out TakeFileOutput, err error) {
	s, err := a.source(ctx, in.Source)
	if err != nil {
		return out, err
	}
	ctx, _, end := a.progress(ctx, "take", "files", 0)
	defer end()
	opened, err := a.Sources(ctx, s)
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	defer func() { _ = opened.Close() }()
	file, err := opened.Stat(ctx, in.Path)
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	entries, err := a.Ledger.SeeFiles(ctx, s.Name, []source.File{file}, now())
	if err != nil {
		return out, err
	}
	entry := entries[0]
	if in.Batch != "" && in.Batch != entry.Batch {
		return out, errkind.New(errkind.Conflict, "source "+s.Name, fmt.Errorf("%s was replaced after it was listed", in.Path), "the next sync takes the new version")
	}
	out = TakeFileOutput{Batch: entry.Batch, Dataset: s.Dataset, State: entry.State}
	switch entry.State {
	case catalog.Loaded:
		outcome, err := a.Ledger.Batch(ctx, entry.Batch)
		out.Outcome = &outcome
		return out, err
	case catalog.Duplicate:
		return out, nil
	}
	out.State = catalog.Taken
	return out, a.Ledger.SetFileState(ctx, entry.Batch, catalog.Taken, "", "", now())
}

func sortOldestFirst(files []catalog.File) {
	slices.SortStableFunc(files, func(x, y catalog.File) int {
		return cmp.Or(x.Modified.Compare(y.Modified), cmp.Compare(x.Path, y.Path))
	})
}

// FinishFileInput ends a run on a file. Failure is empty when the file was loaded.
type FinishFileInput struct {
	Batch   string       `json:"batch"`
	Kind    errkind.Kind `json:"kind,omitempty"`
	Failure string       `json:"failure,omitempty"`
}

// FinishFile removes the staged copy and, after a failure, records it: partner data that breaks its
// contract is not taken again by itself, everything else is due at the next sync.
func (a *Activities) FinishFile(ctx context.Context, in FinishFileInput) error {
	return failure(a.finishFile(ctx, in))
}

func (a *Activities) finishFile(ctx context.Context, in FinishFileInput) error {
	var recorded error
	if in.Failure != "" {
		state := catalog.Failed
		if in.Kind == errkind.BadInput {
			state = catalog.Rejected
		}
		recorded = a.Ledger.SetFileState(ctx, in.Batch, state, "", in.Failure, now())
	}
	removed := removeFolder(a.staged(ctx, in.Batch))
	_ = os.Remove(filepath.Dir(a.staged(ctx, in.Batch))) // fails while another run is on the file
	return errors.Join(recorded, removed)
}
