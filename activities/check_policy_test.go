package activities

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// record keeps decisions in memory.
type record struct {
	decisions map[string]catalog.Decision
	begun     map[string]bool
}

func newRecord() record { return record{map[string]catalog.Decision{}, map[string]bool{}} }

func (r record) RecordDecision(_ context.Context, d catalog.Decision, _ time.Time) (string, error) {
	r.decisions[d.ID] = d
	return d.ID, nil
}
func (r record) Decision(_ context.Context, id string) (catalog.Decision, error) {
	return r.decisions[id], nil
}
func (r record) BeginDelivery(_ context.Context, id string, _ catalog.Decision, _ string, _ time.Time) error {
	r.begun[id] = true
	return nil
}
func (record) DeliveryBegan(context.Context, string) (time.Time, error) { return time.Time{}, nil }
func (record) EndDelivery(context.Context, string, string, catalog.AuditRecord, time.Time) error {
	return nil
}
func (record) UnderWay(context.Context, string, string) (map[string]string, error) { return nil, nil }
func (record) RecordDeparture(context.Context, string, []string, time.Time) error  { return nil }
func (record) RecordReceipt(context.Context, string, catalog.Receipt, time.Time) error {
	return nil
}

// evaluated gives memberships as an evaluation under one workspace left them.
type evaluated struct {
	Memberships
	of *workspace.Workspace
}

func (e evaluated) LatestMemberships(context.Context, string) (map[string]catalog.Membership, error) {
	out := map[string]catalog.Membership{}
	for _, a := range e.of.Audiences {
		out[a.Name] = catalog.Membership{Evaluation: "eval_1", Membership: store.Membership{Audience: a.Name, Part: "part of " + a.Name, Definition: e.of.Definition(a)}}
	}
	return out, nil
}

func (evaluated) KeptParts(context.Context) (map[string][]string, error) { return nil, nil }

func (e evaluated) AudienceHistory(ctx context.Context, audience string, _ int) ([]catalog.Membership, error) {
	latest, err := e.LatestMemberships(ctx, "")
	return []catalog.Membership{latest[audience]}, err
}

// unlabelled are datasets whose rows were loaded under no labels, in their first version.
type unlabelled struct{ Audiences }

func (unlabelled) Versions(ctx context.Context, datasets []store.Dataset) ([]store.Derivation, error) {
	return versioned{version: 1}.Versions(ctx, datasets)
}

func (unlabelled) Labels(context.Context, store.Dataset) (map[string][]string, error) {
	return map[string][]string{}, nil
}
func (unlabelled) Export(context.Context, store.ExportQuery, func(io.Reader) error) (map[string]int64, error) {
	return nil, nil
}

func sampleEdited(t *testing.T, replacements ...string) *workspace.Workspace {
	t.Helper()
	files, err := workspace.Read("../testdata/workspace")
	require.NoError(t, err)
	for i := 0; i < len(replacements); i += 3 {
		require.Contains(t, files[replacements[i]], replacements[i+1])
		files[replacements[i]] = strings.Replace(files[replacements[i]], replacements[i+1], replacements[i+2], 1)
	}
	w, err := workspace.Parse(files)
	require.NoError(t, err)
	return w
}

// clearedIn asks within a step of a delivery whether it may go on.
func clearedIn(env *testsuite.TestActivityEnvironment, a *Activities, c Clearance) error {
	return within(env, func(ctx context.Context) error {
		_, _, _, err := a.cleared(ctx, c)
		return err
	})
}

// within does something as a step.
func within(env *testsuite.TestActivityEnvironment, do func(context.Context) error) error {
	step := func(ctx context.Context) error { return failure(do(ctx)) }
	env.RegisterActivityWithOptions(step, activity.RegisterOptions{Name: "step", DisableAlreadyRegisteredCheck: true})
	_, err := env.ExecuteActivity("step")
	return err
}

// What leaves is what was decided on: a workspace that is applied between the check and a later step (a
// server that was away for a while is enough) stops the delivery when it changes who leaves, with which
// columns, to where or what for, or forbids it (PL-18, EC-37, EC-38).
func TestClearanceHoldsForWhatWasDecided(t *testing.T) {
	c9 := []string{"schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {all: [Third-Party], fields: {partner.sailing: [C9]}}\nconstraints:\n  partner"}
	policy := func(status string) []string {
		return []string{"governance.yaml", "kind: Policy", "kind: Policy\nname: no sailors\nstatus: " + status + "\nmarketingActions: [Cross Site Targeting]\ndeny: {label: C9}\n---\nkind: Policy"}
	}
	edit := func(parts ...[]string) (out []string) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	before := sampleEdited(t, edit(c9, policy("DRAFT"))...)
	for name, c := range map[string]struct {
		after []string
		kind  errkind.Kind // empty: it may leave
	}{
		"nothing changed":        {edit(c9, policy("DRAFT")), ""},
		"another's changed":      {edit(c9, policy("DRAFT"), []string{"activations.yaml", "header: PID", "header: ID"}), ""},
		"policy enabled":         {edit(c9, policy("ENABLED")), errkind.Refused},
		"audience taken out":     {edit(c9, policy("ENABLED"), []string{"activations.yaml", "[outdoor-families, coastal-sailors]", "[outdoor-families]"}), errkind.Refused},
		"rule changed":           {edit(c9, policy("ENABLED"), []string{"audiences.yaml", "partner.sailing = 'Y' AND ", ""}), errkind.Conflict},
		"column added":           {edit(c9, policy("DRAFT"), []string{"activations.yaml", "header: state}", "header: state}\n  - {field: partner.skiing, header: skiing}"}), errkind.Refused},
		"another folder":         {edit(c9, policy("DRAFT"), []string{"destinations.yaml", "prefix: prospects", "prefix: others"}), errkind.Refused},
		"another use":            {edit(c9, policy("DRAFT"), []string{"destinations.yaml", "[Cross Site Targeting]", "[Data Science]"}), errkind.Refused},
		"label on a used field":  {edit(policy("ENABLED"), []string{"schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {all: [Third-Party], fields: {partner.hiking: [C9]}}\nconstraints:\n  partner"}), errkind.Refused},
		"label on another field": {edit(policy("ENABLED"), []string{"schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {all: [Third-Party], fields: {partner.tennis: [C9]}}\nconstraints:\n  partner"}), ""}, // PL-17
	} {
		t.Run(name, func(t *testing.T) {
			holds := before
			a := &Activities{Workspace: func(context.Context) (*workspace.Workspace, error) { return holds, nil },
				Deliveries: newRecord(), Memberships: evaluated{of: before}, Audiences: unlabelled{}, Lineage: firstVersion}
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestActivityEnvironment()
			env.RegisterActivity(a)
			value, err := env.ExecuteActivity(a.CheckPolicy, CheckPolicyInput{Activation: "acme-to-media", Delivery: "dlv_1"})
			require.NoError(t, err)
			var clearance Clearance
			require.NoError(t, value.Get(&clearance))

			holds = sampleEdited(t, c.after...)
			err = clearedIn(env, a, clearance)
			if c.kind == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, c.kind, kindOf(err), "%v", err)
		})
	}
}
