package activities

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"prospector/internal/store"
	"prospector/internal/workspace"
)

// A destination that is told of changes must be told that somebody has left whom it was told to have come, and of nobody else. So
// each delivery keeps what it tells. It counts as told right before its first file appears, for then it may have arrived; a delivery
// that never came so far has told nothing. The last delivery that has arrived, and those begun since, are what is kept.

// standing is where a delivery keeps what it tells, before it is told.
func standing(delivery string) string { return path.Join("deliveries", delivery, "standings.parquet") }

// told is where an activation's deliveries of a namespace to a destination keep what they have told: another destination knows nothing
// of it.
func told(activation *workspace.Activation) string {
	return path.Join("told", activation.Name, activation.Destination, activation.Namespace)
}

const partSuffix = ".parquet"

// inside is the path of a file or folder of the data directory.
func (a *Activities) inside(parts ...string) string {
	return filepath.Join(a.DataDir, filepath.FromSlash(path.Join(parts...)))
}

// recall says what earlier deliveries of the activation have told the destination.
func (a *Activities) recall(ctx context.Context, activation *workspace.Activation, delivery string, s *store.Standings) error {
	s.Part = standing(delivery)
	entries, err := os.ReadDir(a.inside(told(activation)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		s.Told = append(s.Told, path.Join(told(activation), e.Name()))
	}
	if len(s.Told) == 0 { // there were none, or it was not kept yet when there were
		s.Unknown, err = a.Lineage.HasDelivered(ctx, activation.Name, activation.Destination)
		return err
	}
	return nil
}

// tell records that what a delivery tells may have arrived from now on.
func (a *Activities) tell(activation *workspace.Activation, delivery string) error {
	part := a.inside(standing(delivery))
	if _, err := os.Stat(part); errors.Is(err, fs.ErrNotExist) {
		return nil // it was recorded with an earlier file, or the destination is told of members only
	}
	if err := os.MkdirAll(a.inside(told(activation)), 0o700); err != nil {
		return err
	}
	return os.Rename(part, a.inside(told(activation), delivery+partSuffix))
}

// settle forgets what deliveries before this one have told: it has arrived, and tells all that counts.
func (a *Activities) settle(delivery string) error {
	mine, err := fs.Glob(os.DirFS(a.DataDir), path.Join("told", "*", "*", "*", delivery+partSuffix))
	if err != nil || len(mine) == 0 {
		return err
	}
	last, err := os.Stat(a.inside(mine[0]))
	if err != nil {
		return err
	}
	parts, err := os.ReadDir(filepath.Dir(a.inside(mine[0])))
	if err != nil {
		return err
	}
	for _, part := range parts {
		info, err := part.Info()
		if err != nil || !info.ModTime().Before(last.ModTime()) {
			continue // a delivery that began later
		}
		if err := os.Remove(a.inside(path.Dir(mine[0]), part.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// forgetTold removes what activations that are declared no more have told.
func (a *Activities) forgetTold(ctx context.Context) error {
	w, err := a.Workspace(ctx)
	if err != nil {
		return err
	}
	activations, err := os.ReadDir(a.inside("told"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, activation := range activations {
		if _, err := w.Activation(activation.Name()); err != nil {
			if err := os.RemoveAll(a.inside("told", activation.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
