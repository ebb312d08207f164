package activities

import (
	"context"
	"errors"
	"strings"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/readiness"
	"prospector/internal/source"
	"prospector/internal/workspace"
)

// heldToManifest returns what the partner's manifest promises of a file now. Where the listing has entered that already it
// is asked again only when the manifest has changed; a file that no listing has judged, because a person named it, is judged
// here as a listing would. Missing when the manifest does not vouch for the file: the next sync waits for it then.
func (a *Activities) heldToManifest(ctx context.Context, s *workspace.Source, opened source.Source, f catalog.File) (*catalog.Expected, error) {
	rule := s.Rule()
	if rule.Kind != readiness.Manifested || strings.HasPrefix(f.Path, localPrefix) {
		return f.Expected, nil
	}
	companion, err := opened.Stat(ctx, rule.Companion(f.Path))
	switch {
	case err != nil && errkind.Of(err) == errkind.Missing && f.Expected != nil:
		return f.Expected, nil // the partner cleans up
	case err != nil && errkind.Of(err) == errkind.Missing:
		reason, _ := rule.Waits(f.File, f.SeenAt, now(), nil)
		return nil, notVouched(reason)
	case err != nil:
		return nil, err
	case f.Expected != nil && f.Expected.Manifest == companion.Version():
		return f.Expected, nil
	}
	l := listing{activities: a, source: s, opened: opened, rule: rule}
	promised, reason, err := l.promise(ctx, companion, f)
	if err != nil {
		return nil, err
	}
	if reason != "" {
		return nil, notVouched(reason)
	}
	return &promised, a.Ledger.ExpectFile(ctx, f.Batch, promised)
}

func notVouched(reason string) error {
	return errkind.New(errkind.Missing, "", errors.New(reason), "ask the partner for a manifest that vouches for it; the next sync takes it then")
}
