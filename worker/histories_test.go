//go:build !release

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflowservice/v1"

	"prospector/activities"
	"prospector/internal/catalog"
	"prospector/workflows"
)

// saveHistories writes what the replay test of package workflows reads: the histories of the runs that
// d has seen, and of some that end otherwise, one for each workflow and outcome. Histories are recorded
// when a workflow gains steps, and the older ones stay: runs like them may still be under way somewhere.
func saveHistories(t *testing.T, d *devProcess) {
	t.Helper()
	d.putAcme("in/broken.csv.gz", []byte("not gzip"))
	require.Error(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, nil))
	require.Error(t, d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-newsletter"}, nil))
	require.Error(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{Activate: true}, nil))
	folder := filepath.Join(filepath.Dir(d.hostKeyFile), "workspace")
	require.NoError(t, d.run(workflows.PlanWorkspace, workflows.PlanWorkspaceInput{Dir: folder}, nil))
	var ledger activities.ListFilesOutput
	require.NoError(t, d.run(workflows.ListFiles, workflows.ListFilesInput{Source: "acme", State: catalog.Loaded}, &ledger))
	batch := ledger.Files[0].Batch
	require.NoError(t, d.run(workflows.ReplayQuarantine, workflows.ReplayQuarantineInput{Dataset: "acme_2026", Batch: batch}, nil))
	require.Error(t, d.run(workflows.DeleteBatch, workflows.DeleteBatchInput{Dataset: "acme_2026", Batch: "batch_none"}, nil))
	require.NoError(t, d.run(workflows.DeleteBatch, workflows.DeleteBatchInput{Dataset: "acme_2026", Batch: batch, Preview: true}, nil))
	require.NoError(t, d.run(workflows.BackfillSource, workflows.BackfillSourceInput{Source: "merk", From: "2026-11-01", To: "2026-11-02"}, nil))
	require.NoError(t, d.run(workflows.BackfillSource, workflows.BackfillSourceInput{Source: "merk", From: "2026-11-01", To: "2026-11-02", Plan: true}, nil))
	require.NoError(t, d.applyEdited("destinations.yaml", "bucket: media-drop", "bucket: nowhere"))
	require.Error(t, d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media"}, nil))
	require.Error(t, d.applyEdited("identities.yaml", "symbol: merk_pid\ntype: Partner ID", "symbol: merk_pid\ntype: Device ID"))

	listed, err := d.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: d.client.Namespace})
	require.NoError(t, err)
	out := filepath.Join("..", "testdata", "histories")
	require.NoError(t, os.MkdirAll(out, 0o755))
	for _, info := range listed.GetExecutions() {
		events := d.client.GetWorkflowHistory(t.Context(), info.GetExecution().GetWorkflowId(), info.GetExecution().GetRunId(), false,
			enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		var history historypb.History
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(t, err)
			history.Events = append(history.Events, event)
		}
		text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&history)
		require.NoError(t, err)
		name := fmt.Sprintf("%s-%s-%s.json", info.GetType().GetName(), info.GetStatus(), info.GetStartTime().AsTime().Format("20060102150405"))
		require.NoError(t, os.WriteFile(filepath.Join(out, name), machine.ReplaceAll(text, []byte(`"$1": "worker"`)), 0o644))
	}
}

// machine is where a history names the computer on which it was made: who did a step, and a worker's own
// task queue.
var machine = regexp.MustCompile(`"(identity|name)": +"[^"]*[@:][^"]*"`)
