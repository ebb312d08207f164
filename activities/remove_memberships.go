package activities

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
)

// removeMemberships removes the parts of audiences that are declared no more (AU-39), and with them all files of memberships that the
// catalog does not know. Those of evaluations that are not published stay while one of them may be under way; what they have written
// when none is, they compute again should they go on.
func (a *Activities) removeMemberships(ctx context.Context, underWay bool) error {
	w, err := a.Workspace(ctx)
	if err != nil {
		return err
	}
	latest, err := a.Memberships.LatestMemberships(ctx, "")
	if err != nil {
		return err
	}
	for name := range latest {
		if _, err := w.Audience(name); err != nil {
			if err := a.Memberships.ForgetAudience(ctx, name); err != nil {
				return err
			}
		}
	}
	kept, err := a.Memberships.KeptParts(ctx)
	if err != nil {
		return err
	}
	folders, err := os.ReadDir(a.inside(memberships))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, folder := range folders {
		parts, published := kept[folder.Name()]
		if underWay && !published {
			continue
		}
		if err := a.removeParts(path.Join(memberships, folder.Name()), parts); err != nil {
			return err
		}
	}
	return nil
}

// removeParts removes what else is in an evaluation's folder, and the folder when nothing is left of it.
func (a *Activities) removeParts(folder string, kept []string) error {
	files, err := os.ReadDir(a.inside(folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // another one was faster
		return err
	}
	left := 0
	for _, file := range files {
		if slices.Contains(kept, path.Join(folder, file.Name())) {
			left++
		} else if err := os.RemoveAll(a.inside(folder, file.Name())); err != nil {
			return err
		}
	}
	if left > 0 {
		return nil
	}
	return os.RemoveAll(a.inside(folder))
}
