package server_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/api"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
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
	_, err = f.client.Preview(t.Context(), api.PreviewRequest{Rule: "partner.hiking = '" + strings.Repeat("x", 1<<20) + "'"})
	require.Equal(t, errkind.Invalid, errkind.Of(err))

	f.workspace.Sandbox.Evaluation.MinimumCount = 3
	p, err = f.client.Preview(t.Context(), api.PreviewRequest{Audience: "hikers", Sample: 1})
	require.NoError(t, err)
	require.True(t, p.Withheld)
	require.Zero(t, p.Profiles+int64(len(p.Namespaces)+len(p.Sample)))
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
