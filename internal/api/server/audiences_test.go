package server_test

import (
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/api"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/governance"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// edit applies the sample workspace with more documents.
func (f *fixture) edit(documents string) {
	files, err := workspace.Read("../../../testdata/workspace")
	require.NoError(f, err)
	files["more.yaml"] = documents
	f.workspace, err = workspace.Parse(files)
	require.NoError(f, err)
}

// evaluate computes and publishes audiences, in the order in which they can be.
func (f *fixture) evaluate(id string, asOf time.Time, names ...string) []store.Membership {
	previous, err := f.catalog.LatestMemberships(f.Context(), "")
	require.NoError(f, err)
	var scopes []store.AudienceScope
	for _, name := range names {
		a, err := f.workspace.Audience(name)
		require.NoError(f, err)
		scope := store.AudienceScope{Name: name, Rule: a.Parsed, Previous: previous[name].Part, Part: "memberships/" + id + "/" + name + ".parquet"}
		for _, d := range f.workspace.ProfileDatasets(a.Namespaces) {
			scope.Namespaces = append(scope.Namespaces, store.Namespace{Symbol: f.workspace.Namespace(d), Datasets: []store.Dataset{stored(f.workspace, d)}})
		}
		if a.Limit != nil {
			scope.Limit = &store.Limit{Profiles: a.Limit.Profiles, By: a.Limit.By, Descending: a.Limit.Descending, Seed: a.Limit.Seed}
		}
		scopes = append(scopes, scope)
	}
	out, err := f.store.Evaluate(f.Context(), asOf, scopes, nil)
	require.NoError(f, err)
	for i, name := range names {
		a, err := f.workspace.Audience(name)
		require.NoError(f, err)
		out[i].Definition = f.workspace.Definition(a)
	}
	require.NoError(f, f.catalog.PublishEvaluation(f.Context(), id, asOf, out, asOf))
	return out
}

const audiences = `kind: Audience
name: hikers
tags: [outdoor]
namespaces: [acme_pid]
rule: partner.hiking = 'Y'
---
kind: Audience
name: eastern
status: draft
namespaces: [acme_pid]
notation: pql
rule: _luma.prospect.state in ["MA", "NY"]
---
kind: Audience
name: eastern-hikers
namespaces: [acme_pid]
rule: audience('hikers') AND audience('eastern')
---
kind: Audience
name: retired
status: inactive
namespaces: [acme_pid]
rule: partner.hiking = 'N'
`

// AU-7, AU-8, AU-34, AU-43: what a list, a page, a history and the members of audiences show.
func TestAudiences(t *testing.T) {
	f := newFixture(t)
	f.edit(audiences)
	at := time.Now().UTC().Truncate(time.Second)
	f.load("batch_1", row("a1", "MA", "Y")+row("a2", "CA", "Y")+row("a3", "MA", "N"))
	f.evaluate("eval_1", at.Add(-time.Hour), "hikers", "eastern", "eastern-hikers")
	f.load("batch_2", row("a2", "NY", "Y")+row("a1", "MA", "N"))
	f.evaluate("eval_2", at, "hikers", "eastern", "eastern-hikers")
	version := catalog.WorkspaceVersion{Version: "ws_1", Digest: "d", AppliedBy: "ann", AppliedAt: at}
	require.NoError(t, f.catalog.ApplyWorkspace(t.Context(), version, "", map[string]string{}, []catalog.ObjectChange{{Kind: "Audience", Name: "hikers", Action: "add"}, {Kind: "Policy", Name: "No e-mail with vendor data", Action: "add"}},
		[]catalog.AuditRecord{{Run: "r", Action: "apply", Object: "ws_1", Outcome: catalog.AuditAllowed, At: at}}))

	policies, err := f.client.Policies(t.Context())
	require.NoError(t, err)
	require.Equal(t, api.Policy{Name: "No e-mail with vendor data", Type: "custom", Owner: "own", Description: policies.Policies[0].Description, Status: "ENABLED", MarketingActions: []string{"Email Targeting"}, Deny: "Third-Party",
		Origin: "governance.yaml:1", Created: &at, CreatedBy: "ann", Updated: &at, UpdatedBy: "ann"}, policies.Policies[0], "PL-11")
	require.Nil(t, policies.Policies[1].Created, "it is built in")
	list, err := f.client.Audiences(t.Context(), url.Values{"tags": {"outdoor,none"}})
	require.NoError(t, err)
	require.Len(t, list.Audiences, 1)
	hikers := list.Audiences[0]
	require.Equal(t, "ann", hikers.UpdatedBy)
	require.Equal(t, at, hikers.Created.UTC())
	require.EqualValues(t, 1, hikers.Result.Size)
	require.Equal(t, store.MemberCounts{Existing: 1, Exited: 1}, hikers.Result.MemberCounts)
	list, err = f.client.Audiences(t.Context(), nil)
	require.NoError(t, err)
	for _, a := range list.Audiences {
		require.NotEqual(t, "retired", a.Name, "AU-39: hidden unless asked for")
	}
	list, err = f.client.Audiences(t.Context(), url.Values{"status": {"inactive"}})
	require.NoError(t, err)
	require.Equal(t, "retired", list.Audiences[0].Name)

	shown, err := f.client.Audience(t.Context(), "eastern")
	require.NoError(t, err)
	require.Equal(t, "_luma.prospect.state IN ('MA', 'NY')", shown.RuleSQL)
	require.Equal(t, []string{"eastern-hikers"}, shown.UsedBy)
	require.Equal(t, map[string]int64{"acme_2026": 3}, shown.Result.Namespaces[0].Datasets)
	referring, err := f.client.Audience(t.Context(), "eastern-hikers")
	require.NoError(t, err)
	require.Equal(t, []string{"_luma.prospect.state", "partner.hiking"}, referring.Columns, "those of the audiences that it refers to")
	require.Contains(t, referring.Labels, "Third-Party", "and their labels")

	history, err := f.client.AudienceHistory(t.Context(), "eastern-hikers", nil)
	require.NoError(t, err)
	require.Equal(t, []store.MemberCounts{{Realized: 1, Exited: 1}, {Realized: 1}}, []store.MemberCounts{history.Results[0].MemberCounts, history.Results[1].MemberCounts})
	page, err := f.client.Members(t.Context(), "eastern-hikers", url.Values{"status": {"exited"}})
	require.NoError(t, err)
	require.Equal(t, []store.Member{{Namespace: "acme_pid", PartnerID: "a1", Status: "exited", Since: at, LastQualified: at.Add(-time.Hour)}}, page.Members)
	page, err = f.client.Members(t.Context(), "eastern", url.Values{"limit": {"2"}})
	require.NoError(t, err)
	require.Len(t, page.Members, 2)
	page, err = f.client.Members(t.Context(), "eastern", url.Values{"limit": {"2"}, "after": {page.Next}})
	require.NoError(t, err)
	require.Equal(t, "a3", page.Members[0].PartnerID)
	require.Empty(t, page.Next)

	overlap, err := f.client.Overlap(t.Context(), []string{"hikers", "eastern"})
	require.NoError(t, err)
	require.Equal(t, []api.OverlapPair{{Overlap: store.Overlap{A: "eastern", B: "hikers", Both: 1}}}, overlap.Pairs)

	_, err = f.client.Members(t.Context(), "coastal-sailors", nil)
	require.Equal(t, errkind.Missing, errkind.Of(err))
	require.ErrorContains(t, err, "starter audiences evaluate coastal-sailors")
	_, err = f.client.Audience(t.Context(), "hiker")
	require.ErrorContains(t, err, `did you mean "hikers"?`)

	f.workspace.Sandbox.Evaluation.MinimumCount = 2
	shown, err = f.client.Audience(t.Context(), "hikers")
	require.NoError(t, err)
	require.True(t, shown.Result.Withheld)
	require.Zero(t, shown.Result.Size+shown.Result.Existing+int64(len(shown.Result.Namespaces)))
	_, err = f.client.Members(t.Context(), "hikers", nil)
	require.Equal(t, errkind.Denied, errkind.Of(err))
	overlap, err = f.client.Overlap(t.Context(), []string{"hikers", "eastern"})
	require.NoError(t, err)
	require.True(t, overlap.Pairs[0].Withheld)
}

// AU-34: of an audience that failed, the membership that it keeps is shown with the failure beside it, before its first one the failure alone.
// One that was deleted and is declared anew has none. A membership that is broken is named by whatever would read it, with what to do.
func TestFailedAudiences(t *testing.T) {
	f := newFixture(t)
	f.edit(audiences)
	at := time.Now().UTC().Truncate(time.Second)
	f.load("batch_1", row("a1", "MA", "Y")+row("a2", "CA", "Y"))
	f.evaluate("eval_1", at.Add(-time.Hour), "hikers")
	fail := func(id string, at time.Time) {
		t.Helper()
		require.NoError(t, f.catalog.PublishEvaluation(t.Context(), id, at, []store.Membership{{Audience: "hikers", Error: "out of memory"}, {Audience: "eastern", Error: "out of memory"}}, at))
	}
	fail("eval_2", at)
	hikers, err := f.client.Audience(t.Context(), "hikers")
	require.NoError(t, err)
	require.Equal(t, &api.AudienceFailure{Evaluation: "eval_2", AsOf: at, Error: "out of memory"}, hikers.Failure)
	require.Equal(t, "eval_1", hikers.Result.Evaluation)
	require.Equal(t, at.Add(-time.Hour), hikers.Result.AsOf)
	require.EqualValues(t, 2, hikers.Result.Size)
	require.Len(t, hikers.Result.Namespaces, 1)
	list, err := f.client.Audiences(t.Context(), nil)
	require.NoError(t, err)
	for _, a := range list.Audiences {
		switch a.Name {
		case "hikers":
			require.Equal(t, hikers.AudienceSummary, a)
		case "eastern":
			require.Nil(t, a.Result)
			require.Equal(t, "out of memory", a.Failure.Error)
		default:
			require.Nil(t, a.Failure, a.Name)
		}
	}
	history, err := f.client.AudienceHistory(t.Context(), "hikers", nil)
	require.NoError(t, err)
	require.Equal(t, []string{"out of memory", ""}, []string{history.Results[0].Error, history.Results[1].Error})

	f.evaluate("eval_3", at.Add(time.Minute), "hikers")
	hikers, err = f.client.Audience(t.Context(), "hikers")
	require.NoError(t, err)
	require.Nil(t, hikers.Failure)
	require.Equal(t, "eval_3", hikers.Result.Evaluation)

	for _, spoil := range []func(file string) error{func(file string) error { return os.WriteFile(file, []byte("no Parquet"), 0o600) }, os.Remove} {
		require.NoError(t, spoil(filepath.Join(f.dir, "memberships", "eval_3", "hikers.parquet")))
		_, preview := f.client.Preview(t.Context(), api.PreviewRequest{Rule: "_luma.prospect.state = 'MA' AND NOT audience('hikers')", Namespaces: []string{"acme_pid"}})
		_, why := f.client.Why(t.Context(), "eastern-hikers", "acme_pid", "a1")
		_, members := f.client.Members(t.Context(), "hikers", nil)
		for what, err := range map[string]error{"preview": preview, "why": why, "members": members} {
			require.Equal(t, errkind.Missing, errkind.Of(err), what)
			require.ErrorContains(t, err, "the membership of audience hikers is lost or broken; restore memberships/eval_3/hikers.parquet", what)
		}
	}
	require.NoError(t, f.catalog.ForgetAudience(t.Context(), "hikers"))
	hikers, err = f.client.Audience(t.Context(), "hikers")
	require.NoError(t, err)
	require.Nil(t, hikers.Result)
}

// AU-35 to AU-37, AS-20: a preview counts all, exactly, and says what the audience would carry and who would not get it.
func TestPreview(t *testing.T) {
	f := newFixture(t)
	f.edit(audiences)
	f.load("batch_1", row("a1", "MA", "Y")+row("a2", "CA", "Y")+row("a3", "MA", "N"))
	p, err := f.client.Preview(t.Context(), api.PreviewRequest{Audience: "hikers", Sample: 1})
	require.NoError(t, err)
	require.Equal(t, store.Preview{Profiles: 2, Matching: 2, Total: 3, Namespaces: map[string]int64{"acme_pid": 2}}, p.Preview)
	require.Equal(t, "a1", p.Sample[0].PartnerID)
	require.Equal(t, map[string]any{"partner.hiking": "Y"}, p.Sample[0].Attributes)
	require.NotEmpty(t, p.Labels)

	p, err = f.client.Preview(t.Context(), api.PreviewRequest{Rule: `partner.hiking = "Y" and _luma.prospect.state != "CA"`, Notation: "pql", Namespaces: []string{"acme_pid"}})
	require.NoError(t, err)
	require.EqualValues(t, 1, p.Profiles)
	require.Empty(t, p.Sample)
	_, err = f.client.Preview(t.Context(), api.PreviewRequest{Rule: "audience('hikers')"})
	require.Equal(t, errkind.Missing, errkind.Of(err))
	require.ErrorContains(t, err, "audience hikers, which the rule refers to, has no members")
	f.evaluate("eval_1", time.Now().UTC(), "hikers")
	p, err = f.client.Preview(t.Context(), api.PreviewRequest{Rule: "NOT audience('hikers')", Namespaces: []string{"acme_pid"}})
	require.NoError(t, err)
	require.EqualValues(t, 1, p.Profiles)
	for _, wrong := range []api.PreviewRequest{{}, {Audience: "hikers", Rule: "true"}, {Rule: "partner.hikin = 'Y'"}, {Rule: "1=1) UNION SELECT 1"}, {Audience: "hikers", Namespaces: []string{"none"}}} {
		_, err = f.client.Preview(t.Context(), wrong)
		require.Equal(t, errkind.Invalid, errkind.Of(err), "%+v", wrong)
	}
	long := func(size int) string {
		const rule = "partner.hiking = 'Y'"
		return rule + strings.Repeat("\n", size-len(rule))
	}
	p, err = f.client.Preview(t.Context(), api.PreviewRequest{Rule: long(64 << 10), Namespaces: []string{"acme_pid"}})
	require.NoError(t, err, "as long as a rule of a workspace may be, though JSON doubles it")
	require.EqualValues(t, 2, p.Profiles)
	for size, message := range map[int]string{64<<10 + 1: "a rule has at most 65536 bytes, this one has 65537", 1 << 20: "524288 can be sent"} {
		_, err = f.client.Preview(t.Context(), api.PreviewRequest{Rule: long(size)})
		require.Equal(t, errkind.Invalid, errkind.Of(err))
		require.ErrorContains(t, err, message)
	}

	f.workspace.Sandbox.Evaluation.MinimumCount = 3
	p, err = f.client.Preview(t.Context(), api.PreviewRequest{Audience: "hikers", Sample: 1})
	require.NoError(t, err)
	require.True(t, p.Withheld)
	require.Zero(t, p.Profiles+int64(len(p.Namespaces)+len(p.Sample)))
}

// AU-35, PL-3, PL-16: a preview names what would keep an audience from each destination: policies, the labels of loaded rows among what they
// judge, and the terms of contracts that the rule, the destination and the day tell.
func TestPreviewNamesRefusals(t *testing.T) {
	f := newFixture(t)
	f.relabel(false)
	f.load("batch_1", row("a1", "MA", "Y")+row("a2", "CA", "Y"))
	const contract = `---
kind: Contract
name: acme
sources: [acme]
purposes: [Cross Site Targeting, Data Science]
destinations: [media-drop]
licence: {end: 9999-12-31}
territory: {field: _luma.prospect.state, values: [MA, NY]}
suppression: hikers
`
	policy := "---\nkind: Policy\nname: no hikers\nstatus: ENABLED\nmarketingActions: [Cross Site Targeting]\ndeny: {label: C9}\n"
	refused := func(documents string, in api.PreviewRequest) (out []string) {
		t.Helper()
		f.edit(documents)
		f.evaluate("eval_"+rand.Text(), time.Now().UTC(), "hikers")
		in.Namespaces = []string{"acme_pid"}
		p, err := f.client.Preview(t.Context(), in)
		require.NoError(t, err)
		for _, r := range p.Refusals {
			what := r.Term
			if r.Kind != governance.OfContract {
				what = r.MarketingAction + " " + strings.Join(r.Labels, "+")
			}
			require.NotEmpty(t, r.Resolution)
			require.Contains(t, r.Reason, r.Policy)
			out = append(out, r.Destination+": "+r.Policy+": "+what)
		}
		return out
	}
	vendor := "newsletter: No e-mail with vendor data: Email Targeting Third-Party"
	abroad := []string{"liveramp: acme: purposes", "liveramp: acme: destinations", vendor, "newsletter: acme: purposes", "newsletter: acme: destinations"}
	good := api.PreviewRequest{Rule: "_luma.prospect.state = 'MA' AND NOT audience('hikers')"}
	require.Equal(t, abroad, refused(audiences+contract, good))
	require.Equal(t, append([]string{"media-drop: acme: suppression"}, "liveramp: acme: purposes", "liveramp: acme: destinations", "liveramp: acme: suppression", vendor, "newsletter: acme: purposes", "newsletter: acme: destinations", "newsletter: acme: suppression"),
		refused(audiences+contract, api.PreviewRequest{Audience: "eastern"}), "an audience of the workspace")
	require.Contains(t, refused(audiences+contract, api.PreviewRequest{Rule: "NOT audience('hikers')"}), "media-drop: acme: territory")
	require.Contains(t, refused(audiences+contract, api.PreviewRequest{Rule: "_luma.prospect.state IN ('MA','CA') AND NOT audience('hikers')"}), "media-drop: acme: territory")
	require.Contains(t, refused(audiences+strings.Replace(contract, "9999", "2020", 1), good), "media-drop: acme: licence end")
	require.Contains(t, refused(audiences+policy, api.PreviewRequest{Rule: "partner.hiking = 'Y'"}), "media-drop: no hikers: Cross Site Targeting C9", "the label under which its rows were loaded")
	require.Equal(t, []string{vendor}, refused(audiences+policy, api.PreviewRequest{Rule: "_luma.prospect.state = 'MA'"}))
	require.Equal(t, []string{vendor}, refused(audiences, good))
}

// A person sees why a prospect is in an audience, or is not: each condition, its values and its verdict.
func TestWhyInOrOut(t *testing.T) {
	f := newFixture(t)
	f.edit("kind: Audience\nname: eastern-hikers\nnamespaces: [acme_pid]\nrule: partner.hiking = 'Y' AND (_luma.prospect.state = 'MA' OR partner.donorRating = '3')\n")
	f.load("batch_1", row("a1", "MA", "Y")+row("a2", "CA", "Y"))
	why, err := f.client.Why(t.Context(), "eastern-hikers", "acme_pid", "a2")
	require.NoError(t, err)
	require.Equal(t, "unknown", why.Verdict)
	require.Nil(t, why.Evaluated)
	require.Equal(t, []store.PredicateVerdict{
		{Predicate: "partner.hiking = 'Y'", Verdict: "true", Values: map[string]any{"partner.hiking": "Y"}},
		{Predicate: "_luma.prospect.state = 'MA'", Verdict: "false", Values: map[string]any{"_luma.prospect.state": "CA"}},
		{Predicate: "partner.donorRating = '3'", Verdict: "unknown", Values: map[string]any{"partner.donorRating": nil}},
	}, why.Predicates)
	f.evaluate("eval_1", time.Now().UTC(), "eastern-hikers")
	why, err = f.client.Why(t.Context(), "eastern-hikers", "acme_pid", "a1")
	require.NoError(t, err)
	require.Equal(t, "true", why.Verdict)
	require.Equal(t, "realized", why.Membership.Status)
	_, err = f.client.Why(t.Context(), "eastern-hikers", "acme_pid", "nobody")
	require.Equal(t, errkind.Missing, errkind.Of(err))
	_, err = f.client.Why(t.Context(), "eastern-hikers", "merk_pid", "a1")
	require.Equal(t, errkind.Invalid, errkind.Of(err))
}
