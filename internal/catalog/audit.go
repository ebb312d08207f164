package catalog

import (
	"context"
	"time"
)

// AuditRecord says who did what, or was refused.
type AuditRecord struct {
	Run     string    `json:"run"` // workflow run
	Action  string    `json:"action"`
	Object  string    `json:"object"`
	Actor   string    `json:"actor,omitempty"`
	Outcome string    `json:"outcome"`
	Detail  string    `json:"detail,omitempty"`
	At      time.Time `json:"at"`
}

// Outcomes of an audited action.
const (
	AuditDone    = "done"
	AuditRefused = "refused"
)

// RecordAudit records an action. The same step of the same run is one record.
func (c *Catalog) RecordAudit(ctx context.Context, r AuditRecord) error {
	return c.recordAudit(ctx, c.db, r)
}

func (c *Catalog) recordAudit(ctx context.Context, on executor, r AuditRecord) error {
	return c.exec(ctx, on, "catalog/record_audit", r.Run, r.Action, r.Object, r.Actor, r.Outcome, r.Detail, instant(r.At))
}

// Audit returns the newest records, the newest first.
func (c *Catalog) Audit(ctx context.Context, most int) (out []AuditRecord, err error) {
	err = c.query(ctx, "catalog/select_audit", []any{most}, func(scan func(...any) error) (err error) {
		var r AuditRecord
		var at string
		if err := scan(&r.Run, &r.Action, &r.Object, &r.Actor, &r.Outcome, &r.Detail, &at); err != nil {
			return err
		}
		if r.At, err = parseInstant(at); err == nil {
			out = append(out, r)
		}
		return err
	})
	return out, err
}
