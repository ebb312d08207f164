package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"prospector/internal/errkind"
)

// TakeAwayInput is a delivery that has ended, or will not go on.
type TakeAwayInput struct {
	Delivery string `json:"delivery"`
}

// TakeAwayOutput is what is at the destination of a delivery that has ended. Long lists end with how many more there are.
type TakeAwayOutput struct {
	Destination string   `json:"destination,omitempty"`
	Arrived     []string `json:"arrived,omitempty"`   // files
	Uncertain   []string `json:"uncertain,omitempty"` // files that may have arrived
	Left        []string `json:"left,omitempty"`      // what somebody must look for and remove: what was sent of files that have not appeared
	Why         string   `json:"why,omitempty"`       // it is left
	Again       bool     `json:"again,omitempty"`     // trying again later may mend that
}

// Remark is what a failed delivery must say; empty when nothing has left.
func (o TakeAwayOutput) Remark() string {
	var parts []string
	if len(o.Arrived) > 0 {
		parts = append(parts, fmt.Sprintf("has arrived at %s all the same: %s", o.Destination, strings.Join(o.Arrived, ", ")))
	}
	if len(o.Uncertain) > 0 {
		parts = append(parts, fmt.Sprintf("may have arrived at %s all the same: %s", o.Destination, strings.Join(o.Uncertain, ", ")))
	}
	if left := o.LeftRemark(); left != "" {
		parts = append(parts, left)
	}
	return strings.Join(parts, "; ")
}

// LeftRemark says what must be removed by hand, and why.
func (o TakeAwayOutput) LeftRemark() string {
	if len(o.Left) == 0 {
		return ""
	}
	return fmt.Sprintf("remove by hand what was sent of unfinished files to %s: %s (%s)", o.Destination, strings.Join(o.Left, ", "), o.Why)
}

// TakeAwayUnfinished takes away what uploads of a delivery have left that did not finish, and says which of its files are at the
// destination all the same. No file of the delivery is sent any more. When it fails, what is left is the failure's detail.
func (a *Activities) TakeAwayUnfinished(ctx context.Context, in TakeAwayInput) (TakeAwayOutput, error) {
	ctx, _, end := a.progress(ctx, "take away", "files", 0)
	defer end()
	out, err := a.takeAway(ctx, in.Delivery)
	return out, failure(err, out)
}

func (a *Activities) takeAway(ctx context.Context, delivery string) (out TakeAwayOutput, err error) {
	release, err := a.alone(ctx, delivery)
	if err != nil {
		return out, err
	}
	defer release()
	if err := removeFolder(a.exported(delivery)); err != nil { // an attempt that Temporal has given up finds nothing to send
		return out, err
	}
	files, err := a.sentFiles(delivery)
	if err != nil || len(files) == 0 {
		return out, err
	}
	out.Destination = files[0].Destination
	err = a.settleSent(ctx, out.Destination, files)
	for _, s := range files {
		if s.Arrived {
			out.Arrived = append(out.Arrived, s.File.Name)
		}
		if s.uncertain() {
			out.Uncertain = append(out.Uncertain, s.File.Name)
		}
		for _, u := range s.left() {
			out.Left = append(out.Left, u.At)
		}
	}
	out.Arrived, out.Uncertain, out.Left = first(mostTold, out.Arrived), first(mostTold, out.Uncertain), first(namedAtMost, out.Left)
	if err != nil {
		out.Why, out.Again = err.Error(), errkind.Of(err).Retryable()
	}
	return out, err
}

func first(most int, list []string) []string {
	if len(list) <= most {
		return list
	}
	return append(list[:most:most], fmt.Sprintf("and %d more", len(list)-most))
}

// settleSent does what is to be done at the destination. The error is one that trying again may mend, if there is one.
func (a *Activities) settleSent(ctx context.Context, name string, files []*sentFile) error {
	open := false
	for _, s := range files {
		open = open || s.uncertain() || len(s.left()) > 0
	}
	if !open {
		return nil
	}
	w, err := a.Workspace(ctx)
	if err != nil {
		return err
	}
	declared, err := w.Destination(name)
	if err != nil {
		return err
	}
	d, err := a.Destinations(ctx, declared)
	if err != nil {
		return err
	}
	var failed error
	for _, s := range files {
		err := s.discard(ctx, d)
		if errkind.Of(err) != errkind.Conflict { // else it is elsewhere
			err = errors.Join(err, s.look(ctx, d))
		}
		if err != nil && (failed == nil || errkind.Of(err).Retryable()) {
			failed = err
		}
	}
	return errors.Join(failed, d.Close())
}
