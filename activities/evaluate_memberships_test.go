package activities

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// overtaken has something happen while an evaluation is under way.
type overtaken struct {
	Audiences
	meanwhile func()
}

func (o overtaken) Evaluate(ctx context.Context, asOf time.Time, audiences []store.AudienceScope, done func(name string)) ([]store.Membership, error) {
	out, err := o.Audiences.Evaluate(ctx, asOf, audiences, done)
	o.meanwhile()
	return out, err
}

// AU-34: an evaluation that goes on after a later one was published ends with a conflict that is not tried again, whether it finds that at
// its beginning or only as it publishes, and changes nothing. One that had published before it died is done.
func TestLateEvaluationsEndInConflict(t *testing.T) {
	e := newEvaluator(t)
	at := time.Now().UTC().Truncate(time.Second)
	require.NoError(t, e.evaluate("eval_1", at, "outdoor-families"))
	require.NoError(t, e.evaluate("eval_3", at.Add(2*time.Hour), "outdoor-families"))
	conflict := func(err error) {
		t.Helper()
		require.Equal(t, errkind.Conflict, kindOf(err))
		require.ErrorContains(t, err, "eval_3 of audience outdoor-families is as of ")
		require.ErrorContains(t, err, "nothing is lost")
		var failed *temporal.ApplicationError
		require.True(t, errors.As(err, &failed) && failed.NonRetryable())
		results, err := e.catalog.Evaluation(t.Context(), "eval_2")
		require.NoError(t, err)
		require.Empty(t, results)
		latest, err := e.catalog.LatestMemberships(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, "eval_3", latest["outdoor-families"].Evaluation)
		require.NotContains(t, latest, "coastal-sailors")
	}
	conflict(e.evaluate("eval_2", at.Add(time.Hour)))
	require.NoDirExists(t, e.inside(memberships, "eval_2"), "it did not begin")
	require.NoError(t, e.evaluate("eval_1", at, "outdoor-families"), "it was published")

	e = newEvaluator(t)
	e.Audiences = overtaken{e.Audiences, func() {
		m := store.Membership{Audience: "outdoor-families", Part: "memberships/eval_3/outdoor-families.parquet"}
		require.NoError(t, e.catalog.PublishEvaluation(t.Context(), "eval_3", at.Add(2*time.Hour), []store.Membership{m}, at))
	}}
	conflict(e.evaluate("eval_2", at.Add(time.Hour)))
}

// AU-39: an audience that is deleted, and declared anew, while it is evaluated inherits nothing either: it is evaluated again.
func TestDeletedWhileEvaluated(t *testing.T) {
	e := newEvaluator(t)
	at := time.Now().UTC().Truncate(time.Second)
	require.NoError(t, e.evaluate("eval_1", at, "outdoor-families"))
	e.Audiences = overtaken{e.Audiences, func() { require.NoError(t, e.catalog.ForgetAudience(t.Context(), "outdoor-families")) }}
	err := e.evaluate("eval_2", at.Add(time.Hour))
	require.Equal(t, errkind.Transient, kindOf(err))
	require.ErrorContains(t, err, "audience outdoor-families was deleted while it was evaluated")
	results, err := e.catalog.Evaluation(t.Context(), "eval_2")
	require.NoError(t, err)
	require.Empty(t, results)
	require.NoError(t, e.evaluate("eval_2", at.Add(time.Hour)), "there is nothing to forget any more")
}

// counting are datasets in a version, with so many batches.
type counting struct {
	Audiences
	version, batches int64
}

func (c *counting) Versions(ctx context.Context, datasets []store.Dataset) ([]store.Derivation, error) {
	return held{version: c.version, batches: c.batches}.Versions(ctx, datasets)
}

// DS-6: an evaluation in which a batch is undone may know it, and its versions would not tell: it is made again. One in which more is loaded
// is good.
func TestUndoneWhileEvaluated(t *testing.T) {
	e := newEvaluator(t)
	at := time.Now().UTC().Truncate(time.Second)
	datasets := &counting{Audiences: e.Audiences, version: 7, batches: 5}
	meanwhile := func() { datasets.version, datasets.batches = 8, 4 }
	e.Audiences = overtaken{datasets, func() { meanwhile() }}
	err := e.evaluate("eval_1", at, "outdoor-families")
	require.Equal(t, errkind.Transient, kindOf(err))
	require.ErrorContains(t, err, "a batch of dataset acme_2026 was undone while audiences were evaluated")
	results, err := e.catalog.Evaluation(t.Context(), "eval_1")
	require.NoError(t, err)
	require.Empty(t, results)
	meanwhile = func() { datasets.version, datasets.batches = 9, 5 }
	require.NoError(t, e.evaluate("eval_1", at, "outdoor-families"))
	results, err = e.catalog.Evaluation(t.Context(), "eval_1")
	require.NoError(t, err)
	require.Len(t, results, 1)
}

// What to evaluate is said by name, by namespace, or by a dataset whose rows, or whose place as a suppression list, may change who is a member
// or leaves.
func TestChosenAudiences(t *testing.T) {
	w := sampleEdited(t, "audiences.yaml", "kind: Audience\nname: coastal-sailors", "kind: Audience\nname: everybody\nrule: partnerID IS NOT NULL\n---\nkind: Audience\nname: coastal-sailors",
		"governance.yaml", "kind: Policy", "kind: Dataset\nname: stop\nschema: merk-prospects\n---\nkind: SuppressionList\nname: stop\ndataset: stop\nfield: partner.householdID\n---\nkind: Dataset\nname: archive\nschema: merk-prospects\n---\nkind: Policy")
	for name, c := range map[string]struct {
		in   EvaluateMembershipsInput
		want []string
	}{
		"all":              {EvaluateMembershipsInput{}, []string{"outdoor-families", "everybody", "coastal-sailors", "established-households"}},
		"a dataset":        {EvaluateMembershipsInput{Datasets: []string{"merk_2026"}}, []string{"everybody", "established-households"}},
		"a namespace":      {EvaluateMembershipsInput{Namespaces: []string{"acme_pid"}}, []string{"outdoor-families", "everybody", "coastal-sailors"}},
		"a list":           {EvaluateMembershipsInput{Datasets: []string{"stop"}}, []string{"outdoor-families", "everybody", "coastal-sailors"}},
		"both":             {EvaluateMembershipsInput{Datasets: []string{"stop"}, Namespaces: []string{"merk_pid"}}, []string{"outdoor-families", "everybody", "coastal-sailors", "established-households"}},
		"not for profiles": {EvaluateMembershipsInput{Datasets: []string{"archive"}}, nil},
	} {
		found, err := chosen(w, c.in)
		require.NoError(t, err, name)
		var names []string
		for _, audience := range found {
			names = append(names, audience.Name)
		}
		require.ElementsMatch(t, c.want, names, name)
	}
	for _, in := range []EvaluateMembershipsInput{{Datasets: []string{"none"}}, {Namespaces: []string{"none"}}, {Namespaces: []string{"acme_pid"}, Audiences: []string{"everybody"}}} {
		_, err := chosen(w, in)
		require.Error(t, err)
	}
	a := Activities{Workspace: func(context.Context) (*workspace.Workspace, error) { return w, nil }}
	activations, err := a.ListActivationsOf(t.Context(), ListActivationsOfInput{Audiences: []string{"established-households", "none"}})
	require.NoError(t, err)
	require.Equal(t, []string{"merk-to-liveramp"}, activations)
}
