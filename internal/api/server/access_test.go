package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/access"
	"prospector/internal/api"
	"prospector/internal/api/server"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// as is a client with the token of a principal, which is its name.
func (f *fixture) as(name string) *api.Client {
	f.Helper()
	f.Setenv(api.AddressVariable, f.server.Address())
	f.Setenv(api.TokenVariable, "token of "+name)
	client, err := api.Connect("no such folder")
	require.NoError(f, err)
	return client
}

// declare starts the API anew with an access file; TOKEN(name) stands for the digest of somebody's token.
func (f *fixture) declare(file string) {
	f.Helper()
	for {
		before, rest, found := strings.Cut(file, "TOKEN(")
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, ")")
		sum := sha256.Sum256([]byte("token of " + name))
		file = before + "tokenSHA256: " + hex.EncodeToString(sum[:]) + after
	}
	require.NoError(f, f.server.Stop())
	options := f.options()
	options.Access = func() (access.Rules, error) { return access.Parse("access.yaml", []byte(file)) }
	var err error
	f.server, err = server.Start(f.dir, "127.0.0.1:0", false, options)
	require.NoError(f, err)
}

// relabel puts C9 on partner.hiking of acme's schema, and C2 on its identity where identity says so.
func (f *fixture) relabel(identity bool) {
	f.Helper()
	files, err := workspace.Read("../../../testdata/workspace")
	require.NoError(f, err)
	const old = "labels: {all: [Third-Party]}\nconstraints:\n  partner"
	require.Contains(f, files["schemas.yaml"], old)
	labels := "partner.hiking: [C9]"
	if identity {
		labels += ", partnerID: [C2]"
	}
	files["schemas.yaml"] = strings.Replace(files["schemas.yaml"], old, "labels: {all: [Third-Party], fields: {"+labels+"}}\nconstraints:\n  partner", 1)
	files["more.yaml"] = audiences
	f.workspace, err = workspace.Parse(files)
	require.NoError(f, err)
}

const accessFile = `
roles:
  nothing: {permissions: []}
  profiles: {permissions: [View Profiles], labels: ["*"]}
  segments: {permissions: [View Segments], labels: ["*"]}
  datasets: {permissions: [View Datasets], labels: ["*"]}
  log: {permissions: [View User Activity Log]}
  third: {permissions: [View Profiles, View Segments, View Datasets], labels: [Third-Party]}
  none: {permissions: [View Profiles, View Segments, View Datasets]}
principals:
  nobody: {roles: [nothing], TOKEN(nobody)}
  ann: {roles: [profiles], TOKEN(ann)}
  ben: {roles: [segments, profiles], TOKEN(ben)}
  cem: {roles: [datasets], TOKEN(cem)}
  dan: {roles: [log], TOKEN(dan)}
  eve: {roles: [third], TOKEN(eve)}
  fay: {roles: [none], TOKEN(fay)}
  gus: {roles: [production-all-access], TOKEN(gus), expires: 2020-01-01T00:00:00Z}
  hal: {roles: [production-all-access], TOKEN(hal)}
`

// AC-1, AC-2, AC-6, AS-E4: each address wants its permission, and every refusal is recorded with who was refused.
func TestPermissions(t *testing.T) {
	f := newFixture(t)
	f.relabel(false)
	f.load("batch_1", row("P0001", "MA", "Y"))
	f.evaluate("eval_1", time.Now().UTC(), "hikers", "eastern", "eastern-hikers")
	f.declare(accessFile)
	id := "namespace=acme_pid&id=P0001"
	addresses := map[string][]string{
		"/api/v1/profiles": {"ann", "ben", "hal"}, "/api/v1/profile?" + id: {"ann", "ben", "hal"}, "/api/v1/profile/provenance?" + id: {"ann", "ben", "hal"}, "/api/v1/counts": {"ann", "ben", "hal"},
		"/api/v1/audiences": {"ben", "hal"}, "/api/v1/audiences/hikers": {"ben", "hal"}, "/api/v1/audiences/hikers/history": {"ben", "hal"}, "/api/v1/overlap?audiences=hikers,eastern": {"ben", "hal"},
		"/api/v1/audiences/hikers/members": {"ben", "hal"}, "/api/v1/audiences/hikers/why?" + id: {"ben", "hal"},
		"/api/v1/datasets/acme_2026/batches": {"cem", "hal"}, "/api/v1/datasets/acme_2026/batches/batch_1": {"cem", "hal"}, "/api/v1/datasets/acme_2026/batches/batch_1/uses": {"hal"},
		"/api/v1/datasets/acme_2026/quarantine": {"hal"}, "/api/v1/datasets/acme_2026/quarantine/export": {"hal"},
		"/api/v1/policies": {"hal"}, "/api/v1/audit": {"dan", "hal"}, "/api/v1/audit/head": {"dan", "hal"}, "/api/v1/audit/verify": {"dan", "hal"}, "/api/v1/audit/export": {"dan", "hal"},
	}
	refused := map[string]int{}
	for address, allowed := range addresses {
		for _, who := range []string{"nobody", "ann", "ben", "cem", "dan", "hal"} {
			status, _, body := f.get(address, "Bearer token of "+who)
			if slices.Contains(allowed, who) {
				require.Equal(t, http.StatusOK, status, "%s %s %s", who, address, body)
				continue
			}
			require.Equal(t, http.StatusForbidden, status, "%s %s", who, address)
			require.Contains(t, body, "the roles of "+who+" lack")
			require.NotContains(t, body, "P0001")
			refused[who]++
		}
	}
	for who, n := range refused {
		found := slices.DeleteFunc(f.recorded("Request"), func(r string) bool { return !strings.HasPrefix(r, "denied "+who+" request ") })
		require.Len(t, found, n)
	}
	_, err := f.as("ben").Preview(t.Context(), api.PreviewRequest{Audience: "hikers"})
	require.NoError(t, err)
	_, err = f.as("cem").Preview(t.Context(), api.PreviewRequest{Audience: "hikers"})
	require.Equal(t, errkind.Denied, errkind.Of(err))
}

// An expired token, a forged one, none, and the machine's own where the file gives it no role, are refused and recorded.
func TestRefusedTokens(t *testing.T) {
	f := newFixture(t)
	f.declare(accessFile)
	e, err := api.Find(f.dir)
	require.NoError(t, err)
	for authorization, want := range map[string]string{
		"Bearer token of gus":  "the access of gus has expired",
		"Bearer token of zoe":  "no valid token",
		"Bearer ":              "no valid token",
		"":                     "no valid token",
		"Basic token of hal":   "no valid token",
		"Bearer " + e.Token:    `names no principal "machine"`,
		"Bearer token of hal ": "no valid token",
	} {
		status, _, body := f.get("/api/v1/counts", authorization)
		if authorization == "Bearer token of hal " { // a header's end is no part of it
			require.Equal(t, http.StatusOK, status)
			continue
		}
		require.Equal(t, http.StatusUnauthorized, status, authorization)
		require.Contains(t, body, strings.ReplaceAll(want, `"`, `\"`))
	}
	recorded := f.recorded("Request")
	require.Len(t, recorded, 6)
	require.Contains(t, recorded, "denied gus request GET /api/v1/counts")
	require.Contains(t, recorded, "denied machine request GET /api/v1/counts")

	f.declare(accessFile + "  machine: {roles: [profiles]}\n")
	f.Setenv(api.TokenVariable, "")
	client, err := api.Connect(f.dir)
	require.NoError(t, err)
	_, err = client.Counts(t.Context())
	require.NoError(t, err)
	_, err = client.Audiences(t.Context(), nil)
	require.Equal(t, errkind.Denied, errkind.Of(err))

	require.NoError(t, f.server.Stop())
	options := f.options()
	options.Access = func() (access.Rules, error) { return access.Rules{}, errors.New("broken") }
	f.server, err = server.Start(f.dir, "127.0.0.1:0", false, options)
	require.NoError(t, err)
	status, _, _ := f.get("/api/v1/counts", "Bearer token of hal")
	require.Equal(t, http.StatusUnauthorized, status, "a file that cannot be read lets nobody in")
}

// AC-7: attributes whose labels the roles do not hold are masked wherever values are shown, and nothing tells them: no condition over
// them, no audience by them. The labels under which rows were loaded count as well as those that are declared.
func TestMasking(t *testing.T) {
	f := newFixture(t)
	f.relabel(false)
	f.load("batch_1", row("P0001", "MA", "Y")+row("P0002", "MA", "N")+row("P0003", "XX", "Y"))
	f.evaluate("eval_1", time.Now().UTC(), "hikers", "eastern", "eastern-hikers")
	f.declare(accessFile)
	ctx, all, eve := t.Context(), f.as("hal"), f.as("eve")
	const hidden = "partner.hiking"

	page, err := all.Profiles(ctx, nil)
	require.NoError(t, err)
	require.Equal(t, "Y", page.Profiles[0].Attributes[hidden])
	require.Empty(t, page.Masked)
	page, err = eve.Profiles(ctx, nil)
	require.NoError(t, err)
	require.Equal(t, []string{hidden}, page.Masked)
	require.Len(t, page.Profiles, 2)
	for _, p := range page.Profiles {
		require.NotContains(t, p.Attributes, hidden)
		require.Equal(t, "MA", p.Attributes["_luma.prospect.state"])
	}
	page, err = eve.Profiles(ctx, url.Values{"columns": {"_luma.prospect.state"}, "where": {"_luma.prospect.state = 'MA'"}})
	require.NoError(t, err)
	require.Len(t, page.Profiles[0].Attributes, 1)

	p, err := eve.Profile(ctx, "acme_pid", "P0001")
	require.NoError(t, err)
	require.NotContains(t, p.Attributes, hidden)
	require.Equal(t, []string{hidden}, p.Masked)
	var in []string
	for _, a := range p.Audiences {
		in = append(in, a.Audience)
	}
	require.Equal(t, []string{"eastern"}, in, "that it is in the others tells the value")
	require.True(t, p.MaskedAudiences)
	if p, err = all.Profile(ctx, "acme_pid", "P0001"); err == nil {
		require.False(t, p.MaskedAudiences)
	}
	require.NoError(t, err)
	why, err := eve.Provenance(ctx, "acme_pid", "P0001")
	require.NoError(t, err)
	require.NotContains(t, why.Attributes, hidden)
	require.NotEmpty(t, why.Attributes)
	for _, fragment := range why.Fragments {
		require.NotContains(t, fragment.Attributes, hidden)
	}
	list, err := eve.Audiences(ctx, nil)
	require.NoError(t, err)
	for _, a := range list.Audiences {
		require.NotContains(t, a.Rule, hidden)
		require.NotEqual(t, "eastern-hikers", a.Name)
	}
	rejected, err := eve.Quarantine(ctx, "acme_2026", nil)
	require.NoError(t, err)
	require.Len(t, rejected.Rows, 1)
	require.Nil(t, rejected.Rows[0].Raw)
	require.Equal(t, []string{hidden}, rejected.Masked)
	rejected, err = all.Quarantine(ctx, "acme_2026", nil)
	require.NoError(t, err)
	require.Contains(t, *rejected.Rows[0].Raw, "P0003")
	_, err = eve.Members(ctx, "eastern", nil)
	require.NoError(t, err)
	preview, err := eve.Preview(ctx, api.PreviewRequest{Rule: "_luma.prospect.state = 'MA'", Sample: 5, Namespaces: []string{"acme_pid"}})
	require.NoError(t, err)
	require.Len(t, preview.Sample, 2)

	before := len(f.recorded("Request"))
	refusals := map[string]func() error{
		"where":           func() error { _, err := eve.Profiles(ctx, url.Values{"where": {hidden + " = 'Y'"}}); return err },
		"columns":         func() error { _, err := eve.Profiles(ctx, url.Values{"columns": {hidden}}); return err },
		"preview rule":    func() error { _, err := eve.Preview(ctx, api.PreviewRequest{Rule: hidden + " = 'Y'"}); return err },
		"preview of name": func() error { _, err := eve.Preview(ctx, api.PreviewRequest{Audience: "hikers"}); return err },
		"preview by reference": func() error {
			_, err := eve.Preview(ctx, api.PreviewRequest{Rule: "audience('eastern-hikers')", Namespaces: []string{"acme_pid"}})
			return err
		},
		"audience":              func() error { _, err := eve.Audience(ctx, "hikers"); return err },
		"audience by reference": func() error { _, err := eve.Audience(ctx, "eastern-hikers"); return err },
		"history":               func() error { _, err := eve.AudienceHistory(ctx, "hikers", nil); return err },
		"members":               func() error { _, err := eve.Members(ctx, "hikers", nil); return err },
		"why":                   func() error { _, err := eve.Why(ctx, "eastern-hikers", "acme_pid", "P0001"); return err },
		"overlap":               func() error { _, err := eve.Overlap(ctx, []string{"hikers", "eastern"}); return err },
		"export":                func() error { return eve.ExportQuarantine(ctx, "acme_2026", nil, io.Discard) },
	}
	for name, refused := range refusals {
		err := refused()
		require.Equal(t, errkind.Denied, errkind.Of(err), name)
		require.ErrorContains(t, err, hidden, name)
	}
	require.Len(t, f.recorded("Request"), before+len(refusals))

	// Who a profile is belongs to what is labelled: without its label nothing of it is shown.
	fay := f.as("fay")
	for name, refused := range map[string]func() error{
		"browse":  func() error { _, err := fay.Profiles(ctx, nil); return err },
		"get":     func() error { _, err := fay.Profile(ctx, "acme_pid", "P0001"); return err },
		"explain": func() error { _, err := fay.Provenance(ctx, "acme_pid", "P0001"); return err },
		"members": func() error { _, err := fay.Members(ctx, "eastern", nil); return err },
		"preview": func() error {
			_, err := fay.Preview(ctx, api.PreviewRequest{Rule: "_luma.prospect.state = 'MA'"})
			return err
		},
	} {
		require.Equal(t, errkind.Denied, errkind.Of(refused()), name)
	}
	f.relabel(true)
	_, err = eve.Profiles(ctx, url.Values{"namespace": {"acme_pid"}})
	require.ErrorContains(t, err, "dataset acme_2026: its identities carry labels that your roles do not hold")
	_, err = all.Profiles(ctx, nil)
	require.NoError(t, err)

	f.edit(audiences) // no label is declared any more
	page, err = eve.Profiles(ctx, nil)
	require.NoError(t, err)
	require.Equal(t, []string{hidden}, page.Masked, "its rows were loaded under the label")
	require.Empty(t, f.log.String())
}

// AC-7: a batch of guesses tells no hidden value by how many of its rows changed nothing.
func TestGuessesAreNotTold(t *testing.T) {
	f := newFixture(t)
	f.relabel(false)
	f.load("batch_1", row("P0001", "MA", "Y")+row("P0002", "MA", "N"))
	f.load("batch_2", row("P0001", "MA", "Y")+row("P0002", "MA", "Y"))
	f.declare(accessFile)
	for who, want := range map[string]store.Outcome{
		"hal": {Status: store.Loaded, Read: 2, Accepted: 2, Updated: 1, Unchanged: 1},
		"eve": {Status: store.Loaded, Read: 2, Accepted: 2, Updated: 2, ChangesWithheld: true},
	} {
		shown, err := f.as(who).Batch(t.Context(), "acme_2026", "batch_2")
		require.NoError(t, err)
		require.Equal(t, want, shown.Outcome, who)
		page, err := f.as(who).Batches(t.Context(), "acme_2026", nil)
		require.NoError(t, err)
		require.Equal(t, want, page.Batches[0].Outcome, who)
	}
}

// AC-7: to whom something is hidden, nothing is told of whom an audience held by an earlier rule, which may have used it: not before it
// is evaluated anew, by no reference, and afterwards not by who stayed or left, since when, or how many they were.
func TestEarlierRulesAreNotTold(t *testing.T) {
	f := newFixture(t)
	f.relabel(false)
	schemas := f.workspace.Files
	files := maps.Clone(schemas)
	files["more.yaml"] = strings.Replace(audiences, `_luma.prospect.state in ["MA", "NY"]`, `partner.hiking = "Y"`, 1) + "---\nkind: Audience\nname: new\nnamespaces: [acme_pid]\nrule: audience('eastern')\n"
	before, err := workspace.Parse(files)
	require.NoError(t, err)
	files = maps.Clone(schemas)
	files["more.yaml"] += "---\nkind: Audience\nname: new\nnamespaces: [acme_pid]\nrule: audience('eastern')\n"
	today, err := workspace.Parse(files)
	require.NoError(t, err)

	// By the rule of before, hikers: P0001 and P0003. By that of today, P0001 and P0002.
	f.workspace = before
	f.load("batch_1", row("P0001", "MA", "Y")+row("P0002", "MA", "N")+row("P0003", "CA", "Y"))
	then := time.Now().UTC().Add(-48 * time.Hour).Truncate(time.Second)
	f.evaluate("eval_1", then, "eastern")
	f.workspace = today
	f.declare(accessFile)
	ctx, all, eve := t.Context(), f.as("hal"), f.as("eve")
	for name, refused := range map[string]func() error{
		"members":           func() error { _, err := eve.Members(ctx, "eastern", nil); return err },
		"audience":          func() error { _, err := eve.Audience(ctx, "eastern"); return err },
		"history":           func() error { _, err := eve.AudienceHistory(ctx, "eastern", nil); return err },
		"overlap":           func() error { _, err := eve.Overlap(ctx, []string{"eastern", "new"}); return err },
		"why, by reference": func() error { _, err := eve.Why(ctx, "new", "acme_pid", "P0003"); return err },
		"preview, by reference": func() error {
			_, err := eve.Preview(ctx, api.PreviewRequest{Rule: "audience('eastern')", Namespaces: []string{"acme_pid"}})
			return err
		},
		"preview of a reference": func() error { _, err := eve.Preview(ctx, api.PreviewRequest{Audience: "new"}); return err },
	} {
		err := refused()
		require.Equal(t, errkind.Denied, errkind.Of(err), name)
		require.ErrorContains(t, err, "it has changed since it was evaluated", name)
	}
	_, err = all.Preview(ctx, api.PreviewRequest{Audience: "new", Sample: 5})
	require.NoError(t, err)

	now := then.Add(24 * time.Hour)
	f.evaluate("eval_2", now, "eastern")
	page, err := all.Members(ctx, "eastern", nil)
	require.NoError(t, err)
	require.Equal(t, "existing", page.Members[0].Status)
	require.Equal(t, then, page.Members[0].Since.UTC())
	page, err = eve.Members(ctx, "eastern", nil)
	require.NoError(t, err)
	require.Len(t, page.Members, 2)
	for _, m := range page.Members {
		require.Empty(t, m.Status)
		require.Equal(t, now, m.Since.UTC())
	}
	_, err = eve.Members(ctx, "eastern", url.Values{"status": {"exited"}})
	require.Equal(t, errkind.Denied, errkind.Of(err))
	history, err := all.AudienceHistory(ctx, "eastern", nil)
	require.NoError(t, err)
	require.Len(t, history.Results, 2)
	history, err = eve.AudienceHistory(ctx, "eastern", nil)
	require.NoError(t, err)
	require.Len(t, history.Results, 1)
	require.EqualValues(t, 2, history.Results[0].Size)
	require.True(t, history.Results[0].BreakdownWithheld)
	require.Zero(t, history.Results[0].MemberCounts)
	detail, err := eve.Audience(ctx, "eastern")
	require.NoError(t, err)
	require.Zero(t, detail.Result.MemberCounts)
	for id, want := range map[string]int{"P0001": 1, "P0002": 1, "P0003": 0} {
		p, err := eve.Profile(ctx, "acme_pid", id)
		require.NoError(t, err)
		require.Len(t, p.Audiences, want, id)
		for _, a := range p.Audiences {
			require.Empty(t, a.Status)
			require.Equal(t, now, a.Since.UTC())
		}
		why, err := eve.Why(ctx, "eastern", "acme_pid", id)
		require.NoError(t, err)
		require.Equal(t, want == 1, why.Membership != nil)
	}
	p, err := all.Profile(ctx, "acme_pid", "P0003")
	require.NoError(t, err)
	require.Equal(t, "exited", p.Audiences[0].Status)
}
