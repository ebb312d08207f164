package catalog

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"prospector/internal/errkind"
)

// AuditHead is the end of the chain: whoever has noted it elsewhere can show later that nothing up to it has changed.
type AuditHead struct {
	Number int64  `json:"number"`
	Hash   string `json:"hash"`
}

// AuditReport is what a look at the whole chain has found.
type AuditReport struct {
	Records int64        `json:"records"`
	First   int64        `json:"first"` // number of the first record that is kept; those before have expired
	Head    AuditHead    `json:"head"`
	Breaks  []AuditBreak `json:"breaks,omitempty"`
}

// AuditBreak is a place where the chain does not hold.
type AuditBreak struct {
	Number  int64  `json:"number"`
	Message string `json:"message"`
}

const (
	auditDays  = 365 // that records are kept (MO-11)
	mostBreaks = 100 // that are told
)

// actionExpire is that of the record which stands for removed ones: its object is the number of the last of them, After its hash.
const actionExpire = "expire"

// hash is SHA-256 over the fields as netstrings (length, colon, bytes, comma), in the order of the table's columns.
func (r AuditRecord) hash() string {
	sum := sha256.New()
	for _, field := range []string{strconv.FormatInt(r.Number, 10), r.Run, r.Action, r.Kind, r.Object, r.Actor, r.Outcome, r.Detail, r.Before, r.After, instant(r.At), r.Previous} {
		_, _ = fmt.Fprintf(sum, "%d:%s,", len(field), field) // never fails
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// AuditHead returns the end of the chain.
func (c *Catalog) AuditHead(ctx context.Context) (h AuditHead, err error) {
	err = c.query(ctx, "catalog/audit_head", nil, func(scan func(...any) error) error { return scan(&h.Number, &h.Hash) })
	return h, err
}

// VerifyAudit looks for records that were changed, removed, put in or moved. A head that was noted before must be in the chain, too;
// the zero one asks for nothing. Records may be appended meanwhile.
func (c *Catalog) VerifyAudit(ctx context.Context, noted AuditHead) (out AuditReport, err error) {
	before, err := c.AuditHead(ctx)
	if err != nil {
		return out, err
	}
	broken := func(number int64, format string, args ...any) {
		if len(out.Breaks) < mostBreaks {
			out.Breaks = append(out.Breaks, AuditBreak{number, fmt.Sprintf(format, args...)})
		}
	}
	holds := func(r AuditRecord, h AuditHead, what string) {
		if r.Number == h.Number && r.Hash != h.Hash {
			broken(r.Number, "%s has another hash", what)
		}
	}
	var last AuditRecord
	var first AuditRecord
	expired := map[AuditHead]bool{}
	err = c.query(ctx, "catalog/audit_chain", nil, func(scan func(...any) error) error {
		r, err := scanAudit(scan)
		if err != nil {
			return err
		}
		out.Records++
		switch {
		case out.Records == 1:
			first = r
		case r.Number > last.Number+1:
			broken(r.Number, "%s before it", missing(last.Number+1, r.Number-1))
		case r.Previous != last.Hash:
			broken(r.Number, "it does not follow record %d, as that is now: one of the two was replaced", last.Number)
		}
		if r.hash() != r.Hash {
			broken(r.Number, "its content was changed: it does not give its hash")
		}
		if number, err := strconv.ParseInt(r.Object, 10, 64); err == nil && r.Action == actionExpire && r.Kind == AuditedAudit {
			expired[AuditHead{number, r.After}] = true
		}
		holds(r, before, "the kept head of the chain")
		holds(r, noted, "the head that was noted")
		last = r
		return nil
	})
	if err != nil {
		return out, err
	}
	after, err := c.AuditHead(ctx)
	if err != nil {
		return out, err
	}
	out.First, out.Head = first.Number, AuditHead{last.Number, last.Hash}
	switch {
	case out.Records > 0 && first.Number == 1 && first.Previous != "":
		broken(1, "something came before it")
	case first.Number > 1 && !expired[AuditHead{first.Number - 1, first.Previous}]:
		broken(first.Number, "%s before it, and no expiry accounts for that", missing(1, first.Number-1))
	}
	switch {
	case last.Number < before.Number:
		broken(before.Number, "%s at the end", missing(last.Number+1, before.Number))
	case last.Number > after.Number:
		broken(last.Number, "the kept head of the chain is record %d: it was put behind it", after.Number)
	case out.Records == 0:
		applied, err := c.Workspace(ctx)
		if err != nil {
			return out, err
		}
		if applied.Version != "" {
			broken(1, "all records are missing, with the head of the chain: that workspace %s was applied was one", applied.Version)
		}
	}
	switch {
	case noted.Number > last.Number:
		broken(noted.Number, "it was noted as the head, and the chain ends at record %d", last.Number)
	case noted != AuditHead{} && noted.Number < first.Number && len(out.Breaks) == 0:
		return out, errkind.New(errkind.Invalid, "", fmt.Errorf("record %d, which was noted, has expired: the first that is kept is %d", noted.Number, first.Number), "note the head more often: starter audit head")
	}
	return out, nil
}

func missing(from, to int64) string {
	if from == to {
		return fmt.Sprintf("record %d is missing", from)
	}
	return fmt.Sprintf("records %d to %d are missing", from, to)
}

// ExpireAudit removes the records at the beginning of the chain that are older than a year. A record of that stands for them. A chain
// that does not hold is left as it is: it is evidence.
func (c *Catalog) ExpireAudit(ctx context.Context, at time.Time) error {
	report, err := c.VerifyAudit(ctx, AuditHead{})
	if err != nil {
		return err
	}
	if len(report.Breaks) > 0 {
		return errkind.New(errkind.Conflict, "expire audit", fmt.Errorf("record %d: %s", report.Breaks[0].Number, report.Breaks[0].Message), "see starter audit verify; nothing was removed")
	}
	cutoff := at.AddDate(0, 0, -auditDays)
	return c.inTransaction(ctx, func(tx *sql.Tx) error {
		var until AuditHead
		err := c.queryOn(ctx, tx, "catalog/expired_audit", []any{instant(cutoff)}, func(scan func(...any) error) error { return scan(&until.Number, &until.Hash) })
		if err != nil || until.Number == 0 {
			return err
		}
		err = c.recordAudit(ctx, tx, AuditRecord{Run: "housekeeping", Action: actionExpire, Kind: AuditedAudit, Object: strconv.FormatInt(until.Number, 10), After: until.Hash,
			Outcome: AuditAllowed, Detail: "records before " + cutoff.UTC().Format(time.RFC3339) + " are removed", At: at})
		if err != nil {
			return err
		}
		return c.exec(ctx, tx, "catalog/expire_audit", until.Number)
	})
}
