package activities

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"prospector/internal/catalog"
	"prospector/internal/destination"
	"prospector/internal/errkind"
	"prospector/internal/export"
	"prospector/internal/workspace"
)

// DeliverFileInput is one finished file of a cleared delivery.
type DeliverFileInput struct {
	Clearance  Clearance   `json:"clearance"`
	File       export.File `json:"file"`
	Suppressed []string    `json:"suppressed,omitempty"` // as ExportAudiences gave it
}

// DeliverFileOutput says what a delivered file has left beside itself.
type DeliverFileOutput struct {
	Left int `json:"left,omitempty"` // attempts that failed and of which something may still be there
}

// DeliverFile uploads one file, whole or not at all, under its name. Delivering it again replaces it. While it is sent and before it
// appears, it is asked again whether it may leave: what is stopped meanwhile does not arrive (EC-6). What an attempt leaves that fails, the
// next one takes away, or TakeAwayUnfinished.
func (a *Activities) DeliverFile(ctx context.Context, in DeliverFileInput) (DeliverFileOutput, error) {
	out, err := a.deliverFile(ctx, in)
	return out, failure(err)
}

const discardLimit = 5 * time.Second // right after an attempt has failed

func (a *Activities) deliverFile(ctx context.Context, in DeliverFileInput) (out DeliverFileOutput, err error) {
	ctx, report, end := a.progress(ctx, "deliver", "bytes", in.File.Bytes)
	defer end()
	release, err := a.alone(ctx, in.Clearance.Delivery)
	if err != nil {
		return out, err
	}
	defer release()
	activation, declared, err := a.mayLeave(ctx, in)
	if err != nil {
		return out, err
	}
	file, err := os.Open(a.exported(in.Clearance.Delivery, in.File.Name))
	if err != nil {
		return out, fmt.Errorf("exported file: %w", err)
	}
	defer func() { _ = file.Close() }() // read only
	sent, err := a.sending(ctx, in)
	if err != nil {
		return out, err
	}
	ctx, guard := guarded(ctx, guardEvery, func(ctx context.Context) error {
		_, _, err := a.mayLeave(ctx, in)
		return err
	})
	appears := func() error {
		if err := guard.judge(ctx); err != nil {
			return err
		}
		w, err := a.Workspace(ctx)
		if err != nil {
			return err
		}
		if err := a.Deliveries.RecordDeparture(ctx, in.Clearance.Delivery, contractsOf(w, activation), now()); err != nil {
			return err
		}
		if err := a.tell(activation, in.Clearance.Delivery); err != nil {
			return err
		}
		return sent.appears()
	}
	err = guard.end(a.atDestination(ctx, declared, func(d destination.Destination) error {
		_ = sent.discard(ctx, d) // of earlier attempts; what stays is written down
		err := d.Put(ctx, in.File.Name, file, in.File.Bytes, destination.Hooks{Sent: report, Begin: sent.begins, Appear: appears})
		if err == nil {
			return sent.arrives()
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardLimit)
		defer cancel()
		_ = sent.discard(ctx, d)
		return fmt.Errorf("deliver %s: %w", in.File.Name, err)
	}))
	return DeliverFileOutput{Left: len(sent.left())}, err
}

// mayLeave refuses a file that is not cleared any more, and one that would be another one today for the people who must be left out.
func (a *Activities) mayLeave(ctx context.Context, in DeliverFileInput) (*workspace.Activation, *workspace.Destination, error) {
	w, activation, declared, err := a.cleared(ctx, in.Clearance)
	if err != nil {
		return nil, nil, err
	}
	of, err := a.Lineage.Derivations(ctx, in.Clearance.Delivery)
	if err != nil {
		return nil, nil, err
	}
	if err := a.stands(ctx, w, activation, of, in.Suppressed); err != nil {
		return nil, nil, a.overtaken(ctx, in.Clearance, err)
	}
	return activation, declared, nil
}

// ReadBackFile reads a delivered file from the destination, holds it against what was exported, and
// records the receipt.
func (a *Activities) ReadBackFile(ctx context.Context, in DeliverFileInput) (catalog.Receipt, error) {
	out, err := a.readBackFile(ctx, in)
	return out, failure(err)
}

func (a *Activities) readBackFile(ctx context.Context, in DeliverFileInput) (out catalog.Receipt, err error) {
	ctx, report, end := a.progress(ctx, "read back", "bytes", in.File.Bytes)
	defer end()
	_, _, declared, err := a.cleared(ctx, in.Clearance)
	if err != nil {
		return out, err
	}
	var got destination.Receipt
	err = a.atDestination(ctx, declared, func(d destination.Destination) (err error) {
		if got, err = d.ReadBack(ctx, in.File.Name, report); err != nil {
			return fmt.Errorf("read back %s: %w", in.File.Name, err)
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	if got.Size != in.File.Bytes || got.SHA256 != in.File.SHA256 {
		return out, errkind.New(errkind.Conflict, "destination "+declared.Name, fmt.Errorf("%s holds other bytes than were delivered: %d bytes sha256 %s, want %d bytes sha256 %s",
			in.File.Name, got.Size, got.SHA256, in.File.Bytes, in.File.SHA256), "look for another program that writes there, and activate again")
	}
	out = catalog.Receipt{File: in.File.Name, Rows: in.File.Rows, Bytes: got.Size, SHA256: got.SHA256}
	return out, a.Deliveries.RecordReceipt(ctx, in.Clearance.Delivery, out, now())
}

func (a *Activities) atDestination(ctx context.Context, declared *workspace.Destination, do func(destination.Destination) error) error {
	opened, err := a.Destinations(ctx, declared)
	if err == nil {
		err = errors.Join(do(opened), opened.Close())
	}
	if err != nil {
		return fmt.Errorf("destination %s: %w", declared.Name, err)
	}
	return nil
}

// FinishDeliveryInput ends a delivery.
type FinishDeliveryInput struct {
	Delivery string `json:"delivery"`
	Status   string `json:"status"` // delivered or failed

	RequestedBy string       `json:"requestedBy,omitempty"`
	Failure     errkind.Kind `json:"failure,omitempty"` // why it failed
	Remark      string       `json:"remark,omitempty"`  // of what is at the destination all the same
	Again       bool         `json:"again,omitempty"`   // something is left there that the next run of the activation may take away
}

// FinishDelivery records how the delivery ended and removes the exported files from this machine.
func (a *Activities) FinishDelivery(ctx context.Context, in FinishDeliveryInput) error {
	record := audited(ctx, in.RequestedBy, "end", catalog.AuditedDelivery, in.Delivery)
	record.Detail = in.Status
	if in.Remark != "" {
		record.Detail += "; " + in.Remark
	}
	switch {
	case in.Failure == errkind.Refused: // a policy or the workspace has changed underway
		record.Outcome = catalog.AuditDenied
	case in.Status != catalog.Delivered:
		record.Outcome = catalog.AuditFailed
	}
	err := a.Deliveries.EndDelivery(ctx, in.Delivery, in.Status, record, now())
	if err == nil && in.Status == catalog.Delivered {
		err = a.settle(in.Delivery)
	}
	err = errors.Join(err, removeFolder(a.exported(in.Delivery)))
	if err == nil && !in.Again {
		err = removeFolder(a.sent(in.Delivery))
	}
	return failure(err)
}
