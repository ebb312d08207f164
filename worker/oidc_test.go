//go:build !release

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/access/oidc/oidctest"
	"prospector/internal/api"
	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
	"prospector/workflows"
)

// AC-1, AC-6, AS-E3, AS-E4: whom only a group of the issuer gives roles reads, and starts runs from the command line, whose steps check
// them; so are refused who lacks a permission, a token that has expired, a forged one, and who has not signed in.
func TestIssuersPrincipals(t *testing.T) {
	dir, issuer := t.TempDir(), oidctest.Start(t)
	file := filepath.Join(t.TempDir(), "access.yaml")
	write := func(text string) {
		require.NoError(t, os.WriteFile(file, []byte(text+"oidc: {issuer: '"+issuer.URL()+"', audience: "+oidctest.Audience+", groups: {claim: groups, roles: {marketing: [sender], everybody: [watcher]}}}\n"), 0o600))
	}
	const sender = "  sender: {permissions: [Manage Sources, Evaluate a Segment to an Audience, View Destinations, Manage Destinations, Activate Destinations], labels: ['*']}\n"
	const watcher = "  watcher: {permissions: [View Profiles, View Destinations, Manage Destinations]}\n"
	write("roles:\n" + sender + watcher)
	d := startDev(t, dir, nil, "--access-file", file)
	e, err := api.Find(dir)
	require.NoError(t, err)
	t.Setenv(api.AddressVariable, e.Address)
	starter := starterCommand(t)
	as := func(token string, wantExit int, arguments ...string) string {
		t.Helper()
		t.Setenv(api.TokenVariable, token)
		text, code := starter(d.client.Address, arguments...)
		require.Equal(t, wantExit, code, text)
		return text
	}
	token := func(name string, groups ...string) string {
		return issuer.Token(map[string]any{"sub": name, "groups": groups})
	}
	joe, kim := token("joe", "marketing"), token("kim", "everybody")
	d.putAcme("in/acme_prospects.csv.gz", acmeFile(t, 11))
	require.Contains(t, as(joe, 0, "access", "whoami"), "principal:   oidc:joe")
	as(joe, 0, "run", "sync-source", "acme")
	as(joe, 0, "run", "evaluate-audiences", "outdoor-families", "coastal-sailors")
	as(joe, 0, "run", "activate-audiences", "acme-to-media")
	as(kim, 0, "profiles", "count")

	require.Contains(t, as(joe, 1, "profiles", "count"), "the roles of oidc:joe lack View Profiles")
	require.Contains(t, as(kim, 1, "run", "activate-audiences", "acme-to-media"), "the roles of oidc:kim lack Activate Destinations")
	require.Contains(t, as(kim, 1, "run", "sync-source", "acme"), "the roles of oidc:kim lack Manage Sources")
	f := folder{t, filepath.Join(dir, "workspace")}
	f.replace("destinations.yaml", "prefix: prospects", "prefix: others")
	require.Contains(t, as(kim, 2, "plan", f.dir), "destination media-drop: the roles of oidc:kim lack Activate Destinations: what activation acme-to-media sends would go elsewhere")
	require.Contains(t, as(kim, 2, "apply", "--yes", f.dir), "the roles of oidc:kim lack Activate Destinations")
	require.Contains(t, as(joe, 0, "apply", "--yes", f.dir), "applied: ")
	require.Contains(t, as(token("lou", "others"), 1, "run", "sync-source", "acme"), "no group of oidc:lou has a role")
	expired := issuer.Token(map[string]any{"sub": "joe", "groups": "marketing", "exp": time.Now().Add(-time.Hour).Unix()})
	require.Contains(t, as(expired, 1, "run", "activate-audiences", "acme-to-media"), "the token has expired")
	require.Contains(t, as(issuer.Forged(map[string]any{"sub": "joe", "groups": "marketing"}), 1, "run", "activate-audiences", "acme-to-media"), "no key of the issuer")
	err = d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media", RequestedBy: "oidc:max"}, nil)
	require.Equal(t, errkind.Denied, workflows.KindOf(err))
	require.ErrorContains(t, err, "no group of oidc:max has a role, as far as is known here; sign in anew")

	write("roles:\n" + watcher + "  sender: {permissions: [Manage Sources]}\n")
	err = d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media", RequestedBy: "oidc:joe"}, nil)
	require.ErrorContains(t, err, "the roles of oidc:joe lack", "what the file takes from a group is gone at once")
	d.stop()

	c, err := sqlite.Open(t.Context(), filepath.Join(dir, "catalog.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	for _, q := range []catalog.AuditQuery{
		{Actor: "oidc:joe", Action: "activate", Outcome: catalog.AuditAllowed}, {Actor: "oidc:joe", Action: "end", Kind: "Delivery", Outcome: catalog.AuditAllowed}, {Actor: "oidc:joe", Action: "sync", Outcome: catalog.AuditAllowed},
		{Actor: "oidc:joe", Action: "activate", Outcome: catalog.AuditDenied}, {Actor: "oidc:kim", Action: "activate", Outcome: catalog.AuditDenied}, {Actor: "oidc:kim", Action: "sync", Outcome: catalog.AuditDenied},
		{Actor: "oidc:kim", Kind: "Destination", Action: "apply", Object: "media-drop", Outcome: catalog.AuditDenied}, {Actor: "oidc:joe", Kind: "Destination", Action: "change", Object: "media-drop", Outcome: catalog.AuditAllowed},
		{Actor: "oidc:max", Action: "activate", Outcome: catalog.AuditDenied}, {Actor: "oidc:lou", Kind: catalog.AuditedRequest, Outcome: catalog.AuditDenied},
	} {
		q.Limit = 10
		found, err := c.Audit(t.Context(), q)
		require.NoError(t, err)
		require.Len(t, found, 1, "%+v", q)
	}
	refused, err := c.Audit(t.Context(), catalog.AuditQuery{Kind: catalog.AuditedRequest, Object: "POST /api/v1/sign-in", Outcome: catalog.AuditDenied, Limit: 10})
	require.NoError(t, err)
	require.Len(t, refused, 3, "an expired token, a forged one, and one without a role")
}
