package catalog

import (
	"context"
	"encoding/json"
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
}

// Violation is a policy's refusal of one audience.
type Violation struct {
	Audience string `json:"audience"`
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

// RecordDecision records a decision before anything is exported.
func (c *Catalog) RecordDecision(ctx context.Context, d Decision, at time.Time) error {
	violations, err := json.Marshal(d.Violations)
	if err != nil {
		return err
	}
	return c.exec(ctx, c.db, "catalog/record_decision", d.ID, d.Delivery, d.Activation, d.Destination, d.Covers, d.Allowed, string(violations), instant(at))
}

// Decision returns a recorded decision. Missing when there is none.
func (c *Catalog) Decision(ctx context.Context, id string) (Decision, error) {
	var d Decision
	found := false
	err := c.query(ctx, "catalog/select_decision", []any{id}, func(scan func(...any) error) error {
		found = true
		var violations []byte
		if err := scan(&d.ID, &d.Delivery, &d.Activation, &d.Destination, &d.Covers, &d.Allowed, &violations); err != nil {
			return err
		}
		return json.Unmarshal(violations, &d.Violations)
	})
	if err == nil && !found {
		err = errkind.Newf(errkind.Missing, "the catalog knows no policy decision %s", id)
	}
	return d, err
}

// BeginDelivery records that a delivery is under way.
func (c *Catalog) BeginDelivery(ctx context.Context, id string, d Decision, evaluation string, at time.Time) error {
	return c.exec(ctx, c.db, "catalog/begin_delivery", id, d.Activation, d.Destination, evaluation, d.ID, instant(at))
}

// EndDelivery records how a delivery ended.
func (c *Catalog) EndDelivery(ctx context.Context, id, status string, at time.Time) error {
	return c.exec(ctx, c.db, "catalog/end_delivery", id, status, instant(at))
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
