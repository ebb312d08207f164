package activities

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/ingest"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// probe looks into a file, and sees to it that nothing is left of it.
func (b *batches) probe(path, content string) (out ProbeFileOutput) {
	b.Helper()
	b.put(path, content, now())
	b.step(b.activities.ProbeFile, ProbeFileInput{Source: "acme", Path: path}, &out)
	staged, err := filepath.Glob(filepath.Join(b.activities.DataDir, "staging", "*"))
	require.NoError(b, err)
	require.Empty(b, staged)
	files, err := b.catalog.Files(b.Context(), "acme")
	require.NoError(b, err)
	require.Empty(b, files)
	return out
}

// SR-23: a dry run says what a run would make of a file like its sample: that it is refused, and why its rows are rejected
// (codes and fields, no values), also where a load keeps no reasons.
func TestProbeSaysWhatWouldBeRefused(t *testing.T) {
	off := false
	for name, c := range map[string]struct {
		all, bad int
		change   func(*workspace.Source)
		refused  string
	}{
		"above":          {2, 1, func(*workspace.Source) {}, "source acme: in/a.csv: 1 of 2 rows checked rejected (50.0%), above the threshold of 5%; nothing would be loaded; most frequent: INGEST-1555-400 partnerID 1×; ask the partner for a corrected file, or raise errorThreshold of the source"},
		"at":             {20, 1, func(*workspace.Source) {}, ""},
		"part of it":     {3000, 51, func(*workspace.Source) {}, "51 of 1000 rows checked rejected (5.1%)"},
		"none":           {2, 0, func(*workspace.Source) {}, ""},
		"not partial":    {20, 1, func(s *workspace.Source) { s.PartialIngestion = &off }, "1 of 20 rows checked rejected (5.0%), and partialIngestion of the source is off; nothing would be loaded"},
		"no diagnostics": {20, 1, func(s *workspace.Source) { s.PartialIngestion, s.ErrorDiagnostics = &off, &off }, "partialIngestion of the source is off; nothing would be loaded; most frequent: INGEST-1555-400 partnerID 1×"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBatches(t)
			c.change(b.source)
			out := b.probe("in/a.csv", rows(c.all, c.bad))
			var reasons []store.RejectionCount
			if c.bad > 0 {
				reasons = []store.RejectionCount{{Reason: prospect.Reason{Code: prospect.Required, Field: "partnerID"}, Rows: int64(c.bad)}}
			}
			require.Equal(t, reasons, out.Reasons)
			if c.refused == "" {
				require.Empty(t, out.Refused)
			}
			require.Contains(t, out.Refused, c.refused)
			require.EqualValues(t, min(c.all, sampleRows), out.Counts.Read)
			require.EqualValues(t, c.bad, out.Counts.Rejected)
		})
	}
}

// A dry run names the columns that are not there, or not taken, where the source lets them pass.
func TestProbeSaysDrift(t *testing.T) {
	b := newBatches(t)
	b.source.Drift = workspace.Drift{Unmapped: workspace.DriftIgnore, Missing: workspace.DriftIgnore}
	out := b.probe("in/a.csv", "pid,ageRange,hiking,more\nP1,25-34,Y,x\n")
	require.Equal(t, &ingest.Drift{Unmapped: []string{"more"}, Missing: []string{"buyerRating"}}, out.Counts.Drift)
}

// The row in which the beginning of a large file ends is no row that is rejected.
func TestProbeOfALargeFile(t *testing.T) {
	b := newBatches(t)
	off := false
	b.source.PartialIngestion = &off
	b.source.IgnoreColumns = append(b.source.IgnoreColumns, "long")
	var content strings.Builder
	content.WriteString("long,pid,ageRange,hiking,buyerRating\n")
	long := strings.Repeat("x", 30_000)
	for i := range 600 {
		fmt.Fprintf(&content, "%s,P%04d,25-34,Y,1\n", long, i)
	}
	out := b.probe("in/large.csv", content.String())
	require.Greater(t, out.Bytes, int64(sampleBytes))
	require.Empty(t, out.Refused)
	require.Empty(t, out.Reasons)
	require.Greater(t, out.Counts.Accepted, int64(400))
	require.Less(t, out.Counts.Accepted, int64(600))
}
