package activities

import (
	"context"
	"slices"

	"prospector/internal/store"
)

// Lineage is the record of which versions of datasets evaluations and deliveries were made of (DS-6).
type Lineage interface {
	RecordDerivations(ctx context.Context, subject string, derivations []store.Derivation) error
	Derivations(ctx context.Context, subject string) ([]store.Derivation, error)
	HasDelivered(ctx context.Context, activation, destination string) (bool, error)
	DeliveryUses(ctx context.Context, dataset string, spans []store.BatchSpan) ([]store.DeliveryUse, int64, error)
}

// derive records that something is being made of datasets as they are. made must be called when it is finished: it records and
// returns the versions in between, of which it may have seen each.
func (a *Activities) derive(ctx context.Context, subject string, datasets []store.Dataset) (made func() ([]store.Derivation, error), err error) {
	before, err := a.Audiences.Versions(ctx, datasets)
	if err == nil {
		err = a.Lineage.RecordDerivations(ctx, subject, before)
	}
	if err != nil {
		return nil, err
	}
	return func() ([]store.Derivation, error) {
		after, err := a.Audiences.Versions(ctx, datasets)
		if err != nil {
			return nil, err
		}
		for i := range after {
			after[i].FirstVersion = before[i].Version
		}
		return after, a.Lineage.RecordDerivations(ctx, subject, after)
	}, nil
}

// datasetsOf are the datasets of which audiences are evaluated, each once.
func datasetsOf(scopes []store.AudienceScope) (out []store.Dataset) {
	for _, scope := range scopes {
		for _, n := range scope.Namespaces {
			for _, d := range n.Datasets {
				if !slices.ContainsFunc(out, func(other store.Dataset) bool { return other.Name == d.Name }) {
					out = append(out, d)
				}
			}
		}
	}
	return out
}
