package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"prospector/internal/datadir"
	"prospector/internal/temporalclient"
	"prospector/workflows"
)

type runOptions struct {
	host     hostOptions
	temporal temporalclient.Settings
	level    slog.Level
	json     bool
}

func newRun() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run --data-dir DIR",
		Short: "Run a worker beside a Temporal service",
		Long: `Run a worker beside a Temporal service, until it is stopped.

Which Temporal: flags, else TEMPORAL_* environment variables, else Temporal's own client profile, else
localhost:7233. Secrets of sources and destinations come from the references in the workspace.

What runs is the workspace that was applied last (starter apply). --workspace names one to apply when a data
directory is new; later it only says when that folder differs from what is applied.`,
		Example: `  worker run --workspace /etc/prospector --data-dir /var/lib/prospector
  worker run --workspace . --address acme.a1b2c.tmprl.cloud:7233 --namespace acme.a1b2c --api-key-file key`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	o.host.addFlags(c.Flags(), "", "folder of a workspace to apply when none was applied yet", "")
	o.temporal.AddFlags(c.Flags())
	c.Flags().TextVar(&o.level, "log-level", slog.LevelInfo, "debug, info, warn or error")
	c.Flags().BoolVar(&o.json, "log-json", false, "log as JSON")
	return c
}

func run(ctx context.Context, o runOptions) error {
	if err := o.host.check(); err != nil {
		return err
	}
	log := newLogger(o.level, o.json)
	unlock, err := datadir.Lock(o.host.dataDir)
	if err != nil {
		return err
	}
	defer unlock()
	c, err := temporalclient.Dial(ctx, o.temporal, log)
	if err != nil {
		return err
	}
	defer c.Close()
	// A service that does not let us add them may have them already; without them runs still work and
	// only cannot be searched by them.
	if _, err := temporalclient.EnsureSearchAttributes(ctx, c, c.Namespace, workflows.SearchAttributes); err != nil {
		log.Warn("search attributes may be missing; have an administrator add them as keywords", "error", err, "names", workflows.SearchAttributes)
	}
	h, err := openHost(ctx, o.host)
	if err != nil {
		return err
	}
	defer func() {
		if err := h.close(); err != nil {
			log.Error("close the stores", "error", err)
		}
	}()
	reads, err := h.serve(o.host, false, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := reads.Stop(); err != nil {
			log.Error("stop the API", "error", err)
		}
	}()
	return h.work(ctx, c.Client, func(ctx context.Context) error {
		if o.host.workspace != "" {
			differs, err := h.applyFirst(ctx, c, o.host.workspace)
			if err != nil {
				return err
			}
			if differs {
				log.Warn("the workspace's folder differs from what is applied; see starter plan", "folder", o.host.workspace)
			}
		}
		go watchSchedules(ctx, c, log)
		go h.keepHouse(ctx, log)
		log.Info("the worker is running", "temporal", c.Address, "namespace", c.Namespace, "taskQueue", workflows.TaskQueue, "api", reads.Address())
		<-ctx.Done()
		log.Info("the worker is stopping")
		return nil
	})
}
