package activities

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
	"prospector/internal/plan"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// sized gives memberships with ten members of acme's data each.
type sized struct{ evaluated }

func (s sized) LatestMemberships(ctx context.Context, evaluation string) (map[string]catalog.Membership, error) {
	out, err := s.evaluated.LatestMemberships(ctx, evaluation)
	for name, m := range out {
		m.Namespaces = []store.NamespaceMembers{{Namespace: "acme_pid", Datasets: map[string]int64{"acme_2026": 10}}, {Namespace: "merk_pid", Datasets: map[string]int64{"merk_2026": 1000}}}
		out[name] = m
	}
	return out, err
}

// delivered says how often rows of each contract were delivered.
type delivered struct {
	counts map[string]int64
	since  time.Time
}

func (d *delivered) CountDelivered(_ context.Context, contract string, since time.Time, _ string) (int64, error) {
	d.since = since
	return d.counts[contract], nil
}

func contract(terms string) []string {
	return []string{"contracts.yaml", "", "kind: Contract\nname: acme\nsources: [acme]\npurposes: [Cross Site Targeting, Email Targeting]\n" + terms}
}

// PL-18, EC-7: contracts and the export ban are part of the decision, with the time, the rows and the deliveries as they are. What they forbid does
// not begin, and the decision is recorded with the term that forbids it.
func TestContractsAreCheckedBeforeDelivery(t *testing.T) {
	c12 := []string{"schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner", "labels: {all: [Third-Party], fields: {partner.sailing: [C12]}}\nconstraints:\n  partner"}
	for name, c := range map[string]struct {
		edits     []string
		delivered *delivered
		term      string // empty: it may leave
		message   string
	}{
		"licence holds":          {contract("licence: {start: 2020-01-01, end: 9999-12-31}"), nil, "", ""},
		"licence has ended":      {contract("licence: {end: 2020-12-31}"), nil, "licence end", "its licence ended on 2020-12-31"},
		"licence has not begun":  {contract("licence: {start: 9999-01-01}"), nil, "licence start", "its licence starts on 9999-01-01"},
		"as many rows":           {contract("mostRows: 20"), nil, "", ""},
		"one row too many":       {contract("mostRows: 19"), nil, "mostRows", "the delivery holds 20 rows, 19 are allowed"},
		"last delivery":          {contract("mostActivations: 5"), &delivered{counts: map[string]int64{"acme": 4, "another": 9}}, "", ""},
		"one delivery too many":  {contract("mostActivations: 5"), &delivered{counts: map[string]int64{"acme": 5}}, "mostActivations", "5 deliveries were made, 5 are allowed"},
		"export ban":             {c12, nil, "", "label C12 allows no export in any way"},
		"state by another's law": {contract("territory: {field: _luma.prospect.state, values: [CA]}"), nil, "territory", "the rule does not confine _luma.prospect.state"},
	} {
		t.Run(name, func(t *testing.T) {
			w := sampleEdited(t, c.edits...)
			kept := newRecord()
			a := &Activities{Workspace: func(context.Context) (*workspace.Workspace, error) { return w, nil }, Deliveries: kept,
				Memberships: sized{evaluated{of: w}}, Audiences: unlabelled{}, Lineage: firstVersion}
			if c.delivered != nil {
				a.Delivered = c.delivered
			}
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestActivityEnvironment()
			env.RegisterActivity(a)
			_, err := env.ExecuteActivity(a.CheckPolicy, CheckPolicyInput{Activation: "acme-to-media", Delivery: "dlv_1"})
			decision := kept.decisions["dec_1"]
			require.Equal(t, "dlv_1", decision.Delivery, "each is recorded")
			require.Equal(t, decision.Allowed, kept.begun["dlv_1"])
			if c.message == "" {
				require.NoError(t, err)
				require.True(t, decision.Allowed)
				return
			}
			require.False(t, decision.Allowed)
			require.ErrorContains(t, err, "activation acme-to-media is blocked")
			require.ErrorContains(t, err, c.message)
			require.Equal(t, c.term, decision.Violations[0].Term)
			require.NotEmpty(t, decision.Violations[0].Lineage.Ways())
		})
	}
}

// A licence that ends, or a contract that is applied, after the decision stops the delivery before its next byte (EC-6). That it was
// stopped is a decision of its own, with why, beside the one that let it begin; the audit has both.
func TestContractsAreCheckedAgainWhileDelivering(t *testing.T) {
	holds := sampleEdited(t, contract("licence: {end: 9999-12-31}")...)
	c, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "catalog.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	a := &Activities{Workspace: func(context.Context) (*workspace.Workspace, error) { return holds, nil }, Deliveries: c, Memberships: sized{evaluated{of: holds}}, Audiences: unlabelled{}, Lineage: firstVersion}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(a)
	value, err := env.ExecuteActivity(a.CheckPolicy, CheckPolicyInput{Activation: "acme-to-media", Delivery: "dlv_1", RequestedBy: "ann"})
	require.NoError(t, err)
	var clearance Clearance
	require.NoError(t, value.Get(&clearance))
	require.NoError(t, clearedIn(env, a, clearance))
	for _, stop := range []struct{ id, terms, why string }{
		{"dec_1_2", "licence: {end: 2020-12-31}", "its licence ended on 2020-12-31"},
		{"dec_1_3", "mostRows: 19", "the delivery holds 20 rows, 19 are allowed"},
	} {
		holds = sampleEdited(t, contract(stop.terms)...)
		for range 2 { // tried again, it is the same
			err = clearedIn(env, a, clearance)
			require.Equal(t, errkind.Refused, kindOf(err))
			require.ErrorContains(t, err, stop.why)
		}
		d, err := c.Decision(t.Context(), stop.id)
		require.NoError(t, err)
		require.False(t, d.Allowed)
		require.Contains(t, d.Violations[0].Headline(), stop.why)
	}
	begun, err := c.Decision(t.Context(), "dec_1")
	require.NoError(t, err)
	require.True(t, begun.Allowed)
	_, err = c.Decision(t.Context(), "dec_1_4")
	require.Equal(t, errkind.Missing, errkind.Of(err))
	records, err := c.Audit(t.Context(), catalog.AuditQuery{Kind: "Activation", Actor: "ann", Limit: 10})
	require.NoError(t, err)
	require.Len(t, records, 3)
}

// A step that is tried again after something has changed acts on what it finds then, and that is what is recorded: not what an earlier
// attempt, whose answer was lost, had found.
func TestDecisionsAreThoseThatAreActedOn(t *testing.T) {
	r := newRestricted(t)
	check := func() (out Clearance, err error) {
		value, err := r.env.ExecuteActivity(r.CheckPolicy, CheckPolicyInput{Activation: "acme-to-media", Delivery: "dlv_1"})
		if err == nil {
			err = value.Get(&out)
		}
		return out, err
	}
	first, err := check()
	require.NoError(t, err)
	again, err := check()
	require.NoError(t, err)
	require.Equal(t, first, again)

	elsewhere := sampleEdited(t, append(slices.Clone(sailing), "destinations.yaml", "prefix: prospects", "prefix: others")...)
	r.Workspace = func(context.Context) (*workspace.Workspace, error) { return elsewhere, nil }
	second, err := check()
	require.NoError(t, err)
	require.NoError(t, clearedIn(r.env, r.Activities, second), "it covers what leaves now")
	require.ErrorContains(t, clearedIn(r.env, r.Activities, first), "the workspace has changed since")

	forbidden := sampleEdited(t, append(slices.Clone(sailing), "governance.yaml", "kind: Policy", "kind: Policy\nname: no sailors\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\ndeny: {label: C9}\n---\nkind: Policy")...)
	r.Workspace = func(context.Context) (*workspace.Workspace, error) { return forbidden, nil }
	_, err = check()
	require.Equal(t, errkind.Refused, kindOf(err))
	for id, allowed := range map[string]bool{"dec_1": true, "dec_1_2": true, "dec_1_3": false, "dec_1_4": false} {
		d, err := r.catalog.Decision(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, allowed, d.Allowed, id)
		require.Equal(t, allowed, len(d.Violations) == 0, id)
	}
	records := r.recorded(catalog.AuditQuery{Kind: "Activation", Action: "activate"})
	require.Len(t, records, 4)
	require.Contains(t, records[0].Detail, `decision dec_1_4, destination media-drop; audience coastal-sailors: policy "no sailors"`)
	require.Contains(t, records[1].Detail, "decision dec_1_3, destination media-drop; activation acme-to-media: what is to leave is not what the policy decision covers")
	require.Contains(t, records[2].Detail, "decision dec_1_2,")
}

// AS-E4: whatever keeps a delivery from leaving is a denied decision with its reason, and in the audit with who asked for it: not only
// policies and contracts, but also what its audiences or those who must be left out are in.
func TestRefusalsAreRecorded(t *testing.T) {
	list := "kind: Audience\nname: stop\nnamespaces: [acme_pid]\nrule: partner.tennis = 'Y'\n---\nkind: Audience"
	with := append([]string{"audiences.yaml", "kind: Audience", list}, contract("suppression: stop")...)
	columns := []string{"activations.yaml", "header: state}", "header: state}\n  - {field: partner.skiing, header: skiing}"}
	changed := []string{"audiences.yaml", "partner.sailing = 'Y' AND ", ""}
	overtaken := func(ctx context.Context, a *Activities, c Clearance) error {
		return a.overtaken(ctx, c, errkind.Newf(errkind.Conflict, "a batch was undone"))
	}
	for name, c := range map[string]struct {
		first, then []string // what holds when it is decided, and what later; nothing later: it is refused at once
		memberships Memberships
		of          *derived                                            // of which versions the evaluations were made; the current ones unless given
		later       func(context.Context, *Activities, Clearance) error // what asks then; cleared unless given
		kind        errkind.Kind
		reason      string
	}{
		"never evaluated":           {memberships: nothing{}, kind: errkind.Missing, reason: "audience outdoor-families has not been evaluated yet"},
		"changed since":             {first: changed, memberships: evaluated{of: sampleEdited(t)}, kind: errkind.Conflict, reason: "audience coastal-sailors has changed since it was evaluated"},
		"list is not current":       {first: with, memberships: evaluated{of: sampleEdited(t, with...)}, of: &derived{first: 2, last: 2}, kind: errkind.Conflict, reason: "audience stop is older than dataset acme_2026"},
		"a batch was undone":        {memberships: evaluated{of: sampleEdited(t)}, of: &derived{first: 4, last: 4}, kind: errkind.Conflict, reason: "dataset acme_2026 has lost a batch, or come in, since audience outdoor-families was evaluated"},
		"of what is unknown":        {memberships: evaluated{of: sampleEdited(t)}, of: &derived{}, kind: errkind.Conflict, reason: "dataset acme_2026 has lost a batch, or come in, since audience outdoor-families was evaluated"},
		"another mapping":           {then: columns, memberships: evaluated{of: sampleEdited(t)}, kind: errkind.Refused, reason: "the workspace has changed since"},
		"audience changed underway": {then: changed, memberships: evaluated{of: sampleEdited(t)}, kind: errkind.Conflict, reason: "audience coastal-sailors has changed since it was evaluated"},
		"overtaken":                 {memberships: evaluated{of: sampleEdited(t)}, later: overtaken, kind: errkind.Conflict, reason: "a batch was undone"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRestricted(t)
			use := func(edits []string) {
				w := sampleEdited(t, edits...)
				r.Workspace = func(context.Context) (*workspace.Workspace, error) { return w, nil }
			}
			use(c.first)
			r.Access, r.Memberships, r.Lineage, r.Audiences = nil, c.memberships, derived{first: 3, last: 3}, versioned{version: 3}
			if c.of != nil {
				r.Lineage = *c.of
			}
			value, err := r.env.ExecuteActivity(r.CheckPolicy, CheckPolicyInput{Activation: "acme-to-media", Delivery: "dlv_1", RequestedBy: "ann"})
			denied := "dec_1"
			if c.then != nil || c.later != nil {
				require.NoError(t, err)
				var clearance Clearance
				require.NoError(t, value.Get(&clearance))
				denied = "dec_1_2"
				use(c.then)
				if c.later == nil {
					err = clearedIn(r.env, r.Activities, clearance)
				} else {
					err = within(r.env, func(ctx context.Context) error { return c.later(ctx, r.Activities, clearance) })
				}
			}
			require.Equal(t, c.kind, kindOf(err), "%v", err)
			require.ErrorContains(t, err, c.reason)
			decision, err := r.catalog.Decision(t.Context(), denied)
			require.NoError(t, err)
			require.False(t, decision.Allowed)
			require.Contains(t, decision.Violations[0].Headline(), c.reason)
			record := r.recorded(catalog.AuditQuery{Kind: "Activation", Action: "activate", Actor: "ann"})[0]
			require.Equal(t, catalog.AuditDenied, record.Outcome)
			require.Contains(t, record.Detail, c.reason)
		})
	}
}

// What trying again may mend is no refusal, and leaves no decision.
func TestFailuresAreNoRefusals(t *testing.T) {
	r := newRestricted(t)
	r.Access, r.Memberships = nil, away{}
	_, err := r.env.ExecuteActivity(r.CheckPolicy, CheckPolicyInput{Activation: "acme-to-media", Delivery: "dlv_1"})
	require.ErrorContains(t, err, "the catalog is away")
	_, err = r.catalog.Decision(t.Context(), "dec_1")
	require.Equal(t, errkind.Missing, errkind.Of(err))
}

// away is a catalog that does not answer.
type away struct{ Memberships }

func (away) LatestMemberships(context.Context, string) (map[string]catalog.Membership, error) {
	return nil, errkind.Newf(errkind.Transient, "the catalog is away")
}

// A bound on deliveries that nothing can count is refused, not passed over; its count begins with the licence.
func TestBoundsThatCannotBeCountedAreRefused(t *testing.T) {
	w := sampleEdited(t, contract("licence: {start: 2020-01-01}\nmostActivations: 5")...)
	activation, err := w.Activation("acme-to-media")
	require.NoError(t, err)
	a := &Activities{}
	_, err = a.deliveries(t.Context(), w, activation, "")
	require.ErrorContains(t, err, "contract acme: it bounds deliveries, and nothing counts them here")
	counts := &delivered{}
	a.Delivered = counts
	_, err = a.deliveries(t.Context(), w, activation, "")
	require.NoError(t, err)
	require.Equal(t, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), counts.since)
}

// loads knows of no batches.
type loads struct{ Applied }

func (loads) LoadedBatches(context.Context) (map[string]int64, error) { return nil, nil }

// PL-22: a bound that is tightened below what an active flow delivers is refused when it is planned.
func TestPlansKnowWhatFlowsDeliver(t *testing.T) {
	from, to := sampleEdited(t, contract("mostRows: 20\nmostActivations: 6")...), sampleEdited(t, contract("mostRows: 19\nmostActivations: 5")...)
	a := &Activities{Applied: loads{}, Memberships: sized{evaluated{of: from}}, Delivered: &delivered{counts: map[string]int64{"acme": 5}}}
	facts, err := a.planFacts(t.Context(), "", from, to)
	require.NoError(t, err)
	p := plan.Compare(from, to, facts)
	require.Len(t, p.Refused, 1)
	text := strings.Join(p.Refused[0].Lines(), "\n")
	require.Contains(t, text, `contract "acme" (changed, contracts.yaml:5): the delivery holds 20 rows, 19 are allowed`)
	require.Contains(t, text, `contract "acme" (changed, contracts.yaml:6): 5 deliveries were made, 5 are allowed`)
	require.Empty(t, plan.Compare(from, from, facts).Refused)
}

// AC-7: a plan counts nobody of audiences that whoever asks for it may not see, whatever contract or labels they write into it.
func TestPlansTellNoHiddenSizes(t *testing.T) {
	r := newRestricted(t)
	from, err := r.Workspace(t.Context())
	require.NoError(t, err)
	to := sampleEdited(t, contract("mostRows: 1")...) // without the label
	r.Applied, r.Memberships = loads{}, sized{evaluated{of: from}}
	for who, rows := range map[string]int64{"ben": 10, "zoe": 0, "cem": 20, "": 20} {
		facts, err := r.planFacts(t.Context(), who, from, to)
		require.NoError(t, err)
		require.Equal(t, rows, facts.Rows["acme-to-media"]["acme_2026"], who)
		require.Equal(t, rows, facts.RowsBefore["acme-to-media"]["acme_2026"], who)
	}
}

// Of many violations an error tells the first ones.
func TestRefusalsStayShort(t *testing.T) {
	d := catalog.Decision{ID: "dec_1", Activation: "acme-to-media", Violations: make([]catalog.Violation, 9)}
	require.ErrorContains(t, refusal(d), "and 4 more in decision dec_1")
	d.Violations = d.Violations[:5]
	require.NotContains(t, refusal(d).Error(), "more in decision")
}
