package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// AuditRecord says who did what to which object, or was refused (MO-9).
type AuditRecord struct {
	Number  int64     `json:"number"`        // place in the chain, from 1
	Run     string    `json:"run,omitempty"` // workflow run, or request to the API
	Action  string    `json:"action"`
	Kind    string    `json:"kind"` // of the object
	Object  string    `json:"object"`
	Actor   string    `json:"actor,omitempty"`
	Outcome string    `json:"outcome"`
	Detail  string    `json:"detail,omitempty"`
	Before  string    `json:"before,omitempty"` // digest of the object as it was
	After   string    `json:"after,omitempty"`  // and as it became
	At      time.Time `json:"at"`

	Previous string `json:"previous"` // hash of the record before
	Hash     string `json:"hash"`     // over all of the above
}

// Outcomes of an audited action.
const (
	AuditAllowed = "allowed"
	AuditDenied  = "denied"
	AuditFailed  = "failed" // it was allowed, and did not come to its end
)

// Kinds of objects that no workspace declares.
const (
	AuditedWorkspace = "Workspace"
	AuditedBatch     = "Batch"
	AuditedDelivery  = "Delivery"
	AuditedProfile   = "Profile"
	AuditedRequest   = "Request"
	AuditedAudit     = "Audit"

	AuditedEvaluation = "Evaluation"
)

// RecordAudit appends records. The same action on the same object in the same run with the same outcome is one record.
func (c *Catalog) RecordAudit(ctx context.Context, records ...AuditRecord) error {
	return c.inTransaction(ctx, func(tx *sql.Tx) error { return c.recordAudit(ctx, tx, records...) })
}

// recordAudit appends to the chain, in the transaction of what is recorded.
func (c *Catalog) recordAudit(ctx context.Context, tx *sql.Tx, records ...AuditRecord) error {
	var head AuditHead
	if err := c.queryOn(ctx, tx, "catalog/lock_audit_head", nil, func(scan func(...any) error) error { return scan(&head.Number, &head.Hash) }); err != nil {
		return err
	}
	for _, r := range records {
		r = r.clean()
		known := false
		if err := c.queryOn(ctx, tx, "catalog/audit_step", []any{r.Run, r.Action, r.Kind, r.Object, r.Outcome}, func(func(...any) error) error {
			known = true
			return nil
		}); err != nil {
			return err
		}
		if known {
			continue
		}
		r.Number, r.Previous = head.Number+1, head.Hash
		r.Hash = r.hash()
		if err := c.exec(ctx, tx, "catalog/record_audit", r.Number, r.Run, r.Action, r.Kind, r.Object, r.Actor, r.Outcome, r.Detail, r.Before, r.After, instant(r.At), r.Previous, r.Hash); err != nil {
			return err
		}
		head = AuditHead{r.Number, r.Hash}
	}
	return c.exec(ctx, tx, "catalog/set_audit_head", head.Number, head.Hash)
}

// longestAudited is how many bytes of a text are recorded: names and messages come from outside.
const longestAudited = 4096

// clean makes texts ones that every database keeps byte by byte, so that a record's hash holds.
func (r AuditRecord) clean() AuditRecord {
	for _, text := range []*string{&r.Run, &r.Action, &r.Kind, &r.Object, &r.Actor, &r.Outcome, &r.Detail, &r.Before, &r.After} {
		*text = strings.ReplaceAll(strings.ToValidUTF8((*text)[:min(len(*text), longestAudited)], "?"), "\x00", "?")
	}
	return r
}

// AuditQuery narrows the audit; what is empty does not (MO-11).
type AuditQuery struct {
	Kind, Action, Actor, Outcome, Object string
	From, To                             time.Time // from its beginning on, to before its end
	After                                int64     // go on behind this record of the page before
	Limit                                int
}

// Audit returns the records that match, the newest first.
func (c *Catalog) Audit(ctx context.Context, q AuditQuery) (out []AuditRecord, err error) {
	from, to := "", ""
	if !q.From.IsZero() {
		from = instant(q.From)
	}
	if !q.To.IsZero() {
		to = instant(q.To)
	}
	args := []any{q.Kind, q.Action, q.Actor, q.Outcome, q.Object, from, to, q.After, q.Limit}
	err = c.query(ctx, "catalog/select_audit", args, func(scan func(...any) error) error {
		r, err := scanAudit(scan)
		out = append(out, r)
		return err
	})
	return out, err
}

// auditText is a text of a record. The same bytes of another type are another value: filters would not find it.
type auditText string

func (t *auditText) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		text = fmt.Sprintf("%T", value)
	}
	*t = auditText(text)
	return nil
}

func scanAudit(scan func(...any) error) (r AuditRecord, err error) {
	var at auditText
	texts := []*string{&r.Run, &r.Action, &r.Kind, &r.Object, &r.Actor, &r.Outcome, &r.Detail, &r.Before, &r.After, (*string)(&at), &r.Previous, &r.Hash}
	into := []any{&r.Number}
	for _, text := range texts {
		into = append(into, (*auditText)(text))
	}
	if err := scan(into...); err != nil {
		return r, err
	}
	if parsed, err := parseInstant(string(at)); err == nil && instant(parsed) == string(at) { // else somebody wrote it, and the hash does not hold
		r.At = parsed
	}
	return r, nil
}

// chainOldAudit puts the records from before the chain into it. They tell of applied and refused workspaces.
func (c *Catalog) chainOldAudit(ctx context.Context, tx *sql.Tx) error {
	var old []AuditRecord
	err := c.queryOn(ctx, tx, "catalog/migrations/unchained_audit", nil, func(scan func(...any) error) (err error) {
		r, at := AuditRecord{Kind: AuditedWorkspace}, ""
		if err := scan(&r.Run, &r.Action, &r.Object, &r.Actor, &r.Outcome, &r.Detail, &at); err != nil {
			return err
		}
		r.Action = strings.TrimSuffix(r.Action, " workspace")
		if r.Outcome = AuditAllowed; r.Object == "" {
			r.Outcome = AuditDenied
		}
		r.At, err = parseInstant(at)
		old = append(old, r)
		return err
	})
	if err != nil {
		return err
	}
	if err := c.recordAudit(ctx, tx, old...); err != nil {
		return err
	}
	return c.exec(ctx, tx, "catalog/migrations/drop_unchained_audit")
}
