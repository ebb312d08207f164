package server_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/access"
	"prospector/internal/access/oidc/oidctest"
	"prospector/internal/api"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
)

// federated is the access file with an issuer.
func federated(i *oidctest.Issuer) string {
	return accessFile + fmt.Sprintf(`  ivy: {roles: [log], oidc: ivy@example.com}
oidc:
  issuer: %s
  audience: %s
  claim: email
  groups: {claim: groups, roles: {marketing: [third], everything: [production-all-access]}}
`, i.URL(), oidctest.Audience)
}

// AC-1, AC-6, AC-7, AS-E4: a token of the issuer lets in by the file and by groups, beside the file's own tokens; what is hidden from a
// role is hidden from it. Every other token is refused, and that is recorded.
func TestIssuersTokens(t *testing.T) {
	f, i := newFixture(t), oidctest.Start(t)
	f.relabel(false)
	f.load("batch_1", row("P0001", "MA", "Y"))
	f.declare(federated(i))
	as := func(name string, groups ...string) map[string]any {
		return map[string]any{"email": name, "email_verified": true, "groups": groups}
	}
	const counts, audit = "/api/v1/counts", "/api/v1/audit"
	past := as("ivy@example.com")
	past["exp"] = time.Now().Add(-time.Hour).Unix()
	elsewhere := as("ivy@example.com")
	elsewhere["aud"] = "other"
	for _, c := range []struct {
		path, token string
		status      int
		body        string
	}{
		{audit, i.Token(as("ivy@example.com")), http.StatusOK, ""},
		{counts, i.Token(as("ivy@example.com")), http.StatusForbidden, "the roles of ivy lack View Profiles"},
		{counts, i.Token(as("ivy@example.com", "marketing")), http.StatusOK, ""},
		{counts, i.Token(as("joe", "marketing", "people")), http.StatusOK, ""},
		{audit, i.Token(as("joe", "marketing")), http.StatusForbidden, "the roles of oidc:joe lack View User Activity Log"},
		{counts, i.Token(as("joe", "people")), http.StatusUnauthorized, "no group of oidc:joe has a role"},
		{counts, i.Token(as("hal")), http.StatusUnauthorized, "no group of oidc:hal has a role"},
		{counts, i.Token(as("machine")), http.StatusUnauthorized, "no group of oidc:machine has a role"},
		{counts, "token of hal", http.StatusOK, ""},
		{audit, i.Token(past), http.StatusUnauthorized, "the token has expired"},
		{audit, i.Token(elsewhere), http.StatusUnauthorized, "expected audience"},
		{audit, i.Forged(as("ivy@example.com")), http.StatusUnauthorized, "signed with no key of the issuer"},
		{audit, i.Unsigned(as("ivy@example.com")), http.StatusUnauthorized, "unexpected signature algorithm"},
		{audit, i.Symmetric(as("ivy@example.com")), http.StatusUnauthorized, "unexpected signature algorithm"},
		{audit, i.Token(map[string]any{"email": "ivy@example.com"}), http.StatusUnauthorized, "has not verified"},
	} {
		before := len(f.recorded("Request"))
		status, _, body := f.get(c.path, "Bearer "+c.token)
		require.Equal(t, c.status, status, "%s: %s", c.body, body)
		require.Contains(t, body, c.body)
		refused := 0
		if status != http.StatusOK {
			refused = 1
		}
		require.Len(t, f.recorded("Request"), before+refused, c.body)
	}
	f.Setenv(api.AddressVariable, f.server.Address())
	f.Setenv(api.TokenVariable, i.Token(as("joe", "marketing")))
	joe, err := api.Connect("no such folder")
	require.NoError(t, err)
	page, err := joe.Profiles(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"partner.hiking"}, page.Masked)
	require.Contains(t, f.recorded("Profile"), "allowed oidc:joe browse acme_pid, merk_pid")
}

// An issuer that cannot be asked lets nobody in, and keeps out nobody with a token of the file.
func TestIssuerIsAway(t *testing.T) {
	f, i := newFixture(t), oidctest.Start(t)
	f.declare(federated(i))
	i.Down(true)
	status, _, body := f.get("/api/v1/audit", "Bearer "+i.Token(map[string]any{"email": "ivy@example.com", "email_verified": true}))
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, "cannot be asked for its keys, so that no token of it is taken")
	require.Equal(t, []string{"denied  request GET /api/v1/audit"}, f.recorded("Request"))
	status, _, _ = f.get("/api/v1/audit", "Bearer token of hal")
	require.Equal(t, http.StatusOK, status)
}

// Who signs in is told what the token is worth. The groups that give roles are recorded, for the runs that are started then, and for no
// longer than is said; whom the file knows by a token of its own needs no record.
func TestSignIn(t *testing.T) {
	f, i := newFixture(t), oidctest.Start(t)
	f.declare(federated(i))
	f.Setenv(api.AddressVariable, f.server.Address())
	f.Setenv(api.TokenVariable, i.Token(map[string]any{"email": "joe", "email_verified": true, "groups": []string{"marketing", "people"}}))
	joe, err := api.Connect("no such folder")
	require.NoError(t, err)
	signed, err := joe.SignIn(t.Context())
	require.NoError(t, err)
	require.Equal(t, "oidc:joe", signed.Principal)
	require.Equal(t, []string{"View Datasets", "View Profiles", "View Segments"}, signed.Permissions)
	require.Equal(t, []string{"Third-Party"}, signed.Labels)
	require.WithinDuration(t, time.Now().Add(access.SignIn), *signed.Until, time.Minute)
	require.Equal(t, []string{"allowed oidc:joe sign in oidc:joe"}, f.recorded("SignIn"))
	kept, err := f.catalog.SignedIn(t.Context(), "oidc:joe", time.Now().Add(-time.Minute))
	require.NoError(t, err)
	require.Equal(t, catalog.SignIn{Issuer: i.URL(), Groups: []string{"marketing"}}, kept)
	kept, err = f.catalog.SignedIn(t.Context(), "oidc:joe", time.Now().Add(time.Minute))
	require.NoError(t, err)
	require.Empty(t, kept)

	signed, err = f.as("ann").SignIn(t.Context())
	require.NoError(t, err)
	require.Equal(t, "ann", signed.Principal)
	require.Nil(t, signed.Until)
	_, err = f.as("zoe").SignIn(t.Context())
	require.Equal(t, errkind.Denied, errkind.Of(err))
	require.Len(t, f.recorded("SignIn"), 1)
}
