package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"prospector/internal/catalog"
	"prospector/workflows"
)

// table writes aligned columns.
func table(out io.Writer, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

func decoded[T any](result json.RawMessage) (out T, err error) {
	return out, json.Unmarshal(result, &out)
}

func printSynced(result json.RawMessage) error {
	r, err := decoded[workflows.SyncSourceResult](result)
	if err != nil {
		return err
	}
	fmt.Printf("source %s: %d files match, %d loaded before", r.Source, r.Matching, r.AlreadyLoaded)
	if r.RefusedBefore > 0 {
		fmt.Printf(", %d refused before (take them again with --retry)", r.RefusedBefore)
	}
	fmt.Println()
	if len(r.Files) == 0 {
		fmt.Println("nothing new")
		return nil
	}
	return printFiles(r.Files)
}

func printIngested(result json.RawMessage) error {
	r, err := decoded[workflows.IngestFileResult](result)
	if err != nil {
		return err
	}
	return printFiles([]workflows.IngestFileResult{r})
}

func printFiles(files []workflows.IngestFileResult) error {
	rows := [][]string{{"file", "batch", "state", "read", "accepted", "rejected", "new", "updated", "superseded"}}
	for _, f := range files {
		row := []string{f.Path, f.Batch, string(f.State)}
		switch {
		case f.DuplicateOf != "":
			row = append(row, "same bytes as "+f.DuplicateOf)
		case f.Outcome != nil:
			for _, n := range []int64{f.Outcome.Read, f.Outcome.Accepted, f.Outcome.Rejected, f.Outcome.Created, f.Outcome.Updated, f.Outcome.Superseded} {
				row = append(row, fmt.Sprint(n))
			}
		}
		if f.AlreadyDone {
			row = append(row, "(by an earlier run)")
		}
		rows = append(rows, row)
	}
	if err := table(os.Stdout, rows); err != nil {
		return err
	}
	for _, f := range files {
		for _, reason := range f.Reasons {
			fmt.Printf("  %s: %d rows rejected: %s\n", f.Path, reason.Rows, reason.Reason)
		}
	}
	return nil
}

func printEvaluated(result json.RawMessage) error {
	r, err := decoded[workflows.EvaluateAudiencesResult](result)
	if err != nil {
		return err
	}
	rows := [][]string{{"audience", "prospects", "realized", "existing", "exited"}}
	for _, m := range r.Memberships {
		rows = append(rows, []string{m.Audience, fmt.Sprint(m.Size()), fmt.Sprint(m.Realized), fmt.Sprint(m.Existing), fmt.Sprint(m.Exited)})
	}
	fmt.Println("evaluation", r.Evaluation)
	if err := table(os.Stdout, rows); err != nil {
		return err
	}
	for _, d := range r.Deliveries {
		if err := printDelivery(d); err != nil {
			return err
		}
	}
	return nil
}

func printActivated(result json.RawMessage) error {
	r, err := decoded[workflows.ActivateAudiencesResult](result)
	if err != nil {
		return err
	}
	return printDelivery(r)
}

func printDelivery(d workflows.ActivateAudiencesResult) error {
	fmt.Printf("delivery %s of %s to %s, allowed by %s\n", d.Delivery, d.Activation, d.Destination, d.Decision)
	return table(os.Stdout, receiptRows(d.Files))
}

func receiptRows(files []catalog.Receipt) [][]string {
	rows := [][]string{{"file", "rows", "bytes", "sha256"}}
	for _, f := range files {
		rows = append(rows, []string{f.File, fmt.Sprint(f.Rows), fmt.Sprint(f.Bytes), f.SHA256})
	}
	return rows
}
