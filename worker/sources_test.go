//go:build !release

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"prospector/activities"
	"prospector/internal/catalog"
	"prospector/internal/devserver/faultproxy"
	"prospector/internal/errkind"
	"prospector/internal/temporalclient"
	"prospector/workflows"
)

const acmeConnection = `s3:
  endpoint: ${env:PROSPECTOR_S3_ENDPOINT}
  region: us-east-1
  bucket: acme-drop
  accessKey: ${env:PROSPECTOR_S3_ACCESS_KEY}
  secretKey: ${env:PROSPECTOR_S3_SECRET_KEY}
  pathStyle: true
path: in/*.csv.gz
format: {delimiter: ",", compression: gzip}
`

// folderSource makes the sample's source acme one whose files lie in a folder; lines say the rest.
func (d *devProcess) folderSource(lines string, more ...string) (folder string) {
	d.t.Helper()
	folder = d.t.TempDir()
	if !strings.Contains(lines, "format: ") {
		lines += "format: {delimiter: \",\"}\n"
	}
	require.NoError(d.t, d.applyEdited("sources.yaml", append([]string{acmeConnection, "folder: {path: " + folder + "}\n" + lines}, more...)...))
	return folder
}

const acmeHeader = "pid,first_name,last_name,age_range,zip,state,hiking,bicycling,skiing,sailing,tennis,buyer_rating,donor_rating,spending_volume,household_id\n"

// prospectRows are rows of Acme's layout, one for each id.
func prospectRows(ids ...string) string {
	var out strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&out, "%s,A,B,25-34,02139,MA,Y,N,,Y,,3,2,,h%s\n", id, id)
	}
	return out.String()
}

// drop writes a file as a careful partner does: aside, then renamed.
func drop(t *testing.T, folder, path, content string, modified time.Time) {
	t.Helper()
	file := filepath.Join(folder, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file+".part", []byte(content), 0o600))
	require.NoError(t, os.Chtimes(file+".part", modified, modified))
	require.NoError(t, os.Rename(file+".part", file))
}

// A run takes what a folder holds; bad files are each a clear failure or set aside, and keep nothing back.
func TestFolderSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	folder := d.folderSource("path: in/*.csv\nreadiness: {rule: immediate}\nevaluateAfterLoad: true\ndrift: {unmapped: quarantine, missing: ignore}\n")
	at := time.Now().Add(-time.Hour)
	drop(t, folder, "in/1.csv", acmeHeader+prospectRows("a1", "a2"), at)
	drop(t, folder, "in/2.csv", "", at.Add(time.Second))
	drop(t, folder, "in/3.csv", strings.Replace(acmeHeader, "\n", ",email\n", 1)+"a3,A,B,25-34,02139,MA,Y,N,,Y,,3,2,,h,x\n", at.Add(2*time.Second))
	drop(t, folder, "in/4.csv", strings.Replace(acmeHeader+prospectRows("a4"), ",household_id", "", 1), at.Add(3*time.Second)) // ragged: one field too many
	drop(t, folder, "in/5.csv", strings.Replace(acmeHeader, ",household_id", "", 1)+"a5,A,B,25-34,02139,MA,Y,N,,Y,,3,2,\n", at.Add(4*time.Second))
	drop(t, folder, "in/a\nb.csv", acmeHeader, at)
	require.NoError(t, os.Mkdir(filepath.Join(folder, "in", "folder.csv"), 0o755))

	var dry workflows.SyncSourceResult
	err := d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme", DryRun: true}, &dry)
	require.ErrorContains(t, err, "3 of 7 files failed")
	var out workflows.SyncSourceResult
	err = d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out)
	require.Equal(t, errkind.BadInput, workflows.KindOf(err))
	out = partial(t, err)
	outcomes := map[string]string{}
	for _, f := range out.Files {
		outcomes[f.Path] = string(f.State)
	}
	for _, f := range out.Failed {
		outcomes[f.Path] = "failed"
		require.Equal(t, errkind.BadInput, f.Kind, f.Message)
	}
	require.Equal(t, map[string]string{"in/1.csv": "loaded", "in/2.csv": "failed", "in/3.csv": "set aside", "in/4.csv": "failed", "in/5.csv": "loaded", "in/folder.csv": "failed", `"in/a\nb.csv"`: "failed"}, outcomes)
	for _, f := range out.Files {
		switch f.Path {
		case "in/3.csv":
			require.Contains(t, f.Reason, `has the unmapped columns "email"`)
		case "in/5.csv":
			require.Equal(t, []string{"household_id"}, f.Drift.Missing)
		}
	}
	var listed activities.ListFilesOutput
	require.NoError(t, d.run(workflows.ListFiles, workflows.ListFilesInput{Source: "acme", Path: "in/3.csv"}, &listed))
	require.Equal(t, catalog.SetAside, listed.Files[0].State)
	require.NotEmpty(t, listed.Files[0].Story)
	require.Len(t, listed.Runs, 1)
	require.Equal(t, "failed", listed.Runs[0].Outcome)
	require.EqualValues(t, 2, listed.Runs[0].Files)
	require.EqualValues(t, 3, listed.Runs[0].Rows)
	require.Len(t, arrived(t, dir, "media-drop"), 3, "its audiences were evaluated and delivered, with a manifest")
	err = d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "merk-to-liveramp"}, nil)
	require.ErrorContains(t, err, "has not been evaluated", "those that it could not change were not")
}

func partial(t *testing.T, err error) (out workflows.SyncSourceResult) {
	t.Helper()
	var details interface{ Details(...any) error }
	require.ErrorAs(t, err, &details)
	require.NoError(t, details.Details(&out))
	return out
}

// The same bytes put under their key again are no news; after other bytes they are. No run fails over them.
func TestReuploadedObjects(t *testing.T) {
	t.Parallel()
	d := startDev(t, t.TempDir(), nil)
	first, second := zipped(t, acmeHeader+prospectRows("a1", "a2")), zipped(t, acmeHeader+strings.ReplaceAll(prospectRows("a1", "a2"), "02139", "10001"))
	for _, step := range []struct {
		content []byte
		state   catalog.State
	}{{first, catalog.Loaded}, {first, catalog.Duplicate}, {second, catalog.Loaded}, {first, catalog.Loaded}} {
		time.Sleep(1100 * time.Millisecond) // S3 dates to the second
		d.putAcme("in/a.csv.gz", step.content)
		var out workflows.SyncSourceResult
		require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out))
		require.Len(t, out.Files, 1)
		require.Equal(t, step.state, out.Files[0].State)
		require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out))
		require.Empty(t, out.Files)
	}
	var listed activities.ListFilesOutput
	require.NoError(t, d.run(workflows.ListFiles, workflows.ListFilesInput{Source: "acme", Path: "in/a.csv.gz"}, &listed))
	require.Equal(t, map[catalog.State]int{catalog.Loaded: 3, catalog.Duplicate: 1}, listed.States)
}

// A file that is renamed after a newer one was loaded does not undo that, unless somebody asks for it. Two runs on one source
// at once share the files between them, and neither fails.
func TestRenamedFilesAndRunsAtOnce(t *testing.T) {
	t.Parallel()
	d := startDev(t, t.TempDir(), nil)
	folder := d.folderSource("path: in/*.csv\nreadiness: {rule: immediate}\n")
	at := time.Now().Add(-time.Hour)
	drop(t, folder, "in/1.csv", acmeHeader+prospectRows("a1"), at)
	drop(t, folder, "in/2.csv", acmeHeader+strings.ReplaceAll(prospectRows("a1"), "02139", "10001"), at.Add(time.Second))
	var out workflows.SyncSourceResult
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out))
	require.EqualValues(t, 2, out.Loaded)
	require.NoError(t, os.Rename(filepath.Join(folder, "in", "1.csv"), filepath.Join(folder, "in", "1_done.csv")))
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out))
	require.Equal(t, catalog.Duplicate, out.Files[0].State)
	in := workflows.IngestFileInput{Source: "acme", Path: "in/1_done.csv"}
	var ingested workflows.IngestFileResult
	require.NoError(t, d.run(workflows.IngestFile, in, &ingested))
	require.Equal(t, catalog.Duplicate, ingested.State)
	in.Again = true
	require.NoError(t, d.run(workflows.IngestFile, in, &ingested))
	require.Equal(t, catalog.Loaded, ingested.State)
	require.EqualValues(t, 1, ingested.Outcome.Updated)

	for i := range 25 {
		drop(t, folder, fmt.Sprintf("in/many-%02d.csv", i), acmeHeader+prospectRows(fmt.Sprintf("m%d", i)), at.Add(time.Duration(i)*time.Second))
	}
	var runs []client.WorkflowRun
	for i := range 2 {
		run, err := d.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: fmt.Sprintf("at-once-%d", i), TaskQueue: workflows.TaskQueue},
			workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"})
		require.NoError(t, err)
		runs = append(runs, run)
	}
	loaded := int64(0)
	for _, run := range runs {
		out = workflows.SyncSourceResult{}
		require.NoError(t, run.Get(t.Context(), &out))
		loaded += out.Loaded
	}
	require.EqualValues(t, 25, loaded, "each file once")
}

// A network that cuts and stalls while a source is synced makes no second batch of any file, and loses none.
func TestSyncThroughABrokenNetwork(t *testing.T) {
	t.Parallel()
	const files = 4
	d := startDev(t, t.TempDir(), nil)
	proxy, err := faultproxy.Start(t.Context(), strings.TrimPrefix(d.s3, "http://"))
	require.NoError(t, err)
	t.Cleanup(proxy.Stop)
	require.NoError(t, d.applyEdited("sources.yaml", "endpoint: ${env:PROSPECTOR_S3_ENDPOINT}", "endpoint: http://"+proxy.Address()))
	for i := range files {
		d.putAcme(fmt.Sprintf("in/%d.csv.gz", i), acmeFile(t, uint64(i+10)))
	}
	proxy.CutEvery(faultproxy.Down, 10_000, faultproxy.Reset)
	loaded, read := map[string]int{}, int64(0)
	for run := 0; len(loaded) < files; run++ {
		require.Less(t, run, 20)
		if run == 5 {
			proxy.CutEvery(faultproxy.Down, 0, faultproxy.Reset)
		}
		var out workflows.SyncSourceResult
		if err := d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out); err != nil {
			require.Equal(t, errkind.Transient, workflows.KindOf(err), "%v", err)
			if details := (&temporal.ApplicationError{}); errors.As(err, &details) && details.HasDetails() { // the listing may have failed
				require.NoError(t, details.Details(&out))
			}
		}
		for _, f := range out.Files {
			require.Equal(t, catalog.Loaded, f.State)
			loaded[f.Path]++
			read += f.Outcome.Read
		}
	}
	require.Greater(t, proxy.Cuts(), 5)
	for path, times := range loaded {
		require.Equal(t, 1, times, path)
	}
	require.EqualValues(t, files*smallRows, read)
	var listed activities.ListFilesOutput
	require.NoError(t, d.run(workflows.ListFiles, workflows.ListFilesInput{Source: "acme"}, &listed))
	require.Equal(t, map[catalog.State]int{catalog.Loaded: files}, listed.States)
}

// A scheduled run that goes on in a new history is judged by how the last one ends.
func TestScheduleOfAChainThatFails(t *testing.T) {
	t.Parallel()
	d := startDev(t, t.TempDir(), nil)
	chain := func(ctx workflow.Context, n int) error {
		if n == 0 {
			return workflow.NewContinueAsNewError(ctx, "chain", 1)
		}
		return temporal.NewNonRetryableApplicationError("no", "BadInput", nil)
	}
	w := worker.New(d.client.Client, "chain", worker.Options{})
	w.RegisterWorkflowWithOptions(chain, workflow.RegisterOptions{Name: "chain"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	_, err := d.client.ScheduleClient().Create(t.Context(), client.ScheduleOptions{ID: "chain", TriggerImmediately: true, Memo: map[string]any{workflows.ScheduleMark: "chain"},
		Action: &client.ScheduleWorkflowAction{ID: "chain", Workflow: "chain", Args: []any{0}, TaskQueue: "chain"}})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		found, err := d.client.Schedules(t.Context(), workflows.ScheduleMark)
		require.NoError(t, err)
		i := slices.IndexFunc(found, func(s temporalclient.ScheduleStatus) bool { return s.ID == "chain" })
		return i >= 0 && len(found[i].Alerts()) == 1 && strings.Contains(found[i].Alerts()[0], "its last run failed")
	}, time.Minute, 200*time.Millisecond)
}

// A local file is loaded as the dataset's source says, once, from the folders that the worker was started with.
func TestAddData(t *testing.T) {
	t.Parallel()
	allowed := t.TempDir()
	d := startDev(t, t.TempDir(), nil, "--add-data-from", allowed)
	file := filepath.Join(allowed, "prospects.csv.gz")
	require.NoError(t, os.WriteFile(file, acmeFile(t, 3), 0o600))
	in := workflows.IngestFileInput{Dataset: "acme_2026", Path: "local:" + file}
	var out workflows.IngestFileResult
	require.NoError(t, d.run(workflows.IngestFile, in, &out))
	require.Equal(t, catalog.Loaded, out.State)
	require.Equal(t, "acme", out.Source)
	require.EqualValues(t, smallRows, out.Outcome.Read)
	require.NoError(t, d.run(workflows.IngestFile, in, &out))
	require.True(t, out.AlreadyDone)

	outside := filepath.Join(t.TempDir(), "secret.csv.gz")
	require.NoError(t, os.WriteFile(outside, acmeFile(t, 4), 0o600))
	err := d.run(workflows.IngestFile, workflows.IngestFileInput{Dataset: "acme_2026", Path: "local:" + outside}, &out)
	require.Equal(t, errkind.Denied, workflows.KindOf(err))
	require.ErrorContains(t, err, "--add-data-from")
	require.NoError(t, os.Symlink(outside, filepath.Join(allowed, "link.csv.gz")))
	err = d.run(workflows.IngestFile, workflows.IngestFileInput{Dataset: "acme_2026", Path: "local:" + filepath.Join(allowed, "link.csv.gz")}, &out)
	require.Equal(t, errkind.Denied, workflows.KindOf(err), "a link leads out of the folder")
	err = d.run(workflows.IngestFile, workflows.IngestFileInput{Dataset: "nobody", Path: "local:" + file}, &out)
	require.Equal(t, errkind.Invalid, workflows.KindOf(err))
}

// A backfill makes one run for each day, oldest first, each with its business date; a schedule's own backfill, as
// Temporal's Web UI starts it, does the same; a paused schedule starts nothing.
func TestBackfillAndSchedule(t *testing.T) {
	t.Parallel()
	d := startDev(t, t.TempDir(), nil)
	folder := d.folderSource("path: in/{yyyy}-{MM}-{dd}.csv\nreadiness: {rule: immediate}\nbackfill: false\n",
		`schedule: {cron: "0 4 * * *", timeZone: America/New_York, paused: true}`, `schedule: {cron: "* * * * *", timeZone: UTC}`)
	today := time.Now().UTC().Truncate(24 * time.Hour)
	days := make([]string, 14)
	for i := range days {
		days[i] = today.AddDate(0, 0, i-14).Format(time.DateOnly)
		drop(t, folder, "in/"+days[i]+".csv", acmeHeader+prospectRows(fmt.Sprintf("p%d", i), "same"), today.AddDate(0, 0, -30))
	}
	var out workflows.SyncSourceResult
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out))
	require.Equal(t, 14, out.Skipped, "they were there before the source")
	handle := d.client.ScheduleClient().GetHandle(t.Context(), workflows.SourceScheduleID("acme"))
	require.Eventually(t, func() bool { // it fires within its minute
		described, err := handle.Describe(t.Context())
		return err == nil && described.Info.NumActions > 0
	}, 90*time.Second, time.Second)
	require.NoError(t, handle.Pause(t.Context(), client.SchedulePauseOptions{Note: "by hand"}))
	described, err := handle.Describe(t.Context())
	require.NoError(t, err)
	paused, started := time.Now(), described.Info.NumActions

	in := workflows.BackfillSourceInput{Source: "acme", From: days[0], To: days[13], Plan: true}
	var planned, done workflows.BackfillSourceResult
	require.NoError(t, d.run(workflows.BackfillSource, in, &planned))
	require.Len(t, planned.Days, 14)
	require.Equal(t, 1, planned.Days[0].Files)
	in.Plan = false
	require.NoError(t, d.run(workflows.BackfillSource, in, &done))
	for i, day := range done.Days {
		require.Equal(t, workflows.BackfillDay{BusinessDate: days[i], Files: 1, Rows: 2, Workflow: "sync-source/acme/" + days[i]}, day)
	}
	require.NoError(t, d.run(workflows.BackfillSource, in, &done))
	for _, day := range done.Days {
		require.Zero(t, day.Files, "nothing is loaded twice")
	}

	// A corrected file of an earlier day does not undo what later days said.
	drop(t, folder, "in/"+days[0]+".csv", acmeHeader+prospectRows("p0", "same", "late"), time.Now())
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out))
	require.Len(t, out.Files, 1)
	require.EqualValues(t, 1, out.Files[0].Outcome.Outdated)
	require.EqualValues(t, 1, out.Files[0].Outcome.Created)
	require.EqualValues(t, 1, out.Files[0].Outcome.Unchanged)

	// It fires every minute, when it is not paused.
	time.Sleep(time.Until(paused.Add(65 * time.Second)))
	described, err = handle.Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, started, described.Info.NumActions, "a paused schedule starts nothing")

	// 14 past days by the schedule itself. Only its spec counts, so it must be a daily one. Each run takes its day's new
	// file, and the first also those of earlier days.
	for i, day := range days {
		drop(t, folder, "in/"+day+".csv", acmeHeader+prospectRows(fmt.Sprintf("s%d", i)), time.Now())
	}
	require.NoError(t, handle.Update(t.Context(), client.ScheduleUpdateOptions{DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		schedule := in.Description.Schedule
		schedule.Spec = &client.ScheduleSpec{CronExpressions: []string{"0 6 * * *"}, TimeZoneName: "UTC"}
		return &client.ScheduleUpdate{Schedule: &schedule}, nil
	}}))
	before := len(d.scheduled(t))
	require.NoError(t, handle.Backfill(t.Context(), client.ScheduleBackfillOptions{Backfill: []client.ScheduleBackfill{
		{Start: today.AddDate(0, 0, -14), End: today.Add(-time.Second), Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL}}}))
	var runs []scheduledRun
	ended := assert.Eventually(t, func() bool {
		runs = d.scheduled(t)
		return len(runs)-before >= 14 && !slices.ContainsFunc(runs, func(r scheduledRun) bool { return r.status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING })
	}, 5*time.Minute, time.Second)
	described, err = handle.Describe(t.Context())
	require.NoError(t, err)
	require.True(t, ended, "the schedule: %+v; its runs: %+v", described.Info, runs)
	taken := map[string][]int64{}
	for _, run := range runs {
		require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, run.status, "%+v", run)
		if run.result.BusinessDate != "" {
			require.Equal(t, run.due, run.result.BusinessDate)
		}
		taken[run.result.BusinessDate] = append(taken[run.result.BusinessDate], run.result.Rows)
	}
	for _, day := range days {
		require.Equal(t, []int64{1}, taken[day], day)
	}
}

// scheduledRun is a run that the schedule has started.
type scheduledRun struct {
	due    string // day
	status enumspb.WorkflowExecutionStatus
	result workflows.SyncSourceResult
}

func (d *devProcess) scheduled(t *testing.T) (out []scheduledRun) {
	t.Helper()
	listed, err := d.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: d.client.Namespace,
		Query: "TemporalScheduledById = 'sync-source/acme'"})
	require.NoError(t, err)
	for _, listed := range listed.GetExecutions() {
		run := scheduledRun{status: listed.GetStatus()}
		var due time.Time
		require.NoError(t, converter.GetDefaultDataConverter().FromPayload(listed.GetSearchAttributes().GetIndexedFields()["TemporalScheduledStartTime"], &due))
		run.due = due.UTC().Format(time.DateOnly)
		if run.status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
			id := listed.GetExecution()
			require.NoError(t, d.client.GetWorkflow(t.Context(), id.GetWorkflowId(), id.GetRunId()).Get(t.Context(), &run.result))
		}
		out = append(out, run)
	}
	return out
}

// A file that the partner's gpg has signed, compressed and encrypted loads; with one flipped bit, without the
// signature, or for another key nothing of it does.
func TestEncryptedFiles(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("gpg"); err != nil {
		if os.Getenv("PROSPECTOR_REQUIRE_TOOLS") != "" {
			t.Fatal("gpg is not installed")
		}
		t.Skip("gpg is not installed: apt-get install gnupg")
	}
	home, err := os.MkdirTemp("/tmp", "gpg") // its socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		_ = os.RemoveAll(home)
	})
	gpg := func(input string, arguments ...string) string {
		t.Helper()
		c := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--yes", "--quiet", "--trust-model", "always"}, arguments...)...)
		c.Stdin = strings.NewReader(input)
		out, err := c.Output()
		require.NoError(t, err)
		return string(out)
	}
	const rsa, ecc = "Key-Type: rsa\nKey-Length: 3072\nSubkey-Type: rsa\nSubkey-Length: 3072\n", "Key-Type: eddsa\nKey-Curve: ed25519\nSubkey-Type: ecdh\nSubkey-Curve: cv25519\n"
	for name, kind := range map[string]string{"us-rsa": rsa, "us-ecc": ecc, "partner": ecc} {
		gpg(kind+"Name-Email: "+name+"@example.com\nExpire-Date: 10d\n%no-protection\n%commit\n", "--gen-key")
	}
	keys := t.TempDir()
	var private []string
	for _, name := range []string{"us-rsa", "us-ecc"} {
		file := filepath.Join(keys, name)
		require.NoError(t, os.WriteFile(file, []byte(gpg("", "--armor", "--export-secret-keys", name+"@example.com")), 0o600))
		private = append(private, "${file:"+file+"}")
	}
	signer := filepath.Join(keys, "partner")
	require.NoError(t, os.WriteFile(signer, []byte(gpg("", "--armor", "--export", "partner@example.com")), 0o600))

	d := startDev(t, t.TempDir(), nil)
	folder := d.folderSource("path: in/*.csv.pgp\nreadiness: {rule: immediate}\nencryption:\n  pgp:\n    privateKeys: [\"" + strings.Join(private, `", "`) + "\"]\n    signedBy: [\"${file:" + signer + "}\"]\n")
	at := time.Now().Add(-time.Hour)
	signed := gpg(acmeHeader+prospectRows("a1", "a2"), "--sign", "-u", "partner@example.com", "--encrypt", "--compress-algo", "zip", "-r", "us-ecc@example.com")
	broken := []byte(gpg(acmeHeader+prospectRows("broken"), "--sign", "-u", "partner@example.com", "--encrypt", "-r", "us-ecc@example.com"))
	broken[len(broken)*3/4] ^= 1
	brokenRSA := []byte(gpg(acmeHeader+prospectRows("broken"), "--sign", "-u", "partner@example.com", "--encrypt", "-r", "us-rsa@example.com"))
	brokenRSA[len(brokenRSA)*3/4] ^= 1
	drop(t, folder, "in/1.csv.pgp", signed, at)
	drop(t, folder, "in/6.csv.pgp", string(brokenRSA), at.Add(5*time.Second))
	drop(t, folder, "in/2.csv.pgp", string(broken), at.Add(time.Second))
	drop(t, folder, "in/3.csv.pgp", gpg(acmeHeader+prospectRows("unsigned"), "--encrypt", "-r", "us-ecc@example.com"), at.Add(2*time.Second))
	drop(t, folder, "in/4.csv.pgp", gpg(acmeHeader+prospectRows("foreign"), "--encrypt", "-r", "partner@example.com"), at.Add(3*time.Second))
	drop(t, folder, "in/5.csv.pgp", gpg(acmeHeader+prospectRows("a3"), "--sign", "-u", "partner@example.com", "--armor", "--encrypt", "-r", "us-rsa@example.com"), at.Add(4*time.Second))
	var out workflows.SyncSourceResult
	err = d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out)
	out = partial(t, err)
	require.Len(t, out.Files, 2)
	require.EqualValues(t, 2, out.Files[0].Outcome.Created)
	require.EqualValues(t, 1, out.Files[1].Outcome.Created)
	require.NotEmpty(t, out.Files[0].Warnings, "the keys end within 30 days")
	kinds := map[string]errkind.Kind{}
	for _, f := range out.Failed {
		kinds[f.Path] = f.Kind
	}
	require.Equal(t, map[string]errkind.Kind{"in/2.csv.pgp": errkind.BadInput, "in/6.csv.pgp": errkind.BadInput, "in/3.csv.pgp": errkind.BadInput, "in/4.csv.pgp": errkind.Denied}, kinds)
}
