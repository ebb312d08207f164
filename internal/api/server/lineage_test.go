package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/store"
)

// DS-6: where a batch went is told: the audiences and deliveries that were made while it was in its dataset, and of which state of
// it. Audiences that the caller may not see are left out.
func TestWhereABatchWent(t *testing.T) {
	f := newFixture(t)
	f.relabel(false)
	datasets, err := f.workspace.Dataset("acme_2026")
	require.NoError(t, err)
	acme := []store.Dataset{stored(f.workspace, datasets)}
	at := time.Now().UTC().Truncate(time.Second)
	made := func(subject string) {
		versions, err := f.store.Versions(t.Context(), acme)
		require.NoError(t, err)
		require.NoError(t, f.catalog.RecordDerivations(t.Context(), subject, append(versions, store.Derivation{Dataset: "merk_2026", Version: 7})))
	}
	f.load("batch_1", row("a1", "MA", "Y"))
	made("eval_1")
	f.evaluate("eval_1", at.Add(-time.Hour), "hikers", "eastern")
	made("dlv_1")
	require.NoError(t, f.catalog.BeginDelivery(t.Context(), "dlv_1", catalog.Decision{ID: "dec_1", Activation: "acme-to-media", Destination: "media-drop"}, "eval_1", at))
	f.load("batch_2", row("a2", "MA", "Y"))
	made("eval_2")
	f.evaluate("eval_2", at, "hikers")

	first, err := f.client.BatchUses(t.Context(), "acme_2026", "batch_1")
	require.NoError(t, err)
	require.Equal(t, []store.AudienceUse{{Audience: "eastern", Evaluations: 1, First: at.Add(-time.Hour), Last: at.Add(-time.Hour), Current: true},
		{Audience: "hikers", Evaluations: 2, First: at.Add(-time.Hour), Last: at, Current: true}}, first.Audiences)
	require.EqualValues(t, 1, first.Delivered)
	require.Equal(t, []store.DeliveryUse{{Delivery: "dlv_1", Activation: "acme-to-media", Destination: "media-drop", Status: "delivering", Began: at}}, first.Deliveries)
	second, err := f.client.BatchUses(t.Context(), "acme_2026", "batch_2")
	require.NoError(t, err)
	require.Len(t, second.Audiences, 1)
	require.Empty(t, second.Deliveries)
	_, err = f.client.BatchUses(t.Context(), "acme_2026", "batch_9")
	require.Equal(t, errkind.Missing, errkind.Of(err))
	history, err := f.client.AudienceHistory(t.Context(), "hikers", nil)
	require.NoError(t, err)
	require.Equal(t, []store.Derivation{{Dataset: "acme_2026", FirstVersion: 2, Version: 2, Batches: 2, Latest: "batch_2"}}, history.Results[0].DerivedFrom, "of its own namespace only")

	f.declare(strings.Replace(accessFile, "third: {permissions: [View Profiles,", "third: {permissions: [View Destinations, View Profiles,", 1))
	seen, err := f.as("eve").BatchUses(t.Context(), "acme_2026", "batch_1")
	require.NoError(t, err)
	require.Len(t, seen.Audiences, 1, "hikers use a field with label C9")
	require.Equal(t, "eastern", seen.Audiences[0].Audience)
}
