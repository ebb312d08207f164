package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"prospector/internal/api"
	"prospector/internal/errkind"
)

func newAudit(s *shared) *cobra.Command {
	return newReads(s, "audit", "Who did what, and who was refused: list, export, verify", `List, export and verify the audit: who did what to which object, when, and whether it was allowed. Records are kept for a year, each
chained to the one before by a hash, so that what is changed or removed later shows.`, newAuditList, newAuditExport, newAuditVerify, newAuditHead)
}

// auditFilter narrows the audit.
type auditFilter struct{ kind, action, actor, outcome, object, profile, from, to string }

func (f *auditFilter) addFlags(c *cobra.Command) {
	c.Flags().StringVar(&f.kind, "kind", "", "only of objects of this kind, such as Audience, Activation, Batch, Profile, Request")
	c.Flags().StringVar(&f.action, "action", "", "only this action, such as change, activate, delete, view, request")
	c.Flags().StringVar(&f.actor, "actor", "", "only what this person did")
	c.Flags().StringVar(&f.outcome, "outcome", "", "only what was allowed, denied, or failed")
	c.Flags().StringVar(&f.object, "object", "", "only of the object with this name or id")
	c.Flags().StringVar(&f.profile, "profile", "", "only look-ups of this profile, written NAMESPACE/ID")
	c.Flags().StringVar(&f.from, "from", "", "only from then on, such as 2026-11-23 or 2026-11-23T06:00:00Z")
	c.Flags().StringVar(&f.to, "to", "", "only before then")
}

func (f *auditFilter) query() (query, error) {
	q := query{}
	q.set("kind", f.kind)
	q.set("action", f.action)
	q.set("actor", f.actor)
	q.set("outcome", f.outcome)
	q.set("object", f.object)
	if f.profile != "" {
		namespace, id, ok := strings.Cut(f.profile, "/")
		if !ok || f.object != "" {
			return nil, usageError{errors.New("--profile is written NAMESPACE/ID, and stands instead of --object")}
		}
		q.set("object", api.ProfileObject(namespace, id))
	}
	for name, text := range map[string]string{"from": f.from, "to": f.to} {
		at, err := instant(name, text)
		if err != nil {
			return nil, err
		}
		if at != nil {
			q.set(name, at.Format(time.RFC3339))
		}
	}
	return q, nil
}

func newAuditList(r *reads) *cobra.Command {
	var f auditFilter
	var limit int
	var after string
	c := &cobra.Command{
		Use:   "list",
		Short: "List records, the newest first",
		Example: `  starter audit list --outcome denied
  starter audit list --kind Audience --actor ann --from 2026-11-01`,
		Args: arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			q, err := f.query()
			if err != nil {
				return err
			}
			page, err := client.Audit(c.Context(), q.limited(limit, after))
			return r.show(page, err, func() error { return printAudit(page) })
		},
	}
	f.addFlags(c)
	c.Flags().IntVar(&limit, "limit", 100, fmt.Sprintf("how many, at most %d", api.MostAuditRecords))
	c.Flags().StringVar(&after, "after", "", "go on behind this record")
	return c
}

func printAudit(page api.AuditPage) error {
	if len(page.Records) == 0 {
		fmt.Println("no records")
		return nil
	}
	rows := [][]string{{"number", "at", "who", "outcome", "action", "kind", "object", "detail"}}
	for _, a := range page.Records {
		who := a.Actor
		if who == "" {
			who = "-"
		}
		rows = append(rows, []string{fmt.Sprint(a.Number), localTime(a.At), printable(who), a.Outcome, printable(a.Action), printable(a.Kind), printable(a.Object), brief(a.Detail)})
	}
	err := table(os.Stdout, rows)
	if page.Next != 0 {
		printNext(fmt.Sprint(page.Next))
	}
	return err
}

func newAuditExport(r *reads) *cobra.Command {
	var f auditFilter
	var format, out string
	c := &cobra.Command{
		Use:   "export",
		Short: fmt.Sprintf("Export the records of at most %d days, as JSON Lines or CSV", api.AuditExportDays),
		Long: fmt.Sprintf(`Export the records of at most %d days, the last ones unless --from and --to say which, the newest first, as JSON Lines or CSV, to
standard output or to a file that only you may read. That you did is a record, too.`, api.AuditExportDays),
		Example: "  starter audit export --from 2026-09-01 --to 2026-11-01 --format csv --out audit.csv",
		Args:    arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			q, err := f.query()
			if err != nil {
				return err
			}
			q.set("format", format)
			return exportTo(out, func(w io.Writer) error { return client.ExportAudit(c.Context(), url.Values(q), w) })
		},
	}
	f.addFlags(c)
	c.Flags().StringVar(&format, "format", api.JSONLines, "jsonl or csv")
	c.Flags().StringVar(&out, "out", "", "file to write; standard output unless given")
	return c
}

func newAuditVerify(r *reads) *cobra.Command {
	var noted string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Look for records that were changed, removed, put in or moved",
		Long: `Look for records that were changed, removed, put in or moved by somebody who may write to the catalog. Somebody who computes the
whole chain anew is found only with --head: what starter audit head has printed before, kept where that person cannot write.
Exit code 1 when the chain does not hold.`,
		Example: `  starter audit verify
  starter audit verify --head 1234:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef`,
		Args: arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			head, err := headOf(noted)
			if err != nil {
				return err
			}
			client, err := r.connect()
			if err != nil {
				return err
			}
			report, err := client.VerifyAudit(c.Context(), head)
			if err != nil {
				return err
			}
			if r.asJSON {
				err = printJSON(os.Stdout, report)
			} else {
				printAuditReport(report)
			}
			if len(report.Breaks) > 0 {
				err = errors.Join(err, errkind.New(errkind.Conflict, "", fmt.Errorf("the audit does not hold: %d places", len(report.Breaks)), "keep the data directory as it is, and compare with a backup"))
			}
			return err
		},
	}
	c.Flags().StringVar(&noted, "head", "", "a head that was noted before, which must be in the chain: NUMBER:HASH")
	return c
}

// headOf reads a head as starter audit head prints it.
func headOf(text string) (h api.AuditHead, err error) {
	if text == "" {
		return h, nil
	}
	number, hash, _ := strings.Cut(text, ":")
	h.Hash = hash
	if h.Number, err = strconv.ParseInt(number, 10, 64); err != nil || h.Number < 1 || len(hash) != 64 {
		return h, usageError{errors.New("--head is written NUMBER:HASH, as starter audit head prints it")}
	}
	return h, nil
}

func printAuditReport(report api.AuditReport) {
	for _, b := range report.Breaks {
		fmt.Printf("record %d: %s\n", b.Number, printable(b.Message))
	}
	if len(report.Breaks) == 0 {
		fmt.Printf("the audit holds: %d records, from %d on; its head is %d:%s\n", report.Records, report.First, report.Head.Number, report.Head.Hash)
	}
}

func newAuditHead(r *reads) *cobra.Command {
	return &cobra.Command{
		Use:   "head",
		Short: "Print the end of the chain, to be noted elsewhere",
		Long: `Print the end of the chain, to be noted where nobody who may write to the catalog can: another machine, a ticket, paper. With it
starter audit verify --head shows later that no record up to it has changed.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			head, err := client.AuditHead(c.Context())
			if err != nil {
				return err
			}
			if r.asJSON {
				return printJSON(os.Stdout, head)
			}
			fmt.Printf("%d:%s\n", head.Number, head.Hash)
			return nil
		},
	}
}
