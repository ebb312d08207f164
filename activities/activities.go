// Package activities holds the durable steps of the workflows, one per file: each decodes its input,
// calls the packages that do the work, and says with errkind who can fix a failure. Every step may
// run twice, be cancelled or die at any line, and leaves what one clean run leaves. The interfaces
// declared here are all that a step knows of stores and connections.
package activities

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"prospector/internal/access"
	"prospector/internal/destination"
	"prospector/internal/ingest"
	"prospector/internal/pgp"
	"prospector/internal/source"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// Activities carries what the steps share. Its methods are the activities.
type Activities struct {
	DataDir      string                                              // staged files, below the same directory as the store
	Workspace    func(context.Context) (*workspace.Workspace, error) // the one that was applied
	Applied      Applied
	Audit        Audit
	Access       func() (access.Rules, error) // nil: whoever starts runs may do everything
	Schedules    Schedules
	Ledger       Ledger
	Memberships  Memberships
	Deliveries   Deliveries
	Lineage      Lineage
	Delivered    Delivered // nil: contracts that bound deliveries are refused
	Batches      Batches
	Audiences    Audiences
	Local        func(ctx context.Context, path string) (source.Source, string, error) // a file on this machine that may be taken
	Parquet      ingest.ParquetOpener
	Openers      func(*workspace.Source) (*pgp.Opener, error) // of what a partner encrypts
	Sources      func(context.Context, *workspace.Source) (source.Source, error)
	Destinations func(context.Context, *workspace.Destination) (destination.Destination, error)

	// Reached, if set, is called as a step makes progress, with the step's name. Tests of crash
	// safety end the process there.
	Reached func(step string)

	batches sync.Map // id to a channel that the attempt at work fills
}

// dataset returns the named dataset as the store takes it.
func dataset(w *workspace.Workspace, name string) (store.Dataset, *workspace.Dataset, error) {
	d, err := w.Dataset(name)
	if err != nil {
		return store.Dataset{}, nil, err
	}
	return Stored(w, d), d, nil
}

// Stored describes a dataset of a workspace to the store. Whoever reads it asks for it as the steps that write it do.
func Stored(w *workspace.Workspace, d *workspace.Dataset) store.Dataset {
	schema := w.Schema(d)
	return store.Dataset{Name: d.Name, Schema: schema.Composed, Identity: schema.PrimaryIdentity.Field, Merge: store.Merge(d.Merge), MostRemoved: d.Removable(),
		LifetimeDays: d.LifetimeDays, Quarantine: time.Duration(d.QuarantineDays) * 24 * time.Hour, History: d.History}
}

// staged is where a batch's files are between fetch and load. Each run has a folder of its own, so
// that two runs on one file do not meet.
func (a *Activities) staged(ctx context.Context, batch string, file ...string) string {
	run := activity.GetInfo(ctx).WorkflowExecution.RunID
	return filepath.Join(append([]string{a.DataDir, "staging", batch, run}, file...)...)
}

// alone waits until no other attempt works on the batch in this process: one that Temporal has given
// up may still be running. release must be called.
func (a *Activities) alone(ctx context.Context, batch string) (release func(), err error) {
	held, _ := a.batches.LoadOrStore(batch, make(chan struct{}, 1))
	select {
	case held.(chan struct{}) <- struct{}{}:
		return func() { <-held.(chan struct{}) }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// exported is where a delivery's files are until they have been delivered.
func (a *Activities) exported(delivery string, file ...string) string {
	return filepath.Join(append([]string{a.DataDir, "deliveries", delivery}, file...)...)
}

func now() time.Time { return time.Now().UTC() }
