//go:build !release

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/spf13/cobra"

	"prospector/internal/store"
	"prospector/testdata"
	"prospector/workflows"
)

type benchOptions struct {
	dev       devOptions
	rows      int
	columns   int // of a file
	audiences int
	python    string
}

func newBench() *cobra.Command {
	o := benchOptions{dev: devOptions{reported: true}, columns: 40}
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure the product against a bare DuckDB script on the same files",
		Long: `Measure the product against a bare DuckDB script on the same files, in one run: a first load, a refresh with 90 %
known ids, and a delta of 1 %. The figures are the processor time, the wall time and the peak memory from the file in
a folder to the loaded profiles; the product's are those of a whole worker with its Temporal server.

The script needs Python with DuckDB of the same version (pip install duckdb==1.5.5); without --python it is left out.`,
		Example: "  worker bench --rows 1000000 --data-dir /tmp/bench --python python3",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runBench(c.Context(), o) },
	}
	o.dev.addFlags(c.Flags())
	c.Flags().IntVar(&o.rows, "rows", 1_000_000, "rows of the first file, of 40 columns")
	c.Flags().StringVar(&o.python, "python", "", "Python that has DuckDB, for the bare script")
	c.AddCommand(newBenchAudiences())
	return c
}

// benchColumn is a column of the benchmark's file.
type benchColumn struct {
	name, xdm, sql string
	check          string // SQL, as the field's rule
	field          string // YAML of the field's rule
	value          func(r *rand.Rand) string
}

func pick(values ...string) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return values[r.IntN(len(values))] }
}

// benchColumns are columns of the kinds that partners send; 40 are about 350 bytes a row.
func benchColumns(n int) []benchColumn {
	columns := []benchColumn{{name: "partner_id", xdm: "string", sql: "VARCHAR"}}
	number := func(most int) func(*rand.Rand) string {
		return func(r *rand.Rand) string { return strconv.Itoa(r.IntN(most)) }
	}
	words := func(n int) func(*rand.Rand) string {
		return func(r *rand.Rand) string {
			var out strings.Builder
			for range n {
				out.WriteByte(byte('a' + r.IntN(26)))
			}
			return out.String()
		}
	}
	for i := range n - 1 {
		c := benchColumn{name: fmt.Sprintf("c%03d", i), xdm: "string", sql: "VARCHAR"}
		switch i % 8 {
		case 0:
			c.value, c.field, c.check = pick("M", "F", "U"), ", enum: [M, F, U]", "list_contains(['M', 'F', 'U'], "+c.name+")"
		case 1:
			c.xdm, c.sql, c.value = "integer", "BIGINT", number(120)
		case 2:
			c.value = words(12)
		case 3:
			c.value, c.field, c.check = func(r *rand.Rand) string { return fmt.Sprintf("%05d", r.IntN(100000)) }, `, pattern: "^[0-9]{5}$"`, "regexp_full_match("+c.name+", '[0-9]{5}')"
		case 4:
			c.xdm, c.sql = "date", "DATE"
			c.value = func(r *rand.Rand) string { return time.Unix(r.Int64N(1_700_000_000), 0).UTC().Format(time.DateOnly) }
		case 5:
			c.xdm, c.sql = "number", "DOUBLE"
			c.value = func(r *rand.Rand) string { return strconv.FormatFloat(float64(r.IntN(1_000_000))/100, 'f', 2, 64) }
		case 6:
			c.value = words(8)
		case 7:
			c.xdm, c.sql = "boolean", "BOOLEAN"
			c.value = pick("true", "false")
		}
		columns = append(columns, c)
	}
	return columns
}

// writeBenchFile writes rows with ids from first on; one in a hundred breaks a rule, one in two hundred repeats an id.
func writeBenchFile(path string, columns []benchColumn, first, rows int) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	zipped, err := gzip.NewWriterLevel(file, gzip.BestSpeed)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(zipped, 1<<20)
	for i, c := range columns {
		_, _ = out.WriteString(map[bool]string{true: "", false: ","}[i == 0] + c.name)
	}
	_ = out.WriteByte('\n')
	random := rand.New(rand.NewPCG(uint64(first), uint64(rows))) //nolint:gosec // repeatable on purpose
	for n := range rows {
		id := first + n
		if random.IntN(200) == 0 && n > 0 {
			id = first + random.IntN(n)
		}
		_, _ = fmt.Fprintf(out, "P%011d", id)
		bad := random.IntN(100) == 0
		for i, c := range columns[1:] {
			value := c.value(random)
			if bad && i == 1 {
				value = "12.6"
			}
			_ = out.WriteByte(',')
			_, _ = out.WriteString(value)
		}
		_ = out.WriteByte('\n')
	}
	return errors.Join(out.Flush(), zipped.Close())
}

// benchWorkspace is the sample's sandbox with one source and dataset of the benchmark's columns.
func benchWorkspace(columns []benchColumn, dropPoint string) (map[string]string, error) {
	files := map[string]string{}
	for _, name := range []string{"prospector.yaml", "identities.yaml"} {
		content, err := testdata.Workspace.ReadFile("workspace/" + name)
		if err != nil {
			return nil, err
		}
		files[name] = string(content)
	}
	var fields, mapping strings.Builder
	for _, c := range columns[1:] {
		fmt.Fprintf(&fields, "  - {path: _luma.bench.%s, type: %s%s}\n", c.name, c.xdm, c.field)
		fmt.Fprintf(&mapping, "  %s: _luma.bench.%s\n", c.name, c.name)
	}
	files["bench.yaml"] = "kind: FieldGroup\nname: bench\nfields:\n" + fields.String() +
		"---\nkind: Schema\nname: bench\nclass: XDM Individual Prospect Profile\nfieldGroups: [bench]\nprimaryIdentity: {field: partnerID, namespace: acme_pid}\nprofile: true\n" +
		"---\nkind: Dataset\nname: bench\nschema: bench\nprofile: true\n" +
		"---\nkind: Source\nname: bench\ndataset: bench\nfolder: {path: " + dropPoint + "}\npath: \"*.csv.gz\"\nformat: {compression: gzip}\nreadiness: {rule: immediate}\nmapping:\n  partner_id: partnerID\n" + mapping.String()
	return files, nil
}

// measure is what one load cost.
type measure struct {
	CPU      float64 `json:"cpuSeconds"`
	Wall     float64 `json:"wallSeconds"`
	RSS      int64   `json:"peakBytes"`
	Profiles int64   `json:"profiles,omitempty"`
	Rejected int64   `json:"rejected"`
}

// withBench starts a worker on a fresh data directory with the benchmark's workspace, and more documents.
func withBench(ctx context.Context, o benchOptions, columns []benchColumn, documents string, do func(ctx context.Context, d *dev, dropPoint string) error) error {
	dir, err := filepath.Abs(o.dev.host.dataDir)
	if err != nil {
		return err
	}
	dropPoint, folder := filepath.Join(dir, "bench-files"), filepath.Join(dir, "bench-workspace")
	if _, err := os.Stat(dropPoint); err == nil {
		return usageError{fmt.Errorf("%s was used before; name a new --data-dir", dir)}
	}
	files, err := benchWorkspace(columns, dropPoint)
	if err != nil {
		return err
	}
	if documents != "" {
		files["audiences.yaml"] = strings.TrimSuffix(documents, "---\n")
	}
	for _, each := range []string{dropPoint, folder} {
		if err := os.MkdirAll(each, 0o700); err != nil {
			return err
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	o.dev.host.workspace, o.dev.host.dataDir = folder, dir
	return runDev(ctx, o.dev, func(ctx context.Context, d *dev) error {
		if _, err := d.host.applyFirst(ctx, d.client, folder); err != nil {
			return err
		}
		return do(ctx, d, dropPoint)
	})
}

func runBench(ctx context.Context, o benchOptions) error {
	columns := benchColumns(o.columns)
	return withBench(ctx, o, columns, "", func(ctx context.Context, d *dev, dropPoint string) error {
		fmt.Printf("%-16s %12s %10s %10s %10s   bare script: %10s %10s %10s   CPU ratio\n", "load", "rows", "CPU s", "wall s", "peak MB", "CPU s", "wall s", "peak MB")
		for i, load := range []struct {
			name        string
			first, rows int
		}{{"first", 0, o.rows}, {"refresh 90%", o.rows / 10, o.rows}, {"delta 1%", o.rows / 2, o.rows / 100}} {
			path := filepath.Join(dropPoint, fmt.Sprintf("%d.csv.gz", i))
			if err := writeBenchFile(path, columns, load.first, load.rows); err != nil {
				return err
			}
			ours, err := benchLoad(ctx, d, path)
			if err != nil {
				return err
			}
			fmt.Printf("%-16s %12d %10.1f %10.1f %10.0f", load.name, load.rows, ours.CPU, ours.Wall, float64(ours.RSS)/1e6)
			if o.python != "" {
				bare, err := benchBare(ctx, o, filepath.Join(filepath.Dir(dropPoint), "bare.duckdb"), path, columns)
				if err != nil {
					return err
				}
				if bare.Rejected != ours.Rejected || bare.Profiles != ours.Profiles {
					return fmt.Errorf("the script has %d profiles and rejected %d rows, the product %d and %d", bare.Profiles, bare.Rejected, ours.Profiles, ours.Rejected)
				}
				fmt.Printf("                %10.1f %10.1f %10.0f   %9.2f", bare.CPU, bare.Wall, float64(bare.RSS)/1e6, ours.CPU/bare.CPU)
			}
			fmt.Println()
		}
		return nil
	})
}

// benchLoad syncs the source and measures this process meanwhile.
func benchLoad(ctx context.Context, d *dev, path string) (out measure, err error) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak counts from here on
		return out, err
	}
	before, began := processorTime(), time.Now()
	in := workflows.IngestFileInput{Source: "bench", Path: filepath.Base(path)}
	var result workflows.IngestFileResult
	if err := execute(ctx, d.client, in.WorkflowID(), workflows.IngestFile, in, &result); err != nil {
		return out, err
	}
	out.CPU, out.Wall = (processorTime() - before).Seconds(), time.Since(began).Seconds()
	out.Rejected = result.Outcome.Rejected
	if out.RSS, err = peakMemory(); err != nil {
		return out, err
	}
	w, err := d.host.applied.workspace(ctx)
	if err != nil {
		return out, err
	}
	dataset, err := w.Dataset("bench")
	if err != nil {
		return out, err
	}
	out.Profiles, err = d.host.store.Profiles(ctx, store.Dataset{Name: dataset.Name, Schema: w.Schema(dataset).Composed, Identity: "partnerID"})
	return out, err
}

// benchBare runs the script in a process of its own.
func benchBare(ctx context.Context, o benchOptions, database, path string, columns []benchColumn) (out measure, err error) {
	described := make([][3]string, len(columns))
	for i, c := range columns {
		described[i] = [3]string{c.name, c.sql, c.check}
	}
	text, err := json.Marshal(described)
	if err != nil {
		return out, err
	}
	script, err := testdata.Benchmark.ReadFile("benchmark/bare.py")
	if err != nil {
		return out, err
	}
	c := exec.CommandContext(ctx, o.python, "-c", string(script), database, path)
	c.Env = append(os.Environ(), "BENCH_COLUMNS="+string(text), "BENCH_MEMORY="+cmp.Or(o.dev.host.store.MemoryLimit, "2GB"))
	var problems bytes.Buffer
	c.Stderr = &problems
	began := time.Now()
	answer, err := c.Output()
	if err != nil {
		return out, fmt.Errorf("the bare script: %w: %s", err, &problems)
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, err
	}
	out.Wall = time.Since(began).Seconds()
	out.CPU = (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
	return out, nil
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // cannot fail for ourselves
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakMemory is the most memory that the process has held since it was last asked to count anew.
func peakMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			return kilobytes * 1024, err
		}
	}
	return 0, errors.New("the system does not tell the process's peak memory")
}
