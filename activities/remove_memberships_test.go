package activities

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/store/duckdb"
	"prospector/internal/workspace"
)

// evaluator evaluates the sample's audiences over datasets without rows.
type evaluator struct {
	*testing.T
	*Activities
	catalog   *catalog.Catalog
	workspace *workspace.Workspace
	env       *testsuite.TestActivityEnvironment
}

func newEvaluator(t *testing.T) *evaluator {
	dir := t.TempDir()
	s, err := duckdb.Open(t.Context(), dir, duckdb.Options{MemoryLimit: "512MB"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	c, err := sqlite.Open(t.Context(), filepath.Join(dir, "catalog.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	e := &evaluator{T: t, catalog: c, workspace: sampleEdited(t)}
	e.Activities = &Activities{DataDir: dir, Workspace: func(context.Context) (*workspace.Workspace, error) { return e.workspace, nil },
		Applied: c, Audit: c, Ledger: c, Memberships: c, Lineage: c, Audiences: s}
	var suite testsuite.WorkflowTestSuite
	e.env = suite.NewTestActivityEnvironment()
	e.env.RegisterActivity(e.Activities)
	return e
}

func (e *evaluator) evaluate(id string, asOf time.Time, names ...string) error {
	_, err := e.env.ExecuteActivity(e.EvaluateMemberships, EvaluateMembershipsInput{Evaluation: id, AsOf: asOf, Audiences: names})
	return err
}

// parts are the files of memberships.
func (e *evaluator) parts() []string {
	e.Helper()
	out, err := filepath.Glob(e.inside(memberships, "*", "*"))
	require.NoError(e, err)
	for i, file := range out {
		out[i], err = filepath.Rel(e.inside(memberships), file)
		require.NoError(e, err)
	}
	return out
}

// abandon leaves a part that was never published.
func (e *evaluator) abandon(id, part string) {
	e.Helper()
	require.NoError(e, os.MkdirAll(e.inside(memberships, id), 0o700))
	require.NoError(e, os.WriteFile(e.inside(memberships, id, part), []byte("members"), 0o600))
}

// AU-39: who was in an audience is kept of the current and the previous evaluation, and of nothing else: not of evaluations that were
// not published, nor of audiences that are deleted, from whose members one that is declared under the same name inherits nothing.
func TestMembershipsAreRemoved(t *testing.T) {
	e := newEvaluator(t)
	at := time.Now().UTC().Truncate(time.Second)
	for i, id := range []string{"eval_1", "eval_2", "eval_3"} {
		e.abandon("eval_cancelled", "outdoor-families.parquet")
		require.NoError(t, e.evaluate(id, at.Add(time.Duration(i)*time.Minute), "outdoor-families", "coastal-sailors"))
	}
	require.Equal(t, []string{"eval_2/coastal-sailors.parquet", "eval_2/outdoor-families.parquet", "eval_3/coastal-sailors.parquet", "eval_3/outdoor-families.parquet"}, e.parts())
	require.NoDirExists(t, e.inside(memberships, "eval_1"))

	e.abandon("eval_3", "failed.parquet")
	e.abandon("eval_underway", "outdoor-families.parquet")
	all := e.workspace
	apply := func(version, previous string, w *workspace.Workspace) {
		t.Helper()
		bundle, err := BundleWorkspace(w.Files)
		require.NoError(t, err)
		e.workspace = w
		in := RecordWorkspaceInput{WorkspaceInput: WorkspaceInput{Bundle: bundle}, Version: version, Previous: previous, Digest: w.Files.Digest()}
		for range 2 { // another attempt, after one whose answer was lost
			_, err = e.env.ExecuteActivity(e.RecordWorkspace, in)
			require.NoError(t, err)
		}
	}
	apply("ws_1", "", all)
	require.Equal(t, []string{"eval_2/coastal-sailors.parquet", "eval_2/outdoor-families.parquet", "eval_3/coastal-sailors.parquet", "eval_3/outdoor-families.parquet", "eval_underway/outdoor-families.parquet"}, e.parts(),
		"an evaluation may be under way")
	apply("ws_2", "ws_1", sampleEdited(t, "audiences.yaml", "name: coastal-sailors", "name: inland-sailors", "activations.yaml", "coastal-sailors", "inland-sailors"))
	require.Equal(t, []string{"eval_2/outdoor-families.parquet", "eval_3/outdoor-families.parquet", "eval_underway/outdoor-families.parquet"}, e.parts())
	history, err := e.catalog.AudienceHistory(t.Context(), "coastal-sailors", 10)
	require.NoError(t, err)
	require.Len(t, history, 3, "the numbers stay")
	apply("ws_3", "ws_2", all)
	latest, err := e.catalog.LatestMemberships(t.Context(), "")
	require.NoError(t, err)
	require.NotContains(t, latest, "coastal-sailors")

	require.NoError(t, e.evaluate("eval_4", at.Add(time.Hour), "coastal-sailors"))
	e.workspace = sampleEdited(t, "audiences.yaml", "name: coastal-sailors", "name: inland-sailors", "activations.yaml", "coastal-sailors", "inland-sailors")
	e.abandon("eval_cancelled", "outdoor-families.parquet")
	require.NoError(t, e.evaluate("eval_4", at.Add(time.Hour)), "it was published, and ends only now: the audience was deleted meanwhile")
	require.Equal(t, []string{"eval_2/outdoor-families.parquet", "eval_3/outdoor-families.parquet"}, e.parts())
}
