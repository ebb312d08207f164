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

// RecordSignIn records in the audit that a principal has signed in with a token of an issuer, and with which groups. The runs that the
// principal then starts have no token, so that their steps know the groups by this.
func (c *Catalog) RecordSignIn(ctx context.Context, request, principal string, groups []string, at time.Time) error {
	detail, err := json.Marshal(groups)
	if err != nil {
		return err
	}
	if len(detail) > longestAudited {
		return errkind.New(errkind.Denied, "", fmt.Errorf("%s is in %d groups that give roles, more than can be recorded", principal, len(groups)), "give roles to fewer groups in the worker's access file")
	}
	return c.RecordAudit(ctx, AuditRecord{Run: request, Action: actionSignIn, Kind: auditedSignIn, Object: principal, Actor: principal, Outcome: AuditAllowed, Detail: string(detail), At: at})
}

// SignedIn returns the groups of a principal's latest sign-in, none when there was none since an instant.
func (c *Catalog) SignedIn(ctx context.Context, principal string, since time.Time) (groups []string, err error) {
	found, err := c.Audit(ctx, AuditQuery{Kind: auditedSignIn, Action: actionSignIn, Actor: principal, Object: principal, Outcome: AuditAllowed, From: since, Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if err := json.Unmarshal([]byte(found[0].Detail), &groups); err != nil {
		return nil, fmt.Errorf("audit record %d: %w", found[0].Number, err)
	}
	return groups, nil
}
