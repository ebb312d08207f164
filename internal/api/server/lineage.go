package server

import (
	"context"
	"slices"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// Lineage is the record of what was made of which versions of datasets.
type Lineage interface {
	Derivations(ctx context.Context, subject string) ([]store.Derivation, error)
	AudienceUses(ctx context.Context, dataset string, spans []store.BatchSpan) ([]store.AudienceUse, error)
	DeliveryUses(ctx context.Context, dataset string, spans []store.BatchSpan) ([]store.DeliveryUse, int64, error)
}

// batchUses says where a batch went: which audiences and deliveries may hold rows of it (DS-6). Audiences that the caller may not see
// are left out.
func (s *server) batchUses(ctx context.Context, in *batchInput) (out store.Uses, err error) {
	d, err := s.dataset(ctx, in.Dataset)
	if err != nil {
		return out, err
	}
	if _, err := s.Store.Batch(ctx, d, in.Batch); err != nil {
		return out, err
	}
	spans, err := s.Store.BatchSpans(ctx, d, in.Batch)
	if err != nil {
		return out, err
	}
	out = store.Uses{Dataset: in.Dataset, Batch: in.Batch}
	if out.Audiences, err = s.Lineage.AudienceUses(ctx, in.Dataset, spans); err != nil {
		return out, err
	}
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	v := s.visible(ctx, w)
	for _, use := range slices.Clone(out.Audiences) {
		seen, err := v.whole(ctx, use.Audience)
		if err != nil {
			return out, err
		}
		if !seen {
			out.Audiences = slices.DeleteFunc(out.Audiences, func(other store.AudienceUse) bool { return other.Audience == use.Audience })
		}
	}
	out.Deliveries, out.Delivered, err = s.Lineage.DeliveryUses(ctx, in.Dataset, spans)
	return out, err
}

// whole reports whether the caller may know of all evaluations of an audience. To whom anything is hidden, they may not of one that is
// declared no more, or had another rule.
func (v *visibility) whole(ctx context.Context, name string) (bool, error) {
	a, err := v.workspace.Audience(name)
	if err != nil {
		anything, err := v.anything(ctx)
		return !anything, err
	}
	if err := v.audience(ctx, a); err != nil {
		if errkind.Of(err) == errkind.Denied {
			err = nil
		}
		return false, err
	}
	known, err := v.past(ctx, a)
	return !known.cut, err
}
