package workflows

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Runs that were started by an earlier version go on with this one: their recorded histories lead the
// workflows through the same steps. A change that fails here needs workflow.GetVersion.
func TestRecordedHistoriesReplay(t *testing.T) {
	all := map[string]any{"SyncSource": SyncSource, "IngestFile": IngestFile, "EvaluateAudiences": EvaluateAudiences, "ActivateAudiences": ActivateAudiences,
		"ApplyWorkspace": ApplyWorkspace, "PlanWorkspace": PlanWorkspace}
	for name := range all {
		files := histories(t, name)
		for _, file := range files {
			replayer := worker.NewWorkflowReplayer()
			for _, w := range all {
				replayer.RegisterWorkflow(w)
			}
			require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(nil, file), file)
		}
		t.Logf("%s: %d histories", name, len(files))
	}
}

// The test above can fail: another order of steps does not fit a recorded history.
func TestChangedWorkflowDoesNotReplay(t *testing.T) {
	changed := func(ctx workflow.Context, in IngestFileInput) (IngestFileResult, error) {
		out := IngestFileResult{Source: in.Source, Path: in.Path}
		return out, loadTaken(ctx, &out, in)
	}
	replayer := worker.NewWorkflowReplayer()
	replayer.RegisterWorkflowWithOptions(changed, workflow.RegisterOptions{Name: "IngestFile"})
	require.Error(t, replayer.ReplayWorkflowHistoryFromJSONFile(nil, histories(t, "IngestFile-Completed")[0]))
}

func histories(t *testing.T, prefix string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "testdata", "histories", prefix+"-*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "no history of %s is recorded; see worker/histories_test.go", strings.TrimSuffix(prefix, "-"))
	return files
}
