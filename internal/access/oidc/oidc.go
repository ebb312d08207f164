// Package oidc verifies tokens of an OpenID Connect issuer: that it has signed them, for our audience, and that they have not expired.
// It finds the issuer's keys by discovery and keeps them for a while. What cannot be verified, for whatever reason, is refused: while
// the issuer cannot be reached and no fresh keys are held, that is every token. What a token allows is package access's.
package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"

	"prospector/internal/access"
	"prospector/internal/errkind"
)

const (
	keysHold  = 10 * time.Minute // after which they are fetched anew, so that a withdrawn key is worth nothing
	keysPause = 5 * time.Second  // between two fetches for keys that are not known: anybody may invent names of keys
	retryTime = 5 * time.Second  // in which an issuer that did not answer is not asked again
	waitTime  = 10 * time.Second // for one answer of the issuer
	skew      = 30 * time.Second // that our clock may be ahead of the issuer's

	longestName = 200
	mostGroups  = 1000
)

// Tokens signed in another way, or with a secret that the audience shares, are refused.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// Verifier verifies tokens of one issuer at a time. The zero value is ready.
type Verifier struct {
	Now func() time.Time // time.Now unless given

	mu     sync.Mutex
	issuer access.Issuer
	known  *oidc.IDTokenVerifier
	asked  time.Time // when discovery was tried last
	failed error     // what came of it
}

// Verify returns what a token says of who has it. Denied when it is no good, Transient when that cannot be told.
func (v *Verifier) Verify(ctx context.Context, issuer access.Issuer, token string) (access.Identity, error) {
	verifier, err := v.verifier(ctx, issuer)
	if err != nil {
		return access.Identity{}, unreachable(issuer, err)
	}
	var unreached error
	verified, err := verifier.Verify(context.WithValue(ctx, unreachedKey{}, &unreached), token)
	var expired *oidc.TokenExpiredError
	switch {
	case unreached != nil:
		return access.Identity{}, unreachable(issuer, unreached)
	case errors.As(err, &expired):
		return access.Identity{}, errkind.New(errkind.Denied, "", errors.New("the token has expired"), "take a new one from "+issuer.URL)
	case err != nil:
		return access.Identity{}, errkind.New(errkind.Denied, "", fmt.Errorf("the token is refused: %s", told(err)), fmt.Sprintf("take one from %s for the audience %s", issuer.URL, issuer.Audience))
	}
	claims := map[string]json.RawMessage{}
	if err := verified.Claims(&claims); err != nil {
		return access.Identity{}, errkind.New(errkind.Denied, "", errors.New("the token's claims cannot be read"), "")
	}
	return identity(issuer, claims, verified.Expiry)
}

func unreachable(issuer access.Issuer, err error) error {
	return errkind.New(errkind.Transient, "", fmt.Errorf("the issuer %s cannot be asked for its keys, so that no token of it is taken: %s", issuer.URL, told(err)), "try again later; see that the worker can reach it")
}

// told is an error of the library on one short line; it may quote the token's claims, or what the issuer has answered.
func told(err error) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.TrimPrefix(err.Error(), "oidc: "))
	const most = 200
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

// verifier holds the keys of an issuer, found by discovery, for as long as they are fresh.
func (v *Verifier) verifier(ctx context.Context, issuer access.Issuer) (*oidc.IDTokenVerifier, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	if v.issuer != issuer {
		v.issuer, v.known, v.failed, v.asked = issuer, nil, nil, time.Time{}
	}
	switch since := now.Sub(v.asked); {
	case v.known != nil && since >= 0 && since < keysHold:
		return v.known, nil
	case v.failed != nil && since >= 0 && since < retryTime:
		return nil, v.failed
	}
	v.known, v.asked = nil, now
	address, err := discover(ctx, issuer.URL)
	if v.failed = err; err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &paced{RoundTripper: guarded{http.DefaultTransport}, now: v.now}, Timeout: waitTime}
	set := keys{oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), client), address)}
	v.known = oidc.NewVerifier(issuer.URL, set, &oidc.Config{ClientID: issuer.Audience, SupportedSigningAlgs: algorithms, Now: func() time.Time { return v.now().Add(-skew) }})
	return v.known, nil
}

// discover asks an issuer where its keys are. Whoever asks first may go away: the answer is for everybody.
func discover(ctx context.Context, issuer string) (address string, err error) {
	client := &http.Client{Transport: guarded{http.DefaultTransport}, Timeout: waitTime}
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), client), issuer)
	if err != nil {
		return "", err
	}
	var found struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&found); err != nil {
		return "", err
	}
	if found.Keys == "" {
		return "", errors.New("its discovery document names no jwks_uri")
	}
	return found.Keys, nil
}

func (v *Verifier) now() time.Time {
	if v.Now != nil {
		return v.Now()
	}
	return time.Now()
}

// identity reads the claims that the access file names.
func identity(issuer access.Issuer, claims map[string]json.RawMessage, expires time.Time) (out access.Identity, err error) {
	refused := func(hint, format string, args ...any) (access.Identity, error) {
		return access.Identity{}, errkind.New(errkind.Denied, "", fmt.Errorf(format, args...), hint)
	}
	out.Expires = expires
	if json.Unmarshal(claims[issuer.NameClaim], &out.Name) != nil || out.Name == "" {
		return refused("have the issuer put it in, or name another one as claim in the access file", "the token has no claim %s that names who has it", issuer.NameClaim)
	}
	if len(out.Name) > longestName || strings.ContainsFunc(out.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return refused("name another claim in the access file", "the token's claim %s is no name", issuer.NameClaim)
	}
	if issuer.NameClaim == "email" { // else it is what somebody has typed in
		var verified any
		_ = json.Unmarshal(claims["email_verified"], &verified)
		if verified != true && verified != "true" { // some issuers write a text
			return refused("have the issuer verify it, or name another claim in the access file", "the issuer has not verified the token's e-mail address")
		}
	}
	given, ok := claims[issuer.GroupsClaim]
	if issuer.GroupsClaim == "" || !ok {
		return out, nil
	}
	var one *string // nil: null, which gives no group
	if json.Unmarshal(given, &one) == nil {
		if one != nil {
			out.Groups = []string{*one}
		}
	} else if json.Unmarshal(given, &out.Groups) != nil || len(out.Groups) > mostGroups {
		return refused("name another claim in the access file", "the token's claim %s is no list of at most %d groups", issuer.GroupsClaim, mostGroups)
	}
	out.Groups = slices.DeleteFunc(out.Groups, func(group string) bool { return group == "" }) // null in a list is one, too
	return out, nil
}
