package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/term"

	"prospector/internal/errkind"
	"prospector/internal/temporalclient"
	"prospector/workflows"
)

// runOptions are the flags of every command below run.
type runOptions struct {
	*shared
	id     string
	detach bool
	parts  bool // a failed run may have done parts of its work, and says which
}

// input is a workflow's input, which knows the id under which a person starts it.
type input interface{ WorkflowID() string }

func newRun(s *shared) *cobra.Command {
	o := runOptions{shared: s}
	c := &cobra.Command{
		Use:   "run",
		Short: "Start a run and wait for its result",
		Args:  arguments(cobra.NoArgs),
		RunE:  help,
	}
	c.PersistentFlags().StringVar(&o.id, "id", "", "workflow id; unless said, one that allows one such run at a time")
	c.PersistentFlags().BoolVar(&o.detach, "detach", false, "do not wait; print the workflow id")
	c.AddCommand(newRunSyncSource(&o), newRunIngestFile(&o), newRunBackfillSource(&o), newRunEvaluateAudiences(&o), newRunActivateAudiences(&o))
	return c
}

func newRunSyncSource(o *runOptions) *cobra.Command {
	var in workflows.SyncSourceInput
	var from, to string
	c := &cobra.Command{
		Use:   "sync-source SOURCE",
		Short: "Take every new file of a source, each once",
		Long: `Take every new file of a source, each once: files that are whole by the source's readiness rule, and of which
this very version was not loaded before.

With --dry-run nothing is taken: the drop point is listed, and the first rows of the first due files are checked. It fails
as the run would when one of them would be refused.
With --retry-of only the files of a failed run's window are taken, not what came later; also those that were refused.`,
		Example: `  starter run sync-source acme
  starter run sync-source acme --dry-run
  starter run sync-source acme --business-date 2026-11-23`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) (err error) {
			in.Source, o.parts = args[0], true
			for _, name := range []string{"business-date", "from", "to", "retry-of"} { // an empty variable of a script must not widen the run
				if flag := c.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
					return usageError{fmt.Errorf("--%s is empty; name one, or leave the flag out", name)}
				}
			}
			if in.RequestedBy, err = requestedBy(c.Context()); err != nil {
				return err
			}
			if in.From, err = instant("from", from); err != nil {
				return err
			}
			if in.To, err = instant("to", to); err != nil {
				return err
			}
			return o.run(c.Context(), workflows.SyncSource, in, printSynced)
		},
	}
	c.Flags().BoolVar(&in.Retry, "retry", false, "also take files again that were refused before")
	c.Flags().BoolVar(&in.DryRun, "dry-run", false, "take nothing; list, and check a sample of each due file")
	c.Flags().StringVar(&in.BusinessDate, "business-date", "", "only files of that day, such as 2026-11-23")
	c.Flags().StringVar(&from, "from", "", "only files modified from then on, such as 2026-11-23T06:00:00Z")
	c.Flags().StringVar(&to, "to", "", "only files modified before")
	c.Flags().StringVar(&in.RetryOf, "retry-of", "", "only files of the window of that run, which failed; see starter files SOURCE --runs")
	return c
}

// instant reads a time that a person gives; nil for none.
func instant(flag, text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(form, text); err == nil {
			return &at, nil
		}
	}
	return nil, usageError{fmt.Errorf("--%s %q is no time; write for example 2026-11-23T06:00:00Z or 2026-11-23", flag, text)}
}

func newRunBackfillSource(o *runOptions) *cobra.Command {
	var in workflows.BackfillSourceInput
	var yes bool
	c := &cobra.Command{
		Use:   "backfill-source SOURCE --from DAY --to DAY",
		Short: "Take the files of past days that were never loaded, one run a day, oldest first",
		Long: `Take the files of past days that were never loaded, one run a day, oldest first. A file's day is the business
date that its path says, or the day on which it was modified. What was loaded is not loaded again; files that were
there before the source, which says backfill: false, are taken, too.

The plan is shown first. Without --yes, and with nobody at the terminal to agree, nothing else happens.`,
		Example: `  starter run backfill-source acme --from 2026-11-01 --to 2026-11-14
  starter run backfill-source acme --from 2026-11-01 --to 2026-11-14 --yes`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) (err error) {
			in.Source, o.parts = args[0], true
			if in.RequestedBy, err = requestedBy(c.Context()); err != nil {
				return err
			}
			return o.backfill(c.Context(), in, yes)
		},
	}
	c.Flags().StringVar(&in.From, "from", "", "first day, such as 2026-11-01")
	c.Flags().StringVar(&in.To, "to", "", "last day")
	c.Flags().BoolVar(&in.Retry, "retry", false, "also take files again that were refused before")
	c.Flags().BoolVar(&yes, "yes", false, "go on without asking")
	return c
}

// backfill shows the plan, asks, and runs it.
func (o *runOptions) backfill(ctx context.Context, in workflows.BackfillSourceInput, yes bool) error {
	planned := in
	planned.Plan = true
	quiet := *o
	quiet.id, quiet.detach = "", false
	if !yes || !o.asJSON {
		if err := quiet.run(ctx, workflows.BackfillSource, planned, printBackfilled); err != nil || o.asJSON {
			return err
		}
	}
	if !yes {
		if !agreed("take them") {
			fmt.Fprintln(os.Stderr, "nothing was taken; go on with --yes")
			return nil
		}
	}
	return o.run(ctx, workflows.BackfillSource, in, printBackfilled)
}

// agreed asks who is at the terminal; nobody there agrees to nothing.
func agreed(what string) bool {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return false
	}
	fmt.Fprintf(os.Stderr, "%s? [y/N] ", what)
	var answer string
	_, _ = fmt.Fscanln(os.Stdin, &answer) // no answer is no
	return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")
}

func newRunIngestFile(o *runOptions) *cobra.Command {
	var in workflows.IngestFileInput
	c := &cobra.Command{
		Use:     "ingest-file SOURCE PATH",
		Short:   "Take one file of a source; PATH is relative to its drop point",
		Long:    "Take one file of a source; PATH is relative to its drop point. A file that was refused, or whose batch was deleted, is taken again. It is held to its source's manifest; markers and quiet are not waited for.",
		Example: "  starter run ingest-file acme in/acme_prospects.csv.gz",
		Args:    arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			who, err := requestedBy(c.Context())
			if err != nil {
				return err
			}
			in.Source, in.Path, in.RequestedBy = args[0], written(args[1]), who
			return o.run(c.Context(), workflows.IngestFile, in, printIngested)
		},
	}
	allowRemovals(c, &in.AllowRemovals)
	again(c, &in.Again)
	return c
}

func again(c *cobra.Command, again *bool) {
	c.Flags().BoolVar(again, "again", false, "also when the same bytes were loaded before under another name")
}

func allowRemovals(c *cobra.Command, allow *bool) {
	c.Flags().BoolVar(allow, "allow-removals", false, "into a dataset with merge: full, also a file that removes more profiles than mostRemoved allows")
}

func newRunEvaluateAudiences(o *runOptions) *cobra.Command {
	var in workflows.EvaluateAudiencesInput
	c := &cobra.Command{
		Use:     "evaluate-audiences [AUDIENCE …]",
		Short:   "Compute who is in the audiences, all of them unless named",
		Example: "  starter run evaluate-audiences --activate",
		RunE: func(c *cobra.Command, args []string) (err error) {
			in.Audiences, o.parts = args, true
			if in.RequestedBy, err = requestedBy(c.Context()); err != nil {
				return err
			}
			return o.run(c.Context(), workflows.EvaluateAudiences, in, printEvaluated)
		},
	}
	choosing(c, &in)
	return c
}

// choosing are the flags that say what to evaluate, and what then.
func choosing(c *cobra.Command, in *workflows.EvaluateAudiencesInput) {
	c.Flags().StringSliceVar(&in.Namespaces, "namespace", nil, "only audiences that may hold prospects of this namespace, by its symbol; may be given several times")
	c.Flags().StringSliceVar(&in.Datasets, "dataset", nil, "only audiences whose members this dataset may change; may be given several times")
	c.Flags().BoolVar(&in.Activate, "activate", false, "then run every activation; with --namespace or --dataset, those that send what was evaluated")
}

func newRunActivateAudiences(o *runOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "activate-audiences ACTIVATION",
		Short:   "Check an activation's policies and deliver its audiences",
		Example: "  starter run activate-audiences acme-to-media",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			who, err := requestedBy(c.Context())
			if err != nil {
				return err
			}
			return o.run(c.Context(), workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: args[0], RequestedBy: who}, printActivated)
		},
	}
}

// run starts a workflow, follows it and prints its result.
func (o *runOptions) run(ctx context.Context, workflow any, in input, show func(result json.RawMessage) error) error {
	c, err := o.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	id := o.id
	if id == "" {
		id = in.WorkflowID()
	}
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: workflows.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL, WorkflowExecutionErrorWhenAlreadyStarted: true}, workflow, in)
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &started) {
		return errkind.New(errkind.Conflict, "", fmt.Errorf("%s is running already", id), "follow it with: starter status "+id)
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", id, err)
	}
	if o.detach {
		if o.asJSON {
			return printJSON(os.Stdout, map[string]string{"workflowId": id, "runId": run.GetRunID()})
		}
		fmt.Println(id)
		return nil
	}
	var result json.RawMessage
	if err := o.wait(ctx, c, run, &result); err != nil {
		return errors.Join(o.showFailure(err, show), err)
	}
	if o.asJSON {
		return printJSON(os.Stdout, result)
	}
	return show(result)
}

// showFailure prints what a run came to that failed: parts of it may have succeeded.
func (o *runOptions) showFailure(err error, show func(result json.RawMessage) error) error {
	partial := partialResult(err)
	switch {
	case o.asJSON:
		return printJSON(os.Stdout, map[string]any{"kind": workflows.KindOf(err), "error": workflows.MessageOf(err), "result": partial})
	case partial != nil && o.parts:
		return show(partial)
	}
	return nil
}

// partialResult is the result that a failed run left, nil when there is none.
func partialResult(err error) json.RawMessage {
	var application *temporal.ApplicationError
	var partial json.RawMessage
	if !errors.As(err, &application) || !application.HasDetails() || application.Details(&partial) != nil {
		return nil
	}
	return partial
}

// wait shows progress on standard error until the run ends.
func (o *runOptions) wait(ctx context.Context, c *temporalclient.Client, run client.WorkflowRun, result any) error {
	fmt.Fprintln(os.Stderr, "started", visible(run.GetID()))
	ended := make(chan error, 1)
	go func() { ended <- run.Get(ctx, result) }()
	follow := newFollower(c, run, os.Stderr)
	err := follow.until(ctx, ended)
	if ctx.Err() != nil {
		return fmt.Errorf("stopped waiting; the run goes on, follow it with: starter status %s", run.GetID())
	}
	return err
}
