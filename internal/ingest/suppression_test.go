package ingest_test

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/filecodec"
	"prospector/internal/ingest"
	"prospector/internal/store"
	"prospector/internal/store/duckdb"
	"prospector/internal/xdm"
)

// listing makes a dataset of ids and has rows held against it.
func (l *loading) listing(name, field string, ids string) {
	l.Helper()
	rows := l.file
	l.file.Batch, l.file.Dataset = name+"_1", store.Dataset{Name: name, Schema: rows.Dataset.Schema, Identity: "partnerID"}
	counts, err := l.validate([]byte("pid,hiking,secret\n" + ids))
	require.NoError(l, err)
	l.load(counts, store.Loaded)
	rows.Lists = append(rows.Lists, store.List{Dataset: l.file.Dataset, Field: field})
	l.file = rows
}

// BI-12, PL-25: no row is loaded of whoever is on a list, by partner id or by an attribute, whatever else is wrong with it: it is counted and its line
// and reason are kept, and nothing else of it. It does not count towards the threshold.
func TestSuppressedRows(t *testing.T) {
	const content = "pid,hiking,secret\nfree1,Y,s\nsecret-pid,Y,s\nwrong,Maybe,s\nsecret-pid,Maybe,s\nsecret-by-field,N,s\nshort\nfree2,,s\nSECRET-PID,Y,s\n"
	l := newLoading(t, flat)
	l.listing("stop-ids", "", "secret-pid,,\nother,,\n")
	l.listing("stop-fields", "partner.hiking", "N,,\n")
	counts, err := l.validate([]byte(content))
	require.NoError(t, err)
	require.Equal(t, []int64{8, 3, 5, 3}, []int64{counts.Read, counts.Accepted, counts.Rejected, counts.Suppressed})
	require.Equal(t, []string{"3: PROSPECT-SUPPRESSED partnerID", "4: PROSPECT-ENUM partner.hiking", "5: PROSPECT-SUPPRESSED partnerID", "6: PROSPECT-SUPPRESSED partner.hiking",
		"7: " + columns}, l.refused())
	_, raws := l.reasons()
	require.Equal(t, []string{"", "wrong,Maybe,", "", "", "short"}, raws)
	require.InDelta(t, 40, counts.Percent(), 1e-9, "2 of 5 rows")
	require.False(t, ingest.Counts{Read: 10, Accepted: 8, Rejected: 2, Suppressed: 2}.Exceeds(0))
	require.False(t, ingest.Counts{Read: 2, Rejected: 2, Suppressed: 2}.Exceeds(0))
	require.True(t, ingest.Counts{Read: 10, Accepted: 7, Rejected: 3, Suppressed: 2}.Exceeds(12))

	out := l.load(counts, store.Loaded)
	require.Equal(t, []int64{8, 3, 5, 3}, []int64{out.Read, out.Accepted, out.Rejected, out.Created})
	open := map[int64]string{}
	for row, err := range l.store.RejectedRows(t.Context(), l.file.Dataset, l.file.Batch) {
		require.NoError(t, err)
		open[row.Line] = string(row.Raw)
	}
	require.Equal(t, map[int64]string{4: "wrong,Maybe,", 7: "short"}, open, "nothing of the others can be replayed")
}

// A row that was rejected before its person came onto a list is suppressed when it is replayed, and no longer kept.
func TestSuppressedReplay(t *testing.T) {
	l := newLoading(t, flat)
	counts, err := l.validate([]byte("pid,hiking,secret\nsecret-pid,Maybe,s\nfree,Maybe,s\n"))
	require.NoError(t, err)
	l.load(counts, store.Loaded)
	l.listing("stop", "", "secret-pid,,\n")

	first := l.file.Batch
	l.file.Batch, l.file.Replay = "batch_2", &ingest.Replay{Batch: first, Header: []string{"pid", "hiking", "secret"}}
	var kept []byte
	for row, err := range l.store.RejectedRows(t.Context(), l.file.Dataset, first) {
		require.NoError(t, err)
		line, err := json.Marshal(filecodec.Kept{Line: row.Line, Raw: row.Raw})
		require.NoError(t, err)
		kept = append(append(kept, line...), '\n')
	}
	counts, err = l.validate(kept)
	require.NoError(t, err)
	require.Equal(t, []int64{2, 2, 1}, []int64{counts.Read, counts.Rejected, counts.Suppressed})
	columns, err := l.file.Columns()
	require.NoError(t, err)
	_, err = l.store.Load(t.Context(), store.Load{Dataset: l.file.Dataset, Batch: store.Batch{ID: l.file.Batch, Source: "acme", ReplayOf: first}, Columns: columns, Quarantine: l.file.Rejections,
		Read: 2, Rejected: 2, Status: store.Loaded}, nil)
	require.NoError(t, err)
	open := map[int64]string{}
	for row, err := range l.store.RejectedRows(t.Context(), l.file.Dataset, first) {
		require.NoError(t, err)
		open[row.Line] = string(row.Raw)
	}
	require.Equal(t, map[int64]string{3: "free,Maybe,"}, open)
	reasons, err := l.store.RejectionCounts(t.Context(), l.file.Dataset, first)
	require.NoError(t, err)
	require.Len(t, reasons, 2)
	require.EqualValues(t, "PROSPECT-SUPPRESSED", reasons[1].Reason.Code)
	lines, err := l.store.RejectedLines(t.Context(), l.file.Dataset, first)
	require.NoError(t, err)
	require.Equal(t, map[int64]string{2: "", 3: ""}, lines)
}

// Which lists there are is one of the rules under which rows are checked, who is on them is not. A list of a field that the file does
// not fill names nobody in it; a default stands in for a value there as well. Without diagnostics suppressed rows are counted.
func TestSuppressionRules(t *testing.T) {
	l := newLoading(t, flat)
	before, err := l.file.Rules()
	require.NoError(t, err)
	l.listing("stop", "_luma.elsewhere", "Y,,\nN,,\n")
	with, err := l.file.Rules()
	require.NoError(t, err)
	require.NotEqual(t, before, with)
	counts, err := l.validate([]byte("pid,hiking,secret\na1,Y,s\na2,,s\n"))
	require.NoError(t, err)
	require.EqualValues(t, 2, counts.Accepted)

	l.file.Lists[0].Field = "partner.hiking"
	fields := l.file.Dataset.Schema.Fields
	no := "N"
	fields[slices.IndexFunc(fields, func(f xdm.Field) bool { return f.Path == "partner.hiking" })].Default = &no
	require.NoError(t, os.Remove(l.file.Rejections))
	l.file.Rejections = ""
	counts, err = l.validate([]byte("pid,hiking,secret\na1,Y,s\na2,,s\n"))
	require.NoError(t, err)
	require.Equal(t, []int64{2, 0, 2, 2}, []int64{counts.Read, counts.Accepted, counts.Rejected, counts.Suppressed})
	require.NoFileExists(t, l.file.Rejections)
}

// longList is a store that says of every list that it is very long.
type longList struct{ *duckdb.Store }

func (longList) Profiles(context.Context, store.Dataset) (int64, error) { return 6_000_000, nil }

// Lists that take too much memory are refused before they are read.
func TestListsTooLong(t *testing.T) {
	l := newLoading(t, flat)
	l.listing("stop-1", "", "a1,,\n")
	l.listing("stop-2", "partner.hiking", "N,,\n")
	require.NoError(t, os.WriteFile(l.file.Path, []byte("pid,hiking,secret\na2,Y,s\n"), 0o600))
	validate := func() error {
		_, err := ingest.Validate(t.Context(), longList{l.store}, l.file, func(ingest.Progress) {})
		return err
	}
	err := validate()
	require.ErrorContains(t, err, "dataset acme_2026: its rows are held against suppression lists of more than 10000000 values")
	require.Equal(t, errkind.Invalid, errkind.Of(err))
	l.file.Lists = l.file.Lists[:1]
	require.NoError(t, validate())
}
