package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
	"prospector/internal/source"
	"prospector/internal/source/foldersource"
	"prospector/internal/workspace"
	"prospector/testdata"
)

// dropPoint is a source whose files lie in a folder, with a real ledger.
type dropPoint struct {
	*testing.T
	dir        string
	activities *Activities
	catalog    *catalog.Catalog
	broken     error // of the next connection
	runs       int
}

// newDropPoint declares the sample's source acme as a folder; lines replace what it says otherwise.
func newDropPoint(t *testing.T, lines string) *dropPoint {
	t.Helper()
	d := &dropPoint{T: t, dir: t.TempDir()}
	var err error
	d.catalog, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "catalog.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.catalog.Close()) })
	files := workspace.Files{}
	entries, err := testdata.Workspace.ReadDir("workspace")
	require.NoError(t, err)
	for _, entry := range entries {
		content, err := testdata.Workspace.ReadFile("workspace/" + entry.Name())
		require.NoError(t, err)
		files[entry.Name()] = string(content)
	}
	head, rest, ok := strings.Cut(files["sources.yaml"], "s3:\n")
	require.True(t, ok)
	_, rest, ok = strings.Cut(rest, "format:")
	require.True(t, ok)
	if !strings.Contains(lines, "path: ") {
		lines = "path: in/*.csv\n" + lines
	}
	files["sources.yaml"] = head + "folder: {path: " + d.dir + "}\n" + lines + "format:" + strings.Replace(rest, ", compression: gzip", "", 1)
	w, err := workspace.Parse(files)
	require.NoError(t, err)
	d.activities = &Activities{DataDir: t.TempDir(), Ledger: d.catalog,
		Workspace: func(context.Context) (*workspace.Workspace, error) { return w, nil },
		Sources: func(context.Context, *workspace.Source) (source.Source, error) {
			if d.broken != nil {
				return nil, d.broken
			}
			return foldersource.New(d.dir)
		}}
	return d
}

func (d *dropPoint) put(path, content string, modified time.Time) {
	d.Helper()
	file := filepath.Join(d.dir, path)
	require.NoError(d, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(d, os.WriteFile(file, []byte(content), 0o600))
	require.NoError(d, os.Chtimes(file, modified, modified))
}

// list lists as a run of its own; its run id is run-1, run-2 and so on.
func (d *dropPoint) list(in ListSourceInput) (out ListSourceOutput, err error) {
	d.Helper()
	d.runs++
	return d.look(1, in)
}

// look lists once more for the last run. The same look again is another attempt, after one whose answer was lost.
func (d *dropPoint) look(n int, in ListSourceInput) (out ListSourceOutput, err error) {
	d.Helper()
	in.Source, in.Run, in.Look = "acme", fmt.Sprintf("run-%d", d.runs), n
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(d.activities)
	value, err := env.ExecuteActivity(d.activities.ListSource, in)
	if err == nil {
		require.NoError(d, value.Get(&out))
	}
	return out, err
}

// sync lists, and loads what is due as far as the ledger can tell.
func (d *dropPoint) sync(in ListSourceInput) []string {
	d.Helper()
	listed, err := d.list(in)
	require.NoError(d, err)
	paths := []string{}
	for _, f := range listed.Due {
		paths = append(paths, f.Path)
		require.NoError(d, d.catalog.SetFileState(d.Context(), f.Batch, catalog.Loaded, "", "", now()))
	}
	require.NoError(d, d.catalog.EndSync(d.Context(), fmt.Sprintf("run-%d", d.runs), catalog.SyncSucceeded, int64(len(paths)), int64(len(paths)*10), "", now()))
	return paths
}

// story is what became of a path's versions, the latest one first.
func (d *dropPoint) story(path string) (out []string) {
	d.Helper()
	files, err := d.catalog.Files(d.Context(), "acme")
	require.NoError(d, err)
	for _, f := range files {
		if f.Path != path {
			continue
		}
		events, err := d.catalog.FileEvents(d.Context(), f.Batch)
		require.NoError(d, err)
		var states []string
		for _, e := range events {
			states = append(states, string(e.State))
		}
		out = append(out, strings.Join(states, " "))
	}
	return out
}

const atOnce = "readiness: {rule: immediate}\n"

// AS-11, SR-18, SR-19: without backfill, what was there before the source is never taken; a rewritten file is.
func TestBackfillOffAndLastModified(t *testing.T) {
	d := newDropPoint(t, atOnce+"backfill: false\n")
	d.put("in/a.csv", "a", now().Add(-time.Hour))
	d.put("in/b.csv", "b", now().Add(-30*time.Minute))
	require.NoError(t, d.catalog.StartSources(t.Context(), []string{"acme"}, now().Add(-time.Minute)))
	dry, err := d.list(ListSourceInput{DryRun: true})
	require.NoError(t, err)
	require.Equal(t, 2, dry.Skipped)
	require.Empty(t, d.sync(ListSourceInput{}))
	d.put("in/c.csv", "c", now())
	require.Equal(t, []string{"in/c.csv"}, d.sync(ListSourceInput{}))
	d.put("in/a.csv", "a, rewritten", now())
	require.Equal(t, []string{"in/a.csv"}, d.sync(ListSourceInput{}))
	require.Empty(t, d.sync(ListSourceInput{}))
	require.Equal(t, []string{"seen loaded", "seen skipped"}, d.story("in/a.csv"))
	require.Equal(t, []string{"in/b.csv"}, d.sync(ListSourceInput{Skipped: true}), "a backfill takes it after all")
	d.put("in/late.csv", "late", now().Add(-24*time.Hour))
	require.Equal(t, []string{"in/late.csv"}, d.sync(ListSourceInput{}), "it came since, whatever its time says")
}

// AS-11: with backfill, the first run takes what is there.
func TestBackfillOn(t *testing.T) {
	d := newDropPoint(t, atOnce)
	d.put("in/b.csv", "b", now().Add(-30*time.Minute))
	d.put("in/a.csv", "a", now().Add(-time.Hour))
	require.NoError(t, d.catalog.StartSources(t.Context(), []string{"acme"}, now()))
	require.Equal(t, []string{"in/a.csv", "in/b.csv"}, d.sync(ListSourceInput{}))
}

// AS-12, SR-13: a recursive pattern means file names at any depth.
func TestRecursivePattern(t *testing.T) {
	d := newDropPoint(t, atOnce+"recursive: true\npath: in/*.tsv.gz\n")
	for _, path := range []string{"in/2024/x.tsv.gz", "in/2024/05/y.tsv.gz", "in/readme.txt", "out/z.tsv.gz"} {
		d.put(path, path, now())
	}
	require.ElementsMatch(t, []string{"in/2024/x.tsv.gz", "in/2024/05/y.tsv.gz"}, d.sync(ListSourceInput{}))
}

// AS-15, SR-21: a retry takes what the failed run answered for, and a run that took something is not retried.
func TestRetryTakesTheFailedRunsWindow(t *testing.T) {
	d := newDropPoint(t, atOnce)
	d.put("in/a.csv", "a", now())
	require.Equal(t, []string{"in/a.csv"}, d.sync(ListSourceInput{}))
	d.put("in/c.csv", "c", now())
	d.broken = errkind.Newf(errkind.Denied, "the keys are wrong")
	_, err := d.list(ListSourceInput{})
	require.Error(t, err)
	_, err = d.list(ListSourceInput{RetryOf: "run-2"})
	require.ErrorContains(t, err, "it has not ended")
	require.NoError(t, d.catalog.EndSync(t.Context(), "run-2", "failed", 0, 0, "the keys are wrong", now()))
	d.broken = nil
	d.put("in/d.csv", "d", now().Add(time.Second)) // after the failed run
	require.Equal(t, []string{"in/c.csv"}, d.sync(ListSourceInput{RetryOf: "run-2"}))
	_, err = d.list(ListSourceInput{RetryOf: "run-1"})
	require.ErrorContains(t, err, "it succeeded and took 10 rows")
	require.Equal(t, []string{"in/d.csv"}, d.sync(ListSourceInput{}))
	require.Empty(t, d.sync(ListSourceInput{}))
	last := fmt.Sprintf("run-%d", d.runs)
	require.Empty(t, d.sync(ListSourceInput{RetryOf: last}), "a run that took nothing may be retried")
	d.sync(ListSourceInput{BusinessDate: "2026-11-01"})
	ofDay, err := d.catalog.SyncOf(t.Context(), fmt.Sprintf("run-%d", d.runs))
	require.NoError(t, err)
	require.Equal(t, catalog.Window{}, ofDay.Window, "a run for one day answers for no window, and moves none")
	d.sync(ListSourceInput{})
	next, err := d.catalog.SyncOf(t.Context(), fmt.Sprintf("run-%d", d.runs))
	require.NoError(t, err)
	require.True(t, next.Window.From.Before(ofDay.BeganAt))
	_, err = d.list(ListSourceInput{RetryOf: "run-99"})
	require.ErrorContains(t, err, "no run run-99")
}

// SR-21: a retry also takes what was refused within the window of the run that it repeats; not what was refused before, or
// later, and not what somebody deleted.
func TestRetryTakesWhatTheFailedRunRefused(t *testing.T) {
	d := newDropPoint(t, atOnce)
	end := func(states map[string]catalog.State) {
		listed, err := d.list(ListSourceInput{})
		require.NoError(t, err)
		require.Len(t, listed.Due, len(states))
		for _, f := range listed.Due {
			require.NoError(t, d.catalog.SetFileState(t.Context(), f.Batch, states[f.Path], "", "", now()))
		}
		require.NoError(t, d.catalog.EndSync(t.Context(), fmt.Sprintf("run-%d", d.runs), "failed", 0, 0, "", now()))
	}
	d.put("in/before.csv", "1", now())
	end(map[string]catalog.State{"in/before.csv": catalog.Rejected})
	for _, name := range []string{"aside", "bad", "deleted", "failed", "good"} {
		d.put("in/"+name+".csv", name, now())
	}
	end(map[string]catalog.State{"in/aside.csv": catalog.SetAside, "in/bad.csv": catalog.Rejected, "in/deleted.csv": catalog.Deleted, "in/failed.csv": catalog.Failed, "in/good.csv": catalog.Loaded})
	d.put("in/later.csv", "1", now().Add(time.Second))
	end(map[string]catalog.State{"in/failed.csv": catalog.Failed, "in/later.csv": catalog.Rejected})
	listed, err := d.list(ListSourceInput{RetryOf: "run-2"})
	require.NoError(t, err)
	var due []string
	for _, f := range listed.Due {
		due = append(due, f.Path)
	}
	require.ElementsMatch(t, []string{"in/aside.csv", "in/bad.csv", "in/failed.csv"}, due)
	require.Equal(t, []int{1, 3}, []int{listed.AlreadyLoaded, listed.RefusedBefore})
	listed, err = d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Len(t, listed.Due, 1, "an ordinary run leaves what was refused")
}

// EC-14: neither a clock that differs nor a file of the same second as the last one is lost or taken twice.
func TestNoHighWaterMark(t *testing.T) {
	d := newDropPoint(t, atOnce)
	same := now().Truncate(time.Second)
	d.put("in/1.csv", "1", same)
	require.Equal(t, []string{"in/1.csv"}, d.sync(ListSourceInput{}))
	d.put("in/2.csv", "2", same)
	d.put("in/old.csv", "old", same.Add(-48*time.Hour)) // a server whose clock is behind
	d.put("in/new.csv", "new", same.Add(48*time.Hour))  // and one that is ahead
	require.Equal(t, []string{"in/old.csv", "in/2.csv", "in/new.csv"}, d.sync(ListSourceInput{}))
	require.Empty(t, d.sync(ListSourceInput{}))
}

// EC-14: a file that grows is not taken before it has not changed for a while, and its earlier versions end.
func TestStableFiles(t *testing.T) {
	d := newDropPoint(t, "readiness: {rule: stable, seconds: 1}\n")
	d.put("in/a.csv", "half", now())
	listed, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Empty(t, listed.Due)
	require.Len(t, listed.Waiting, 1)
	require.Positive(t, listed.LookAgain)
	require.LessOrEqual(t, listed.LookAgain, 2*time.Second)
	d.put("in/a.csv", "half and half", now())
	require.Empty(t, d.sync(ListSourceInput{}))
	require.Eventually(t, func() bool { return len(d.sync(ListSourceInput{})) == 1 }, 10*time.Second, 100*time.Millisecond)
	require.Equal(t, []string{"seen waiting seen loaded", "seen waiting gone"}, d.story("in/a.csv"))
}

// A marker says that its file is whole, unless the file has been written again since.
func TestMarkers(t *testing.T) {
	for name, marker := range map[string]string{"suffix: .done": "in/a.csv.done", "name: _SUCCESS": "in/_SUCCESS"} {
		t.Run(name, func(t *testing.T) {
			d := newDropPoint(t, "readiness: {rule: marker, "+name+"}\n")
			d.put("in/a.csv", "a", now())
			listed, err := d.list(ListSourceInput{})
			require.NoError(t, err)
			require.Contains(t, listed.Waiting[0].Reason, "marker")
			require.Zero(t, listed.LookAgain)
			d.put(marker, "", now().Add(-time.Hour))
			listed, err = d.list(ListSourceInput{})
			require.NoError(t, err)
			require.Contains(t, listed.Waiting[0].Reason, "older")
			d.put(marker, "", now().Add(time.Second))
			require.Equal(t, []string{"in/a.csv"}, d.sync(ListSourceInput{}))
		})
	}
}

// A manifest may come before its files are whole: each waits until its size is the promised one.
func TestManifests(t *testing.T) {
	d := newDropPoint(t, "readiness: {rule: manifest, name: manifest.json}\n")
	sum := sha256.Sum256([]byte("whole"))
	d.put("in/a.csv", "who", now())
	d.put("in/b.csv", "b", now())
	d.put("in/manifest.json", `{"files": [{"name": "a.csv", "size": 5`, now())
	listed, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Len(t, listed.Waiting, 2)
	require.Contains(t, listed.Waiting[0].Reason, "cannot be used")
	d.put("in/manifest.json", `{"files": [{"name": "a.csv", "size": 5, "sha256": "`+hex.EncodeToString(sum[:])+`", "rows": 3}]}`, now())
	listed, err = d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Equal(t, []string{"its manifest says 5 bytes, it has 3", "its manifest does not list it"}, []string{listed.Waiting[0].Reason, listed.Waiting[1].Reason})
	d.put("in/a.csv", "whole", now())
	listed, err = d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Len(t, listed.Due, 1)
	f, err := d.catalog.File(t.Context(), listed.Due[0].Batch)
	require.NoError(t, err)
	require.EqualValues(t, 3, *f.Expected.Rows)
	require.Equal(t, hex.EncodeToString(sum[:]), f.Expected.SHA256)
	d.put("in/manifest.json", `{"files": [{"name": "a.csv", "size": 5}, {"name": "late.csv"}]}`, now())
	listed, err = d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Len(t, listed.Due, 1)
	require.Contains(t, listed.Waiting, WaitingFile{Path: "in/late.csv", Reason: `manifest "in/manifest.json" lists it, and it is not there`})
	require.Equal(t, 2, listed.WaitingFiles)
}

// A partner takes a change back by putting the older file there again, with its old time: it is taken once more.
func TestOlderFileIsPutBack(t *testing.T) {
	d := newDropPoint(t, "readiness: {rule: immediate}\n")
	old := now().Add(-time.Hour)
	for _, content := range []string{"one", "four", "one", "four"} {
		d.put("in/a.csv", content, old.Add(time.Duration(len(content))*time.Minute))
		require.Equal(t, []string{"in/a.csv"}, d.sync(ListSourceInput{}), content)
		require.Empty(t, d.sync(ListSourceInput{}))
	}
	require.Len(t, d.story("in/a.csv"), 4)
}

// A manifest that is corrected makes its refused file due again, by itself and when it is retried, with what it says
// now; one that says the same does not, and neither does one that no longer lists the file.
func TestCorrectedManifests(t *testing.T) {
	d := newDropPoint(t, "readiness: {rule: manifest, name: manifest.json}\n")
	write := func(content string) { d.put("in/manifest.json", content, now()) }
	d.put("in/a.csv", "whole", now())
	write(`{"files": [{"name": "a.csv", "rows": 3}]}`)
	listed, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	batch := listed.Due[0].Batch
	refuse := func() {
		require.NoError(t, d.catalog.SetFileState(t.Context(), batch, catalog.Rejected, "", "3 rows are promised", now()))
	}
	refuse()
	for _, same := range []string{`{"files": [{"name": "a.csv", "rows": 3}]}`, `{"files": [{"name": "b.csv"}, {"name": "a.csv", "rows": 3}]}`, `{"files": [{"name": "b.csv"}]}`, `{`} {
		write(same)
		listed, err = d.list(ListSourceInput{})
		require.NoError(t, err)
		require.Empty(t, listed.Due, same)
		require.Equal(t, 1, listed.RefusedBefore)
	}
	due := func(rows int64, in ListSourceInput) {
		t.Helper()
		listed, err = d.list(in)
		require.NoError(t, err)
		require.Len(t, listed.Due, 1)
		f, err := d.catalog.File(t.Context(), batch)
		require.NoError(t, err)
		require.Equal(t, rows, *f.Expected.Rows)
	}
	write(`{"files": [{"name": "a.csv", "rows": 4}]}`)
	due(4, ListSourceInput{})
	refuse()
	due(4, ListSourceInput{Retry: true})
	write(`{"files": [{"name": "a.csv", "rows": 5}]}`)
	due(5, ListSourceInput{Retry: true})
	require.NoError(t, d.catalog.SetFileState(t.Context(), batch, catalog.Failed, "", "no network", now()))
	write(`{"files": [{"name": "a.csv", "rows": 6}]}`)
	due(6, ListSourceInput{})
}

// Bytes that break the manifest's checksum are refused, and are not kept.
func TestDownloadHoldsChecksums(t *testing.T) {
	d := newDropPoint(t, "readiness: {rule: manifest, suffix: .sha256}\n")
	d.put("in/a.csv", "other bytes", now())
	d.put("in/a.csv.sha256", strings.Repeat("ab", 32)+"  a.csv\n", now())
	listed, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(d.activities)
	_, err = env.ExecuteActivity(d.activities.FetchFile, FetchFileInput{Batch: listed.Due[0].Batch})
	require.ErrorContains(t, err, "checksum the partner's manifest gives")
	staged, err := filepath.Glob(filepath.Join(d.activities.DataDir, "staging", "*", "*", "raw*"))
	require.NoError(t, err)
	require.Empty(t, staged)
}

// A file that a person names is held to its source's manifest as one that a sync finds: to be listed, to its size, and to
// its checksum and rows; and to what the manifest says by then.
func TestNamedFileIsHeldToItsManifest(t *testing.T) {
	d := newDropPoint(t, "readiness: {rule: manifest, name: manifest.json}\n")
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(d.activities)
	fetch := func() (catalog.File, error) {
		var taken TakeFileOutput
		value, err := env.ExecuteActivity(d.activities.TakeFile, TakeFileInput{Source: "acme", Path: "in/a.csv"})
		require.NoError(t, err)
		require.NoError(t, value.Get(&taken))
		_, err = env.ExecuteActivity(d.activities.FetchFile, FetchFileInput{Batch: taken.Batch})
		entry, other := d.catalog.File(t.Context(), taken.Batch)
		require.NoError(t, other)
		return entry, err
	}
	sum := sha256.Sum256([]byte("bytes"))
	at := now().Add(-time.Hour)
	d.put("in/a.csv", "bytes", at)
	for i, c := range []struct{ manifest, want string }{
		{"", `its manifest "manifest.json" is not there`},
		{`{`, "its manifest cannot be used"},
		{`{"files": [{"name": "b.csv"}]}`, "its manifest does not list it"},
		{`{"files": [{"name": "a.csv", "size": 7}]}`, "its manifest says 7 bytes, it has 5"},
		{`{"files": [{"name": "a.csv", "sha256": "` + strings.Repeat("ab", 32) + `"}]}`, "the bytes are not those whose checksum the partner's manifest gives"},
	} {
		if c.manifest != "" {
			d.put("in/manifest.json", c.manifest, at.Add(time.Duration(i)*time.Minute))
		}
		_, err := fetch()
		require.ErrorContains(t, err, c.want)
		if i < 4 {
			require.ErrorContains(t, err, "the next sync takes it then")
		}
	}
	d.put("in/manifest.json", `{"files": [{"name": "a.csv", "size": 5, "sha256": "`+hex.EncodeToString(sum[:])+`", "rows": 3}]}`, now())
	entry, err := fetch()
	require.NoError(t, err)
	require.EqualValues(t, 3, *entry.Expected.Rows, "the load is held to it")
}

// SR-5: a file whose name must not be is refused with its reason, once, and keeps no other file back.
func TestForbiddenNames(t *testing.T) {
	d := newDropPoint(t, atOnce)
	d.put("in/a\nb.csv", "x", now())
	d.put("in/good.csv", "x", now())
	listed, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Len(t, listed.Due, 1)
	require.Len(t, listed.Refused, 1)
	require.Equal(t, `"in/a\nb.csv"`, listed.Refused[0].Path)
	require.NotContains(t, listed.Refused[0].Reason, "\n")
	listed, err = d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Empty(t, listed.Refused)
	require.Equal(t, 1, listed.RefusedBefore)
}

// What stands in the place of a file is refused once, whatever becomes of its content, and keeps no file back.
func TestFolderInPlaceOfAFile(t *testing.T) {
	d := newDropPoint(t, atOnce)
	d.put("in/folder.csv/x.csv", "x", now())
	d.put("in/good.csv", "x", now())
	listed, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Len(t, listed.Due, 1)
	require.Equal(t, "in/folder.csv", listed.Refused[0].Path)
	require.Contains(t, listed.Refused[0].Reason, "it is a folder, not a file")
	d.put("in/folder.csv/y.csv", "y", now())
	listed, err = d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Empty(t, listed.Refused)
	require.Equal(t, 1, listed.RefusedBefore)
}

// A link that leads out of the drop point, or nowhere, is refused and in the ledger; when the file itself stands there it
// is taken.
func TestWrongLink(t *testing.T) {
	d := newDropPoint(t, atOnce)
	d.put("in/good.csv", "x", now())
	link := filepath.Join(d.dir, "in/link.csv")
	require.NoError(t, os.Symlink("/etc/hostname", link))
	listed, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Len(t, listed.Due, 1)
	require.Equal(t, 1, listed.RefusedFiles)
	require.Equal(t, "in/link.csv", listed.Refused[0].Path)
	require.Contains(t, listed.Refused[0].Reason, "it is a link that leads out of the drop point")
	entry, err := d.activities.Ledger.File(t.Context(), listed.Refused[0].Batch)
	require.NoError(t, err)
	require.Equal(t, catalog.Rejected, entry.State)
	require.NoError(t, os.Remove(link))
	d.put("in/link.csv", "y", now())
	listed, err = d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Contains(t, []string{listed.Due[0].Path, listed.Due[1].Path}, "in/link.csv")
}

// A folder that may not be read is one thing that failed; the files beside it are taken, and those in it are not gone.
func TestUnreadableFolder(t *testing.T) {
	d := newDropPoint(t, "readiness: {rule: immediate}\npath: in/**/*.csv\n")
	d.put("in/closed/a.csv", "a", now())
	_, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	d.put("in/open/b.csv", "b", now())
	folder := d.activities.Sources
	d.activities.Sources = func(ctx context.Context, s *workspace.Source) (source.Source, error) {
		opened, err := folder(ctx, s)
		return closedFolder{opened, "in/closed"}, err
	}
	listed, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Equal(t, "in/open/b.csv", listed.Due[0].Path)
	require.Equal(t, []UnreadableFolder{{Path: "in/closed", Kind: errkind.Denied, Reason: "permission denied"}}, listed.Unreadable)
	require.Empty(t, listed.Gone)
	d.activities.Sources = folder
	require.ElementsMatch(t, []string{"in/closed/a.csv", "in/open/b.csv"}, d.sync(ListSourceInput{}))
}

// closedFolder is a source one of whose folders may not be read, as a user who is root cannot be kept from doing.
type closedFolder struct {
	source.Source
	folder string
}

func (c closedFolder) List(ctx context.Context, pattern string) ([]source.File, error) {
	files, err := c.Source.List(ctx, pattern)
	files = slices.DeleteFunc(files, func(f source.File) bool { return strings.HasPrefix(f.Path, c.folder+"/") })
	return files, errors.Join(err, source.Obstacles{{Path: c.folder, Err: errkind.Newf(errkind.Denied, "permission denied")}})
}

// A run says of each file once that it was refused, gone or due, however often a look is tried again, and leaves in
// later looks what it has dealt with.
func TestLooksOfOneRun(t *testing.T) {
	d := newDropPoint(t, "readiness: {rule: stable, seconds: 1}\n")
	d.put("in/gone.csv", "x", now())
	_, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(d.dir, "in/gone.csv")))
	d.put("in/bad:name.csv", "x", now().Add(-time.Hour))
	d.put("in/old.csv", "x", now().Add(-time.Hour))
	d.runs++
	var first ListSourceOutput
	require.Eventually(t, func() bool { // a file is watched for a second by our clock, too
		first, err = d.look(1, ListSourceInput{})
		require.NoError(t, err)
		return len(first.Due) == 1
	}, 10*time.Second, 100*time.Millisecond)
	require.Equal(t, []string{"in/gone.csv"}, first.Gone)
	require.Len(t, first.Refused, 1)
	require.Zero(t, first.RefusedBefore)
	again, err := d.look(1, ListSourceInput{})
	require.NoError(t, err)
	require.Equal(t, first, again, "the first answer was lost")
	require.NoError(t, d.catalog.SetFileState(t.Context(), first.Due[0].Batch, catalog.Failed, "", "no network", now()))
	second, err := d.look(2, ListSourceInput{Retry: true})
	require.NoError(t, err)
	require.Empty(t, second.Due)
	require.Empty(t, second.Refused)
	require.Empty(t, second.Gone)
	require.Zero(t, second.RefusedBefore, "it was this run that refused it")
	require.Equal(t, []string{"in/old.csv"}, d.sync(ListSourceInput{}), "the next run takes the failed file")
}

// However many files wait or are refused, and however long their names are, the answer is one that Temporal takes; it
// names the first and counts all.
func TestListingOfVeryManyFiles(t *testing.T) {
	const files = 1500
	d := newDropPoint(t, "readiness: {rule: marker, suffix: .done}\npath: in/*/*/*/*.csv\n")
	long := strings.Repeat("n", 240)
	for i := range files {
		d.put(fmt.Sprintf("in/%s/%s/%s/%04d.csv", long, long, long, i), "", now())
		d.put(fmt.Sprintf("in/%s/%s/%s/%04d:.csv", long, long, long, i), "", now())
	}
	d.put("in/a/b/c/good.csv", "", now().Add(-time.Hour))
	d.put("in/a/b/c/good.csv.done", "", now())
	for _, attempt := range []string{"first", "second"} {
		d.runs = 1
		listed, err := d.look(1, ListSourceInput{})
		require.NoError(t, err)
		answer, err := json.Marshal(listed)
		require.NoError(t, err)
		require.Less(t, len(answer), 1<<18)
		require.Equal(t, []int{files, files, 0, 1}, []int{listed.WaitingFiles, listed.RefusedFiles, listed.RefusedBefore, len(listed.Due)}, attempt)
		require.NotEmpty(t, listed.Waiting)
		require.NotEmpty(t, listed.Refused)
	}
	listed, err := d.list(ListSourceInput{DryRun: true})
	require.NoError(t, err)
	require.Equal(t, files, listed.RefusedBefore)
	for i := range files {
		d.put(fmt.Sprintf("in/%s/%s/%s/%04d.csv.done", long, long, long, i), "", now().Add(time.Second))
	}
	listed, err = d.list(ListSourceInput{})
	require.NoError(t, err)
	answer, err := json.Marshal(listed)
	require.NoError(t, err)
	require.Less(t, len(answer), 1<<21-1<<19)
	require.Equal(t, files+1, len(listed.Due)+listed.More)
	require.Greater(t, len(listed.Due), 100)
}

// The business date that a path says orders the files and narrows a run to a day.
func TestBusinessDates(t *testing.T) {
	d := newDropPoint(t, atOnce+"path: in/{yyyy}/{MM}/acme_{dd}*.csv\n")
	for _, day := range []string{"03", "01", "02"} {
		d.put("in/2026/11/acme_"+day+".csv", day, now())
	}
	d.put("in/2026/13/acme_01.csv", "x", now())
	listed, err := d.list(ListSourceInput{BusinessDate: "2026-11-02"})
	require.NoError(t, err)
	require.Empty(t, listed.Refused, "a date that is none is no failure of another day's run")
	require.Equal(t, 3, listed.Elsewhen)
	require.Equal(t, "2026-11-02", listed.Due[0].BusinessDate)
	scheduled := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) // New York is still in the same day
	listed, err = d.list(ListSourceInput{Scheduled: &scheduled})
	require.NoError(t, err)
	require.Empty(t, listed.BusinessDate, "a run that began on time takes whatever is due")
	require.Len(t, listed.Refused, 1)
	require.Contains(t, listed.Refused[0].Reason, "no day")
	require.Len(t, listed.Due, 3)
	listed, err = d.list(ListSourceInput{Scheduled: &scheduled, Late: true})
	require.NoError(t, err)
	require.Equal(t, "2026-11-02", listed.BusinessDate)
	require.Len(t, listed.Due, 2, "also what its own day's run should have taken before it")
	require.NoError(t, d.catalog.EndSync(t.Context(), fmt.Sprintf("run-%d", d.runs), "failed", 0, 0, "", now()))
	listed, err = d.list(ListSourceInput{RetryOf: fmt.Sprintf("run-%d", d.runs)})
	require.NoError(t, err)
	require.Len(t, listed.Due, 2, "a retry is for the same days")
	require.Equal(t, []string{"in/2026/11/acme_01.csv", "in/2026/11/acme_02.csv", "in/2026/11/acme_03.csv"}, d.sync(ListSourceInput{}))
	_, err = d.list(ListSourceInput{BusinessDate: "yesterday"})
	require.ErrorContains(t, err, "is no day")
}

// A run that begins more than a day late, as after a long outage, takes what came before its time.
func TestLateRun(t *testing.T) {
	d := newDropPoint(t, atOnce)
	scheduled := now().Add(-72 * time.Hour)
	d.put("in/week.csv", "w", scheduled.Add(-48*time.Hour))
	d.put("in/today.csv", "t", now())
	require.Equal(t, []string{"in/week.csv"}, d.sync(ListSourceInput{Scheduled: &scheduled, Late: true}))
	require.Equal(t, []string{"in/today.csv"}, d.sync(ListSourceInput{}))
}

// A dry run leaves the ledger as it was.
func TestDryRunWritesNothing(t *testing.T) {
	d := newDropPoint(t, atOnce)
	d.put("in/a.csv", "a", now())
	listed, err := d.list(ListSourceInput{DryRun: true})
	require.NoError(t, err)
	require.Len(t, listed.Due, 1)
	files, err := d.catalog.Files(t.Context(), "acme")
	require.NoError(t, err)
	require.Empty(t, files)
	runs, err := d.catalog.Syncs(t.Context(), "acme", 10)
	require.NoError(t, err)
	require.Empty(t, runs)
}

// A file that is removed before it was taken is reported, once.
func TestGoneFiles(t *testing.T) {
	d := newDropPoint(t, "readiness: {rule: stable, seconds: 60}\n")
	d.put("in/a.csv", "a", now())
	require.Empty(t, d.sync(ListSourceInput{}))
	require.NoError(t, os.Remove(filepath.Join(d.dir, "in/a.csv")))
	listed, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Equal(t, []string{"in/a.csv"}, listed.Gone)
	listed, err = d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Empty(t, listed.Gone)
}

// What nobody can mean is said instead of shown as an empty list.
func TestListFilesChecksWhatIsAsked(t *testing.T) {
	d := newDropPoint(t, atOnce)
	d.put("in/a.csv", "a", now())
	d.sync(ListSourceInput{})
	for want, in := range map[string]ListFilesInput{`no state "sett"`: {State: "sett"}, `no file "in/b.csv" was ever seen`: {Path: "in/b.csv"}} {
		in.Source = "acme"
		_, err := d.activities.ListFiles(t.Context(), in)
		require.ErrorContains(t, err, want)
	}
	out, err := d.activities.ListFiles(t.Context(), ListFilesInput{Source: "acme", Path: "in/a.csv", State: catalog.Loaded})
	require.NoError(t, err)
	require.Len(t, out.Files, 1)
	out, err = d.activities.ListFiles(t.Context(), ListFilesInput{Source: "acme", State: catalog.Gone})
	require.NoError(t, err)
	require.Empty(t, out.Files)
}
