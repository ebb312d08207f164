package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"prospector/internal/errkind"
)

// Of the record of a sign-in.
const (
	auditedSignIn = "SignIn"
	actionSignIn  = "sign in"
)

// SignIn is what an issuer's token said of a principal.
type SignIn struct {
	Issuer string   `json:"issuer"`
	Groups []string `json:"groups"`
}

// RecordSignIn records in the audit that a principal has signed in with a token of an issuer, and with which groups. The runs that the
// principal then starts have no token, so that their steps know the groups by this.
func (c *Catalog) RecordSignIn(ctx context.Context, request, principal string, in SignIn, at time.Time) error {
	detail, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if len(detail) > longestAudited {
		return errkind.New(errkind.Denied, "", fmt.Errorf("%s is in %d groups that give roles, more than can be recorded", principal, len(in.Groups)), "give roles to fewer groups in the worker's access file")
	}
	return c.RecordAudit(ctx, AuditRecord{Run: request, Action: actionSignIn, Kind: auditedSignIn, Object: principal, Actor: principal, Outcome: AuditAllowed, Detail: string(detail), At: at})
}

// SignedIn returns what a principal's latest sign-in said, nothing when there was none since an instant.
func (c *Catalog) SignedIn(ctx context.Context, principal string, since time.Time) (out SignIn, err error) {
	found, err := c.Audit(ctx, AuditQuery{Kind: auditedSignIn, Action: actionSignIn, Actor: principal, Object: principal, Outcome: AuditAllowed, From: since, Limit: 1})
	if err != nil || len(found) == 0 {
		return out, err
	}
	if err := json.Unmarshal([]byte(found[0].Detail), &out); err != nil {
		return out, fmt.Errorf("audit record %d: %w", found[0].Number, err)
	}
	return out, nil
}
