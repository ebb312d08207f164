package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"prospector/internal/store"
	"prospector/workflows"
)

func newBatchesDelete(s *shared) *cobra.Command {
	o := runOptions{shared: s}
	var yes, preview bool
	c := &cobra.Command{
		Use:   "delete DATASET BATCH",
		Short: "Undo one load, as if the batch had never come; later batches are kept",
		Long: `Undo one load, as if the batch had never come; later batches are kept. Profiles that only this batch had brought
go, those that it had changed become what the other batches make of them. Audiences follow at their next evaluation.
The batch's file is not taken again by itself: run ingest-file takes it.

What would change is shown first. Without --yes, and with nobody at the terminal to agree, nothing else happens.`,
		Example: `  starter batches delete acme_2026 batch_20261124060000_0123456789abcdef --preview
  starter batches delete acme_2026 batch_20261124060000_0123456789abcdef --yes`,
		Args: arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			who, err := requestedBy(c.Context())
			if err != nil {
				return err
			}
			return o.deleteBatch(c.Context(), workflows.DeleteBatchInput{Dataset: args[0], Batch: args[1], RequestedBy: who}, preview, yes)
		},
	}
	c.Flags().BoolVar(&preview, "preview", false, "only say what would change")
	c.Flags().BoolVar(&yes, "yes", false, "go on without asking")
	return c
}

// deleteBatch shows what would change, asks, and does it.
func (o *runOptions) deleteBatch(ctx context.Context, in workflows.DeleteBatchInput, preview, yes bool) error {
	planned := in
	planned.Preview = true
	if preview || !yes {
		if err := o.run(ctx, workflows.DeleteBatch, planned, printDeletion); err != nil || preview {
			return err
		}
		if !agreed("undo it") {
			fmt.Fprintln(os.Stderr, "nothing was changed; go on with --yes")
			return nil
		}
	}
	return o.run(ctx, workflows.DeleteBatch, in, printDeletion)
}

func printDeletion(result json.RawMessage) error {
	r, err := decoded[store.Deletion](result)
	if err != nil {
		return err
	}
	fmt.Printf("batch %s of dataset %s: %s from source %s\n", r.Batch, r.Dataset, printable(r.File), r.Source)
	what := "changed:"
	if r.Preview {
		what = "would change:"
	}
	fmt.Printf("%s %d profiles removed, %d become what they were without it, %d come back; %d were replaced by later batches and stay; %d rejected rows leave quarantine\n",
		what, r.Removed, r.Reverted, r.Restored, r.Kept, r.Rejected)
	for _, a := range r.Audiences {
		fmt.Printf("audience %s: %d members are concerned, as it was evaluated last\n", a.Audience, a.Members)
	}
	if len(r.Withheld) > 0 {
		fmt.Printf("your roles do not let you see all of what it is in: withheld are %s\n", strings.Join(r.Withheld, " and "))
	}
	if len(r.Audiences) > 0 && !r.Preview {
		fmt.Println("evaluate them anew with: starter run evaluate-audiences")
	}
	if r.Delivered > 0 {
		fmt.Printf("%d deliveries may hold rows of it; what has left is not called back, ask those who have it to delete it:\n", r.Delivered)
		return printDeliveries(r.Deliveries, r.Delivered)
	}
	return nil
}
