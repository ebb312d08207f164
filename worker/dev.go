//go:build !release

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"prospector/internal/api/server"
	"prospector/internal/datadir"
	"prospector/internal/devserver"
	"prospector/internal/devserver/objectstore"
	"prospector/internal/devserver/sftpserver"
	"prospector/internal/devserver/temporalserver"
	"prospector/internal/temporalclient"
	"prospector/internal/workspace"
	"prospector/workflows"
)

func devCommands() []*cobra.Command {
	return []*cobra.Command{newDev(), newDemo(), newBench(), newObjectStore()}
}

// objectStoreCommand is how the process starts its S3 server, which needs a process of its own.
const objectStoreCommand = "object-store"

func newObjectStore() *cobra.Command {
	return &cobra.Command{
		Use: objectStoreCommand, Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return objectstore.ServeUntilEOF() },
	}
}

type devOptions struct {
	host                               hostOptions
	temporalPort, uiPort, s3Port, sftp int
	verbose                            bool
	reported                           bool // what fails is in a report, so the worker need not log it as well
}

func (o *devOptions) addFlags(flags *pflag.FlagSet) {
	o.host.addFlags(flags, ".prospector", "folder of the workspace's YAML files; unless said, the sample in <data-dir>/workspace", "; a free port if it is taken")
	flags.IntVar(&o.temporalPort, "temporal-port", 7233, "port of Temporal; a free one if it is taken")
	flags.IntVar(&o.uiPort, "ui-port", 8233, "port of Temporal's Web UI; a free one if it is taken")
	flags.IntVar(&o.s3Port, "s3-port", 7070, "port of the S3 server; a free one if it is taken")
	flags.IntVar(&o.sftp, "sftp-port", 2022, "port of the SFTP server; a free one if it is taken")
	flags.BoolVar(&o.verbose, "verbose", false, "log what the servers and the worker say")
}

func (o *devOptions) check() error {
	for flag, port := range map[string]int{"temporal-port": o.temporalPort, "ui-port": o.uiPort, "s3-port": o.s3Port, "sftp-port": o.sftp} {
		if port < 0 || port > 65535 {
			return usageError{fmt.Errorf("--%s %d is no port; write 0 to 65535, 0 for any free one", flag, port)}
		}
	}
	return o.host.check()
}

func newDev() *cobra.Command {
	var o devOptions
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run a worker with its own Temporal, Web UI, S3 and SFTP servers",
		Long: `Run a worker with its own Temporal server, Web UI, S3 and SFTP servers, until Ctrl-C.

Everything listens on 127.0.0.1 only, and all state is below the data directory: the next start goes on
where this one stopped. For development; production uses worker run.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runDev(c.Context(), o, func(ctx context.Context, d *dev) error {
				differs, err := d.host.applyFirst(ctx, d.client, d.options.host.workspace)
				if err != nil {
					return err
				}
				d.printAddresses(os.Stdout)
				if differs {
					fmt.Fprintf(os.Stderr, "The workspace's folder differs from what is applied; see %s\n", d.starter("plan "+d.options.host.workspace))
				}
				<-ctx.Done()
				fmt.Fprintln(os.Stderr, "\nstopping …")
				return nil
			})
		},
	}
	o.addFlags(c.Flags())
	return c
}

// Credentials of the S3 and SFTP servers, which only this machine can reach.
const (
	devUser   = "prospector"
	devSecret = "prospector-dev"
)

// dev is the running set of servers with a worker.
type dev struct {
	options  devOptions
	host     *host
	client   *temporalclient.Client
	objects  *objectstore.Server
	files    *sftpserver.Server
	temporal *temporalserver.Server
	reads    *server.Server
}

// runDev starts everything, calls do, and stops everything when do returns.
func runDev(ctx context.Context, o devOptions, do func(ctx context.Context, d *dev) error) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	if o.host.dataDir, err = filepath.Abs(o.host.dataDir); err != nil {
		return err
	}
	unlock, err := datadir.Lock(o.host.dataDir)
	if err != nil {
		return err
	}
	defer unlock()
	if len(o.host.addFrom) == 0 { // who develops works where the worker was started
		here, err := os.Getwd()
		if err != nil {
			return err
		}
		o.host.addFrom = []string{here}
	}
	if o.host.workspace == "" {
		o.host.workspace = filepath.Join(o.host.dataDir, "workspace")
		if err := writeSampleWorkspace(o.host.workspace); err != nil {
			return fmt.Errorf("write the sample workspace: %w", err)
		}
	}
	level := slog.LevelError
	if o.verbose {
		level = slog.LevelInfo
	}
	log := newLogger(level, false)
	d := &dev{options: o}
	defer d.stop(log)
	if err := d.start(ctx, log, level); err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it was up
		}
		return err
	}
	return d.host.work(ctx, d.client.Client, func(ctx context.Context) error {
		go watchSchedules(ctx, d.client, log)
		go d.host.keepHouse(ctx, log)
		return do(ctx, d)
	})
}

func (d *dev) start(ctx context.Context, log *slog.Logger, level slog.Level) (err error) {
	dir, o := d.options.host.dataDir, d.options
	if d.host, err = openHost(ctx, o.host); err != nil {
		return err
	}
	d.host.activities.Reached = stopAt(os.Getenv("PROSPECTOR_STOP_AT"))
	if d.reads, err = d.host.serve(o.host, true, log); err != nil {
		return err
	}
	for _, port := range []*int{&o.temporalPort, &o.uiPort, &o.s3Port, &o.sftp} {
		if *port, err = devserver.FreePort(*port); err != nil {
			return err
		}
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	d.objects, err = objectstore.Start(ctx, objectstore.Options{Dir: filepath.Join(dir, "s3"), Port: o.s3Port,
		AccessKey: devUser, SecretKey: devSecret, Command: []string{executable, objectStoreCommand}})
	if err != nil {
		return err
	}
	d.files, err = sftpserver.Start(ctx, sftpserver.Options{Dir: filepath.Join(dir, "sftp"), HostKeyFile: filepath.Join(dir, "sftp_host_key"),
		Port: o.sftp, User: devUser, Password: devSecret})
	if err != nil {
		return err
	}
	d.temporal, err = temporalserver.Start(ctx, temporalserver.Options{Dir: filepath.Join(dir, "temporal"), Port: o.temporalPort, UIPort: o.uiPort,
		SearchAttributes: workflows.SearchAttributes, Logger: log, LogLevel: level})
	if err != nil {
		return err
	}
	if err := d.setEnvironment(); err != nil {
		return err
	}
	if err := d.prepareDropPoints(ctx); err != nil {
		return err
	}
	if o.reported && !o.verbose {
		log = slog.New(slog.DiscardHandler)
	}
	d.client, err = temporalclient.Dial(ctx, temporalclient.Settings{Address: d.temporal.Address(), Namespace: "default"}, log)
	return err
}

// stop stops what was started, last first.
func (d *dev) stop(log *slog.Logger) {
	if d.client != nil {
		d.client.Close()
	}
	if d.temporal != nil {
		d.temporal.Stop()
	}
	if d.files != nil {
		d.files.Stop()
	}
	if d.objects != nil {
		d.objects.Stop()
	}
	if d.reads != nil { // before the store that it reads
		if err := d.reads.Stop(); err != nil {
			log.Error("stop the API", "error", err)
		}
	}
	if d.host != nil {
		if err := d.host.close(); err != nil {
			log.Error("close the stores", "error", err)
		}
	}
}

// The variables that a workspace names to reach these servers.
const (
	s3EndpointVariable  = "PROSPECTOR_S3_ENDPOINT"
	sftpAddressVariable = "PROSPECTOR_SFTP_ADDRESS"
)

// setEnvironment is what references of a workspace resolve to.
func (d *dev) setEnvironment() error {
	for name, value := range map[string]string{
		s3EndpointVariable: d.objects.Endpoint(), "PROSPECTOR_S3_ACCESS_KEY": devUser, "PROSPECTOR_S3_SECRET_KEY": devSecret,
		sftpAddressVariable: d.files.Address(), "PROSPECTOR_SFTP_USER": devUser, "PROSPECTOR_SFTP_PASSWORD": devSecret,
		"PROSPECTOR_SFTP_HOST_KEY": d.files.HostKey(),
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// prepareDropPoints creates the buckets and folders that the applied workspace, and the folder's, expect on
// these servers. That the folder cannot be read matters only while nothing was applied.
func (d *dev) prepareDropPoints(ctx context.Context) error {
	w, err := workspace.Load(d.options.host.workspace)
	holds, appliedErr := d.host.applied.workspace(ctx)
	if err != nil && appliedErr != nil {
		return err
	}
	for _, each := range []*workspace.Workspace{w, holds} {
		if each == nil {
			continue
		}
		if err := d.prepareFor(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

func (d *dev) prepareFor(ctx context.Context, w *workspace.Workspace) error {
	prepare := func(c workspace.Connection, folder string) error {
		switch {
		case c.S3 != nil && strings.Contains(string(c.S3.Endpoint), s3EndpointVariable):
			return d.objects.CreateBucket(ctx, c.S3.Bucket)
		case c.SFTP != nil && strings.Contains(string(c.SFTP.Address), sftpAddressVariable):
			return os.MkdirAll(filepath.Join(d.options.host.dataDir, "sftp", filepath.FromSlash(path.Join("/", c.SFTP.Folder, folder))), 0o755)
		}
		return nil
	}
	for _, s := range w.Sources {
		folder := path.Dir(s.Path)
		if strings.ContainsAny(folder, `*?[\{`) {
			folder = ""
		}
		if err := prepare(s.Connection, folder); err != nil {
			return fmt.Errorf("source %s: %w", s.Name, err)
		}
	}
	for _, destination := range w.Destinations {
		if err := prepare(destination.Connection, ""); err != nil {
			return fmt.Errorf("destination %s: %w", destination.Name, err)
		}
	}
	return nil
}

// starter is the command line that reaches this Temporal.
func (d *dev) starter(arguments string) string {
	if strings.HasSuffix(d.temporal.Address(), ":7233") {
		return "go run ./starter " + arguments
	}
	return "go run ./starter " + arguments + " --address " + d.temporal.Address()
}

func (d *dev) printAddresses(out io.Writer) {
	fmt.Fprintf(out, `Prospector is running.

  Temporal Web UI  %s
  Temporal         %s
  S3               %s  access key %s, secret key %s
  SFTP             %s  user %s, password %s
  API              %s  token in api.json of the data directory; starter profiles browse reads there
  Workspace        %s
  Data             %s

Try   %s
Stop  Ctrl-C
`, d.temporal.UIURL(), d.temporal.Address(), d.objects.Endpoint(), devUser, devSecret, d.files.Address(), devUser, devSecret,
		d.reads.Address(), d.options.host.workspace, d.options.host.dataDir, d.starter("status"))
}
