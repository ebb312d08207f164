package oidc_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/access"
	"prospector/internal/access/oidc"
	"prospector/internal/access/oidc/oidctest"
	"prospector/internal/errkind"
)

func issuerOf(i *oidctest.Issuer) access.Issuer {
	return access.Issuer{URL: i.URL(), Audience: oidctest.Audience, NameClaim: "sub", GroupsClaim: "groups"}
}

type claims = map[string]any

// A token counts when the issuer has signed it, for us, and it has not expired. It may be an ID token or an access token.
func TestTokensThatCount(t *testing.T) {
	i := oidctest.Start(t)
	var v oidc.Verifier
	for name, c := range map[string]struct {
		claims claims
		claim  string
		want   access.Identity
	}{
		"by subject":          {nil, "sub", access.Identity{Name: "4711"}},
		"several audiences":   {claims{"aud": []string{"other", oidctest.Audience}}, "sub", access.Identity{Name: "4711"}},
		"groups":              {claims{"groups": []string{"a", "b"}}, "sub", access.Identity{Name: "4711", Groups: []string{"a", "b"}}},
		"one group":           {claims{"groups": "a"}, "sub", access.Identity{Name: "4711", Groups: []string{"a"}}},
		"groups are null":     {claims{"groups": json.RawMessage("null")}, "sub", access.Identity{Name: "4711"}},
		"one without a name":  {claims{"groups": ""}, "sub", access.Identity{Name: "4711", Groups: []string{}}},
		"some without a name": {claims{"groups": []any{"", "a", nil}}, "sub", access.Identity{Name: "4711", Groups: []string{"a"}}},
		"by e-mail":           {claims{"email": "ann@example.com", "email_verified": true}, "email", access.Identity{Name: "ann@example.com"}},
		"verified in a text":  {claims{"email": "ann@example.com", "email_verified": "true"}, "email", access.Identity{Name: "ann@example.com"}},
		"our clock is ahead":  {claims{"exp": time.Now().Add(-20 * time.Second).Unix()}, "sub", access.Identity{Name: "4711"}},
		"their clock is":      {claims{"nbf": time.Now().Add(20 * time.Second).Unix()}, "sub", access.Identity{Name: "4711"}},
		"by another claim":    {claims{"upn": "ann"}, "upn", access.Identity{Name: "ann"}},
		"a claim of no sense": {claims{"roles": claims{"x": 1}}, "sub", access.Identity{Name: "4711"}},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := issuerOf(i)
			issuer.NameClaim = c.claim
			got, err := v.Verify(t.Context(), issuer, i.Token(c.claims))
			require.NoError(t, err)
			require.False(t, got.Expires.IsZero())
			got.Expires = time.Time{}
			require.Equal(t, c.want, got)
		})
	}
}

// AS-E4: every other token is refused, with why; the message holds nothing that could be used.
func TestRefusedTokens(t *testing.T) {
	i, stranger := oidctest.Start(t), oidctest.Start(t)
	good := i.Token(nil)
	parts := strings.Split(good, ".")
	otherClaims := strings.Split(i.Token(claims{"sub": "somebody else"}), ".")[1]
	for name, c := range map[string]struct{ token, claim, want string }{
		"expired":                       {i.Token(claims{"exp": time.Now().Add(-time.Minute).Unix()}), "sub", "the token has expired"},
		"without an end":                {i.Token(claims{"exp": nil}), "sub", "the token has expired"},
		"not yet":                       {i.Token(claims{"nbf": time.Now().Add(time.Hour).Unix()}), "sub", "not before"},
		"for somebody else":             {i.Token(claims{"aud": "other"}), "sub", `expected audience "prospector"`},
		"for nobody":                    {i.Token(claims{"aud": nil}), "sub", "expected audience"},
		"for part of our name":          {i.Token(claims{"aud": "prospector2"}), "sub", "expected audience"},
		"of another issuer":             {stranger.Token(nil), "sub", "it is signed with no key of the issuer"},
		"another issuer in ours' name":  {stranger.Token(claims{"iss": i.URL()}), "sub", "it is signed with no key of the issuer"},
		"ours in another's name":        {i.Token(claims{"iss": stranger.URL()}), "sub", "issued by a different provider"},
		"issuer with a slash":           {i.Token(claims{"iss": i.URL() + "/"}), "sub", "issued by a different provider"},
		"forged":                        {i.Forged(nil), "sub", "it is signed with no key of the issuer"},
		"unsigned":                      {i.Unsigned(nil), "sub", "unexpected signature algorithm"},
		"signed with a public key":      {i.Symmetric(nil), "sub", "unexpected signature algorithm"},
		"another's claims":              {parts[0] + "." + otherClaims + "." + parts[2], "sub", "it is signed with no key of the issuer"},
		"without its signature":         {parts[0] + "." + parts[1] + ".", "sub", "the token is refused"},
		"no token":                      {"a.b.c", "sub", "the token is refused"},
		"empty":                         {"..", "sub", "the token is refused"},
		"naming nobody":                 {i.Token(claims{"sub": nil}), "sub", "no claim sub"},
		"naming somebody by a number":   {i.Token(claims{"sub": 5}), "sub", "the token is refused"},
		"with no such claim":            {good, "email", "no claim email"},
		"with a name of two lines":      {i.Token(claims{"sub": "ann\nallowed"}), "sub", "is no name"},
		"with a very long name":         {i.Token(claims{"sub": strings.Repeat("a", 1000)}), "sub", "is no name"},
		"with an e-mail that is typed":  {i.Token(claims{"email": "ann@example.com"}), "email", "has not verified"},
		"with an e-mail not verified":   {i.Token(claims{"email": "ann@example.com", "email_verified": false}), "email", "has not verified"},
		"with groups that are no names": {i.Token(claims{"groups": []any{1}}), "sub", "is no list"},
	} {
		t.Run(name, func(t *testing.T) {
			var v oidc.Verifier
			issuer := issuerOf(i)
			issuer.NameClaim = c.claim
			got, err := v.Verify(t.Context(), issuer, c.token)
			require.Equal(t, errkind.Denied, errkind.Of(err), "%v", err)
			require.ErrorContains(t, err, c.want)
			require.Empty(t, got)
			require.NotContains(t, err.Error(), parts[2])
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// Keys are found anew when the issuer signs with another one; withdrawn ones, and those of an issuer that does not answer any more,
// are worth nothing after ten minutes. Whoever names keys that are not there does not make us ask each time.
func TestKeysRotate(t *testing.T) {
	i := oidctest.Start(t)
	now := time.Now()
	v := oidc.Verifier{Now: func() time.Time { return now }}
	verify := func(token string) error { _, err := v.Verify(t.Context(), issuerOf(i), token); return err }
	first := i.Token(nil)
	for range 3 {
		require.NoError(t, verify(first))
	}
	require.Equal(t, 1, i.Fetched())

	i.Rotate(true)
	second := i.Token(nil)
	require.ErrorContains(t, verify(second), "no key of the issuer", "keys were asked for a moment ago")
	now = now.Add(6 * time.Second)
	require.NoError(t, verify(second))
	require.Equal(t, 2, i.Fetched())
	require.ErrorContains(t, verify(first), "no key of the issuer", "it was withdrawn")
	now = now.Add(6 * time.Second)
	for range 20 {
		require.ErrorContains(t, verify(i.Forged(nil)), "no key of the issuer")
	}
	require.Equal(t, 3, i.Fetched())
	require.NoError(t, verify(second))

	i.Rotate(false)
	require.NoError(t, verify(second), "the key is held")
	now = now.Add(10 * time.Minute)
	require.ErrorContains(t, verify(second), "no key of the issuer")
	third := i.Token(nil)
	now = now.Add(6 * time.Second)
	require.NoError(t, verify(third))

	i.Down(true)
	require.NoError(t, verify(third), "the key is held")
	now = now.Add(6 * time.Second)
	require.Equal(t, errkind.Transient, errkind.Of(verify(i.Forged(nil))), "whether it is one of the issuer's cannot be told")
	now = now.Add(10 * time.Minute)
	err := verify(third)
	require.Equal(t, errkind.Transient, errkind.Of(err))
	require.ErrorContains(t, err, "cannot be asked for its keys, so that no token of it is taken")
	i.Down(false)
	require.Error(t, verify(third), "it was asked a moment ago")
	now = now.Add(6 * time.Second)
	require.NoError(t, verify(third))
}

// Whoever is not the issuer that the access file names gets no say: not by an address that is not there, an answer for another issuer,
// keys without https, or an answer without end.
func TestIssuersThatAreNotBelieved(t *testing.T) {
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte(strings.Repeat(" ", 1<<16))); err != nil {
				return
			}
		}
	}))
	t.Cleanup(endless.Close)
	elsewhere := httptest.NewServer(http.RedirectHandler("http://keys.example.com/", http.StatusFound))
	t.Cleanup(elsewhere.Close)
	i := oidctest.Start(t)
	token := i.Token(nil)
	for name, c := range map[string]struct {
		url, want string
		says      []string
	}{
		"nobody there":               {"http://127.0.0.1:1", "refused", nil},
		"no discovery":               {i.URL() + "/more", "404", nil},
		"another issuer":             {i.URL(), "did not match", []string{"issuer", "https://login.example.com"}},
		"keys without https":         {i.URL(), "http://keys.example.com is not protected by https", []string{"jwks_uri", "http://keys.example.com/keys"}},
		"keys of a file":             {i.URL(), "not protected", []string{"jwks_uri", "file:///etc/passwd"}},
		"keys elsewhere":             {i.URL(), "302", []string{"jwks_uri", elsewhere.URL}},
		"no keys":                    {i.URL(), "names no jwks_uri", []string{"jwks_uri", ""}},
		"discovery without an end":   {endless.URL, "decode", nil},
		"discovery without https":    {elsewhere.URL, "http://keys.example.com is not protected by https", nil},
		"keys that nobody answers":   {i.URL(), "refused", []string{"jwks_uri", "http://127.0.0.1:1/keys"}},
		"keys of which none are any": {i.URL(), "404", []string{"jwks_uri", i.URL() + "/no"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.says != nil {
				i.Says(c.says[0], c.says[1])
			}
			issuer := issuerOf(i)
			issuer.URL = c.url
			var v oidc.Verifier
			_, err := v.Verify(t.Context(), issuer, token)
			require.Equal(t, errkind.Transient, errkind.Of(err), "%v", err)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// Who asks first and goes away takes the answer from nobody.
func TestWhoAsksMayGoAway(t *testing.T) {
	i := oidctest.Start(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var v oidc.Verifier
	_, err := v.Verify(gone, issuerOf(i), i.Token(nil))
	require.Equal(t, errkind.Transient, errkind.Of(err), "%v", err)
	_, err = v.Verify(t.Context(), issuerOf(i), i.Token(nil))
	require.NoError(t, err)
}
