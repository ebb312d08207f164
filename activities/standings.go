package activities

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"prospector/internal/store"
)

// A destination that is told of changes must be told that somebody has left whom it was told to have come, and of nobody else. So
// each delivery keeps what it tells. It counts as told as soon as an upload begins, for then it may have arrived; the last delivery
// that has arrived, and those begun since, are what is kept.

// standing is where a delivery keeps what it tells, before it is told.
func standing(delivery string) string { return path.Join("deliveries", delivery, "standings.parquet") }

// told is where an activation's deliveries keep what they have told.
func (a *Activities) told(activation string, delivery ...string) string {
	return filepath.Join(append([]string{a.DataDir, "told", activation}, delivery...)...)
}

const partSuffix = ".parquet"

// recall says what earlier deliveries of the activation have told the destination.
func (a *Activities) recall(ctx context.Context, c Clearance, s *store.Standings) error {
	s.Part = standing(c.Delivery)
	entries, err := os.ReadDir(a.told(c.Activation))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), partSuffix) {
			s.Told = append(s.Told, path.Join("told", c.Activation, e.Name()))
		}
	}
	if len(s.Told) == 0 { // there were none, or it was not kept yet when there were
		s.Unknown, err = a.Lineage.HasDelivered(ctx, c.Activation)
		return err
	}
	return nil
}

// tell records that what a delivery tells may have arrived from now on.
func (a *Activities) tell(c Clearance) error {
	part := filepath.Join(a.DataDir, filepath.FromSlash(standing(c.Delivery)))
	if _, err := os.Stat(part); errors.Is(err, fs.ErrNotExist) {
		return nil // it was recorded with an earlier file, or the destination is told of members only
	}
	if err := os.MkdirAll(a.told(c.Activation), 0o700); err != nil {
		return err
	}
	return os.Rename(part, a.told(c.Activation, c.Delivery+partSuffix))
}

// settle forgets what deliveries before this one have told: it has arrived, and tells all that counts.
func (a *Activities) settle(delivery string) error {
	activations, err := os.ReadDir(a.told(""))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, activation := range activations {
		last, err := os.Stat(a.told(activation.Name(), delivery+partSuffix))
		if err != nil {
			continue // another's
		}
		parts, err := os.ReadDir(a.told(activation.Name()))
		if err != nil {
			return err
		}
		for _, part := range parts {
			info, err := part.Info()
			if err != nil || !info.ModTime().Before(last.ModTime()) {
				continue // a delivery that began later
			}
			if err := os.Remove(a.told(activation.Name(), part.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
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
	activations, err := os.ReadDir(a.told(""))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, activation := range activations {
		if _, err := w.Activation(activation.Name()); err != nil {
			if err := os.RemoveAll(a.told(activation.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
