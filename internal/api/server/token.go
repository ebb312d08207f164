package server

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"prospector/internal/access"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
)

func newToken() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

// authorized lets requests through that carry the token of a principal. It is the one place that decides who asks.
func (s *server) authorized(token string, next http.Handler) http.Handler {
	machine := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := s.caller(r, machine)
		if err == nil {
			next.ServeHTTP(w, withCaller(r, who))
			return
		}
		if say, unsaid := s.strangers.say(time.Now()); say {
			why := err
			if unsaid > 0 {
				why = fmt.Errorf("%w; and %d more requests before it", err, unsaid)
			}
			s.denied(r.Context(), who, r.Method+" "+brief(r.URL.Path), why)
		}
		p := problemOf(err)
		if p.Kind == errkind.Denied { // else it cannot be told
			p.Status = http.StatusUnauthorized
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		p.write(w)
	})
}

// brief keeps an address that a stranger has made up short.
func brief(path string) string { return path[:min(len(path), 100)] }

var errNoToken = errkind.New(errkind.Denied, "", errors.New("the request carries no valid token"), "take the token from api.json in the worker's data directory; it is new after each start")

// caller is whose token a request carries: the machine's, one of the access file, or one of the issuer that the file names.
func (s *server) caller(r *http.Request, machine [sha256.Size]byte) (out caller, err error) {
	out.request = newRequestID()
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(given)) // so that the comparison takes as long for any length
	isMachine := subtle.ConstantTimeCompare(sum[:], machine[:]) == 1
	switch {
	case !strings.EqualFold(scheme, "Bearer") || given == "":
		return out, errNoToken
	case s.Access == nil && isMachine:
		out.Principal = access.Unrestricted(access.Machine)
		return out, nil
	case s.Access == nil:
		return out, errNoToken
	}
	rules, err := s.Access()
	if err != nil {
		s.Log.Error("the access file cannot be read, so that nobody is let in", "error", err)
		return out, errkind.New(errkind.Denied, "", errors.New("the worker's access file cannot be read"), "see the worker's log")
	}
	issuer, declared := rules.Issuer()
	switch {
	case isMachine:
		out.Principal, err = rules.Principal(access.Machine, nil, time.Now())
	case declared && s.OIDC != nil && strings.Count(given, ".") == 2 && !rules.Holds(given):
		var identity access.Identity
		if identity, err = s.OIDC(r.Context(), issuer, given); err == nil {
			out.Principal, err = rules.Identified(identity, time.Now())
			out.signIn = &catalog.SignIn{Issuer: issuer.URL, Groups: rules.GroupsWithRoles(identity.Groups)}
		}
	default:
		out.Principal, err = rules.Authenticate(given, time.Now())
	}
	return out, err
}
