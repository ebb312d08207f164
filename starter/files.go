package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"prospector/activities"
	"prospector/internal/catalog"
	"prospector/workflows"
)

func newFiles(s *shared) *cobra.Command {
	o := runOptions{shared: s}
	var in workflows.ListFilesInput
	var runs bool
	var state string
	c := &cobra.Command{
		Use:   "files SOURCE [PATH]",
		Short: "Show the ledger of a source: every file version, and what became of it",
		Long: `Show the ledger of a source: every file version that was ever seen, and what became of it. With a PATH, the story
of that file's versions; a name that the ledger shows in quotes may be given so. With --runs, the latest runs on the source and the windows that they answered for.`,
		Example: `  starter files acme --state waiting
  starter files acme in/today.csv.gz
  starter files acme --runs`,
		Args: arguments(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, args []string) error {
			in.Source, in.State = args[0], catalog.State(state)
			if len(args) > 1 {
				in.Path = written(args[1])
			}
			return o.ask(c.Context(), workflows.ListFiles, in, func(result json.RawMessage) error { return printLedger(result, in.Path != "", runs) })
		},
	}
	c.Flags().StringVar(&state, "state", "", "only files in this state: seen, waiting, taken, loaded, duplicate, rejected, \"set aside\", failed, skipped, deleted or gone")
	c.Flags().IntVar(&in.Limit, "limit", 100, "how many files, the latest first; at most 1000")
	c.Flags().BoolVar(&runs, "runs", false, "the latest runs instead of files")
	return c
}

// ask starts a workflow that only reads, and shows its result.
func (o *runOptions) ask(ctx context.Context, workflow any, in input, show func(result json.RawMessage) error) error {
	c, err := o.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	var result json.RawMessage
	if err := execute(ctx, c, in.WorkflowID()+"/"+time.Now().UTC().Format("20060102150405.000000000"), workflow, in, &result); err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(os.Stdout, result)
	}
	return show(result)
}

func printLedger(result json.RawMessage, stories, runs bool) error {
	r, err := decoded[activities.ListFilesOutput](result)
	if err != nil {
		return err
	}
	if runs {
		return printSyncs(r.Runs)
	}
	states := make([]string, 0, len(r.States))
	for state, n := range r.States {
		states = append(states, fmt.Sprintf("%d %s", n, state))
	}
	slices.Sort(states)
	fmt.Printf("source %s: %v\n", r.Source, states)
	rows := [][]string{{"file", "size", "modified", "business date", "state", "batch", "detail"}}
	for _, f := range r.Files {
		rows = append(rows, []string{printable(f.Path), fmt.Sprint(f.Size), f.Modified.Format(time.RFC3339), f.BusinessDate, string(f.State), f.Batch, f.Detail})
		if stories {
			for _, e := range f.Story {
				rows = append(rows, []string{"", "", e.At.Format(time.RFC3339), "", string(e.State), "", e.Detail})
			}
		}
	}
	return table(os.Stdout, rows)
}

func printSyncs(runs []catalog.Sync) error {
	rows := [][]string{{"run", "began", "outcome", "files", "rows", "window", "business date", "detail"}}
	for _, s := range runs {
		window := ""
		if !s.Window.From.IsZero() {
			window = s.Window.From.Format(time.RFC3339) + " "
		}
		if !s.Window.To.IsZero() {
			window += "up to " + s.Window.To.Format(time.RFC3339)
		}
		day := s.BusinessDate
		if s.UpTo {
			day = "up to " + day
		}
		rows = append(rows, []string{s.Run, s.BeganAt.Format(time.RFC3339), s.Outcome, fmt.Sprint(s.Files), fmt.Sprint(s.Rows), window, day, s.Detail})
	}
	return table(os.Stdout, rows)
}
