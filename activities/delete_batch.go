package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"prospector/internal/access"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/store"
)

// DeleteBatchInput names a batch to undo.
type DeleteBatchInput struct {
	Dataset string `json:"dataset"`
	Batch   string `json:"batch"`
	Preview bool   `json:"preview,omitempty"` // only say what would change

	RequestedBy string `json:"requestedBy,omitempty"`
}

// DeleteBatch undoes one load: its dataset's profiles become what all other batches make of them. A deleted batch's file
// is not taken again by itself. Memberships stay as they were evaluated; the output says which audiences are concerned.
func (a *Activities) DeleteBatch(ctx context.Context, in DeleteBatchInput) (store.Deletion, error) {
	out, err := a.deleteBatch(ctx, in)
	return out, failure(err)
}

func (a *Activities) deleteBatch(ctx context.Context, in DeleteBatchInput) (out store.Deletion, err error) {
	ctx, _, end := a.progress(ctx, "delete batch", "batches", 1)
	defer end()
	w, err := a.Workspace(ctx)
	if err != nil {
		return out, err
	}
	record, needs := audited(ctx, in.RequestedBy, "delete", catalog.AuditedBatch, in.Batch), mayChangeRows
	if len(w.ListsIn(in.Dataset)) > 0 { // whoever it has put on the list is approached again
		needs = mayUnlist
	}
	if err := a.authorize(ctx, record, needs); err != nil {
		return out, err
	}
	release, err := a.alone(ctx, in.Batch)
	if err != nil {
		return out, err
	}
	defer release()
	stored, d, err := dataset(w, in.Dataset)
	if err != nil {
		return out, err
	}
	entry, err := a.Ledger.File(ctx, in.Batch)
	if err != nil {
		return out, err
	}
	if entry.State == catalog.Taken {
		return out, errkind.New(errkind.Conflict, "batch "+in.Batch, errors.New("a run is on its file"), "wait for the run, or cancel it; see starter files "+entry.Source)
	}
	who, _, err := a.requester(ctx, in.RequestedBy)
	if err != nil {
		return out, err
	}
	memberships, err := a.membershipsOf(ctx, w.Namespace(d))
	if err != nil {
		return out, err
	}
	var withheld []string
	all := len(memberships)
	if !who.Has(access.ViewSegments) {
		memberships = nil
	} else if memberships, err = a.visibleTo(ctx, in.RequestedBy, w, memberships); err != nil { // whether those whom a batch of one row has touched are in an audience would tell a value
		return out, err
	}
	if len(memberships) < all {
		withheld = []string{"audiences"}
	}
	n := store.Namespace{Symbol: w.Namespace(d), Datasets: []store.Dataset{stored}}
	spans, err := a.Audiences.BatchSpans(ctx, stored, in.Batch)
	if err != nil {
		return out, err
	}
	if out, err = a.Batches.DeleteBatch(ctx, n, stored, in.Batch, in.Preview, memberships); err != nil {
		return out, err
	}
	if out.Withheld = withheld; !who.Has(access.ViewDestinations) {
		out.Withheld = append(out.Withheld, "deliveries")
	} else if out.Deliveries, out.Delivered, err = a.Lineage.DeliveryUses(ctx, d.Name, spans); err != nil {
		return out, err
	}
	if in.Preview {
		return out, nil
	}
	undone := fmt.Sprintf("undone: %d profiles removed, %d reverted, %d restored", out.Removed, out.Reverted, out.Restored)
	record.Detail = "dataset " + in.Dataset + ", " + undone
	return out, a.Ledger.DeleteBatch(ctx, in.Batch, undone, record, now())
}

// membershipsOf are the audiences, as they were evaluated last, that may hold prospects of the namespace.
func (a *Activities) membershipsOf(ctx context.Context, namespace string) ([]store.Membership, error) {
	w, err := a.Workspace(ctx)
	if err != nil {
		return nil, err
	}
	latest, err := a.Memberships.LatestMemberships(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []store.Membership
	for _, audience := range w.Audiences {
		m, ok := latest[audience.Name]
		if ok && m.Part != "" && (len(audience.Namespaces) == 0 || slices.Contains(audience.Namespaces, namespace)) {
			out = append(out, m.Membership)
		}
	}
	return out, nil
}
