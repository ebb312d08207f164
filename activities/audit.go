package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"go.temporal.io/sdk/activity"

	"prospector/internal/catalog"
)

// Audit is the record of who did what.
type Audit interface {
	RecordAudit(ctx context.Context, records ...catalog.AuditRecord) error
	SignedIn(ctx context.Context, principal string, since time.Time) (catalog.SignIn, error)
}

// audited begins the record of something that this run does. Who asked for it is what the run's input says: a claim of whoever
// may start runs, no proof.
func audited(ctx context.Context, requestedBy, action, kind, object string) catalog.AuditRecord {
	return catalog.AuditRecord{Run: activity.GetInfo(ctx).WorkflowExecution.RunID, Action: action, Kind: kind, Object: object, Actor: requestedBy,
		Outcome: catalog.AuditAllowed, At: now()}
}

// RecordStartInput is a run that a person has started.
type RecordStartInput struct {
	RequestedBy string `json:"requestedBy,omitempty"`
	Action      string `json:"action"` // such as sync
	Kind        string `json:"kind"`   // of the object, such as Source
	Object      string `json:"object"`
	Detail      string `json:"detail,omitempty"`
}

// RecordStart records who started a run on files, whose steps do not record it themselves. Denied when that person may not.
func (a *Activities) RecordStart(ctx context.Context, in RecordStartInput) error {
	r := audited(ctx, in.RequestedBy, in.Action, in.Kind, in.Object)
	if err := a.authorize(ctx, r, mayTakeFiles); err != nil {
		return failure(err)
	}
	r.Detail = in.Detail
	return failure(a.Audit.RecordAudit(ctx, r))
}

// declaredDigest tells whether an object is declared as it was.
func declaredDigest(declared any) string {
	text, err := json.Marshal(declared)
	if err != nil {
		return "" // it was read from YAML
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
