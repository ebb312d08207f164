//go:build !release

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"prospector/internal/catalog"
	"prospector/internal/destination"
	"prospector/internal/destination/s3destination"
	"prospector/internal/destination/sftpdestination"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/store"
	"prospector/internal/workspace"
	"prospector/testdata/partnerdata"
	"prospector/workflows"
)

func newDemo() *cobra.Command {
	o := devOptions{reported: true}
	var stay, asJSON bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole chain once on two partners' files, and report",
		Long: `Run the whole chain once: like worker dev, then put two invented partners' files on S3 and SFTP, load
them, evaluate three audiences, and deliver what the policies allow. Ends with a report.

A second run in the same data directory finds the files loaded and loads nothing twice.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.host.workspace != "" {
				return usageError{errors.New("the demo runs on its own sample workspace; use worker dev --workspace for another")}
			}
			return runDev(c.Context(), o, func(ctx context.Context, d *dev) error {
				r, err := runDemo(ctx, d)
				if err != nil {
					return err
				}
				if asJSON {
					encoder := json.NewEncoder(os.Stdout)
					encoder.SetIndent("", "  ")
					err = encoder.Encode(r)
				} else {
					r.print(os.Stdout, d)
				}
				if err != nil || !stay {
					return err
				}
				d.printAddresses(os.Stderr)
				<-ctx.Done()
				return nil
			})
		},
	}
	o.addFlags(c.Flags())
	c.Flags().BoolVar(&stay, "stay", false, "stay up after the report, until Ctrl-C")
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}

// How many people the invented partners know.
const (
	acmeRows = 20_000
	merkRows = 5_000
	demoSeed = 1
)

// drops are the partners' files.
var drops = []struct {
	source, path string
	write        func(w io.Writer) error
}{
	{"acme", "in/acme_prospects.csv.gz", func(w io.Writer) error {
		zipped := gzip.NewWriter(w)
		_, err := partnerdata.Acme(zipped, acmeRows, demoSeed)
		return errors.Join(err, zipped.Close())
	}},
	{"merk", "outgoing/merk_prospects.psv", func(w io.Writer) error {
		_, err := partnerdata.Merk(w, merkRows, demoSeed)
		return err
	}},
}

// runDemo is the demo's sequence. It may be repeated, also after it was interrupted.
func runDemo(ctx context.Context, d *dev) (*report, error) {
	r := &report{DataDir: d.options.host.dataDir, WebUI: d.temporal.UIURL()}
	var applied workflows.ApplyWorkspaceResult
	apply := workflows.ApplyWorkspaceInput{Dir: d.options.host.workspace, RequestedBy: "worker demo"}
	if err := step("apply the workspace", func() error {
		return execute(ctx, d.client, apply.WorkflowID(), workflows.ApplyWorkspace, apply, &applied)
	}); err != nil {
		return nil, err
	}
	w, err := d.host.applied.workspace(ctx)
	if err != nil {
		return nil, err
	}
	for _, drop := range drops {
		if err := step("put "+drop.source+"'s file on its server", func() error { return putOnce(ctx, w, drop.source, drop.path, drop.write) }); err != nil {
			return nil, err
		}
	}
	for _, s := range w.Sources {
		var synced workflows.SyncSourceResult
		in := workflows.SyncSourceInput{Source: s.Name}
		if err := step("sync source "+s.Name, func() error { return execute(ctx, d.client, in.WorkflowID(), workflows.SyncSource, in, &synced) }); err != nil {
			return nil, err
		}
		r.Sources = append(r.Sources, synced)
	}
	evaluate := workflows.EvaluateAudiencesInput{}
	if err := step("evaluate audiences", func() error {
		return execute(ctx, d.client, evaluate.WorkflowID(), workflows.EvaluateAudiences, evaluate, &r.Evaluation)
	}); err != nil {
		return nil, err
	}
	for _, activation := range w.Activations {
		if err := step("activate "+activation.Name, func() error { return r.activate(ctx, d.client, activation.Name) }); err != nil {
			return nil, err
		}
	}
	for _, dataset := range w.ProfileDatasets(nil) {
		n, err := d.host.store.Profiles(ctx, store.Dataset{Name: dataset.Name, Schema: w.Schema(dataset).Composed})
		if err != nil {
			return nil, err
		}
		r.Profiles = append(r.Profiles, namespaceProfiles{Namespace: w.Namespace(dataset), Dataset: dataset.Name, Prospects: n})
	}
	for _, s := range w.Sources {
		if s.Schedule != nil {
			r.Schedules = append(r.Schedules, workflows.SourceScheduleID(s.Name))
		}
	}
	return r, nil
}

// activate runs one activation. That a policy blocks it is a result, not a failure.
func (r *report) activate(ctx context.Context, c client.Client, name string) error {
	var delivered workflows.ActivateAudiencesResult
	in := workflows.ActivateAudiencesInput{Activation: name}
	err := execute(ctx, c, in.WorkflowID(), workflows.ActivateAudiences, in, &delivered)
	if err == nil {
		r.Deliveries = append(r.Deliveries, delivered)
		return nil
	}
	var application *temporal.ApplicationError
	var decision catalog.Decision
	if workflows.KindOf(err) != errkind.Refused || !errors.As(err, &application) || application.Details(&decision) != nil {
		return err
	}
	r.Blocked = append(r.Blocked, decision)
	return nil
}

// step says on standard error what is being done.
func step(name string, do func() error) error {
	fmt.Fprintf(os.Stderr, "%-38s", name+" …")
	began := time.Now()
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, " failed")
		return err
	}
	fmt.Fprintf(os.Stderr, " %5.1f s\n", time.Since(began).Seconds())
	return nil
}

// putOnce does what a partner does, unless the file is there.
func putOnce(ctx context.Context, w *workspace.Workspace, sourceName, path string, write func(io.Writer) error) (err error) {
	declared, err := w.Source(sourceName)
	if err != nil {
		return err
	}
	there, err := present(ctx, declared, path)
	if err != nil || there {
		return err
	}
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return err
	}
	server, err := openDropPoint(ctx, declared)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	return server.Put(ctx, path, bytes.NewReader(content.Bytes()), int64(content.Len()), destination.Hooks{})
}

func present(ctx context.Context, declared *workspace.Source, path string) (bool, error) {
	var opened source.Source
	opened, err := openSource(ctx, declared)
	if err != nil {
		return false, err
	}
	_, err = opened.Stat(ctx, path)
	if errkind.Of(err) == errkind.Missing {
		return false, opened.Close()
	}
	return err == nil, errors.Join(err, opened.Close())
}

// openDropPoint reaches a source's server as its partner does, to write.
func openDropPoint(ctx context.Context, s *workspace.Source) (destination.Destination, error) {
	if s.S3 != nil {
		options, err := s3Options(s.S3)
		if err != nil {
			return nil, err
		}
		return s3destination.New(ctx, options)
	}
	options, err := sftpOptions(s.SFTP)
	if err != nil {
		return nil, err
	}
	return sftpdestination.New(ctx, options)
}
