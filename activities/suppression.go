package activities

import (
	"context"
	"errors"
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

// leftOut tells who must be left out by now: the memberships that contracts name, and each suppression list with its version.
func (a *Activities) leftOut(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation) ([]string, error) {
	out, err := a.suppressed(ctx, w, activation)
	if err != nil {
		return nil, err
	}
	lists, err := a.leavingLists(ctx, w, activation)
	if err != nil {
		return nil, err
	}
	var datasets []store.Dataset
	for _, list := range lists {
		datasets = append(datasets, list.Dataset)
	}
	versions, err := a.Audiences.Versions(ctx, datasets)
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		out = append(out, fmt.Sprintf("%s@%d", v.Dataset, v.Version))
	}
	return out, nil
}

// stands refuses files when what they were made of has been overtaken: somebody may be on a list who was not when they were written,
// or a batch was undone of which they may have rows. A batch that was loaded is no reason: they are as good as they were.
func (a *Activities) stands(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation, of []store.Derivation, suppressed []string) error {
	latest, err := a.leftOut(ctx, w, activation)
	if err != nil {
		return err
	}
	if !slices.Equal(latest, suppressed) {
		return superseded(activation, errors.New("others may have to be left out than when its files were written"))
	}
	namespace, err := exportedNamespace(w, activation)
	if err != nil {
		return err
	}
	versions, err := a.Audiences.Versions(ctx, namespace.Datasets)
	if err != nil {
		return err
	}
	for _, now := range versions {
		i := slices.IndexFunc(of, func(then store.Derivation) bool { return then.Dataset == now.Dataset })
		if i < 0 || now.Version-of[i].Version != now.Batches-of[i].Batches { // each load is a version with one batch more
			return superseded(activation, fmt.Errorf("dataset %s has lost a batch, or come in, since its files were written", now.Dataset))
		}
	}
	return nil
}

func superseded(activation *workspace.Activation, err error) error {
	return errkind.New(errkind.Conflict, "activation "+activation.Name, err, "start ActivateAudiences again")
}

// overtaken records that files may not leave although the decision on them holds.
func (a *Activities) overtaken(ctx context.Context, c Clearance, err error) error {
	decision, unknown := a.Deliveries.Decision(ctx, c.Decision)
	if unknown != nil {
		return unknown
	}
	return a.forbid(ctx, c, &decision, err)
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
