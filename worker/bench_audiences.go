//go:build !release

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"prospector/activities"
	"prospector/internal/store"
	"prospector/testdata"
	"prospector/workflows"
)

func newBenchAudiences() *cobra.Command {
	o := benchOptions{dev: devOptions{reported: true}}
	c := &cobra.Command{
		Use:   "audiences",
		Short: "Measure the evaluation of audiences against bare DuckDB queries on the same profiles",
		Long: `Measure the evaluation of audiences, a second evaluation after a tenth of the profiles has changed, and exact previews,
against a bare DuckDB script: one query for each rule, and one scan for all. Sizes must be equal, or the run fails.`,
		Example: "  worker bench audiences --rows 5000000 --audiences 50 --data-dir /tmp/bench --python python3",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runBenchAudiences(c.Context(), o) },
	}
	o.dev.addFlags(c.Flags())
	c.Flags().IntVar(&o.rows, "rows", 1_000_000, "prospects")
	c.Flags().IntVar(&o.columns, "columns", 40, "columns of their file")
	c.Flags().IntVar(&o.audiences, "audiences", 50, "audiences, of three to eight conditions each")
	c.Flags().StringVar(&o.python, "python", "", "Python that has DuckDB, for the bare script")
	return c
}

// benchRule is a random rule of three to eight conditions, over the columns as the bare script names them.
func benchRule(r *rand.Rand, columns []benchColumn) string {
	condition := func() string {
		c := columns[1+r.IntN(len(columns)-1)]
		switch c.xdm {
		case "integer":
			from := r.IntN(60)
			return fmt.Sprintf("%s BETWEEN %d AND %d", c.name, from, from+60)
		case "number":
			return fmt.Sprintf("%s > %d", c.name, r.IntN(5000))
		case "boolean":
			return c.name + " = true"
		case "date":
			return fmt.Sprintf("%s < DATE '%d-01-01'", c.name, 1990+r.IntN(30))
		}
		switch {
		case strings.Contains(c.field, "enum"):
			return c.name + " IN ('M', 'U')"
		case strings.Contains(c.field, "pattern"):
			return fmt.Sprintf("%s < '%d'", c.name, 20000+r.IntN(80000))
		}
		return fmt.Sprintf("%s LIKE '%%%c%%'", c.name, 'a'+r.IntN(26))
	}
	parts := []string{}
	for range 3 + r.IntN(6) {
		if r.IntN(3) == 0 {
			parts = append(parts, "("+condition()+" OR "+condition()+")")
		} else {
			parts = append(parts, condition())
		}
	}
	return strings.Join(parts, " AND ")
}

func runBenchAudiences(ctx context.Context, o benchOptions) error {
	columns := benchColumns(o.columns)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable on purpose
	rules := make([]string, o.audiences)
	var documents strings.Builder
	for i := range rules {
		rules[i] = benchRule(random, columns)
		named := rules[i]
		for _, c := range columns[1:] {
			named = strings.ReplaceAll(named, c.name, "_luma.bench."+c.name)
		}
		fmt.Fprintf(&documents, "kind: Audience\nname: a%03d\nrule: %q\n---\n", i, named)
	}
	return withBench(ctx, o, columns, documents.String(), func(ctx context.Context, d *dev, dropPoint string) error {
		for n, change := range []struct {
			what        string
			first, rows int
		}{{"first evaluation", 0, o.rows}, {"second, a tenth changed", o.rows / 2, o.rows / 10}} {
			file := filepath.Join(dropPoint, fmt.Sprintf("%d.csv.gz", n))
			if err := writeBenchFile(file, columns, change.first, change.rows); err != nil {
				return err
			}
			if _, err := benchLoad(ctx, d, file); err != nil {
				return err
			}
			took, members, err := benchEvaluate(ctx, d)
			if err != nil {
				return err
			}
			var all store.MemberCounts
			for _, m := range members {
				all.Realized, all.Existing, all.Exited = all.Realized+m.Realized, all.Existing+m.Existing, all.Exited+m.Exited
			}
			fmt.Printf("\n%d audiences, %d prospects: %d members are new, %d stayed, %d left\n", o.audiences, o.rows, all.Realized, all.Existing, all.Exited)
			fmt.Printf("%-26s %10s %10s %10s\n", "", "CPU s", "wall s", "peak MB")
			fmt.Printf("%-26s %10.1f %10.1f %10.0f\n", change.what, took.CPU, took.Wall, float64(took.RSS)/1e6)
			if o.python != "" {
				if err := benchBareAudiences(ctx, o, file, columns, rules, members, took); err != nil {
					return err
				}
			}
			if n > 0 {
				continue
			}
			if err := benchPreviews(ctx, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// benchEvaluate evaluates all audiences and measures this process meanwhile.
func benchEvaluate(ctx context.Context, d *dev) (out measure, members []store.MemberCounts, err error) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return out, nil, err
	}
	before, began := processorTime(), time.Now()
	var result workflows.EvaluateAudiencesResult
	in := workflows.EvaluateAudiencesInput{}
	if err := execute(ctx, d.client, in.WorkflowID(), workflows.EvaluateAudiences, in, &result); err != nil {
		return out, nil, err
	}
	out.CPU, out.Wall = (processorTime() - before).Seconds(), time.Since(began).Seconds()
	for _, m := range result.Memberships {
		if m.Error != "" {
			return out, nil, fmt.Errorf("audience %s: %s", m.Audience, m.Error)
		}
		members = append(members, m.MemberCounts)
	}
	out.RSS, err = peakMemory()
	return out, members, err
}

func benchBareAudiences(ctx context.Context, o benchOptions, file string, columns []benchColumn, rules []string, members []store.MemberCounts, ours measure) error {
	database := filepath.Join(filepath.Dir(filepath.Dir(file)), "bare.duckdb")
	if _, err := benchBare(ctx, o, database, file, columns); err != nil {
		return err
	}
	text, err := json.Marshal(rules)
	if err != nil {
		return err
	}
	script, err := testdata.Benchmark.ReadFile("benchmark/audiences.py")
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, o.python, "-c", string(script), database)
	c.Env = append(os.Environ(), "BENCH_RULES="+string(text), "BENCH_MEMORY="+cmp.Or(o.dev.host.store.MemoryLimit, "2GB"))
	var problems bytes.Buffer
	c.Stderr = &problems
	answer, err := c.Output()
	if err != nil {
		return fmt.Errorf("the bare script: %w: %s", err, &problems)
	}
	var bare struct {
		Queries, Mask    measure
		Delta, MaskDelta measure // of a second run
		Members          [][3]int64
	}
	if err := json.Unmarshal(answer, &bare); err != nil {
		return err
	}
	for i, m := range members {
		if bare.Members[i] != [3]int64{m.Realized, m.Existing, m.Exited} {
			return fmt.Errorf("the script's audience %d has other members than the product's", i)
		}
	}
	for _, way := range []struct {
		what           string
		members, delta measure
	}{{"bare, a query each", bare.Queries, bare.Delta}, {"bare, one scan", bare.Mask, bare.MaskDelta}} {
		cpu, wall := way.members.CPU+way.delta.CPU, way.members.Wall+way.delta.Wall
		fmt.Printf("%-26s %10.1f %10.1f %10s   the product's CPU: %.2f times (of the script's, %.1f s for who came and left)\n", way.what, cpu, wall, "", ours.CPU/cpu, way.delta.CPU)
	}
	return nil
}

// benchPreviews counts audiences without evaluating them, each three times; the first time warms up.
func benchPreviews(ctx context.Context, d *dev) error {
	w, err := d.host.applied.workspace(ctx)
	if err != nil {
		return err
	}
	dataset, err := w.Dataset("bench")
	if err != nil {
		return err
	}
	namespaces := []store.Namespace{{Symbol: w.Namespace(dataset), Datasets: []store.Dataset{activities.Stored(w, dataset)}}}
	var took []float64
	for _, a := range w.Audiences[:min(10, len(w.Audiences))] {
		for range 3 {
			began := time.Now()
			if _, err := d.host.store.Preview(ctx, store.PreviewQuery{Namespaces: namespaces, AsOf: time.Now().UTC(), Rule: a.Parsed}); err != nil {
				return err
			}
			took = append(took, time.Since(began).Seconds())
		}
	}
	slices.Sort(took)
	fmt.Printf("%-26s %10s %10.2f              the longest of %d: %.2f s\n", "a preview, median", "", took[len(took)/2], len(took), took[len(took)-1])
	return nil
}
