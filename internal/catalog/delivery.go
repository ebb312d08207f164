package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/governance"
)

// Decision is the recorded answer to: may exactly these audiences, with exactly this mapping, go to
// this destination?
type Decision struct {
	ID          string      `json:"id"`
	Delivery    string      `json:"delivery"`
	Activation  string      `json:"activation"`
	Destination string      `json:"destination"`
	Covers      string      `json:"covers"` // digest of audiences, memberships and mapping
	Allowed     bool        `json:"allowed"`
	Violations  []Violation `json:"violations,omitempty"`

	// Who asked for it, and in which workflow run: for the audit.
	RequestedBy string   `json:"requestedBy,omitempty"`
	Contracts   []string `json:"contracts,omitempty"` // under which rows leave
	Run         string   `json:"-"`
}

// Violation is a policy's refusal of one audience, or that of a whole activation for what it is in.
type Violation struct {
	Audience string `json:"audience"` // empty: all
	governance.Violation
}

// Receipt is the proof of one delivered file, as read back from the destination.
type Receipt struct {
	File   string `json:"file"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Delivery statuses.
const (
	Delivered   = "delivered"
	Undelivered = "failed"
)

// RecordDecision records a decision, in the audit too, before anything is exported, and returns the id under which it is kept. The same
// decision once more is one record. Another one of the same delivery, made because a step was tried again or because something has
// changed since, is one of its own: what was decided first stays on record. A delivery that is refused is not under way any more.
func (c *Catalog) RecordDecision(ctx context.Context, d Decision, at time.Time) (id string, err error) {
	violations, err := json.Marshal(d.Violations)
	if err != nil {
		return "", err
	}
	err = c.inTransaction(ctx, func(tx *sql.Tx) error {
		first, run := d.ID, d.Run
		for n := 2; ; n++ {
			held, found, err := c.decision(ctx, tx, d.ID)
			if err != nil {
				return err
			}
			if !found {
				break
			}
			if before, err := json.Marshal(held.Violations); err != nil || held.Covers == d.Covers && held.Allowed == d.Allowed && string(before) == string(violations) {
				return err
			}
			d.ID, d.Run = fmt.Sprintf("%s_%d", first, n), fmt.Sprintf("%s_%d", run, n) // else the audit would take it for the same step
		}
		if err := c.exec(ctx, tx, "catalog/record_decision", d.ID, d.Delivery, d.Activation, d.Destination, d.Covers, d.Allowed, string(violations), instant(at)); err != nil {
			return err
		}
		for _, contract := range d.Contracts {
			if err := c.exec(ctx, tx, "catalog/record_decision_contract", d.ID, contract); err != nil {
				return err
			}
		}
		if !d.Allowed {
			if err := c.exec(ctx, tx, "catalog/end_delivery", d.Delivery, Undelivered, instant(at)); err != nil {
				return err
			}
		}
		return c.recordAudit(ctx, tx, d.audit(at))
	})
	return d.ID, err
}

// audit is the decision's record: names only, no data.
func (d Decision) audit(at time.Time) AuditRecord {
	r := AuditRecord{Run: d.Run, Action: "activate", Kind: "Activation", Object: d.Activation, Actor: d.RequestedBy, Outcome: AuditAllowed, After: d.Covers, At: at,
		Detail: fmt.Sprintf("decision %s, destination %s", d.ID, d.Destination)}
	if !d.Allowed {
		r.Outcome = AuditDenied
		for _, v := range d.Violations {
			r.Detail += "; "
			if v.Audience != "" {
				r.Detail += "audience " + v.Audience + ": "
			}
			r.Detail += v.Headline()
		}
	}
	return r
}

// Decision returns a recorded decision. Missing when there is none.
func (c *Catalog) Decision(ctx context.Context, id string) (Decision, error) {
	d, found, err := c.decision(ctx, c.db, id)
	if err == nil && !found {
		err = errkind.Newf(errkind.Missing, "the catalog knows no policy decision %s", id)
	}
	return d, err
}

func (c *Catalog) decision(ctx context.Context, on querier, id string) (d Decision, found bool, err error) {
	err = c.queryOn(ctx, on, "catalog/select_decision", []any{id}, func(scan func(...any) error) error {
		found = true
		var violations []byte
		if err := scan(&d.ID, &d.Delivery, &d.Activation, &d.Destination, &d.Covers, &d.Allowed, &violations); err != nil {
			return err
		}
		return json.Unmarshal(violations, &d.Violations)
	})
	return d, found, err
}

// RecordDeparture records that a delivery is about to let a file appear, with rows under these contracts: from now on it counts.
func (c *Catalog) RecordDeparture(ctx context.Context, delivery string, contracts []string, at time.Time) error {
	return c.inTransaction(ctx, func(tx *sql.Tx) error {
		for _, contract := range contracts {
			if err := c.exec(ctx, tx, "catalog/record_departure", delivery, contract, instant(at)); err != nil {
				return err
			}
		}
		return nil
	})
}

// CountDelivered counts the deliveries of rows of a contract of which a file has arrived since an instant, or may have, or that are
// under way, whatever their activations are or were called. except is a delivery that does not count, or empty.
func (c *Catalog) CountDelivered(ctx context.Context, contract string, since time.Time, except string) (n int64, err error) {
	err = c.query(ctx, "catalog/count_delivered", []any{contract, instant(since), except}, func(scan func(...any) error) error { return scan(&n) })
	return n, err
}

// BeginDelivery records that a delivery is under way, by a decision; by another one when a step was tried again. It begins in a second behind
// those of all others to its destination, so that the names of files have the order of deliveries, also when the clock is put back.
func (c *Catalog) BeginDelivery(ctx context.Context, id string, d Decision, evaluation string, at time.Time) error {
	return c.inTransaction(ctx, func(tx *sql.Tx) error {
		began, err := c.beginsAt(ctx, tx, id, d.Destination, at)
		if err != nil {
			return err
		}
		if err := c.exec(ctx, tx, "catalog/begin_delivery", id, d.Activation, d.Destination, evaluation, d.ID, instant(began)); err != nil {
			return err
		}
		return c.recordAudit(ctx, tx, AuditRecord{Run: d.Run, Action: "begin", Kind: AuditedDelivery, Object: id, Actor: d.RequestedBy, Outcome: AuditAllowed, At: at,
			Detail: fmt.Sprintf("activation %s to destination %s, by decision %s", d.Activation, d.Destination, d.ID)})
	})
}

func (c *Catalog) beginsAt(ctx context.Context, tx *sql.Tx, id, destination string, at time.Time) (time.Time, error) {
	began, to, err := c.began(ctx, tx, id)
	if err != nil || to == destination {
		return began, err
	}
	began = at.Truncate(time.Second)
	err = c.queryOn(ctx, tx, "catalog/latest_began", []any{destination, id, instant(at.Add(clockGap))}, func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		latest, err := parseInstant(text)
		if next := latest.Truncate(time.Second).Add(time.Second); next.After(began) {
			began = next
		}
		return err
	})
	return began, err
}

// clockGap is by how much a clock may have been ahead so that deliveries still begin behind those of that time.
const clockGap = 24 * time.Hour

// DeliveryBegan returns when a delivery began. Missing when it did not.
func (c *Catalog) DeliveryBegan(ctx context.Context, id string) (time.Time, error) {
	began, _, err := c.began(ctx, c.db, id)
	if err == nil && began.IsZero() {
		err = errkind.Newf(errkind.Missing, "the catalog knows no delivery %s", id)
	}
	return began, err
}

func (c *Catalog) began(ctx context.Context, on querier, id string) (at time.Time, destination string, err error) {
	err = c.queryOn(ctx, on, "catalog/delivery_began", []any{id}, func(scan func(...any) error) (err error) {
		var text string
		if err := scan(&text, &destination); err != nil {
			return err
		}
		at, err = parseInstant(text)
		return err
	})
	return at, destination, err
}

// UnderWay returns the deliveries of an activation that have not ended, beside one, with the runs that began them.
func (c *Catalog) UnderWay(ctx context.Context, activation, except string) (runs map[string]string, err error) {
	runs = map[string]string{}
	err = c.query(ctx, "catalog/deliveries_under_way", []any{activation, except}, func(scan func(...any) error) error {
		var id, run string
		err := scan(&id, &run)
		runs[id] = run
		return err
	})
	return runs, err
}

// EndDelivery records how a delivery ended, in the audit too.
func (c *Catalog) EndDelivery(ctx context.Context, id, status string, audit AuditRecord, at time.Time) error {
	return c.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := c.exec(ctx, tx, "catalog/end_delivery", id, status, instant(at)); err != nil {
			return err
		}
		return c.recordAudit(ctx, tx, audit)
	})
}

// RecordReceipt records that a file arrived.
func (c *Catalog) RecordReceipt(ctx context.Context, delivery string, r Receipt, at time.Time) error {
	return c.exec(ctx, c.db, "catalog/record_receipt", delivery, r.File, r.Rows, r.Bytes, r.SHA256, instant(at))
}

// Receipts returns a delivery's receipts.
func (c *Catalog) Receipts(ctx context.Context, delivery string) ([]Receipt, error) {
	var out []Receipt
	err := c.query(ctx, "catalog/select_receipts", []any{delivery}, func(scan func(...any) error) error {
		var r Receipt
		err := scan(&r.File, &r.Rows, &r.Bytes, &r.SHA256)
		out = append(out, r)
		return err
	})
	return out, err
}
