package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"prospector/internal/api"
	"prospector/internal/store"
	"prospector/workflows"
)

func newAudiences(s *shared) *cobra.Command {
	c := newReads(s, "audiences", "Audiences: list, show, preview, evaluate, overlap, why, history, members",
		"List audiences, see what a rule would hold before it is saved, evaluate, and see who came, who left and why.",
		newAudienceList, newAudienceShow, newAudiencePreview, newAudienceOverlap, newAudienceWhy, newAudienceHistory, newAudienceMembers)
	c.AddCommand(newAudienceEvaluate(s))
	return c
}

const withheld = "withheld"

func sizeText(r api.AudienceResult) string {
	if r.Withheld {
		return withheld
	}
	return fmt.Sprint(r.Size)
}

// breakdown is the realized, existing and exited members.
func breakdown(r api.AudienceResult) []string {
	if r.BreakdownWithheld {
		return []string{withheld, withheld, withheld}
	}
	return []string{fmt.Sprint(r.Realized), fmt.Sprint(r.Existing), fmt.Sprint(r.Exited)}
}

func newAudienceList(r *reads) *cobra.Command {
	var status string
	var tags []string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List audiences with their sizes, as they were evaluated last",
		Example: "  starter audiences list --tags outdoor",
		Args:    arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			q := map[string][]string{}
			query(q).set("status", status)
			query(q).set("tags", strings.Join(tags, ","))
			list, err := client.Audiences(c.Context(), q)
			return r.show(list, err, func() error { return printAudiences(list) })
		},
	}
	c.Flags().StringVar(&status, "status", "", "only draft, published or inactive ones; all but inactive ones unless said")
	c.Flags().StringSliceVar(&tags, "tags", nil, "only those with one of these tags")
	return c
}

func printAudiences(list api.AudienceList) error {
	if len(list.Audiences) == 0 {
		fmt.Println("no audiences; declare one in the workspace, see what it would hold with: starter audiences preview --rule …")
		return nil
	}
	rows := [][]string{{"audience", "prospects", "realized", "existing", "exited", "as of", "failed", "status", "created", "updated", "by", "origin", "tags"}}
	for _, a := range list.Audiences {
		row := []string{a.Name, "-", "", "", "", "never"}
		if res := a.Result; res != nil {
			row = append(append([]string{a.Name, sizeText(*res)}, breakdown(*res)...), localTime(res.AsOf))
		}
		failed := ""
		if a.Failure != nil {
			failed = localTime(a.Failure.AsOf)
		}
		rows = append(rows, append(row, failed, a.Status, dateOf(a.Created), dateOf(a.Updated), a.UpdatedBy, a.Origin, strings.Join(a.Tags, ", ")))
	}
	return table(os.Stdout, rows)
}

func dateOf(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.Local().Format(time.DateOnly)
}

func newAudienceShow(r *reads) *cobra.Command {
	return &cobra.Command{
		Use:   "show AUDIENCE",
		Short: "Show an audience: its rule in both notations, labels, use, latest result",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			a, err := client.Audience(c.Context(), args[0])
			return r.show(a, err, func() error { return printAudience(a) })
		},
	}
}

func printAudience(a api.AudienceDetail) error {
	rows := [][]string{{"audience", a.Name}}
	add := func(name, text string) {
		if text != "" {
			rows = append(rows, []string{name, text})
		}
	}
	add("description", a.Description)
	add("status", a.Status)
	add("namespaces", strings.Join(a.Namespaces, ", "))
	add("rule", a.RuleSQL)
	add("as PQL", a.RulePQL)
	add("attributes", strings.Join(a.Columns, ", "))
	add("refers to", strings.Join(a.RefersTo, ", "))
	add("labels", strings.Join(a.Labels, ", "))
	add("used by", strings.Join(a.UsedBy, ", "))
	add("activations", strings.Join(a.Activations, ", "))
	add("schedule", a.Schedule)
	add("tags", strings.Join(a.Tags, ", "))
	add("origin", a.Origin)
	if a.Created != nil {
		add("created", localTime(*a.Created))
	}
	if a.Updated != nil {
		add("updated", localTime(*a.Updated)+" by "+a.UpdatedBy)
	}
	failed := ""
	if a.Failure != nil {
		failed = fmt.Sprintf("evaluation %s, as of %s: %s", a.Failure.Evaluation, localTime(a.Failure.AsOf), printable(a.Failure.Error))
	}
	if a.Result == nil {
		add("prospects", "not evaluated yet")
		add("failed", failed)
		return table(os.Stdout, rows)
	}
	if failed != "" {
		failed += "; the membership before it is kept"
	}
	add("prospects", sizeText(*a.Result))
	add("as of", localTime(a.Result.AsOf))
	add("failed", failed)
	if err := table(os.Stdout, rows); err != nil || a.Result.BreakdownWithheld {
		return err
	}
	rows = [][]string{{"namespace", "prospects", "realized", "existing", "exited", "fragments by dataset"}}
	for _, n := range a.Result.Namespaces {
		var datasets []string
		for _, d := range slices.Sorted(maps.Keys(n.Datasets)) {
			datasets = append(datasets, fmt.Sprintf("%s %d", d, n.Datasets[d]))
		}
		rows = append(rows, []string{n.Namespace, share(n.Size(), a.Result.Size), share(n.Realized, n.Size()), share(n.Existing, n.Size()), fmt.Sprint(n.Exited), strings.Join(datasets, ", ")})
	}
	fmt.Println()
	return table(os.Stdout, rows)
}

// share is a number and its percentage of a whole.
func share(n, of int64) string {
	if of == 0 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d (%.1f%%)", n, 100*float64(n)/float64(of))
}

func newAudiencePreview(r *reads) *cobra.Command {
	var in api.PreviewRequest
	var pql string
	c := &cobra.Command{
		Use:   "preview [AUDIENCE|FILE]",
		Short: "Count exactly who would be in an audience, and see who could not get it",
		Long: `Count exactly who would be in an audience now: one of the workspace, or a rule that is not saved, in a file or with
--rule or --pql. A file that ends in .pql holds PQL. Shown are the count by namespace, a sample, the labels that the
audience would carry, and the destinations whose policies would refuse it. Nothing is changed.`,
		Example: `  starter audiences preview outdoor-families
  starter audiences preview --rule "partner.hiking = 'Y' AND partner.buyerRating >= 4" --namespace acme_pid
  starter audiences preview rule.pql --sample 5`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if pql != "" {
				if in.Rule != "" {
					return usageError{errors.New("give either --rule or --pql")}
				}
				in.Rule, in.Notation = pql, "pql"
			}
			if len(args) == 1 {
				if in.Rule != "" {
					return usageError{errors.New("give an audience, a file, --rule or --pql, one of them")}
				}
				info, err := os.Stat(args[0])
				switch {
				case err == nil && !info.IsDir():
					text, err := os.ReadFile(args[0])
					if err != nil {
						return err
					}
					in.Rule = strings.TrimPrefix(string(text), "\ufeff") // of editors that mark UTF-8
					if strings.HasSuffix(args[0], ".pql") {
						in.Notation = "pql"
					}
				case (err == nil || errors.Is(err, os.ErrNotExist)) && !strings.ContainsAny(args[0], "./"):
					in.Audience = args[0]
				default:
					return usageError{fmt.Errorf("%s is neither a file nor the name of an audience", args[0])}
				}
			}
			client, err := r.connect()
			if err != nil {
				return err
			}
			p, err := client.Preview(c.Context(), in)
			return r.show(p, err, func() error { return printPreview(p) })
		},
	}
	c.Flags().StringVar(&in.Rule, "rule", "", "a rule in SQL")
	c.Flags().StringVar(&pql, "pql", "", "a rule in PQL")
	c.Flags().StringSliceVar(&in.Namespaces, "namespace", nil, "only of these namespaces")
	c.Flags().IntVar(&in.Sample, "sample", 0, fmt.Sprintf("show so many of them, at most %d", store.MostPageSize))
	return c
}

func printPreview(p api.AudiencePreview) error {
	for _, warning := range p.Warnings {
		fmt.Println("note:", warning)
	}
	switch {
	case p.Withheld:
		fmt.Println("fewer prospects than the sandbox's evaluation.minimumCount: the count is withheld")
	case p.BreakdownWithheld:
		fmt.Printf("%d prospects, counted in %.2f s; a part of them, or of the others, is below the sandbox's evaluation.minimumCount: the breakdown is withheld\n", p.Profiles, p.Seconds)
	default:
		fmt.Printf("%s of %d prospects, counted in %.2f s\n", share(p.Profiles, p.Total), p.Total, p.Seconds)
		if p.Matching > p.Profiles {
			fmt.Printf("the rule holds for %d, of which the audience keeps so many\n", p.Matching)
		}
		for _, namespace := range slices.Sorted(maps.Keys(p.Namespaces)) {
			fmt.Printf("  %s: %d\n", namespace, p.Namespaces[namespace])
		}
	}
	if len(p.Labels) > 0 {
		fmt.Println("labels:", strings.Join(p.Labels, ", "))
	}
	for _, r := range p.Refusals {
		fmt.Printf("destination %s would not get it: %s; %s\n", r.Destination, printable(r.Reason), printable(r.Resolution))
	}
	if len(p.Sample) == 0 {
		return nil
	}
	fmt.Println()
	return printProfiles(api.ProfilePage{AsOf: p.AsOf, Profiles: p.Sample}, p.Columns, true)
}

func newAudienceEvaluate(s *shared) *cobra.Command {
	o := runOptions{shared: s}
	var in workflows.EvaluateAudiencesInput
	c := &cobra.Command{
		Use:   "evaluate [AUDIENCE…]",
		Short: "Evaluate audiences now, all unless named, with those that they refer to",
		Long: `Evaluate audiences now, all unless named, with those that they refer to. Their memberships are published together; an
audience that fails keeps its earlier one, and does not stop the others.`,
		Example: `  starter audiences evaluate
  starter audiences evaluate outdoor-families --activate
  starter audiences evaluate --dataset acme_2026`,
		RunE: func(c *cobra.Command, args []string) (err error) {
			in.Audiences, o.parts = args, true
			if in.RequestedBy, err = requestedBy(c.Context()); err != nil {
				return err
			}
			return o.run(c.Context(), workflows.EvaluateAudiences, in, printEvaluated)
		},
	}
	choosing(c, &in)
	c.Flags().StringVar(&o.id, "id", "", "workflow id; unless said, one that allows one such run at a time")
	c.Flags().BoolVar(&o.detach, "detach", false, "do not wait; print the workflow id")
	return c
}

func newAudienceOverlap(r *reads) *cobra.Command {
	return &cobra.Command{
		Use:     "overlap AUDIENCE AUDIENCE…",
		Short:   "Count exactly the prospects that audiences share, pair by pair, as they were evaluated last",
		Example: "  starter audiences overlap outdoor-families coastal-sailors",
		Args:    arguments(cobra.RangeArgs(2, 20)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			o, err := client.Overlap(c.Context(), args)
			return r.show(o, err, func() error { return printOverlap(o) })
		},
	}
}

func printOverlap(o api.AudienceOverlap) error {
	results := map[string]api.AudienceResult{}
	for _, a := range o.Audiences {
		if a.Result != nil {
			results[a.Name] = *a.Result
		}
	}
	rows := [][]string{{"audience", "prospects", "and", "prospects", "in both", "of the first", "of the second"}}
	for _, pair := range o.Pairs {
		a, b := results[pair.A], results[pair.B]
		row := []string{pair.A, sizeText(a), pair.B, sizeText(b), withheld, "", ""}
		if !pair.Withheld {
			row = []string{pair.A, sizeText(a), pair.B, sizeText(b), fmt.Sprint(pair.Both), percent(pair.Both, a.Size), percent(pair.Both, b.Size)}
		}
		rows = append(rows, row)
	}
	return table(os.Stdout, rows)
}

func percent(n, of int64) string {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f%%", 100*float64(n)/float64(of))
}

func newAudienceWhy(r *reads) *cobra.Command {
	return &cobra.Command{
		Use:   "why AUDIENCE NAMESPACE ID",
		Short: "Explain why a prospect is in an audience or is not: each condition with its value and verdict",
		Long: `Explain why a prospect is in an audience or is not, by its attributes as they are now: each condition of the rule with
the values that decide it. Told as well is what the latest evaluation made of it.`,
		Example: "  starter audiences why outdoor-families acme_pid P0001",
		Args:    arguments(cobra.ExactArgs(3)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			reason, err := client.Why(c.Context(), args[0], args[1], args[2])
			return r.show(reason, err, func() error { return printReason(reason) })
		},
	}
}

func printReason(r api.AudienceReason) error {
	rows := [][]string{{"condition", "verdict", "because"}}
	for _, p := range r.Predicates {
		var values []string
		for _, path := range slices.Sorted(maps.Keys(p.Values)) {
			text := "no value"
			if p.Values[path] != nil {
				text = brief(p.Values[path])
			}
			values = append(values, path+" = "+text)
		}
		rows = append(rows, []string{p.Predicate, p.Verdict, strings.Join(values, ", ")})
	}
	if err := table(os.Stdout, rows); err != nil {
		return err
	}
	verdict := map[string]string{"true": "in", "false": "not in", "unknown": "not in: an attribute that decides it has no value"}[r.Verdict]
	fmt.Printf("\nby its attributes now: %s\n", verdict)
	if r.Limit > 0 {
		fmt.Printf("the audience keeps %d of those for whom the rule holds\n", r.Limit)
	}
	switch {
	case r.Evaluated == nil:
		fmt.Println("the audience has not been evaluated yet")
	case r.Membership == nil:
		fmt.Printf("evaluated as of %s: not in\n", localTime(*r.Evaluated))
	default:
		fmt.Printf("evaluated as of %s: %s since %s\n", localTime(*r.Evaluated), r.Membership.Status, localTime(r.Membership.Since))
	}
	return nil
}

// derivedText names datasets with their versions.
func derivedText(derivations []store.Derivation) string {
	texts := make([]string, len(derivations))
	for i, d := range derivations {
		texts[i] = fmt.Sprintf("%s version %d", d.Dataset, d.Version)
		if d.FirstVersion != d.Version {
			texts[i] = fmt.Sprintf("%s versions %d to %d", d.Dataset, d.FirstVersion, d.Version)
		}
	}
	return strings.Join(texts, ", ")
}

func newAudienceHistory(r *reads) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:   "history AUDIENCE",
		Short: "Show what an audience's evaluations came to, the latest first",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			history, err := client.AudienceHistory(c.Context(), args[0], query{}.limited(limit, ""))
			if err != nil {
				return err
			}
			if r.asJSON {
				return printJSON(os.Stdout, history)
			}
			if len(history.Results) == 0 {
				fmt.Println("the audience has not been evaluated yet")
				return nil
			}
			rows := [][]string{{"as of", "prospects", "realized", "existing", "exited", "evaluation", "made of", ""}}
			for _, res := range history.Results {
				counts := append([]string{sizeText(res)}, breakdown(res)...)
				if res.Error != "" {
					counts = []string{"failed", "", "", ""}
				}
				rows = append(rows, append(append([]string{localTime(res.AsOf)}, counts...), res.Evaluation, derivedText(res.DerivedFrom), printable(res.Error)))
			}
			return table(os.Stdout, rows)
		},
	}
	c.Flags().IntVar(&limit, "limit", store.PageSize, fmt.Sprintf("how many, at most %d", store.MostPageSize))
	return c
}

func newAudienceMembers(r *reads) *cobra.Command {
	var namespace, status, after string
	var limit int
	c := &cobra.Command{
		Use:     "members AUDIENCE",
		Short:   "List an audience's members as it was evaluated last, page by page",
		Example: "  starter audiences members outdoor-families --status exited",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			q := query{}
			q.set("namespace", namespace)
			q.set("status", status)
			page, err := client.Members(c.Context(), args[0], q.limited(limit, after))
			if err != nil {
				return err
			}
			if r.asJSON {
				return printJSON(os.Stdout, page)
			}
			if len(page.Members) == 0 {
				fmt.Println("nobody")
				return nil
			}
			rows := [][]string{{"namespace", "partner id", "status", "since", "qualified last"}}
			for _, m := range page.Members {
				status, since := withheld, withheld
				if m.Status != "" {
					status = m.Status
				}
				if !m.Since.IsZero() {
					since = localTime(m.Since)
				}
				rows = append(rows, []string{m.Namespace, brief(m.PartnerID), status, since, localTime(m.LastQualified)})
			}
			err = table(os.Stdout, rows)
			printNext(page.Next)
			return err
		},
	}
	c.Flags().StringVar(&namespace, "namespace", "", "only of this namespace")
	c.Flags().StringVar(&status, "status", "", "only realized, existing or exited ones; those that are in it unless said")
	c.Flags().IntVar(&limit, "limit", store.PageSize, fmt.Sprintf("how many, at most %d", store.MostPageSize))
	c.Flags().StringVar(&after, "after", "", "go on where a page has ended")
	return c
}
