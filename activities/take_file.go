package activities

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// TakeFileInput names a file at a source. Batch, if set, is the version that is meant.
type TakeFileInput struct {
	Source  string `json:"source"`
	Path    string `json:"path"`
	Batch   string `json:"batch,omitempty"`
	Dataset string `json:"dataset,omitempty"` // whose one source says how to read the file, unless source does
	Again   bool   `json:"again,omitempty"`   // also when the same bytes were loaded before under another name

	RequestedBy string `json:"requestedBy,omitempty"`
}

// localPrefix begins the path of a file on the worker's machine, which is at no drop point.
const localPrefix = "local:"

// TakeFileOutput is the file version that the run is on.
type TakeFileOutput struct {
	Source  string         `json:"source"`
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
	s, err := a.sourceOf(ctx, in)
	if err != nil {
		return out, err
	}
	ctx, _, end := a.progress(ctx, "take", "files", 0)
	defer end()
	if err := a.mayTakeOff(ctx, in, s); err != nil {
		return out, err
	}
	opened, name, err := a.open(ctx, s, in.Path)
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	defer func() { _ = opened.Close() }()
	file, err := opened.Stat(ctx, name)
	if err != nil {
		return out, fmt.Errorf("source %s: %w", s.Name, err)
	}
	file.Path = in.Path
	seen := catalog.Sighting{File: file}
	if !strings.HasPrefix(in.Path, localPrefix) {
		if err := source.CheckName(in.Path); err != nil {
			return out, fmt.Errorf("source %s: %w", s.Name, err)
		}
		if pattern, err := s.Pattern(); err == nil { // a file that the pattern does not mean has no business date
			seen.BusinessDate, _ = pattern.BusinessDate(in.Path)
		}
	}
	entries, err := a.Ledger.SeeFiles(ctx, s.Name, []catalog.Sighting{seen}, now())
	if err != nil {
		return out, err
	}
	entry := entries[0]
	if in.Batch != "" && in.Batch != entry.Batch {
		return out, errkind.New(errkind.Conflict, "source "+s.Name, fmt.Errorf("%s was replaced after it was listed", in.Path), "the next sync takes the new version")
	}
	out = TakeFileOutput{Source: s.Name, Batch: entry.Batch, Dataset: s.Dataset, State: entry.State}
	switch entry.State {
	case catalog.Loaded:
		outcome, err := a.Ledger.Batch(ctx, entry.Batch)
		if err == nil {
			outcome, err = a.toldOutcome(ctx, in.RequestedBy, s.Dataset, outcome)
		}
		out.Outcome = &outcome
		return out, err
	case catalog.Duplicate:
		if !in.Again {
			return out, nil
		}
	}
	out.State = catalog.Taken
	return out, a.Ledger.SetFileState(ctx, entry.Batch, catalog.Taken, "", "", now())
}

// mayTakeOff is Denied when a person brings a full file of their own for the dataset of a suppression list: who is not in it is approached again.
func (a *Activities) mayTakeOff(ctx context.Context, in TakeFileInput, s *workspace.Source) error {
	if !strings.HasPrefix(in.Path, localPrefix) {
		return nil
	}
	w, err := a.Workspace(ctx)
	if err != nil {
		return err
	}
	stored, _, err := dataset(w, s.Dataset)
	if err != nil || stored.Merge != store.Full || len(w.ListsIn(s.Dataset)) == 0 {
		return err
	}
	return a.authorize(ctx, audited(ctx, in.RequestedBy, "ingest", "Dataset", s.Dataset), mayUnlist)
}

// sourceOf finds the source that says how a file is read.
func (a *Activities) sourceOf(ctx context.Context, in TakeFileInput) (*workspace.Source, error) {
	if in.Source != "" || in.Dataset == "" {
		return a.source(ctx, in.Source)
	}
	w, err := a.Workspace(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := w.Dataset(in.Dataset); err != nil {
		return nil, err
	}
	var found []*workspace.Source
	var names []string
	for _, s := range w.Sources {
		if s.Dataset == in.Dataset {
			found, names = append(found, s), append(names, s.Name)
		}
	}
	switch len(found) {
	case 0:
		return nil, errkind.New(errkind.Invalid, "dataset "+in.Dataset, errors.New("no source of it says how files are written and mapped"), "declare one in the workspace; it needs no schedule")
	case 1:
		return found[0], nil
	}
	return nil, errkind.New(errkind.Invalid, "dataset "+in.Dataset, fmt.Errorf("it has several sources: %s", strings.Join(names, ", ")), "say which one the file is written like")
}

// open opens the place where a file is, and says by which name it knows the file.
func (a *Activities) open(ctx context.Context, s *workspace.Source, filePath string) (opened source.Source, name string, err error) {
	if local, ok := strings.CutPrefix(filePath, localPrefix); ok {
		return a.Local(ctx, local)
	}
	opened, err = a.Sources(ctx, s)
	return opened, filePath, err
}

// FinishFileInput ends a run on a file. Failure is empty when the file was loaded.
type FinishFileInput struct {
	Batch   string       `json:"batch"`
	Kind    errkind.Kind `json:"kind,omitempty"`
	Aside   bool         `json:"aside,omitempty"` // set aside rather than refused
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
		switch {
		case in.Aside:
			state = catalog.SetAside
		case in.Kind == errkind.BadInput:
			state = catalog.Rejected
		}
		recorded = a.Ledger.SetFileState(ctx, in.Batch, state, "", in.Failure, now())
	}
	removed := removeFolder(a.staged(ctx, in.Batch))
	if in.Failure != "" {
		removed = errors.Join(removed, a.forgetPart(ctx, in.Batch))
	}
	_ = os.Remove(filepath.Dir(a.staged(ctx, in.Batch))) // fails while another run is on the file
	return errors.Join(recorded, removed)
}

// forgetPart removes what validation wrote of a batch that is not loaded.
func (a *Activities) forgetPart(ctx context.Context, batch string) error {
	entry, err := a.Ledger.File(ctx, batch)
	if err != nil {
		return err
	}
	file, err := a.fileOf(ctx, entry)
	if err != nil {
		return nil //nolint:nilerr // the workspace has no such source any more, and its failure is recorded
	}
	return a.Batches.ForgetPart(ctx, file.Dataset, batch)
}
