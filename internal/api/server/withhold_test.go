package server_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/api"
	"prospector/internal/errkind"
	"prospector/internal/store"
)

// small is a workspace of two partners that withholds below three: six hikers and four others of Acme's, of whom one is not of the
// east; two older people and five others of Merk's.
func small(t *testing.T) *fixture {
	f := newFixture(t)
	f.edit(audiences + "---\nkind: Audience\nname: either\nrule: partner.hiking = 'Y' OR merkle.demographics.age.age > 30\n" +
		"---\nkind: Audience\nname: five-hikers\nnamespaces: [acme_pid]\nrule: partner.hiking = 'Y'\nlimit: {profiles: 5}\n")
	f.workspace.Sandbox.Evaluation.MinimumCount = 3
	rows, merk := "", "merk_id|age|birthdate|education|gender|household_count|marital_status|occupation\n"
	for i := range 10 {
		state, hiking := "MA", "Y"
		if i >= 6 {
			hiking = "N"
		}
		if i == 9 {
			state = "CA"
		}
		rows += row(fmt.Sprint("a", i), state, hiking)
	}
	for i := range 7 {
		merk += fmt.Sprintf("m%d|%d||||||\n", i, 20+20*min(1, i/5))
	}
	f.load("batch_1", rows)
	f.loadFrom("merk", "batch_2", merk)
	return f
}

// AU-37: a preview tells no group that is too small, be it by namespace, by a limit, or by subtraction from what it tells.
func TestPreviewsWithholdSmallParts(t *testing.T) {
	f := small(t)
	for name, c := range map[string]struct {
		in      api.PreviewRequest
		want    store.Preview
		whole   bool // withheld, even the size
		partly  bool // the breakdown is
		sampled int
	}{
		"all told":             {api.PreviewRequest{Rule: "partner.hiking = 'Y'", Namespaces: []string{"acme_pid"}}, store.Preview{Profiles: 6, Matching: 6, Total: 10, Namespaces: map[string]int64{"acme_pid": 6}}, false, false, 6},
		"one namespace":        {api.PreviewRequest{Audience: "either"}, store.Preview{Profiles: 8}, false, true, 0},
		"that namespace alone": {api.PreviewRequest{Audience: "either", Namespaces: []string{"merk_pid"}}, store.Preview{Total: 7}, true, false, 0},
		"all others":           {api.PreviewRequest{Rule: "_luma.prospect.state = 'MA'", Namespaces: []string{"acme_pid"}}, store.Preview{Profiles: 9}, false, true, 9},
		"beyond a limit":       {api.PreviewRequest{Audience: "five-hikers"}, store.Preview{Profiles: 5}, false, true, 5},
		"nobody":               {api.PreviewRequest{Rule: "_luma.prospect.state = 'NY'", Namespaces: []string{"acme_pid"}}, store.Preview{Total: 10, Namespaces: map[string]int64{"acme_pid": 0}}, false, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.Sample = 20
			p, err := f.client.Preview(t.Context(), c.in)
			require.NoError(t, err)
			require.Equal(t, c.want, p.Preview)
			require.Equal(t, []bool{c.whole, c.partly}, []bool{p.Withheld, p.BreakdownWithheld})
			require.Len(t, p.Sample, c.sampled)
		})
	}
}

// AU-31, AU-34: results, members and overlaps tell no group that is too small either.
func TestMembershipsWithholdSmallParts(t *testing.T) {
	f := small(t)
	at := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	f.evaluate("eval_1", at, "hikers", "eastern", "either")
	members := func(name string, query url.Values) ([]store.Member, error) {
		page, err := f.client.Members(t.Context(), name, query)
		return page.Members, err
	}
	for _, query := range []url.Values{nil, {"namespace": {"merk_pid"}}, {"namespace": {"acme_pid"}}} {
		_, err := members("either", query)
		require.Equal(t, errkind.Denied, errkind.Of(err), "those of one namespace are too few, and told by the others")
	}
	found, err := members("hikers", nil)
	require.NoError(t, err)
	require.Equal(t, "realized", found[0].Status)
	overlap := func() api.OverlapPair {
		o, err := f.client.Overlap(t.Context(), []string{"hikers", "eastern"})
		require.NoError(t, err)
		return o.Pairs[0]
	}
	require.EqualValues(t, 6, overlap().Both)
	f.workspace.Sandbox.Evaluation.MinimumCount = 4
	require.Equal(t, api.OverlapPair{Overlap: store.Overlap{A: "eastern", B: "hikers"}, Withheld: true}, overlap(), "three are in one of them alone")
	f.workspace.Sandbox.Evaluation.MinimumCount = 3

	f.load("batch_3", row("a10", "MA", "Y"))
	f.evaluate("eval_2", at.Add(time.Minute), "hikers")
	found, err = members("hikers", nil)
	require.NoError(t, err)
	require.Len(t, found, 7)
	for _, m := range found {
		require.Equal(t, store.Member{Namespace: "acme_pid", PartnerID: m.PartnerID, LastQualified: at.Add(time.Minute)}, m, "who has just come is not told")
	}
	_, err = members("hikers", url.Values{"status": {"existing"}})
	require.Equal(t, errkind.Denied, errkind.Of(err))

	counts := func(realized, existing, exited int64) store.MemberCounts {
		return store.MemberCounts{Realized: realized, Existing: existing, Exited: exited}
	}
	for i, c := range []struct {
		namespaces []store.NamespaceMembers
		withheld   bool
	}{
		{[]store.NamespaceMembers{{Namespace: "acme_pid", MemberCounts: counts(5, 5, 3), Datasets: map[string]int64{"a": 5, "b": 10}}, {Namespace: "merk_pid", MemberCounts: counts(0, 9, 0), Datasets: map[string]int64{"c": 9}}}, false},
		{[]store.NamespaceMembers{{Namespace: "acme_pid", MemberCounts: counts(2, 8, 3)}, {Namespace: "merk_pid", MemberCounts: counts(8, 8, 0)}}, true},
		{[]store.NamespaceMembers{{Namespace: "acme_pid", MemberCounts: counts(8, 2, 3)}, {Namespace: "merk_pid", MemberCounts: counts(8, 8, 0)}}, true},
		{[]store.NamespaceMembers{{Namespace: "acme_pid", MemberCounts: counts(8, 8, 2)}, {Namespace: "merk_pid", MemberCounts: counts(8, 8, 8)}}, true},
		{[]store.NamespaceMembers{{Namespace: "acme_pid", MemberCounts: counts(5, 5, 0), Datasets: map[string]int64{"a": 10, "b": 1}}}, true},
		{[]store.NamespaceMembers{{Namespace: "acme_pid", MemberCounts: counts(5, 5, 0), Datasets: map[string]int64{"a": 8, "b": 10}}}, true}, // two have none in a
		{[]store.NamespaceMembers{{Namespace: "acme_pid", MemberCounts: counts(5, 5, 0), Datasets: map[string]int64{"a": 5, "b": 6}}}, true},  // one is in both
	} {
		m := store.Membership{Audience: "eastern-hikers", Part: fmt.Sprint(i), Namespaces: c.namespaces}
		for _, n := range c.namespaces {
			m.MemberCounts = counts(m.Realized+n.Realized, m.Existing+n.Existing, m.Exited+n.Exited)
		}
		require.NoError(t, f.catalog.PublishEvaluation(t.Context(), fmt.Sprint("eval_3", i), at.Add(time.Duration(i)*time.Minute), []store.Membership{m}, at))
		shown, err := f.client.Audience(t.Context(), "eastern-hikers")
		require.NoError(t, err)
		require.Equal(t, m.Size(), shown.Result.Size)
		require.Equal(t, c.withheld, shown.Result.BreakdownWithheld, "%v", c.namespaces)
		require.Equal(t, c.withheld, len(shown.Result.Namespaces) == 0)
		history, err := f.client.AudienceHistory(t.Context(), "eastern-hikers", url.Values{"limit": {"1"}})
		require.NoError(t, err)
		require.Equal(t, c.withheld, history.Results[0].BreakdownWithheld)
	}
}
