package activities

import (
	"context"
	"fmt"
	"slices"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
)

// ListFilesInput asks for the ledger of a source.
type ListFilesInput struct {
	Source string        `json:"source"`
	Path   string        `json:"path,omitempty"`  // only this file's versions, with their stories
	State  catalog.State `json:"state,omitempty"` // only files in this state
	Limit  int           `json:"limit,omitempty"` // 100 unless given, at most 1000
}

// ListFilesOutput is the ledger of a source, the latest files first, and its latest runs.
type ListFilesOutput struct {
	Source string                `json:"source"`
	States map[catalog.State]int `json:"states"` // of all its file versions
	Files  []LedgerFile          `json:"files"`
	Runs   []catalog.Sync        `json:"runs"`
}

// LedgerFile is a file version and, when one path was asked for, its story.
type LedgerFile struct {
	catalog.File
	Story []catalog.FileEvent `json:"story,omitempty"`
}

// ListFiles reads the ledger.
func (a *Activities) ListFiles(ctx context.Context, in ListFilesInput) (ListFilesOutput, error) {
	out, err := a.listFiles(ctx, in)
	return out, failure(err)
}

func (a *Activities) listFiles(ctx context.Context, in ListFilesInput) (out ListFilesOutput, err error) {
	if _, err = a.source(ctx, in.Source); err != nil {
		return out, err
	}
	if in.State != "" && !slices.Contains(catalog.States, in.State) {
		return out, errkind.New(errkind.Invalid, "", fmt.Errorf("there is no state %q of a file", in.State), fmt.Sprintf("the states are %q", catalog.States))
	}
	if in.Limit <= 0 {
		in.Limit = 100
	}
	in.Limit = min(in.Limit, 1000) // a result has its limits
	out = ListFilesOutput{Source: in.Source, States: map[catalog.State]int{}, Files: []LedgerFile{}}
	files, err := a.Ledger.Files(ctx, in.Source)
	if err != nil {
		return out, err
	}
	for _, f := range files {
		out.States[f.State]++
		if in.State != "" && f.State != in.State || in.Path != "" && f.Path != in.Path || len(out.Files) == in.Limit {
			continue
		}
		entry := LedgerFile{File: f}
		if in.Path != "" {
			if entry.Story, err = a.Ledger.FileEvents(ctx, f.Batch); err != nil {
				return out, err
			}
		}
		out.Files = append(out.Files, entry)
	}
	if in.Path != "" && !slices.ContainsFunc(files, func(f catalog.File) bool { return f.Path == in.Path }) {
		return out, errkind.New(errkind.Missing, "source "+in.Source, fmt.Errorf("no file %q was ever seen", in.Path), "write its path as starter files "+in.Source+" shows it")
	}
	out.Runs, err = a.Ledger.Syncs(ctx, in.Source, 20)
	return out, err
}
