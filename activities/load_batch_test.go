package activities

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"prospector/internal/errkind"
	"prospector/internal/ingest"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/store/duckdb"
	"prospector/internal/workspace"
)

// batches is a drop point with a real store behind it, whose source is set up as the acceptance scenarios have it.
type batches struct {
	*dropPoint
	env    *testsuite.TestActivityEnvironment
	store  *duckdb.Store
	source *workspace.Source
}

func newBatches(t *testing.T) *batches {
	t.Helper()
	b := &batches{dropPoint: newDropPoint(t, atOnce)}
	var err error
	b.store, err = duckdb.Open(t.Context(), b.activities.DataDir, duckdb.Options{MemoryLimit: "512MB"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.store.Close()) })
	b.activities.Batches = b.store
	w, err := b.activities.Workspace(t.Context())
	require.NoError(t, err)
	b.source = w.Sources[0]
	b.source.Mapping = map[string]string{"pid": "partnerID", "ageRange": "partner.ageRangeInHousehold", "hiking": "partner.hiking", "buyerRating": "partner.buyerRating"}
	var suite testsuite.WorkflowTestSuite
	b.env = suite.NewTestActivityEnvironment()
	b.env.RegisterActivity(b.activities)
	return b
}

// ingest takes a file through all steps up to the load.
func (b *batches) ingest(path, content string) (counts ingest.Counts, out LoadBatchOutput, err error) {
	b.Helper()
	b.put(path, content, now().Add(-time.Hour))
	var taken TakeFileOutput
	b.step(b.activities.TakeFile, TakeFileInput{Source: "acme", Path: path}, &taken)
	b.step(b.activities.FetchFile, FetchFileInput{Batch: taken.Batch}, nil)
	b.step(b.activities.ValidateFile, ValidateFileInput{Batch: taken.Batch}, &counts)
	var labels LabelBatchOutput
	b.step(b.activities.LabelBatch, LabelBatchInput{Batch: taken.Batch}, &labels)
	value, err := b.env.ExecuteActivity(b.activities.LoadBatch, LoadBatchInput{Batch: taken.Batch, Counts: counts, Labels: labels.Labels})
	if err == nil {
		require.NoError(b, value.Get(&out))
		return counts, out, nil
	}
	var failed *temporal.ApplicationError
	require.ErrorAs(b, err, &failed)
	require.NoError(b, failed.Details(&out))
	require.Equal(b, string(errkind.BadInput), failed.Type())
	return counts, out, errors.New(failed.Message())
}

func (b *batches) step(activity, in, out any) {
	b.Helper()
	value, err := b.env.ExecuteActivity(activity, in)
	require.NoError(b, err)
	if out != nil {
		require.NoError(b, value.Get(out))
	}
}

func (b *batches) prospects() int64 {
	b.Helper()
	w, err := b.activities.Workspace(b.Context())
	require.NoError(b, err)
	stored, _, err := dataset(w, "acme_2026")
	require.NoError(b, err)
	n, err := b.store.Profiles(b.Context(), stored)
	require.NoError(b, err)
	return n
}

// rows are so many, of which the first ones have no pid.
func rows(all, bad int) string {
	var out strings.Builder
	out.WriteString("pid,ageRange,hiking,buyerRating\n")
	for i := 1; i <= all; i++ {
		pid := fmt.Sprintf("P%04d", i)
		if i <= bad {
			pid = ""
		}
		fmt.Fprintf(&out, "%s,25-34,Y,%d\n", pid, i%6)
	}
	return out.String()
}

// AS-13, BI-7, BI-10, GR-8: 40 and exactly 50 bad rows of 1000 pass, 60 fail and add nothing. EC-16: the share is that
// of the batch, however small it is and whatever other files of the run hold. EC-17, MO-8: a green batch with more than
// 0.5% rejected warns.
func TestErrorThreshold(t *testing.T) {
	missing := prospect.Reason{Code: prospect.Required, Field: "partnerID"}
	for _, c := range []struct {
		all, bad       int
		loaded, warned bool
	}{{1000, 40, true, true}, {1000, 50, true, true}, {1000, 60, false, false}, {1000, 51, false, false}, {1000, 5, true, false}, {1000, 6, true, true}, {10, 1, false, false}, {20, 1, true, true}, {1, 1, false, false}, {10, 0, true, false}} {
		t.Run(fmt.Sprintf("%d of %d", c.bad, c.all), func(t *testing.T) {
			b := newBatches(t)
			counts, out, err := b.ingest("in/a.csv", rows(c.all, c.bad))
			require.Equal(t, []int64{int64(c.all), int64(c.all - c.bad), int64(c.bad)}, []int64{counts.Read, counts.Accepted, counts.Rejected})
			require.EqualValues(t, c.bad, out.Rejected, "the failed count is always there")
			var reasons []store.RejectionCount
			if c.bad > 0 {
				reasons = []store.RejectionCount{{Reason: missing, Rows: int64(c.bad)}}
			}
			require.Equal(t, reasons, out.Reasons)
			if !c.loaded {
				require.ErrorContains(t, err, fmt.Sprintf("%d of %d rows rejected", c.bad, c.all))
				require.ErrorContains(t, err, "above the threshold of 5%; nothing was loaded; most frequent: INGEST-1555-400 partnerID")
				require.Equal(t, store.Failed, out.Status)
				require.Zero(t, b.prospects())
				return
			}
			require.NoError(t, err)
			require.EqualValues(t, c.all-c.bad, b.prospects())
			require.Equal(t, c.warned, len(out.Warnings) > 0, out.Warnings)
			if c.bad == 0 {
				require.Nil(t, out.Diagnostic)
				return
			}
			require.Equal(t, fmt.Sprintf("INGEST-1212-400: %d rows rejected, %d rows ingested", c.bad, c.all-c.bad), out.Diagnostic.String())
		})
	}
	b := newBatches(t)
	_, _, err := b.ingest("in/large.csv", rows(1000, 0))
	require.NoError(t, err)
	_, _, err = b.ingest("in/tiny.csv", rows(10, 1))
	require.ErrorContains(t, err, "1 of 10 rows rejected (10.0%)", "1 of 1010 would be within the threshold")
}

// AS-14, BI-8, BI-9: with partial ingestion off one bad row in 1000 fails the batch. With diagnostics off as well, that
// is said with INGEST-1211-400; the failed count is there, counts by code and rows are not.
func TestPartialIngestionOff(t *testing.T) {
	off := false
	b := newBatches(t)
	b.source.PartialIngestion = &off
	_, out, err := b.ingest("in/a.csv", rows(1000, 1))
	require.ErrorContains(t, err, "1 of 1000 rows rejected (0.1%), and partialIngestion of the source is off; nothing was loaded; most frequent: INGEST-1555-400 partnerID")
	require.Len(t, out.Reasons, 1)
	require.Zero(t, b.prospects())

	b.source.ErrorDiagnostics = &off
	_, out, err = b.ingest("in/b.csv", rows(1000, 1))
	require.ErrorContains(t, err, "INGEST-1211-400: 1 of 1000 rows rejected")
	require.ErrorContains(t, err, "set errorDiagnostics: true in the source and run again with retry to get the reasons")
	require.NotContains(t, err.Error(), "INGEST-1555-400")
	require.EqualValues(t, 1, out.Rejected)
	require.Empty(t, out.Reasons)
	require.Equal(t, prospect.NoDiagnostics, out.Diagnostic.Code)
	require.Zero(t, b.prospects())
	files, err := b.catalog.Files(t.Context(), "acme")
	require.NoError(t, err)
	w, err := b.activities.Workspace(t.Context())
	require.NoError(t, err)
	stored, _, err := dataset(w, "acme_2026")
	require.NoError(t, err)
	kept := 0
	for _, f := range files {
		reasons, err := b.store.RejectionCounts(t.Context(), stored, f.Batch)
		require.NoError(t, err)
		kept += len(reasons)
	}
	require.Equal(t, 1, kept, "only of the batch with diagnostics")

	_, out, err = b.ingest("in/good.csv", rows(1000, 0))
	require.NoError(t, err)
	require.Nil(t, out.Diagnostic)
	require.EqualValues(t, 1000, b.prospects())
}

// Rows of people on a suppression list fail no batch, however many they are, and it says that they were rejected.
func TestSuppressedRowsFailNoBatch(t *testing.T) {
	b := newBatches(t)
	w, err := b.activities.Workspace(t.Context())
	require.NoError(t, err)
	stop := *w.Datasets[0]
	stop.Name, stop.Profile, b.source.Dataset = "stop", false, "stop"
	w.Datasets = append(w.Datasets, &stop)
	_, _, err = b.ingest("in/stop.csv", rows(600, 0))
	require.NoError(t, err)

	b.source.Dataset = "acme_2026"
	w.SuppressionLists = []*workspace.SuppressionList{{Name: "stop", Dataset: "stop", Namespaces: []string{"acme_pid"}, Where: []string{workspace.AtIngest}}}
	off := false
	for i, set := range []func(){func() {}, func() { b.source.PartialIngestion = &off }, func() { b.source.ErrorDiagnostics = &off }} {
		set()
		counts, out, err := b.ingest(fmt.Sprintf("in/%d.csv", i), rows(1000, 0))
		require.NoError(t, err)
		require.Equal(t, []int64{1000, 400, 600, 600}, []int64{counts.Read, counts.Accepted, counts.Rejected, counts.Suppressed})
		require.Equal(t, "INGEST-1212-400: 600 rows rejected, 400 rows ingested", out.Diagnostic.String())
		require.Empty(t, out.Warnings)
		require.EqualValues(t, 400, b.prospects())
	}
	_, _, err = b.ingest("in/bad.csv", rows(1000, 1))
	require.ErrorContains(t, err, "1 of 401 rows rejected (0.2%), and partialIngestion of the source is off")
}

// What was exported of rejected rows may be given back as it is: those of which nothing is kept are passed over.
func TestCorrectedRowsWithoutRecords(t *testing.T) {
	var taken []store.RejectedRow
	file := `{"batch":"b1","line":2,"raw":""}` + "\n" + `{"batch":"b1","line":3,"raw":"a,b"}` + "\n"
	require.NoError(t, corrected(strings.NewReader(file), "b1", map[int64]string{2: "", 3: ""}, func(row store.RejectedRow) bool {
		taken = append(taken, row)
		return true
	}))
	require.Equal(t, []store.RejectedRow{{Line: 3, Raw: []byte("a,b")}}, taken)
}

// A batch that was loaded by an attempt that died before it could say so is loaded, whatever has become of the rules.
func TestLoadedBatchUnderOtherRules(t *testing.T) {
	b := newBatches(t)
	counts, first, err := b.ingest("in/a.csv", rows(10, 0))
	require.NoError(t, err)
	files, err := b.catalog.Files(t.Context(), "acme")
	require.NoError(t, err)
	b.source.NullMarkers = []string{"Y"}
	b.step(b.activities.ValidateFile, ValidateFileInput{Batch: files[0].Batch}, nil)
	var again LoadBatchOutput
	b.step(b.activities.LoadBatch, LoadBatchInput{Batch: files[0].Batch, Counts: counts}, &again)
	require.Equal(t, first.Outcome, again.Outcome)
	require.EqualValues(t, 10, b.prospects())
}

// GR-12, BI-6: a file above guardrails.batchBytes is refused before it is fetched. GR-13: a listing gives as many files
// at a time as guardrails.filesPerRun says.
func TestGuardrailsOfFiles(t *testing.T) {
	b := newBatches(t)
	w, err := b.activities.Workspace(t.Context())
	require.NoError(t, err)
	content := rows(10, 0)
	w.Sandbox.Guardrails.BatchBytes = int64(len(content)) - 1
	b.put("in/a.csv", content, now().Add(-time.Hour))
	var taken TakeFileOutput
	b.step(b.activities.TakeFile, TakeFileInput{Source: "acme", Path: "in/a.csv"}, &taken)
	_, err = b.env.ExecuteActivity(b.activities.FetchFile, FetchFileInput{Batch: taken.Batch})
	require.ErrorContains(t, err, fmt.Sprintf("source acme: fetch in/a.csv: it has %d bytes, and %d is the limit; ask the partner for smaller files, or raise guardrails.batchBytes", len(content), len(content)-1))
	var failed *temporal.ApplicationError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, string(errkind.BadInput), failed.Type())
	require.True(t, failed.NonRetryable())
	require.NoDirExists(t, b.activities.DataDir+"/staging/"+taken.Batch)
	w.Sandbox.Guardrails.BatchBytes++
	b.step(b.activities.FetchFile, FetchFileInput{Batch: taken.Batch}, nil)

	d := newDropPoint(t, atOnce)
	for i := range 1501 {
		d.put(fmt.Sprintf("in/%04d.csv", i), "x", now().Add(-time.Hour))
	}
	listed, err := d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Equal(t, []int{1500, 1}, []int{len(listed.Due), listed.More})
	w, err = d.activities.Workspace(t.Context())
	require.NoError(t, err)
	w.Sandbox.Guardrails.FilesPerRun = 2
	listed, err = d.list(ListSourceInput{})
	require.NoError(t, err)
	require.Equal(t, []int{2, 1499}, []int{len(listed.Due), listed.More})
}
