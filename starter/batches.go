package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"prospector/internal/api"
	"prospector/internal/store"
)

func newBatches(s *shared) *cobra.Command {
	c := newReads(s, "batches", "Batches of a dataset: list, show, uses, delete",
		"List the batches of a dataset with their counts, show one with why its rows were rejected, see what was made of it, or undo one.", newBatchList, newBatch, newBatchUses)
	c.AddCommand(newBatchesDelete(s))
	return c
}

func newBatchList(r *reads) *cobra.Command {
	var status, after string
	var limit int
	var version int64
	c := &cobra.Command{
		Use:     "list DATASET",
		Short:   "List the batches of a dataset, the newest first",
		Example: "  starter batches list acme_2026 --status failed",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			q := query{}
			q.set("status", status)
			if version > 0 {
				q.set("version", fmt.Sprint(version))
			}
			page, err := client.Batches(c.Context(), args[0], q.limited(limit, after))
			return r.show(page, err, func() error { return printBatches(page) })
		},
	}
	c.Flags().StringVar(&status, "status", "", "only loaded, failed or deleted ones")
	c.Flags().Int64Var(&version, "version", 0, "only those that are in this version of the dataset, as evaluations, deliveries and manifests name it")
	c.Flags().IntVar(&limit, "limit", store.PageSize, fmt.Sprintf("how many, at most %d", store.MostPageSize))
	c.Flags().StringVar(&after, "after", "", "go on behind this batch")
	return c
}

func printBatches(page api.BatchPage) error {
	if len(page.Batches) == 0 {
		fmt.Println("no batches")
		return nil
	}
	rows := [][]string{{"batch", "status", "loaded", "source", "file", "business date", "merge", "read", "accepted", "rejected", "created", "updated", "unchanged", "superseded", "outdated", "removed", "replay of"}}
	for _, b := range page.Batches {
		row := []string{b.ID, b.Status, localTime(b.Loaded), b.Source, printable(b.File), b.BusinessDate, string(b.Merge)}
		for _, count := range []int64{b.Read, b.Accepted, b.Rejected, b.Created, b.Updated, b.Unchanged, b.Superseded, b.Outdated, b.Removed} {
			row = append(row, fmt.Sprint(count))
		}
		rows = append(rows, append(row, b.ReplayOf))
	}
	err := table(os.Stdout, rows)
	printWithheld(slices.ContainsFunc(page.Batches, func(b store.BatchRecord) bool { return b.ChangesWithheld }))
	printNext(page.Next)
	return err
}

func newBatch(r *reads) *cobra.Command {
	return &cobra.Command{
		Use:   "show DATASET BATCH",
		Short: "Show a batch: its file, its counts, why rows were rejected",
		Args:  arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			b, err := client.Batch(c.Context(), args[0], args[1])
			return r.show(b, err, func() error { return printBatch(b) })
		},
	}
}

func printBatch(b store.BatchDetail) error {
	rows := [][]string{{"batch", b.ID}, {"dataset", b.Dataset}, {"status", b.Status}, {"source", b.Source}, {"file", printable(b.File)}, {"sha256", b.SHA256},
		{"loaded", localTime(b.Loaded)}, {"merge", string(b.Merge)}}
	if b.BusinessDate != "" {
		rows = append(rows, []string{"business date", b.BusinessDate})
	}
	if b.ReplayOf != "" {
		rows = append(rows, []string{"replay of", b.ReplayOf})
	}
	for _, count := range []struct {
		name string
		rows int64
	}{{"read", b.Read}, {"accepted", b.Accepted}, {"rejected", b.Rejected}, {"created", b.Created}, {"updated", b.Updated}, {"unchanged", b.Unchanged},
		{"superseded", b.Superseded}, {"outdated", b.Outdated}, {"removed", b.Removed}, {"in quarantine", b.Quarantine}, {"resolved", b.Resolved}} {
		rows = append(rows, []string{count.name, fmt.Sprint(count.rows)})
	}
	rows = append(rows, []string{"carries", strings.Join(b.Columns, ", ")})
	err := table(os.Stdout, rows)
	printWithheld(b.ChangesWithheld)
	if len(b.Reasons) > 0 {
		fmt.Println()
		rows = [][]string{{"rows", "code", "field", "detail"}}
		for _, r := range b.Reasons {
			rows = append(rows, []string{fmt.Sprint(r.Rows), string(r.Reason.Code), r.Reason.Field, printable(r.Reason.Detail)})
		}
		err = errors.Join(err, table(os.Stdout, rows))
	}
	return err
}

func newBatchUses(r *reads) *cobra.Command {
	return &cobra.Command{
		Use:   "uses DATASET BATCH",
		Short: "Show where a batch went: the audiences and deliveries that may hold rows of it",
		Long: `Show where a batch went, for whoever must delete it or its dataset: the audiences that had members in the dataset when
they were evaluated while the batch was in it, and the deliveries that were made of the dataset then. Also of a batch that was
deleted since.`,
		Args: arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			uses, err := client.BatchUses(c.Context(), args[0], args[1])
			return r.show(uses, err, func() error { return printUses(uses) })
		},
	}
}

func printUses(u store.Uses) error {
	if len(u.Audiences)+len(u.Deliveries) == 0 {
		fmt.Println("nothing was made of it")
		return nil
	}
	rows := [][]string{{"audience", "evaluations", "first", "last", ""}}
	for _, a := range u.Audiences {
		note := ""
		if a.Current {
			note = "as it is now"
		}
		rows = append(rows, []string{a.Audience, fmt.Sprint(a.Evaluations), localTime(a.First), localTime(a.Last), note})
	}
	if len(u.Audiences) == 0 {
		rows = [][]string{{"no audience"}}
	}
	if err := table(os.Stdout, rows); err != nil {
		return err
	}
	fmt.Println()
	return printDeliveries(u.Deliveries, u.Delivered)
}

// printDeliveries lists deliveries out of so many.
func printDeliveries(deliveries []store.DeliveryUse, all int64) error {
	if len(deliveries) == 0 {
		fmt.Println("no delivery may hold rows of it")
		return nil
	}
	rows := [][]string{{"delivery", "began", "activation", "destination", "status", "files"}}
	for _, d := range deliveries {
		rows = append(rows, []string{d.Delivery, localTime(d.Began), d.Activation, d.Destination, d.Status, fmt.Sprint(d.Files)})
	}
	err := table(os.Stdout, rows)
	if more := all - int64(len(deliveries)); more > 0 {
		fmt.Printf("and %d earlier ones\n", more)
	}
	return err
}
