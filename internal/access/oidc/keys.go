package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"prospector/internal/access"
)

// keys are an issuer's, fetched when a token is signed with one that is not known.
type keys struct{ remote *oidc.RemoteKeySet }

type unreachedKey struct{}

// VerifySignature returns a token's claims. That the keys could not be had is told through the context: the library keeps only the
// text of an error.
func (k keys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.remote.VerifySignature(ctx, token)
	if err == nil {
		return payload, nil
	}
	var fetch *url.Error
	if unreached, ok := ctx.Value(unreachedKey{}).(*error); ok {
		switch {
		case ctx.Err() != nil:
			*unreached = ctx.Err()
		case errors.As(err, &fetch) && !errors.Is(err, errPause):
			*unreached = fetch.Err
		}
	}
	return nil, errors.New("it is signed with no key of the issuer")
}

var errPause = errors.New("the keys were fetched a moment ago")

// paced fetches keys no more often than every few seconds, however many tokens name keys that nobody has.
type paced struct {
	http.RoundTripper
	now func() time.Time

	mu     sync.Mutex
	last   time.Time
	failed error
}

func (p *paced) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since := p.now().Sub(p.last); since >= 0 && since < keysPause {
		if p.failed != nil {
			return nil, p.failed
		}
		return nil, errPause
	}
	response, err := p.RoundTripper.RoundTrip(r)
	if err == nil && response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		response, err = nil, errors.New(response.Status)
	}
	p.last, p.failed = p.now(), err
	return response, err
}

// guarded asks only where nobody on the way can change the answer, also when it is sent elsewhere, and reads no more than an answer
// needs.
type guarded struct{ http.RoundTripper }

const longestAnswer = 1 << 20

func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if !access.Protected(r.URL) {
		return nil, fmt.Errorf("%s://%s is not protected by https", r.URL.Scheme, r.URL.Host)
	}
	response, err := g.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, longestAnswer), response.Body}
	}
	return response, err
}
