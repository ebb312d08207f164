package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"prospector/internal/catalog"
	"prospector/internal/enforcement"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// leftOut says what must hold by now of each member that leaves: the consent that policies want, and the territory and suppression of
// contracts, of which the rule was true when its audience was evaluated and may not be any more, and that nobody on a suppression list
// leaves. by tells them apart from those of another time: the memberships that contracts name, each suppression list with its version,
// and a digest of the rest.
func (a *Activities) leftOut(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation) (terms store.Terms, by []string, err error) {
	namespace, err := exportedNamespace(w, activation)
	if err != nil {
		return terms, nil, err
	}
	consents, err := a.consents(ctx, w, activation, namespace)
	if err != nil {
		return terms, nil, err
	}
	var digested []any
	for _, c := range consents {
		terms.Consent = append(terms.Consent, c.Parsed)
		digested = append(digested, []string{c.Name, c.Require})
	}
	terms.Confined = map[string][]string{}
	for _, c := range enforcement.Contracts(w, activation) {
		if c.Field != "" {
			allowed, bounded := terms.Confined[c.Field]
			if !bounded {
				allowed = c.Values
			}
			terms.Confined[c.Field] = slices.DeleteFunc(slices.Clone(allowed), func(value string) bool { return !slices.Contains(c.Values, value) })
			digested = append(digested, []any{c.Name, c.Field, c.Values})
		}
		if c.MostRows > 0 {
			for _, d := range namespace.Datasets {
				if slices.Contains(c.Datasets, d.Name) && !slices.Contains(terms.Counted, d.Name) {
					terms.Counted = append(terms.Counted, d.Name)
				}
			}
			digested = append(digested, []any{c.Name, c.Datasets, c.MostRows})
		}
	}
	if terms.Suppressed, err = a.suppressed(ctx, w, activation); err != nil {
		return terms, nil, err
	}
	if terms.Lists, err = a.leavingLists(ctx, w, activation); err != nil {
		return terms, nil, err
	}
	by = slices.Clone(terms.Suppressed)
	var datasets []store.Dataset
	for _, list := range terms.Lists {
		datasets = append(datasets, list.Dataset)
	}
	versions, err := a.Audiences.Versions(ctx, datasets)
	if err != nil {
		return terms, nil, err
	}
	for _, v := range versions {
		by = append(by, fmt.Sprintf("%s@%d", v.Dataset, v.Version))
	}
	if len(digested) > 0 {
		data, err := json.Marshal(digested)
		if err != nil {
			return terms, nil, err
		}
		sum := sha256.Sum256(data)
		by = append(by, "terms "+hex.EncodeToString(sum[:8]))
	}
	return terms, by, nil
}

// consents are the consent policies that count for an activation, by the labels declared now and those under which rows were loaded.
func (a *Activities) consents(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation, namespace store.Namespace) ([]*workspace.ConsentPolicy, error) {
	destination, err := w.Destination(activation.Destination)
	if err != nil {
		return nil, err
	}
	labels := map[string]bool{}
	for _, d := range namespace.Datasets {
		loaded, err := a.loadedLabels(ctx, w, d.Name)
		if err != nil {
			return nil, err
		}
		for _, of := range loaded {
			for _, label := range of {
				labels[label] = true
			}
		}
	}
	return w.Consents(activation, destination, slices.Collect(maps.Keys(labels))), nil
}

// stands refuses files when what they were made of has been overtaken: somebody may have to be left out who was not when they were
// written, or a batch was undone of which they may have rows. A batch that was loaded is no reason: they are as good as they were.
func (a *Activities) stands(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation, of []store.Derivation, by []string) error {
	_, latest, err := a.leftOut(ctx, w, activation)
	if err != nil {
		return err
	}
	if !slices.Equal(latest, by) {
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
	if dataset := lost(of, versions); dataset != "" {
		return superseded(activation, fmt.Errorf("dataset %s has lost a batch, or come in, since its files were written", dataset))
	}
	return nil
}

// undone refuses memberships when a batch was undone since they were evaluated: somebody would leave by what it alone said.
// Audiences that they refer to were evaluated with them.
func (a *Activities) undone(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation, memberships []catalog.Membership) error {
	namespace, err := exportedNamespace(w, activation)
	if err != nil {
		return err
	}
	versions, err := a.Audiences.Versions(ctx, namespace.Datasets)
	if err != nil {
		return err
	}
	for _, m := range memberships {
		of, err := a.Lineage.Derivations(ctx, m.Evaluation)
		if err != nil {
			return err
		}
		if dataset := lost(of, versions); dataset != "" {
			return errkind.New(errkind.Conflict, "activation "+activation.Name,
				fmt.Errorf("dataset %s has lost a batch, or come in, since audience %s was evaluated", dataset, m.Audience), "run EvaluateAudiences first")
		}
	}
	return nil
}

// lost names a dataset of which a batch was undone since something was made of it, or of which nothing was made; empty when there is none.
func lost(of, versions []store.Derivation) string {
	for _, now := range versions {
		i := slices.IndexFunc(of, func(then store.Derivation) bool { return then.Dataset == now.Dataset })
		if i < 0 || now.Version < of[i].Version || now.Version-of[i].Version != now.Batches-of[i].Batches { // each load is a version with one batch more
			return now.Dataset
		}
	}
	return ""
}

// withinContracts refuses files, and records it, that hold more rows than contracts allow.
func (a *Activities) withinContracts(ctx context.Context, w *workspace.Workspace, activation *workspace.Activation, c Clearance, rows map[string]int64) error {
	violations, err := a.violations(ctx, w, activation, rows, c.Delivery)
	if err != nil || len(violations) == 0 {
		return err
	}
	decision, err := a.Deliveries.Decision(ctx, c.Decision)
	if err != nil {
		return err
	}
	decision.Violations = violations
	return a.forbid(ctx, c, &decision, nil)
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
