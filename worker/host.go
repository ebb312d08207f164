package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/spf13/pflag"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"prospector/activities"
	"prospector/internal/access"
	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/store/duckdb"
	"prospector/workflows"
)

// hostOptions are the flags of every command that carries out activities.
type hostOptions struct {
	dataDir   string
	workspace string
	store     duckdb.Options
	addFrom   []string
	api       string
	access    string
}

func (o *hostOptions) addFlags(flags *pflag.FlagSet, dataDir, workspaceUsage, apiUsage string) {
	flags.StringVar(&o.dataDir, "data-dir", dataDir, "folder of datasets, memberships and the catalog; one process at a time")
	flags.StringVar(&o.workspace, "workspace", "", workspaceUsage)
	flags.StringSliceVar(&o.addFrom, "add-data-from", nil, "folder on this machine from which starter add-data may take files; may be repeated")
	flags.StringVar(&o.api, "api-address", "127.0.0.1:7080", "loopback address of the API with which starter reads profiles, quarantine and batches"+apiUsage)
	flags.StringVar(&o.access, "access-file", "", "file of roles and principals; without one whoever may read the data directory, or start runs, may do everything")
	flags.StringVar(&o.store.MemoryLimit, "memory-limit", "2GB", "memory that DuckDB may take; the process needs about a third more")
	flags.IntVar(&o.store.Threads, "threads", 0, "threads that DuckDB may use (0: all cores)")
}

var memoryForm = regexp.MustCompile(`^[1-9][0-9]*([.][0-9]+)? ?([KMGT]i?B|%)$`)

// check refuses values that would fail late or mean something else.
func (o *hostOptions) check() error {
	switch {
	case o.dataDir == "":
		return usageError{errors.New("--data-dir is missing: name the folder of datasets, memberships and the catalog")}
	case !memoryForm.MatchString(o.store.MemoryLimit):
		return usageError{fmt.Errorf("--memory-limit %q is no amount of memory; write for example 2GB", o.store.MemoryLimit)}
	case o.store.Threads < 0:
		return usageError{errors.New("--threads must not be negative")}
	}
	return nil
}

// progressEvery is how often, at most, a step's progress goes to Temporal, which would else hear of it at four fifths of
// the heartbeat timeout.
const progressEvery = 2 * time.Second

// host is what one process holds: the stores in a data directory, and the steps built on them. The
// caller holds the directory's lock.
type host struct {
	applied    *applied
	catalog    *catalog.Catalog
	store      *duckdb.Store
	access     func() (access.Rules, error) // nil without a file
	activities *activities.Activities
}

func openHost(ctx context.Context, o hostOptions) (*host, error) {
	dir, err := filepath.Abs(o.dataDir)
	if err != nil {
		return nil, err
	}
	if err := removeAbandoned(dir); err != nil {
		return nil, err
	}
	folders, err := realFolders(o.addFrom)
	if err != nil {
		return nil, err
	}
	h := &host{}
	if h.store, err = duckdb.Open(ctx, dir, o.store); err != nil {
		return nil, err
	}
	if h.catalog, err = sqlite.Open(ctx, filepath.Join(dir, "catalog.db")); err != nil {
		return nil, errors.Join(err, h.store.Close())
	}
	if o.access != "" {
		file := &accessFile{path: o.access, audit: h.catalog}
		if _, err := file.rules(); err != nil {
			return nil, errors.Join(err, h.close())
		}
		h.access = file.rules
	}
	h.applied = &applied{catalog: h.catalog}
	h.activities = &activities.Activities{DataDir: dir, Workspace: h.applied.workspace, Applied: h.catalog, Audit: h.catalog, Access: h.access, Ledger: h.catalog, Memberships: h.catalog, Deliveries: h.catalog, Lineage: h.catalog, Delivered: h.catalog,
		Batches: h.store, Audiences: h.store, Sources: openSource, Local: openLocal(folders), Openers: openKeys, Parquet: openParquet, Destinations: openDestination}
	return h, nil
}

func (h *host) close() error { return errors.Join(h.catalog.Close(), h.store.Close()) }

// work takes tasks from Temporal for as long as do runs. Steps that are under way then get a moment to
// stop; the next worker takes them up again.
func (h *host) work(ctx context.Context, c client.Client, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := worker.New(c, workflows.TaskQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: 8,
		WorkerStopTimeout:                  10 * time.Second,
		MaxHeartbeatThrottleInterval:       progressEvery,
		OnFatalError:                       func(err error) { cancel(fmt.Errorf("the worker stopped: %w", err)) },
	})
	h.activities.Schedules = schedules{c}
	workflows.Register(w, h.activities)
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	defer w.Stop()
	err := do(ctx)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// removeAbandoned removes staged and exported files that no run has touched for a week: a run that was
// terminated cannot clean up.
func removeAbandoned(dir string) error {
	oldest := time.Now().Add(-7 * 24 * time.Hour)
	for _, pattern := range []string{"staging/*/*", "deliveries/*"} {
		folders, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil {
			return err
		}
		for _, folder := range folders {
			info, err := os.Stat(folder)
			if err == nil && info.ModTime().Before(oldest) {
				err = os.RemoveAll(folder)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
