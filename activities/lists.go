package activities

import (
	"context"
	"fmt"

	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// lists are suppression lists as the store takes them.
func lists(w *workspace.Workspace, declared []*workspace.SuppressionList) (out []store.List, err error) {
	for _, s := range declared {
		stored, _, err := dataset(w, s.Dataset)
		if err != nil {
			return nil, err
		}
		out = append(out, store.List{Dataset: stored, Field: s.Field})
	}
	return out, nil
}

// leavingLists are the lists of those who must not leave with an activation. An empty one is an error: it was not loaded, or lost, and
// everybody who should be on it would leave.
func (a *Activities) leavingLists(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation) ([]store.List, error) {
	declared := w.LeavingLists(activation.Namespace)
	out, err := lists(w, declared)
	if err != nil {
		return nil, err
	}
	for i, list := range out {
		n, err := a.Audiences.Profiles(ctx, list.Dataset)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, errkind.New(errkind.Missing, "suppression list "+declared[i].Name, fmt.Errorf("nobody is in dataset %s, so that everybody would leave", list.Dataset.Name),
				"load it, or take the list out of the workspace")
		}
	}
	return out, nil
}
