package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"prospector/workflows"
)

func newQuarantineReplay(s *shared) *cobra.Command {
	o := runOptions{shared: s}
	return &cobra.Command{
		Use:   "replay DATASET BATCH",
		Short: "Check a batch's rejected rows again, under today's mapping and schema",
		Long: `Check a batch's rejected rows again, under today's mapping and schema, and load those that are accepted, as a batch
of its own; each keeps the line that it has in its file. What was loaded after the batch stays. The others stay in
quarantine, with today's reasons.`,
		Example: "  starter quarantine replay acme_2026 batch_20261124060000_0123456789abcdef",
		Args:    arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			who, err := requestedBy(c.Context())
			if err != nil {
				return err
			}
			return o.run(c.Context(), workflows.ReplayQuarantine, workflows.ReplayQuarantineInput{Dataset: args[0], Batch: args[1], RequestedBy: who}, printReplayed)
		},
	}
}

func newQuarantineResubmit(s *shared) *cobra.Command {
	o := runOptions{shared: s}
	return &cobra.Command{
		Use:   "resubmit DATASET FILE",
		Short: "Load rejected rows that were corrected by hand",
		Long: `Load rejected rows of one batch that were corrected by hand. Start from what quarantine export writes as JSON Lines:
change raw, leave out the rows that stay as they are. Each row keeps the line that it has in its file.

The worker reads the file itself: it must be on its machine, in a folder that it was started with
(worker run --add-data-from FOLDER; worker dev allows the folder in which it was started).`,
		Example: `  starter quarantine export acme_2026 --batch batch_20261124060000_0123456789abcdef > rows.jsonl
  starter quarantine resubmit acme_2026 rows.jsonl`,
		Args: arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			path, err := filepath.Abs(args[1])
			if err != nil {
				return err
			}
			batch, err := batchOfRows(path)
			if err != nil {
				return err
			}
			who, err := requestedBy(c.Context())
			if err != nil {
				return err
			}
			in := workflows.ReplayQuarantineInput{Dataset: args[0], Batch: batch, Path: "local:" + path, RequestedBy: who}
			return o.run(c.Context(), workflows.ReplayQuarantine, in, printReplayed)
		},
	}
}

// batchOfRows is the batch of the first row in a file; the worker holds all others against it.
func batchOfRows(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // only read
	line, err := bufio.NewReader(file).ReadBytes('\n')
	var row struct {
		Batch string `json:"batch"`
	}
	if json.Unmarshal(line, &row) != nil || row.Batch == "" {
		return "", usageError{errors.Join(fmt.Errorf("%s holds no rows of quarantine; start from what starter quarantine export writes as JSON Lines", path), err)}
	}
	return row.Batch, nil
}

func printReplayed(result json.RawMessage) error {
	r, err := decoded[workflows.IngestFileResult](result)
	if err != nil {
		return err
	}
	switch {
	case r.Outcome == nil:
		fmt.Printf("batch %s: %s\n", r.ReplayOf, visible(r.Reason))
		return nil
	case r.AlreadyDone:
		fmt.Printf("batch %s: these rows were replayed before under the same rules, as batch %s\n", r.ReplayOf, r.Batch)
	default:
		fmt.Printf("batch %s: replayed as batch %s\n", r.ReplayOf, r.Batch)
	}
	o := r.Outcome
	if o.Accepted == 0 {
		fmt.Printf("no row was accepted: all %d stay in quarantine\n", o.Rejected)
	}
	fmt.Printf("%d rows read, %d accepted, %d rejected again; %d profiles created, %d updated, %d unchanged, %d known from later batches\n",
		o.Read, o.Accepted, o.Rejected, o.Created, o.Updated, o.Unchanged, o.Outdated)
	printWithheld(o.ChangesWithheld)
	for _, reason := range r.Reasons {
		fmt.Printf("  %d× %s\n", reason.Rows, reason.Reason)
	}
	return nil
}
