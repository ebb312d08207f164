package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"prospector/internal/api"
	"prospector/internal/store"
)

func newBatches(s *shared) *cobra.Command {
	c := newReads(s, "batches", "Batches of a dataset: list, show, delete", "List the batches of a dataset with their counts, show one with why its rows were rejected, or undo one.", newBatchList, newBatch)
	c.AddCommand(newBatchesDelete(s))
	return c
}

func newBatchList(r *reads) *cobra.Command {
	var status, after string
	var limit int
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
			page, err := client.Batches(c.Context(), args[0], q.limited(limit, after))
			return r.show(page, err, func() error { return printBatches(page) })
		},
	}
	c.Flags().StringVar(&status, "status", "", "only loaded, failed or deleted ones")
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
