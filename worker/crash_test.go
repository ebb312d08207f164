//go:build !release

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"prospector/activities"
	"prospector/internal/store"
	"prospector/internal/workspace"
	"prospector/testdata"
	"prospector/testdata/partnerdata"
	"prospector/workflows"
)

// asLoader makes the test binary a process that takes the files of a folder into a data directory, by the real workflow
// with the real steps, and prints what is there afterwards. No Temporal server is needed, so that it can be killed often.
const asLoader = "PROSPECTOR_TEST_AS_LOADER"

// killsVariable says how often TestKilledAtAnyMoment kills.
const killsVariable = "PROSPECTOR_TEST_KILLS"

var loadedFiles = []string{"in/1.csv", "in/2.csv", "in/3.csv"}

// loaded is what a data directory holds, without times.
type loaded struct {
	Batches  []string // the newest first
	Profiles string   // digest of everybody with all columns
	Leftover []string
}

// loadFolder is the process's work: arguments are the data directory and the drop point. It loads three files, replays
// what was rejected of the first under another mapping, and undoes the second. What an earlier process has done is not
// asked for again.
func loadFolder(dir, dropPoint string) error {
	ctx := context.Background()
	w, err := folderWorkspace(dropPoint, "")
	if err != nil {
		return err
	}
	lenient, err := folderWorkspace(dropPoint, "nullMarkers: [n/a]\n")
	if err != nil {
		return err
	}
	h, err := openHost(ctx, hostOptions{dataDir: dir})
	if err != nil {
		return err
	}
	d, err := w.Dataset("acme_2026")
	if err != nil {
		return err
	}
	held := activities.Stored(w, d)
	fmt.Println("ready")
	run := func(w *workspace.Workspace, workflow, in any) error {
		h.activities.Workspace = func(context.Context) (*workspace.Workspace, error) { return w, nil }
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestWorkflowEnvironment()
		env.SetTestTimeout(time.Minute)
		env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute}) // a busy machine is no deadlock
		env.RegisterWorkflow(workflow)
		env.RegisterActivity(h.activities)
		env.ExecuteWorkflow(workflow, in)
		return env.GetWorkflowError()
	}
	// finish is the last step of a run that died between the load and it: Temporal would go on there.
	finish := func(batch string) error {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		env.RegisterActivity(h.activities)
		_, err := env.ExecuteActivity(h.activities.FinishFile, activities.FinishFileInput{Batch: batch})
		return err
	}
	batches := func() (files map[string]store.BatchRecord, all []store.BatchRecord, err error) {
		files = map[string]store.BatchRecord{}
		all, _, err = h.store.ListBatches(ctx, held, store.BatchQuery{Limit: store.MostPageSize})
		for _, b := range all {
			if b.ReplayOf == "" {
				files[b.File] = b
			}
		}
		return files, all, err
	}
	files, all, err := batches()
	if err != nil {
		return err
	}
	for _, path := range loadedFiles {
		if files[path].Status == store.Deleted { // it would come back
			continue
		}
		if err := run(w, workflows.IngestFile, workflows.IngestFileInput{Source: "acme", Path: path}); err != nil {
			return err
		}
	}
	for _, b := range all {
		if err := finish(b.ID); err != nil {
			return err
		}
	}
	replayed := slices.ContainsFunc(all, func(b store.BatchRecord) bool { return b.ReplayOf != "" })
	if files, _, err = batches(); err != nil {
		return err
	}
	if !replayed {
		if err := run(lenient, workflows.ReplayQuarantine, workflows.ReplayQuarantineInput{Dataset: d.Name, Batch: files[loadedFiles[0]].ID}); err != nil {
			return err
		}
	}
	if err := run(w, workflows.DeleteBatch, workflows.DeleteBatchInput{Dataset: d.Name, Batch: files[loadedFiles[1]].ID}); err != nil {
		return err
	}
	var out loaded
	if _, all, err = batches(); err != nil {
		return err
	}
	for _, b := range all {
		out.Batches = append(out.Batches, fmt.Sprintf("%s %+v replay=%t", b.File, b.Outcome, b.ReplayOf != ""))
	}
	if out.Profiles, err = everybody(ctx, h, w, held); err != nil {
		return err
	}
	if err := h.close(); err != nil {
		return err
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.HasPrefix(entry.Name(), "catalog.db") {
			relative, _ := filepath.Rel(dir, path)
			out.Leftover = append(out.Leftover, relative)
		}
		return err
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// everybody is a digest of all profiles.
func everybody(ctx context.Context, h *host, w *workspace.Workspace, d store.Dataset) (string, error) {
	n := store.Namespace{Symbol: "acme_pid", Datasets: []store.Dataset{d}}
	audience, err := w.Audience("everybody")
	if err != nil {
		return "", err
	}
	part := "memberships/everybody.parquet"
	_, err = h.store.Evaluate(ctx, now(), []store.AudienceScope{{Name: audience.Name, Rule: audience.Parsed, Namespaces: []store.Namespace{n}, Part: part}}, nil)
	if err != nil {
		return "", err
	}
	var paths []string
	for _, f := range d.Schema.Fields {
		if !f.System {
			paths = append(paths, f.Path)
		}
	}
	sum := sha256.New()
	_, err = h.store.Export(ctx, store.ExportQuery{Namespace: n, AsOf: now(), Paths: paths, Memberships: []string{part}, Delimiter: ","}, func(r io.Reader) error {
		_, err := io.Copy(sum, r)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

func now() time.Time { return time.Now().UTC() }

// folderWorkspace is the sample's dataset of Acme with a source that is a folder, and more lines of it.
func folderWorkspace(dropPoint, lines string) (*workspace.Workspace, error) {
	files := workspace.Files{}
	for _, name := range []string{"prospector.yaml", "identities.yaml", "schemas.yaml", "datasets.yaml", "sources.yaml", "governance.yaml"} {
		content, err := testdata.Workspace.ReadFile("workspace/" + name)
		if err != nil {
			return nil, err
		}
		files[name] = string(content)
	}
	files["sources.yaml"] = strings.Replace(files["sources.yaml"], acmeConnection, "folder: {path: "+dropPoint+"}\npath: in/*.csv\nformat: {delimiter: \",\"}\nreadiness: {rule: immediate}\n"+lines, 1)
	files["everybody.yaml"] = "kind: Audience\nname: everybody\nnamespaces: [acme_pid]\nrule: partnerID IS NOT NULL\n"
	return workspace.Parse(files)
}

// A process that is killed at any moment of loads, a replay and an undone load, again and again, leaves what one that is let alone
// leaves, and no file more.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	kills := 6
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		kills, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	dropPoint := t.TempDir()
	for i, path := range loadedFiles {
		var content bytes.Buffer
		_, err := partnerdata.Acme(&content, 20000, uint64(1+i%2)) // the third has the ids of the first
		require.NoError(t, err)
		fmt.Fprintf(&content, "lonely-%d,A,B,25-34,02139,MA,Y,N,,Y,,3,2,,h\nrejected-%d,A,B,25-34,02139,MA,n/a,N,,Y,,3,2,,h\n", i, i)
		drop(t, dropPoint, path, content.String(), time.Now().Add(-time.Hour+time.Duration(i)*time.Minute))
	}
	began := time.Now()
	undisturbed, ready := runLoader(t, t.TempDir(), dropPoint, 0)
	took := time.Since(ready)
	require.Contains(t, undisturbed, "{Status:deleted", "what is undone")
	require.Regexp(t, "Created:1 Updated:0 Unchanged:0 Superseded:0 Outdated:0 Removed:0 [^}]*} replay=true", undisturbed, "what is replayed")
	t.Logf("undisturbed: %s, of which %s of work", time.Since(began).Round(time.Millisecond), took.Round(time.Millisecond))
	killed := 0
	for killed < kills {
		dir := t.TempDir()
		for range 1 + rand.IntN(3) {
			if result, _ := runLoader(t, dir, dropPoint, time.Duration(rand.Int64N(int64(took)))); result == "" {
				killed++
			}
		}
		result, _ := runLoader(t, dir, dropPoint, 0)
		require.Equal(t, undisturbed, result)
		require.NoError(t, os.RemoveAll(dir))
	}
	t.Logf("%d kills", killed)
}

// runLoader returns what the process printed; nothing when it was killed, so long after it was ready.
func runLoader(t *testing.T, dir, dropPoint string, killAfter time.Duration) (result string, ready time.Time) {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(executable)
	c.Env = append(os.Environ(), asLoader+"="+dir+string(filepath.ListSeparator)+dropPoint)
	var problems bytes.Buffer
	c.Stderr = &problems
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	first := make([]byte, len("ready\n"))
	_, err = io.ReadFull(out, first)
	require.NoError(t, err, "%s", &problems)
	ready = time.Now()
	if killAfter > 0 {
		timer := time.AfterFunc(killAfter, func() { _ = c.Process.Kill() })
		defer timer.Stop()
	}
	rest, _ := io.ReadAll(out)
	err = c.Wait()
	if killAfter == 0 {
		require.NoError(t, err, "%s", &problems)
	}
	lines := strings.Split(strings.TrimSpace(string(rest)), "\n")
	last := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "{") })
	if last < 0 || err != nil {
		return "", ready
	}
	return lines[last], ready
}
