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
		who, err := s.principal(r, machine)
		if err == nil {
			next.ServeHTTP(w, withCaller(r, who))
			return
		}
		if say, unsaid := s.strangers.say(time.Now()); say {
			why := err
			if unsaid > 0 {
				why = fmt.Errorf("%w; and %d more requests before it", err, unsaid)
			}
			s.denied(r.Context(), caller{who, newRequestID()}, r.Method+" "+brief(r.URL.Path), why)
		}
		w.Header().Set("WWW-Authenticate", "Bearer")
		p := problemOf(err)
		p.Status = http.StatusUnauthorized
		p.write(w)
	})
}

// brief keeps an address that a stranger has made up short.
func brief(path string) string { return path[:min(len(path), 100)] }

var errNoToken = errkind.New(errkind.Denied, "", errors.New("the request carries no valid token"), "take the token from api.json in the worker's data directory; it is new after each start")

// principal is who a request's token belongs to.
func (s *server) principal(r *http.Request, machine [sha256.Size]byte) (access.Principal, error) {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(given)) // so that the comparison takes as long for any length
	isMachine := subtle.ConstantTimeCompare(sum[:], machine[:]) == 1
	switch {
	case !strings.EqualFold(scheme, "Bearer") || given == "":
		return access.Principal{}, errNoToken
	case s.Access == nil && isMachine:
		return access.Unrestricted(access.Machine), nil
	case s.Access == nil:
		return access.Principal{}, errNoToken
	}
	rules, err := s.Access()
	switch {
	case err != nil:
		s.Log.Error("the access file cannot be read, so that nobody is let in", "error", err)
		return access.Principal{}, errkind.New(errkind.Denied, "", errors.New("the worker's access file cannot be read"), "see the worker's log")
	case isMachine:
		return rules.Principal(access.Machine, time.Now())
	}
	return rules.Authenticate(given, time.Now())
}
