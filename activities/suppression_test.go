package activities

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// versioned are datasets in a version, which as many loads have made.
type versioned struct {
	unlabelled
	version int64
}

func (v versioned) Versions(_ context.Context, datasets []store.Dataset) (out []store.Derivation, err error) {
	for _, d := range datasets {
		out = append(out, store.Derivation{Dataset: d.Name, FirstVersion: v.version, Version: v.version, Batches: v.version})
	}
	return out, nil
}

// derived says of which versions of acme's dataset evaluations were made.
type derived struct {
	Lineage
	first, last int64
}

func (d derived) Derivations(context.Context, string) ([]store.Derivation, error) {
	if d.last == 0 {
		return nil, nil
	}
	return []store.Derivation{{Dataset: "acme_2026", FirstVersion: d.first, Version: d.last, Batches: d.last}}, nil
}

// firstVersion is the lineage of evaluations of a dataset's first version.
var firstVersion = derived{first: 1, last: 1}

// nothing has been evaluated yet.
type nothing struct{ Memberships }

func (nothing) LatestMemberships(context.Context, string) (map[string]catalog.Membership, error) {
	return nil, nil
}

// The list of a contract's suppression is that of today: of today's rule, and of all that was loaded. Else nothing leaves.
func TestSuppressionMustBeCurrent(t *testing.T) {
	list := "kind: Audience\nname: stop\nnamespaces: [acme_pid]\nrule: partner.tennis = 'Y'\n---\nkind: Audience"
	with := append([]string{"audiences.yaml", "kind: Audience", list}, contract("suppression: stop")...)
	w := sampleEdited(t, with...)
	changed := sampleEdited(t, append([]string{"audiences.yaml", "kind: Audience", "kind: Audience\nname: stop\nnamespaces: [acme_pid]\nrule: partner.tennis = 'N'\n---\nkind: Audience"}, contract("suppression: stop")...)...)
	activation, err := w.Activation("acme-to-media")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		memberships Memberships
		of          derived
		kind        errkind.Kind // empty: it may leave
		message     string
	}{
		"as it was evaluated":            {evaluated{of: w}, derived{first: 3, last: 3}, "", ""},
		"never evaluated":                {nothing{}, derived{}, errkind.Missing, "audience stop, whose members must be left out, has not been evaluated"},
		"by an earlier rule":             {evaluated{of: changed}, derived{first: 3, last: 3}, errkind.Conflict, "audience stop has changed since it was evaluated"},
		"before the last load":           {evaluated{of: w}, derived{first: 2, last: 2}, errkind.Conflict, "audience stop is older than dataset acme_2026"},
		"while a load came in":           {evaluated{of: w}, derived{first: 2, last: 3}, errkind.Conflict, "audience stop is older than dataset acme_2026"},
		"by an earlier version, unknown": {evaluated{of: w}, derived{}, errkind.Conflict, "audience stop is older than dataset acme_2026"},
	} {
		a := &Activities{Workspace: func(context.Context) (*workspace.Workspace, error) { return w, nil }, Memberships: c.memberships, Lineage: c.of, Audiences: versioned{version: 3}}
		parts, err := a.suppressed(t.Context(), w, activation)
		if c.kind == "" {
			require.NoError(t, err, name)
			require.Equal(t, []string{"part of stop"}, parts)
			continue
		}
		require.Equal(t, c.kind, errkind.Of(err), name)
		require.ErrorContains(t, err, c.message, name)
	}
}

// overtake has a membership in its current evaluation, or another one.
type overtake struct {
	evaluated
	part string
}

func (o overtake) LatestMemberships(ctx context.Context, evaluation string) (map[string]catalog.Membership, error) {
	out, err := o.evaluated.LatestMemberships(ctx, evaluation)
	for name, m := range out {
		m.Part = o.part
		out[name] = m
	}
	return out, err
}

// held are datasets in a version, with so many batches.
type held struct {
	unlabelled
	version, batches int64
}

func (h held) Versions(_ context.Context, datasets []store.Dataset) (out []store.Derivation, err error) {
	for _, d := range datasets {
		out = append(out, store.Derivation{Dataset: d.Name, FirstVersion: 7, Version: h.version, Batches: h.batches})
	}
	return out, nil
}

func (held) Profiles(context.Context, store.Dataset) (int64, error) { return 1, nil }

// Files stand while more is loaded; not when a batch is undone, not even when another one comes in its place, nor when the list of
// those who must be left out is another one.
func TestFilesStandUntilTheyAreOvertaken(t *testing.T) {
	list := "kind: Audience\nname: stop\nnamespaces: [acme_pid]\nrule: partner.tennis = 'Y'\n---\nkind: Audience"
	with := sampleEdited(t, append([]string{"audiences.yaml", "kind: Audience", list}, contract("suppression: stop")...)...)
	without := sampleEdited(t)
	listed := sampleEdited(t, "audiences.yaml", "kind: Audience", "kind: Dataset\nname: stop-ids\nschema: acme-prospects\nlifetimeDays: 1\n---\nkind: SuppressionList\nname: stop-ids\ndataset: stop-ids\n---\nkind: Audience")
	made := []store.Derivation{{Dataset: "acme_2026", FirstVersion: 7, Version: 7, Batches: 5}}
	for name, c := range map[string]struct {
		w       *workspace.Workspace
		now     held
		part    string
		written []string
		message string // empty: they stand
	}{
		"nothing changed":         {with, held{version: 7, batches: 5}, "list", []string{"list"}, ""},
		"no list":                 {without, held{version: 7, batches: 5}, "list", nil, ""},
		"more was loaded":         {without, held{version: 9, batches: 7}, "list", nil, ""},
		"one was undone":          {without, held{version: 8, batches: 4}, "list", nil, "dataset acme_2026 has lost a batch"},
		"one took its place":      {without, held{version: 9, batches: 5}, "list", nil, "dataset acme_2026 has lost a batch"},
		"another list":            {with, held{version: 7, batches: 5}, "newer list", []string{"list"}, "others may have to be left out"},
		"a contract has come":     {with, held{version: 7, batches: 5}, "list", nil, "others may have to be left out"},
		"on the same list":        {listed, held{version: 7, batches: 5}, "list", []string{"stop-ids@7"}, ""},
		"more are on a list":      {listed, held{version: 8, batches: 6}, "list", []string{"stop-ids@7"}, "others may have to be left out"},
		"the list is not current": {with, held{version: 8, batches: 6}, "list", []string{"list"}, "audience stop is older than dataset acme_2026"},
	} {
		activation, err := c.w.Activation("acme-to-media")
		require.NoError(t, err)
		a := &Activities{Memberships: overtake{evaluated{of: c.w}, c.part}, Lineage: derived{first: 7, last: 7}, Audiences: c.now}
		err = a.stands(t.Context(), c.w, activation, made, c.written)
		if c.message == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, errkind.Conflict, errkind.Of(err), name)
		require.ErrorContains(t, err, c.message, name)
	}
}
