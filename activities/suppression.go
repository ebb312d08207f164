package activities

import (
	"context"
	"fmt"
	"slices"

	"prospector/internal/catalog"
	"prospector/internal/enforcement"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// suppressed are the memberships of those whom contracts want left out of an activation. One that is not of today's rule, or of the
// datasets as they are, is an error: somebody who was added to the list since would leave.
func (a *Activities) suppressed(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation) (parts []string, err error) {
	var latest map[string]catalog.Membership
	for _, c := range enforcement.Contracts(w, activation) {
		if c.Suppression == "" {
			continue
		}
		if latest == nil {
			if latest, err = a.Memberships.LatestMemberships(ctx, ""); err != nil {
				return nil, err
			}
		}
		declared, err := w.Audience(c.Suppression)
		if err != nil {
			return nil, err
		}
		m, evaluated := latest[c.Suppression]
		if !evaluated {
			return nil, errkind.New(errkind.Missing, "contract "+c.Name, fmt.Errorf("audience %s, whose members must be left out, has not been evaluated", c.Suppression), "run EvaluateAudiences first")
		}
		err = asEvaluated(w, declared, m)
		if err == nil {
			err = a.current(ctx, w, declared, m)
		}
		if err != nil {
			return nil, fmt.Errorf("contract %s has the members of an audience left out: %w", c.Name, err)
		}
		parts = append(parts, m.Part)
	}
	return parts, nil
}

// current refuses a membership when its datasets have changed since.
func (a *Activities) current(ctx context.Context, w *workspace.Workspace, audience *workspace.Audience, m catalog.Membership) error {
	of, err := a.Lineage.Derivations(ctx, m.Evaluation)
	if err != nil {
		return err
	}
	var datasets []store.Dataset
	for _, each := range w.EvaluationOrder([]*workspace.Audience{audience}) {
		for _, d := range w.ProfileDatasets(each.Namespaces) {
			if stored := Stored(w, d); !slices.ContainsFunc(datasets, func(other store.Dataset) bool { return other.Name == d.Name }) {
				datasets = append(datasets, stored)
			}
		}
	}
	versions, err := a.Audiences.Versions(ctx, datasets)
	if err != nil {
		return err
	}
	for _, now := range versions {
		if !slices.ContainsFunc(of, func(then store.Derivation) bool {
			return then.Dataset == now.Dataset && then.FirstVersion == now.Version
		}) {
			return errkind.New(errkind.Conflict, "", fmt.Errorf("audience %s is older than dataset %s: a batch was loaded or undone since it was evaluated", audience.Name, now.Dataset), "run EvaluateAudiences first")
		}
	}
	return nil
}
