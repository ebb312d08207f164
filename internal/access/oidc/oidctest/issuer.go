// Package oidctest is an OpenID Connect issuer for tests: a real server with discovery and real keys, which signs whatever tokens a test
// wants, also such that no issuer would sign.
package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Audience is that of the tokens.
const Audience = "prospector"

// Issuer is a running issuer. Its keys can be changed, and it can be made to answer nothing.
type Issuer struct {
	t      testing.TB
	server *httptest.Server

	mu        sync.Mutex
	keys      map[string]crypto.Signer // published, by id
	current   string
	made      int
	down      bool
	discovery map[string]any // in place of what it says of itself
	fetched   int
}

// Start starts an issuer with one RSA key.
func Start(t testing.TB) *Issuer {
	i := &Issuer{t: t, keys: map[string]crypto.Signer{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", i.answer(func() any {
		out := map[string]any{"issuer": i.URL(), "jwks_uri": i.URL() + "/keys", "id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}}
		maps.Copy(out, i.discovery)
		return out
	}))
	mux.HandleFunc("/keys", i.answer(func() any {
		i.fetched++
		set := []any{map[string]any{"kty": "OKP", "crv": "X448", "kid": "unheard of"}}
		for id, key := range i.keys {
			set = append(set, published(id, key))
		}
		return map[string]any{"keys": set}
	}))
	i.server = httptest.NewServer(mux)
	t.Cleanup(i.server.Close)
	i.Rotate(false)
	return i
}

func (i *Issuer) answer(what func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(what()) // whoever asked may be gone
	}
}

// URL is the issuer's.
func (i *Issuer) URL() string { return i.server.URL }

// Down makes it answer with errors, or not any more.
func (i *Issuer) Down(down bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = down
}

// Says makes discovery say something else.
func (i *Issuer) Says(key string, value any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.discovery = map[string]any{key: value}
}

// Fetched is how often its keys were asked for.
func (i *Issuer) Fetched() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetched
}

// Rotate makes a new key, of an elliptic curve or of RSA, with which tokens are signed from now on. The keys before are withdrawn.
func (i *Issuer) Rotate(curve bool) {
	var key crypto.Signer
	var err error
	if curve {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	require.NoError(i.t, err)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.made++
	i.current = fmt.Sprintf("key %d", i.made)
	i.keys = map[string]crypto.Signer{i.current: key}
}

// Claims are those of a token that is good for an hour, with others added or, where they are nil, left out.
func (i *Issuer) Claims(others map[string]any) map[string]any {
	now := time.Now()
	out := map[string]any{"iss": i.URL(), "aud": Audience, "sub": "4711", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	maps.Copy(out, others)
	maps.DeleteFunc(out, func(_ string, value any) bool { return value == nil })
	return out
}

// Token is a token that the issuer has signed.
func (i *Issuer) Token(others map[string]any) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.sign(i.keys[i.current], i.current, i.Claims(others))
}

// Forged is a token that names the issuer's key, and that another key has signed.
func (i *Issuer) Forged(others map[string]any) string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(i.t, err)
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.sign(key, i.current, i.Claims(others))
}

// Unsigned is a token with the algorithm none.
func (i *Issuer) Unsigned(others map[string]any) string {
	return i.part(map[string]any{"alg": "none"}) + "." + i.part(i.Claims(others)) + "."
}

// Symmetric is a token signed by HS256 with the issuer's public key as the secret, which everybody has.
func (i *Issuer) Symmetric(others map[string]any) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	secret, err := json.Marshal(published(i.current, i.keys[i.current]))
	require.NoError(i.t, err)
	signed := i.part(map[string]any{"alg": "HS256", "kid": i.current}) + "." + i.part(i.Claims(others))
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(signed)) // never fails
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (i *Issuer) part(value any) string {
	text, err := json.Marshal(value)
	require.NoError(i.t, err)
	return base64.RawURLEncoding.EncodeToString(text)
}

func (i *Issuer) sign(key crypto.Signer, id string, claims map[string]any) string {
	algorithm := "RS256"
	if _, ok := key.(*ecdsa.PrivateKey); ok {
		algorithm = "ES256"
	}
	signed := i.part(map[string]any{"alg": algorithm, "kid": id, "typ": "JWT"}) + "." + i.part(claims)
	sum := sha256.Sum256([]byte(signed))
	var signature []byte
	var err error
	switch key := key.(type) {
	case *rsa.PrivateKey:
		signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		if r, s, err = ecdsa.Sign(rand.Reader, key, sum[:]); err == nil {
			signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	}
	require.NoError(i.t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// published is a public key as a JSON Web Key.
func published(id string, key crypto.Signer) map[string]any {
	number := base64.RawURLEncoding.EncodeToString
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "kid": id, "use": "sig", "n": number(public.N.Bytes()), "e": number(big.NewInt(int64(public.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, x, y
		if err != nil {
			panic(err)
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "x": number(point[1:33]), "y": number(point[33:])}
	}
	panic("a key of another kind")
}
