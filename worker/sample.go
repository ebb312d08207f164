//go:build !release

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"prospector/testdata"
)

// writeSampleWorkspace writes the sample workspace to dir, whole or not at all. A folder that is
// there is left as it is: it may have been edited.
func writeSampleWorkspace(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	sample, err := fs.Sub(testdata.Workspace, "workspace")
	if err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(dir), ".workspace-")
	if err != nil {
		return err
	}
	if err := errors.Join(os.CopyFS(unfinished, sample), os.Chmod(unfinished, 0o755)); err != nil {
		return errors.Join(err, os.RemoveAll(unfinished))
	}
	return os.Rename(unfinished, dir)
}
