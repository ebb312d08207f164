package server

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"prospector/internal/access"
	"prospector/internal/api"
	"prospector/internal/catalog"
)

// caller is who asks, in which request.
type caller struct {
	access.Principal
	request string          // id
	signIn  *catalog.SignIn // by a token of the issuer; only the groups that give roles
}

type callerKey struct{}

func withCaller(r *http.Request, c caller) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
}

// callerOf is who asks; nobody without permissions when that is not known.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

func newRequestID() string { return "request_" + rand.Text() }

// record is the beginning of an audit record of what the caller does.
func (c caller) record(action, kind, object string) catalog.AuditRecord {
	return catalog.AuditRecord{Run: c.request, Action: action, Kind: kind, Object: object, Actor: c.Name, Outcome: catalog.AuditAllowed, At: time.Now().UTC()}
}

// looks records that the caller is about to be shown rows. Nobody sees any without it.
func (s *server) looks(ctx context.Context, action, kind, object, detail string) error {
	r := callerOf(ctx).record(action, kind, object)
	r.Detail = detail
	return s.Audit.RecordAudit(ctx, r)
}

// looksUp records that the caller is about to be shown one profile.
func (s *server) looksUp(ctx context.Context, namespace, id, detail string) error {
	return s.looks(ctx, "view", catalog.AuditedProfile, api.ProfileObject(namespace, id), detail)
}

// denied records that a request was refused. It is refused also when that fails.
func (s *server) denied(ctx context.Context, c caller, object string, why error) {
	r := c.record("request", catalog.AuditedRequest, object)
	r.Outcome, r.Detail = catalog.AuditDenied, why.Error()
	if err := s.Audit.RecordAudit(context.WithoutCancel(ctx), r); err != nil {
		s.Log.Error("a refused request was not recorded", "error", err)
	}
}

// strangers bounds what requests without a token can make the audit grow by. What is left out is counted.
type strangers struct {
	sync.Mutex
	minute time.Time
	seen   int
	unsaid int
}

// strangersAMinute is how many of their requests are recorded one by one.
const strangersAMinute = 100

// say reports whether a request is recorded, and how many were not since the last one that was.
func (s *strangers) say(at time.Time) (say bool, unsaid int) {
	s.Lock()
	defer s.Unlock()
	if minute := at.Truncate(time.Minute); minute != s.minute {
		s.minute, s.seen = minute, 0
	}
	if s.seen++; s.seen > strangersAMinute {
		s.unsaid++
		return false, 0
	}
	unsaid, s.unsaid = s.unsaid, 0
	return true, unsaid
}
