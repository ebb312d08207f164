package server

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"prospector/internal/errkind"
)

func newToken() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

// authorized lets requests through that carry the token. It is the one place that decides who may read.
func authorized(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		sum := sha256.Sum256([]byte(given)) // so that the comparison takes as long for any length
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(sum[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			p := problemOf(errkind.New(errkind.Denied, "", errors.New("the request carries no valid token"), "take the token from api.json in the worker's data directory; it is new after each start"))
			p.Status = http.StatusUnauthorized
			p.write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}
