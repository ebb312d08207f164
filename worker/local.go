package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/foldersource"
)

// openLocal opens a file on this machine for add-data, if it lies in one of the folders that the worker was
// started with: whoever may start a run must not thereby read all that the worker can.
func openLocal(folders []string) func(context.Context, string) (source.Source, string, error) {
	return func(_ context.Context, path string) (source.Source, string, error) {
		op := "add " + path
		resolved, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, "", errkind.New(errkind.Missing, op, errors.New("the worker does not see the file"), "put it on the worker's machine, in a folder that worker run --add-data-from names")
		}
		for _, folder := range folders {
			inside, err := filepath.Rel(folder, resolved)
			if err != nil || inside == ".." || strings.HasPrefix(inside, "../") {
				continue
			}
			opened, err := foldersource.New(folder)
			return opened, filepath.ToSlash(inside), err
		}
		hint := "start the worker with --add-data-from FOLDER"
		if len(folders) > 0 {
			hint += ", or put the file below " + strings.Join(folders, " or ")
		}
		return nil, "", errkind.New(errkind.Denied, op, errors.New("the worker takes no files from there"), hint)
	}
}

// realFolders resolves the folders of --add-data-from.
func realFolders(folders []string) (out []string, err error) {
	for _, folder := range folders {
		resolved, err := filepath.EvalSymlinks(folder)
		if err == nil {
			resolved, err = filepath.Abs(resolved)
		}
		if err != nil {
			return nil, usageError{fmt.Errorf("--add-data-from: %w", err)}
		}
		out = append(out, resolved)
	}
	return out, nil
}
