package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"go.temporal.io/sdk/activity"

	"prospector/internal/catalog"
)

// RunDigest is what ids of a run's results end with.
func RunDigest(workflowID, run string) string {
	sum := sha256.Sum256([]byte(workflowID + "/" + run))
	return hex.EncodeToString(sum[:4])
}

// endLost ends deliveries of an activation that earlier runs of this workflow id left under way, as one that was terminated does. None of
// those runs is open: there is one at a time.
func (a *Activities) endLost(ctx context.Context, activation, delivery string) error {
	runs, err := a.Deliveries.UnderWay(ctx, activation, delivery)
	if err != nil {
		return err
	}
	mine := activity.GetInfo(ctx).WorkflowExecution
	for id, run := range runs {
		if run == mine.RunID || !strings.HasSuffix(id, "_"+RunDigest(mine.ID, run)) {
			continue
		}
		record := audited(ctx, "", "end", catalog.AuditedDelivery, id)
		record.Outcome, record.Detail = catalog.AuditFailed, catalog.Undelivered+"; its run was ended from outside"
		if err := a.Deliveries.EndDelivery(ctx, id, catalog.Undelivered, record, now()); err != nil {
			return err
		}
		if err := removeFolder(a.exported(id)); err != nil {
			return err
		}
	}
	return nil
}
