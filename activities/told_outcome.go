package activities

import (
	"context"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// toldOutcome is what somebody may know of what a batch came to. To whom an attribute of the dataset is hidden, it does not tell which
// values were known already: a file of guesses would find them out (AC-7).
func (a *Activities) toldOutcome(ctx context.Context, requestedBy, name string, of store.Outcome) (store.Outcome, error) {
	who, restricted, err := a.requester(ctx, requestedBy)
	switch {
	case errkind.Of(err) == errkind.Denied:
		return of.WithoutChanges(), nil
	case err != nil || !restricted || who.SeesAll():
		return of, err
	}
	w, err := a.Workspace(ctx)
	if err != nil {
		return of, err
	}
	d, err := w.Dataset(name)
	if err != nil {
		return of, err
	}
	loaded, err := a.loadedLabels(ctx, w, name)
	if err != nil {
		return of, err
	}
	if !seesAllOf(who, w, d, loaded) {
		return of.WithoutChanges(), nil
	}
	return of, nil
}
