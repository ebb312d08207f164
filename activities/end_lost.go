package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
)

// RunDigest is what ids of a run's results end with.
func RunDigest(workflowID, run string) string {
	sum := sha256.Sum256([]byte(workflowID + "/" + run))
	return hex.EncodeToString(sum[:4])
}

const lostLimit = 30 * time.Second // to take away what a lost delivery has left

// endLost ends deliveries of an activation that earlier runs of this workflow id left under way, as one that was terminated does, and takes
// away what they have left at their destination. None of those runs is open: there is one at a time.
func (a *Activities) endLost(ctx context.Context, activation, delivery string) error {
	underWay, err := a.Deliveries.UnderWay(ctx, activation, delivery)
	if err != nil {
		return err
	}
	runs, err := a.sentBy(activation, delivery)
	if err != nil {
		return err
	}
	maps.Copy(runs, underWay)
	mine := activity.GetInfo(ctx).WorkflowExecution
	for id, run := range runs {
		if run == mine.RunID || !strings.HasSuffix(id, "_"+RunDigest(mine.ID, run)) {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, lostLimit)
		left, failed := a.takeAway(limited, id)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		remark := left.Remark()
		if remark == "" && failed != nil {
			remark = "what it has left at its destination is not known: " + failed.Error()
		}
		record := audited(ctx, "", "end", catalog.AuditedDelivery, id)
		record.Outcome, record.Detail = catalog.AuditFailed, remark
		if _, lost := underWay[id]; lost {
			record.Detail = strings.TrimSuffix(catalog.Undelivered+"; its run was ended from outside; "+remark, "; ")
			err = a.Deliveries.EndDelivery(ctx, id, catalog.Undelivered, record, now())
		} else if failed != nil { // it has ended, and something is there still
			err = a.Audit.RecordAudit(ctx, record)
		}
		if err != nil {
			return err
		}
		if err := removeFolder(a.exported(id)); err != nil {
			return err
		}
		if failed != nil && errkind.Of(failed).Retryable() {
			continue // the next run tries again
		}
		if err := removeFolder(a.sent(id)); err != nil {
			return err
		}
	}
	return nil
}
