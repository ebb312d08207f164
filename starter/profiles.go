package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"prospector/internal/api"
	"prospector/internal/store"
)

func newProfiles(s *shared) *cobra.Command {
	return newReads(s, "profiles", "Browse, look up, count and explain profiles",
		"Browse, look up, count and explain profiles: one for each prospect of each namespace. What expired is not shown.",
		newBrowse, newProfile, newCount, newWhy)
}

// What an empty list says (PF-3).
const (
	noProfiles    = "There are no prospect profiles to browse right now"
	tryAgainLater = "Try again later: profiles show as soon as a partner's file has been loaded. See what came in with: starter files SOURCE"
)

func newBrowse(r *reads) *cobra.Command {
	var namespaces, columns []string
	var dataset, where, after string
	var limit int
	c := &cobra.Command{
		Use:   "browse",
		Short: "List profiles with their namespace, page by page",
		Long: `List profiles with their namespace, in the order of namespace and partner id. --where takes a rule as audiences have
it. --dataset shows what one dataset alone holds, also before it is enabled for Profile.`,
		Example: `  starter profiles browse
  starter profiles browse --namespace acme_pid --where "partner.hiking = 'Y'" --columns partner.hiking,partner.householdID`,
		Args: arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			q := query{}
			q.set("namespace", strings.Join(namespaces, ","))
			q.set("columns", strings.Join(columns, ","))
			q.set("dataset", dataset)
			q.set("where", where)
			page, err := client.Profiles(c.Context(), q.limited(limit, after))
			return r.show(page, err, func() error { return printProfiles(page, columns, where != "" || after != "") })
		},
	}
	c.Flags().StringSliceVar(&namespaces, "namespace", nil, "only of these namespaces")
	c.Flags().StringVar(&dataset, "dataset", "", "only what this dataset holds")
	c.Flags().StringVar(&where, "where", "", "only profiles for which this rule holds, such as \"partner.hiking = 'Y'\"")
	c.Flags().IntVar(&limit, "limit", store.PageSize, fmt.Sprintf("how many, at most %d", store.MostPageSize))
	c.Flags().StringVar(&after, "after", "", "go on where a page has ended")
	c.Flags().StringSliceVar(&columns, "columns", nil, "XDM paths of the attributes to show")
	return c
}

func printProfiles(page api.ProfilePage, columns []string, narrowed bool) error {
	if len(page.Profiles) == 0 && narrowed {
		fmt.Println("no profile matches")
		return nil
	}
	if len(page.Profiles) == 0 {
		fmt.Println(noProfiles)
		fmt.Println(tryAgainLater)
		return nil
	}
	header := append([]string{"namespace", "partner id"}, columns...)
	if len(columns) == 0 {
		header = append(header, "attributes")
	}
	rows := [][]string{append(header, "modified", "batch")}
	for _, p := range page.Profiles {
		row := []string{p.Namespace, brief(p.PartnerID)}
		for _, column := range columns {
			text := ""
			if value, ok := p.Attributes[column]; ok {
				text = brief(value)
			}
			row = append(row, text)
		}
		if len(columns) == 0 {
			row = append(row, fmt.Sprint(len(p.Attributes)))
		}
		rows = append(rows, append(row, localTime(p.Modified), p.Batch))
	}
	if err := table(os.Stdout, rows); err != nil {
		return err
	}
	printNext(page.Next)
	return nil
}

func newProfile(r *reads) *cobra.Command {
	return &cobra.Command{
		Use:   "get NAMESPACE ID",
		Short: "Show one profile: all its attributes, its audiences, its fragments",
		Long: `Show one profile: all its attributes, the audiences that it is in as they were evaluated last, and what each dataset
holds of it. --json shows everything as JSON.`,
		Example: "  starter profiles get acme_pid P0001 --json",
		Args:    arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			p, err := client.Profile(c.Context(), args[0], args[1])
			return r.show(p, err, func() error { return printProfile(p) })
		},
	}
}

func printProfile(p api.ProfileView) error {
	fmt.Printf("%s  %s\n\n", p.Namespace, printable(p.PartnerID))
	rows := [][]string{{"attribute", "value"}}
	for _, path := range slices.Sorted(maps.Keys(p.Attributes)) {
		rows = append(rows, []string{path, shown(p.Attributes[path])})
	}
	err := table(os.Stdout, rows)
	if len(p.Masked) > 0 {
		fmt.Println("left out, for your roles do not see them:", strings.Join(p.Masked, ", "))
	}
	fmt.Println()
	rows = [][]string{{"audience", "status", "since", "description"}}
	for _, a := range p.Audiences {
		rows = append(rows, []string{a.Audience, a.Status, localTime(a.Since), a.Description})
	}
	if len(p.Audiences) == 0 {
		rows = [][]string{{"in no audience, as they were evaluated last"}}
	}
	if len(p.Audiences) == 0 && p.MaskedAudiences {
		rows = [][]string{{"in no audience that your roles let you see, as they were evaluated last"}}
	}
	err = errors.Join(err, table(os.Stdout, rows))
	if len(p.Audiences) > 0 && p.MaskedAudiences {
		fmt.Println("audiences that your roles do not let you see are left out")
	}
	fmt.Println()
	rows = [][]string{{"dataset", "created", "by batch", "modified", "by batch", "line", "expires"}}
	for _, f := range p.Fragments {
		rows = append(rows, []string{f.Dataset, localTime(f.Created), f.CreatedBatch, localTime(f.Modified), f.Batch, fmt.Sprint(f.Line), localTime(f.Expires)})
	}
	return errors.Join(err, table(os.Stdout, rows))
}

func newCount(r *reads) *cobra.Command {
	return &cobra.Command{
		Use:   "count",
		Short: "Count profiles by namespace, and what datasets hold",
		Args:  arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			counts, err := client.Counts(c.Context())
			return r.show(counts, err, func() error { return printCounts(counts) })
		},
	}
}

func printCounts(counts store.Counts) error {
	rows := [][]string{{"namespace", "profiles"}}
	for _, n := range counts.Namespaces {
		rows = append(rows, []string{n.Namespace, fmt.Sprint(n.Profiles)})
	}
	err := table(os.Stdout, rows)
	fmt.Println()
	rows = [][]string{{"dataset", "namespace", "rows", "expired", "in quarantine", "batches", "last load", ""}}
	for _, d := range counts.Datasets {
		var batches []string
		for _, status := range slices.Sorted(maps.Keys(d.Batches)) {
			batches = append(batches, fmt.Sprintf("%d %s", d.Batches[status], status))
		}
		last, note := "", ""
		if d.Updated != nil {
			last = localTime(*d.Updated)
		}
		if !d.Enabled {
			note = "not enabled for Profile"
		}
		rows = append(rows, []string{d.Dataset, d.Namespace, fmt.Sprint(d.Fragments), fmt.Sprint(d.Expired), fmt.Sprint(d.Quarantine), strings.Join(batches, ", "), last, note})
	}
	err = errors.Join(err, table(os.Stdout, rows))
	fmt.Printf("\nas of %s\n", localTime(counts.AsOf))
	return err
}

func newWhy(r *reads) *cobra.Command {
	return &cobra.Command{
		Use:   "why NAMESPACE ID",
		Short: "Say where each attribute of a profile comes from, and what batches did to it",
		Long: `Say where each attribute of a profile comes from: dataset, batch, file and line. Of datasets that are declared with
history: true also what the profile was before, batch by batch.`,
		Example: "  starter profiles why acme_pid P0001",
		Args:    arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			p, err := client.Provenance(c.Context(), args[0], args[1])
			return r.show(p, err, func() error { return printProvenance(p) })
		},
	}
}

func printProvenance(p store.Provenance) error {
	fmt.Printf("%s  %s\n\n", p.Namespace, printable(p.PartnerID))
	rows := [][]string{{"attribute", "value", "dataset", "batch", "file", "line", "loaded"}}
	for _, path := range slices.Sorted(maps.Keys(p.Attributes)) {
		a := p.Attributes[path]
		rows = append(rows, []string{path, brief(a.Value), a.Dataset, a.Batch, printable(a.File), fmt.Sprint(a.Line), localTime(a.At)})
	}
	err := table(os.Stdout, rows)
	if len(p.History) > 0 {
		fmt.Println("\nhistory")
		rows = [][]string{{"loaded", "dataset", "batch", "file", "line", "effect", "attributes"}}
		for _, change := range p.History {
			var values []string
			for _, path := range slices.Sorted(maps.Keys(change.Attributes)) {
				values = append(values, path+"="+brief(change.Attributes[path]))
			}
			line := ""
			if change.Line > 0 {
				line = fmt.Sprint(change.Line)
			}
			rows = append(rows, []string{localTime(change.At), change.Dataset, change.Batch, printable(change.File), line, change.Effect, strings.Join(values, ", ")})
		}
		err = errors.Join(err, table(os.Stdout, rows))
	}
	if len(p.WithoutHistory) > 0 {
		fmt.Printf("\nno history of %s: write history: true in the dataset and apply it\n", strings.Join(p.WithoutHistory, ", "))
	}
	return err
}
