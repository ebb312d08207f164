package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"prospector/internal/api"
	"prospector/internal/store"
)

func newQuarantine(s *shared) *cobra.Command {
	c := newReads(s, "quarantine", "Rejected rows: list, export, replay, resubmit", "List or export the rows that were rejected, with line, record and all that is wrong with each; take them again.", newQuarantineList, newQuarantineExport)
	c.AddCommand(newQuarantineReplay(s), newQuarantineResubmit(s))
	return c
}

// quarantineFilter narrows rejected rows.
type quarantineFilter struct{ batch, code, field, state string }

func (f *quarantineFilter) addFlags(c *cobra.Command) {
	c.Flags().StringVar(&f.batch, "batch", "", "only rows of this batch")
	c.Flags().StringVar(&f.code, "code", "", "only rows that have this among their reasons, such as PROSPECT-ENUM")
	c.Flags().StringVar(&f.field, "field", "", "only rows in which something is wrong with this XDM path")
	c.Flags().StringVar(&f.state, "state", "", "only unresolved rows, or those that a later batch has resolved")
}

func (f *quarantineFilter) query() query {
	q := query{}
	q.set("batch", f.batch)
	q.set("code", f.code)
	q.set("field", f.field)
	q.set("state", f.state)
	return q
}

func newQuarantineList(r *reads) *cobra.Command {
	var f quarantineFilter
	var after string
	var limit int
	c := &cobra.Command{
		Use:     "list DATASET",
		Short:   "List rejected rows, page by page",
		Example: "  starter quarantine list acme_2026 --code PROSPECT-ENUM --state unresolved",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			page, err := client.Quarantine(c.Context(), args[0], f.query().limited(limit, after))
			return r.show(page, err, func() error { return printQuarantine(page) })
		},
	}
	f.addFlags(c)
	c.Flags().IntVar(&limit, "limit", store.PageSize, fmt.Sprintf("how many, at most %d", store.MostPageSize))
	c.Flags().StringVar(&after, "after", "", "go on where a page has ended")
	return c
}

func printQuarantine(page api.QuarantinePage) error {
	if len(page.Rows) == 0 {
		fmt.Println("no rejected rows")
		return nil
	}
	rows := [][]string{{"batch", "file", "line", "reasons", "record", "resolved by"}}
	for _, row := range page.Rows {
		var reasons []string
		for _, reason := range row.Reasons {
			reasons = append(reasons, reason.Message)
		}
		record := "(no text)"
		if row.Raw != nil {
			record = brief(*row.Raw)
		}
		rows = append(rows, []string{row.Batch, printable(row.File), fmt.Sprint(row.Line), printable(strings.Join(reasons, "; ")), record, row.ResolvedBy})
	}
	err := table(os.Stdout, rows)
	printNext(page.Next)
	return err
}

func newQuarantineExport(r *reads) *cobra.Command {
	var f quarantineFilter
	var format, out string
	c := &cobra.Command{
		Use:   "export DATASET",
		Short: "Export all rejected rows that match, as JSON Lines or CSV",
		Long: `Export all rejected rows that match, as JSON Lines or CSV, to standard output or to a file that only you may read. The
records are personal data: docs/rows.md has the form.`,
		Example: "  starter quarantine export acme_2026 --batch BATCH --out rejected.jsonl",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			q := f.query()
			q.set("format", format)
			return exportTo(out, func(w io.Writer) error { return client.ExportQuarantine(c.Context(), args[0], url.Values(q), w) })
		},
	}
	f.addFlags(c)
	c.Flags().StringVar(&format, "format", api.JSONLines, "jsonl or csv")
	c.Flags().StringVar(&out, "out", "", "file to write; standard output unless given")
	return c
}

// exportTo writes the whole export to a file, or nothing; without a path to standard output.
func exportTo(path string, write func(io.Writer) error) (err error) {
	if path == "" {
		return write(os.Stdout)
	}
	unfinished, err := os.CreateTemp(filepath.Dir(path), ".export-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(unfinished.Name()))
		}
	}()
	err = write(unfinished)
	if err = errors.Join(err, unfinished.Close()); err != nil {
		return err
	}
	return os.Rename(unfinished.Name(), path)
}
