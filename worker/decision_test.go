//go:build !release

package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
	"prospector/internal/workspace"
	"prospector/workflows"
)

// EC-6, PL-18: a policy that is enabled while a delivery is under way stops it before its first byte. That is a decision of its own, with
// what was violated, and the audit tells who wanted the delivery, that it was let begin, and by what it was stopped.
func TestPolicyStopsDeliveryUnderway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, []string{"PROSPECTOR_STOP_AT=deliver"})
	d.putAcme("in/acme_prospects.csv.gz", acmeFile(t, 5))
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, nil))
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil))
	activate := func(d *devProcess) error {
		return d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media", RequestedBy: "ann"}, nil)
	}
	require.True(t, errors.Is(doUntilExit(d, activate), errExited))

	// While the worker is down another one applies the policy.
	c, err := sqlite.Open(t.Context(), filepath.Join(dir, "catalog.db"))
	require.NoError(t, err)
	holds, err := c.Workspace(t.Context())
	require.NoError(t, err)
	files, err := c.WorkspaceFiles(t.Context(), holds.Version)
	require.NoError(t, err)
	files["stop.yaml"] = "kind: Policy\nname: no targeting\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\ndeny: {label: Third-Party}\n"
	require.NoError(t, c.ApplyWorkspace(t.Context(), catalog.WorkspaceVersion{Version: "ws_stop", Digest: workspace.Files(files).Digest(), AppliedAt: time.Now().UTC()}, holds.Version, files, nil, nil))
	require.NoError(t, c.Close())

	d = startDev(t, dir, nil)
	err = activate(d) // the run that was under way is waited for
	require.Equal(t, errkind.Refused, workflows.KindOf(err))
	require.ErrorContains(t, err, `policy "no targeting"`)
	d.stop()

	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "s3", "buckets", "media-drop"), func(path string, _ fs.DirEntry, err error) error {
		require.False(t, err == nil && strings.Contains(path, "media-drop_"), path)
		return err
	}))
	c, err = sqlite.Open(t.Context(), filepath.Join(dir, "catalog.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	records, err := c.Audit(t.Context(), catalog.AuditQuery{Actor: "ann", Limit: 10})
	require.NoError(t, err)
	var told []string
	for _, r := range records {
		told = append([]string{r.Outcome + " " + r.Action + " " + r.Kind}, told...)
	}
	require.Equal(t, []string{"allowed activate Activation", "allowed begin Delivery", "denied activate Activation", "denied end Delivery"}, told)
	delivery := records[0].Object
	stopped, err := c.Decision(t.Context(), "dec_"+delivery[len("dlv_"):]+"_2")
	require.NoError(t, err)
	require.False(t, stopped.Allowed)
	require.Equal(t, "no targeting", stopped.Violations[0].Policy)
	receipts, err := c.Receipts(t.Context(), delivery)
	require.NoError(t, err)
	require.Empty(t, receipts)
}
