package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"prospector/activities"
	"prospector/internal/catalog"
	"prospector/internal/store"
	"prospector/workflows"
)

// leastName is how many characters of a file's name are shown, however narrow the terminal.
const leastName = 40

// table writes aligned columns. On a terminal a long name of a file does not widen its column for all: its middle is left
// out, which no other output does.
func table(out io.Writer, rows [][]string) error {
	width := 0
	if file, ok := out.(*os.File); ok {
		width = widthOf(file)
	}
	return tableFor(width, out, rows)
}

func tableFor(width int, out io.Writer, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = visible(cell)
			if width > 0 && i < len(rows[0]) && rows[0][i] == "file" {
				cells[i] = shorten(cells[i], max(leastName, width/3))
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
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
	if r.Skipped > 0 {
		fmt.Printf(", %d were there before the source (take them with backfill-source)", r.Skipped)
	}
	if r.Elsewhen > 0 {
		fmt.Printf(", %d due outside of the asked day or window (a run without one takes them)", r.Elsewhen)
	}
	fmt.Println()
	for _, w := range r.Waiting {
		fmt.Printf("waiting  %s: %s\n", printable(written(w.Path)), visible(w.Reason))
	}
	printMore("waiting", r.WaitingFiles-len(r.Waiting))
	for _, path := range r.Gone {
		fmt.Printf("gone     %s: the partner removed it before it was taken\n", printable(path))
	}
	printMore("gone", r.GoneFiles-len(r.Gone))
	for _, f := range r.Failed {
		text := f.Message
		if !strings.Contains(text, f.Path) {
			text = f.Path + ": " + text
		}
		fmt.Printf("failed   %s\n", visible(text))
	}
	printMore("failed", r.FailedFiles-len(r.Failed))
	if len(r.Probed) > 0 {
		err := printProbed(r.Probed)
		printMore("due", r.MoreDue)
		return err
	}
	if len(r.Files) == 0 {
		fmt.Println("nothing new")
		return nil
	}
	if err := printFiles(r.Files); err != nil {
		return err
	}
	printMore("taken", r.Taken-len(r.Files))
	return nil
}

// printMore says how much of a list a result leaves out.
func printMore(what string, n int) {
	if n > 0 {
		fmt.Printf("and %d more %s; starter files SOURCE shows them\n", n, what)
	}
}

func printProbed(probed []activities.ProbeFileOutput) error {
	fmt.Println("dry run: nothing was taken")
	rows := [][]string{{"file", "bytes", "sample", "accepted", "rejected"}}
	for _, p := range probed {
		row := []string{printable(p.Path), fmt.Sprint(p.Bytes)}
		switch {
		case p.Counts != nil && p.Counts.SetAside != "":
			row = append(row, "would be set aside: "+p.Counts.SetAside)
		case p.Counts != nil:
			row = append(row, fmt.Sprint(p.Counts.Read), fmt.Sprint(p.Counts.Accepted), fmt.Sprint(p.Counts.Rejected))
		default:
			row = append(row, "not looked into")
		}
		rows = append(rows, row)
	}
	if err := table(os.Stdout, rows); err != nil {
		return err
	}
	for _, p := range probed {
		if p.Counts != nil && p.Counts.Drift != nil {
			printDrift(p.Path, p.Counts.Drift.Unmapped, p.Counts.Drift.Missing)
		}
		printReasons(p.Path, p.Reasons)
	}
	return nil
}

// printDrift says where a file's columns are not those of the mapping.
func printDrift(path string, unmapped, missing []string) {
	if len(unmapped) > 0 {
		fmt.Printf("  %s: columns that were not taken: %q\n", printable(path), unmapped)
	}
	if len(missing) > 0 {
		fmt.Printf("  %s: columns that are not there: %q\n", printable(path), missing)
	}
}

// printReasons says why rows of a file were rejected.
func printReasons(path string, reasons []store.RejectionCount) {
	for _, reason := range reasons {
		fmt.Printf("  %s: %d rows rejected: %s: %s\n", printable(path), reason.Rows, reason.Reason, reason.Reason.Code.Meaning())
	}
}

func printBackfilled(result json.RawMessage) error {
	r, err := decoded[workflows.BackfillSourceResult](result)
	if err != nil {
		return err
	}
	what := []string{"day", "files", "rows", ""}
	if r.Plan {
		fmt.Printf("plan: source %s, one run a day\n", r.Source)
		what = []string{"day", "files to take", "bytes", ""}
	}
	rows := [][]string{what}
	for _, d := range r.Days {
		amount, note := d.Rows, d.Error
		if r.Plan {
			amount = d.Bytes
		}
		if note == "" && d.Waiting > 0 {
			note = fmt.Sprintf("%d are not ready", d.Waiting)
		}
		rows = append(rows, []string{d.BusinessDate, fmt.Sprint(d.Files), fmt.Sprint(amount), note})
	}
	return table(os.Stdout, rows)
}

func printIngested(result json.RawMessage) error {
	r, err := decoded[workflows.IngestFileResult](result)
	if err != nil {
		return err
	}
	return printFiles([]workflows.IngestFileResult{r})
}

// printWithheld says what of counts is not told.
func printWithheld(withheld bool) {
	if withheld {
		fmt.Println("updated counts what stayed unchanged, too: your roles do not see all attributes of the dataset")
	}
}

func printFiles(files []workflows.IngestFileResult) error {
	rows := [][]string{{"file", "batch", "state", "read", "accepted", "rejected", "new", "updated", "unchanged", "superseded", "outdated", "removed"}}
	for _, f := range files {
		row := []string{printable(f.Path), f.Batch, string(f.State)}
		switch {
		case f.Reason != "":
			row = append(row, f.Reason)
		case f.DuplicateOf != "":
			row = append(row, "same bytes as "+f.DuplicateOf+"; ingest-file --again loads them all the same")
		case f.Outcome != nil:
			for _, n := range []int64{f.Outcome.Read, f.Outcome.Accepted, f.Outcome.Rejected, f.Outcome.Created, f.Outcome.Updated, f.Outcome.Unchanged, f.Outcome.Superseded, f.Outcome.Outdated, f.Outcome.Removed} {
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
	printWithheld(slices.ContainsFunc(files, func(f workflows.IngestFileResult) bool { return f.Outcome != nil && f.Outcome.ChangesWithheld }))
	for _, f := range files {
		if d := f.Drift; d != nil {
			printDrift(f.Path, d.Unmapped, d.Missing)
		}
		if f.Diagnostic != nil {
			fmt.Printf("  %s: %s\n", printable(f.Path), visible(f.Diagnostic.String()))
		}
		for _, warning := range f.Warnings {
			fmt.Printf("  %s: %s\n", printable(f.Path), visible(warning))
		}
		printReasons(f.Path, f.Reasons)
	}
	return nil
}

func printEvaluated(result json.RawMessage) error {
	r, err := decoded[workflows.EvaluateAudiencesResult](result)
	if err != nil {
		return err
	}
	rows := [][]string{{"audience", "prospects", "realized", "existing", "exited", ""}}
	for _, m := range r.Memberships {
		row := []string{m.Audience, fmt.Sprint(m.Size()), fmt.Sprint(m.Realized), fmt.Sprint(m.Existing), fmt.Sprint(m.Exited), printable(m.Warning)}
		switch {
		case m.Error != "":
			row = []string{m.Audience, "failed", "", "", "", printable(m.Error)}
		case m.Withheld:
			row = []string{m.Audience, "withheld", "", "", "", "it uses, or used before, what your roles do not see"}
		}
		rows = append(rows, row)
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
	if d.Excluded > 0 {
		fmt.Printf("%d members were left out: consent is missing, a contract does not let them leave, or they are on a suppression list\n", d.Excluded)
	}
	if text := derivedText(d.DerivedFrom); text != "" {
		fmt.Println("made of", text)
	}
	return table(os.Stdout, receiptRows(d.Files))
}

func receiptRows(files []catalog.Receipt) [][]string {
	rows := [][]string{{"file", "rows", "bytes", "sha256"}}
	for _, f := range files {
		rows = append(rows, []string{f.File, fmt.Sprint(f.Rows), fmt.Sprint(f.Bytes), f.SHA256})
	}
	return rows
}
