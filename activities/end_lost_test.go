package activities

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
)

// A delivery whose run was terminated does not count as under way for ever: the next run of the same id ends it, with a record. One that
// another id began may be at work.
func TestLostDeliveriesAreEnded(t *testing.T) {
	r := newRestricted(t, contract("mostActivations: 2")...)
	r.Access, r.Delivered, r.DataDir = nil, r.catalog, t.TempDir()
	const mine = "default-test-workflow-id" // of the test environment
	begin := func(workflow, run string) (id string) {
		id = "dlv_" + RunDigest(workflow, run)
		d := catalog.Decision{ID: "dec_" + id, Delivery: id, Activation: "acme-to-media", Destination: "media-drop", Covers: "c", Allowed: true, Contracts: []string{"acme"}, Run: run}
		_, err := r.catalog.RecordDecision(t.Context(), d, time.Now())
		require.NoError(t, err)
		require.NoError(t, r.catalog.BeginDelivery(t.Context(), id, d, "eval_1", time.Now()))
		return id
	}
	lost := begin(mine, "an earlier run")
	begin("an id of somebody's own", "another run")
	underWay := func() int64 {
		n, err := r.catalog.CountDelivered(t.Context(), "acme", time.Time{}, "")
		require.NoError(t, err)
		return n
	}
	require.EqualValues(t, 2, underWay())
	require.NoError(t, within(r.env, func(ctx context.Context) error { return r.endLost(ctx, "acme-to-newsletter", "dlv_1") }))
	require.EqualValues(t, 2, underWay(), "another activation's")

	_, err := r.env.ExecuteActivity(r.CheckPolicy, CheckPolicyInput{Activation: "acme-to-media", Delivery: "dlv_1"})
	require.NoError(t, err)
	require.EqualValues(t, 2, underWay(), "the other one, and this one")
	ended := r.recorded(catalog.AuditQuery{Kind: catalog.AuditedDelivery, Action: "end"})
	require.Len(t, ended, 1)
	require.Equal(t, lost, ended[0].Object)
	require.Contains(t, ended[0].Detail, "its run was ended from outside")
}
