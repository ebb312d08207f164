//go:build !release

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/workflows"
)

// A batch is undone after a preview; it comes back when it is asked for, and not by itself.
func TestDeleteBatch(t *testing.T) {
	t.Parallel()
	d := startDev(t, t.TempDir(), nil)
	folder := d.folderSource("path: in/*.csv\nreadiness: {rule: immediate}\n")
	at := time.Now().Add(-time.Hour)
	drop(t, folder, "in/1.csv", acmeHeader+prospectRows("a1", "a2"), at)
	drop(t, folder, "in/2.csv", acmeHeader+prospectRows("a2", "a3"), at.Add(time.Minute))
	var synced workflows.SyncSourceResult
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &synced))
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, &workflows.EvaluateAudiencesResult{}))
	first := synced.Files[0]

	var deleted store.Deletion
	in := workflows.DeleteBatchInput{Dataset: "acme_2026", Batch: first.Batch, Preview: true}
	require.NoError(t, d.run(workflows.DeleteBatch, in, &deleted))
	require.EqualValues(t, 1, deleted.Removed)
	require.EqualValues(t, 1, deleted.Reverted, "a2 is since the second batch then")
	require.Contains(t, deleted.Audiences, store.AudienceEffect{Audience: "coastal-sailors", Members: 2})
	in.Preview = false
	require.NoError(t, d.run(workflows.DeleteBatch, in, &deleted))
	require.NoError(t, d.run(workflows.DeleteBatch, in, &deleted), "twice is once")
	require.EqualValues(t, 1, deleted.Removed)

	// Nobody leaves by what a batch said that was undone, before the audiences are evaluated without it.
	activate := func() (out workflows.ActivateAudiencesResult, err error) {
		err = d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media"}, &out)
		return out, err
	}
	_, err := activate()
	require.Equal(t, errkind.Conflict, workflows.KindOf(err), "%v", err)
	require.ErrorContains(t, err, "dataset acme_2026 has lost a batch, or come in, since audience outdoor-families was evaluated; run EvaluateAudiences first")
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil))
	delivered, err := activate()
	require.NoError(t, err)
	require.EqualValues(t, 2, delivered.Files[0].Rows)

	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &synced))
	require.Empty(t, synced.Files)
	require.Equal(t, 1, synced.RefusedBefore)
	var again workflows.IngestFileResult
	require.NoError(t, d.run(workflows.IngestFile, workflows.IngestFileInput{Source: "acme", Path: "in/1.csv"}, &again))
	require.Equal(t, store.Outcome{Status: store.Loaded, Read: 2, Accepted: 2, Created: 1, Unchanged: 1}, *again.Outcome)
	in.Batch = "batch_none"
	require.Equal(t, errkind.Missing, workflows.KindOf(d.run(workflows.DeleteBatch, in, &deleted)))
}

// What a contract has left out is read from an audience of today: after a load nothing leaves under it before that was evaluated.
func TestSuppressionMustBeCurrent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	folder := d.folderSource("path: in/*.csv\nreadiness: {rule: immediate}\n")
	contract := "kind: Contract\nname: acme\nsources: [acme]\npurposes: [Cross Site Targeting]\nsuppression: stop\n---\nkind: Audience\nname: stop\nnamespaces: [acme_pid]\nrule: partner.bicycling = 'Y'\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "workspace", "contracts.yaml"), []byte(contract), 0o600))
	require.NoError(t, d.applyEdited("activations.yaml", "[outdoor-families, coastal-sailors]", "[coastal-sailors]"))
	require.NoError(t, d.applyEdited("audiences.yaml", "partner.sailing = 'Y' AND", "NOT audience('stop') AND partner.sailing = 'Y' AND"))
	at := time.Now().Add(-time.Hour)
	sync := func(file, rows string) {
		at = at.Add(time.Minute)
		drop(t, folder, "in/"+file, acmeHeader+rows, at)
		require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, nil))
	}
	evaluate := func() {
		require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil))
	}
	deliver := func() (out workflows.ActivateAudiencesResult, err error) {
		err = d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media"}, &out)
		return out, err
	}
	sync("1.csv", prospectRows("a1", "a2"))
	_, err := deliver()
	require.ErrorContains(t, err, "has not been evaluated")
	evaluate()
	out, err := deliver()
	require.NoError(t, err)
	require.EqualValues(t, 2, out.Files[0].Rows)
	sync("2.csv", "a2,A,B,25-34,02139,MA,Y,Y,,Y,,3,2,,ha2\n") // a2 objects
	_, err = deliver()
	require.Equal(t, errkind.Conflict, workflows.KindOf(err))
	require.ErrorContains(t, err, "audience stop is older than dataset acme_2026: a batch was loaded or undone since it was evaluated")
	evaluate()
	out, err = deliver()
	require.NoError(t, err)
	require.EqualValues(t, 1, out.Files[0].Rows)
}

// Rejected rows are taken again after a change of the mapping, or corrected by hand, with the lines of their file.
func TestReplayQuarantine(t *testing.T) {
	t.Parallel()
	allowed, dir := t.TempDir(), t.TempDir()
	d := startDev(t, dir, nil, "--add-data-from", allowed)
	const source, threshold = "path: in/*.csv\nreadiness: {rule: immediate}\nformat: {delimiter: \",\"}\n", "errorThreshold: 5\nschedule: {cron: \"0 4"
	lenient := strings.Replace(threshold, "5", "90", 1)
	folder := d.folderSource(source, threshold, lenient)
	at := time.Now().Add(-time.Hour)
	drop(t, folder, "in/1.csv", acmeHeader+prospectRows("a1")+"a2,A,B,25-34,02139,MA,n/a,N,,Y,,3,2,,h\n"+"a3,A,B,25-34,2139,MA,Y,N,,Y,,3,2,,h\n"+"a4,A,B,25-34,02139,MA,n/a,N,,Y,,3,2,,h\n"+"too,few\n", at)
	drop(t, folder, "in/2.csv", acmeHeader+prospectRows("a4"), at.Add(time.Minute))
	var synced workflows.SyncSourceResult
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &synced))
	first := synced.Files[0]
	require.EqualValues(t, 4, first.Outcome.Rejected)

	in := workflows.ReplayQuarantineInput{Dataset: "acme_2026", Batch: first.Batch, RequestedBy: "ann"}
	var out workflows.IngestFileResult
	require.NoError(t, d.run(workflows.ReplayQuarantine, in, &out))
	require.Equal(t, store.Outcome{Status: store.Loaded, Read: 4, Rejected: 4}, *out.Outcome, "nothing has changed")
	require.NoError(t, d.run(workflows.ReplayQuarantine, in, &out))
	require.True(t, out.AlreadyDone)

	require.NoError(t, d.applyEdited("sources.yaml", acmeConnection, "folder: {path: "+folder+"}\n"+source, threshold, "nullMarkers: [n/a]\n"+lenient))
	require.NoError(t, d.run(workflows.ReplayQuarantine, in, &out))
	require.Equal(t, catalog.Loaded, out.State)
	require.Equal(t, store.Outcome{Status: store.Loaded, Read: 4, Accepted: 2, Rejected: 2, Created: 1, Outdated: 1}, *out.Outcome, "a4 came again since")
	require.Len(t, out.Reasons, 2)

	rows := filepath.Join(allowed, "rows.jsonl")
	correct := func(lines string) error {
		require.NoError(t, os.WriteFile(rows, []byte(lines), 0o600))
		in.Path, out = "local:"+rows, workflows.IngestFileResult{}
		return d.run(workflows.ReplayQuarantine, in, &out)
	}
	const corrected = `"raw":"a3,A,B,25-34,02139,MA,Y,N,,Y,,3,2,,h"}` + "\n"
	require.ErrorContains(t, correct(`{"batch":"`+first.Batch+`","line":3,`+corrected), "row 3 was accepted before, in batch "+out.Batch)
	require.ErrorContains(t, correct(`{"batch":"`+first.Batch+`","line":2,`+corrected), "row 2 is not in quarantine")
	twice := `{"batch":"` + first.Batch + `","line":4,` + corrected
	require.ErrorContains(t, correct(twice+twice), "line 2: row 4 is in the file twice")
	require.ErrorContains(t, correct(`{"batch":"other","line":4,`+corrected), "line 1: its batch is another one")
	require.NoError(t, correct(`{"batch":"`+first.Batch+`","line":4,`+corrected))
	require.Equal(t, store.Outcome{Status: store.Loaded, Read: 1, Accepted: 1, Created: 1}, *out.Outcome)

	var deleted store.Deletion
	err := d.run(workflows.DeleteBatch, workflows.DeleteBatchInput{Dataset: "acme_2026", Batch: first.Batch}, &deleted)
	require.Equal(t, errkind.Conflict, workflows.KindOf(err))
	require.NoError(t, d.run(workflows.DeleteBatch, workflows.DeleteBatchInput{Dataset: "acme_2026", Batch: out.Batch}, &deleted))
	require.EqualValues(t, 1, deleted.Removed)
	in.Path = ""
	require.NoError(t, d.run(workflows.ReplayQuarantine, in, &out))
	require.EqualValues(t, 2, out.Outcome.Read, "the row is in quarantine again, as it came")

	d.stop()
	record, err := sqlite.Open(t.Context(), filepath.Join(dir, "catalog.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, record.Close()) }()
	replays, err := record.Audit(t.Context(), catalog.AuditQuery{Kind: catalog.AuditedBatch, Action: "replay", Object: first.Batch, Actor: "ann", Limit: 100}) // MO-10
	require.NoError(t, err)
	require.Len(t, replays, 5)
	require.Contains(t, replays[4].Detail, "dataset acme_2026, 4 rows of quarantine as batch ")
}

// A full file that would remove too much is refused until somebody says that it is right.
func TestFullFileIsGuarded(t *testing.T) {
	t.Parallel()
	d := startDev(t, t.TempDir(), nil)
	require.NoError(t, d.applyEdited("datasets.yaml", "name: acme_2026\n", "name: acme_2026\nmerge: full\n"))
	folder := d.folderSource("path: in/*.csv\nreadiness: {rule: immediate}\n")
	at := time.Now().Add(-time.Hour)
	drop(t, folder, "in/1.csv", acmeHeader+prospectRows("a1", "a2", "a3", "a4"), at)
	var out workflows.SyncSourceResult
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out))
	drop(t, folder, "in/2.csv", acmeHeader+prospectRows("a1", "a5"), at.Add(time.Minute))
	err := d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out)
	require.ErrorContains(t, err, "would remove 3 of 4 profiles (75.0%)")
	require.Equal(t, errkind.BadInput, workflows.KindOf(err))
	var ingested workflows.IngestFileResult
	require.NoError(t, d.run(workflows.IngestFile, workflows.IngestFileInput{Source: "acme", Path: "in/2.csv", AllowRemovals: true}, &ingested))
	require.Equal(t, store.Outcome{Status: store.Loaded, Read: 2, Accepted: 2, Created: 1, Unchanged: 1, Removed: 3}, *ingested.Outcome)
}
