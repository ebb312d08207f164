package storetest

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/prospect"
	"prospector/internal/store"
)

// A loaded batch may be checked again, by a run that died before it could say that it was done: under other rules even,
// or in part. What was loaded stays, and the rows that undo it and explain it.
func checkedAgain(f *fixture) {
	d := dataset("d", store.Upsert)
	first := f.load(d, batch{id: "b1", lines: []line{{"p1", "x"}, {"p2", "x"}}})
	f.load(d, batch{id: "b2", lines: []line{{"p1", "y"}}})
	again := f.prepare(d, batch{id: "b1", lines: []line{{"p3", "z"}}})
	loaded, err := f.Loaded(f.Context(), d, "b1")
	require.NoError(f, err)
	require.True(f, loaded)
	out, err := f.Load(f.Context(), again, nil)
	require.NoError(f, err)
	require.Equal(f, first, out)
	f.prepare(d, batch{id: "b1", lines: []line{{"p3", "z"}}}) // and never loaded

	f.reopen()
	f.delete(d, "b2", false)
	fragment, _, err := f.Fragment(f.Context(), d, "p1")
	require.NoError(f, err)
	require.Equal(f, "x", fragment.Attributes["a"])
	p, err := f.Provenance(f.Context(), store.Namespace{Symbol: "n", Datasets: []store.Dataset{d}}, "p2")
	require.NoError(f, err)
	require.Equal(f, "b1", p.Attributes["a"].Batch)
	loaded, err = f.Loaded(f.Context(), d, "b2")
	require.NoError(f, err)
	require.False(f, loaded, "it is deleted")
}

// rejected is a row that validation has refused.
type rejected struct {
	line   int64
	raw    string
	reason prospect.Reason
}

var (
	wrongType = prospect.Reason{Code: prospect.WrongType, Field: "a"}
	notInEnum = prospect.Reason{Code: prospect.NotInEnum, Field: "b"}
)

// loadRejecting loads a batch, some of whose rows validation refuses.
func (f *fixture) loadRejecting(d store.Dataset, b batch, replayOf, status string, rows ...rejected) (store.Outcome, error) {
	l := f.prepare(d, b)
	l.Batch.ReplayOf, l.Status = replayOf, status
	l.Quarantine = filepath.Join(f.dir, "staging", "rejections.jsonl")
	file, err := os.Create(l.Quarantine)
	require.NoError(f, err)
	for _, row := range rows {
		require.NoError(f, json.NewEncoder(file).Encode(map[string]any{"line": row.line, "offset": 10 * row.line, "raw": []byte(row.raw), "reasons": []prospect.Reason{row.reason}}))
	}
	require.NoError(f, file.Close())
	return f.Load(f.Context(), l, nil)
}

// openRows are the raw records of rows in quarantine that no replay has accepted, by line.
func (f *fixture) openRows(d store.Dataset, id string) map[int64]string {
	out := map[int64]string{}
	for row, err := range f.RejectedRows(f.Context(), d, id) {
		require.NoError(f, err)
		out[row.Line] = string(row.Raw)
	}
	return out
}

// Rows that a replay accepts are resolved; those that are rejected again as they came get today's reasons. A row that was
// corrected by hand, in vain, stays in quarantine as the partner sent it.
func replays(f *fixture) {
	d := dataset("d", store.Replace)
	first := batch{id: "b1", lines: []line{{"p1"}, {"!p2"}, {"!p3"}, {"!p4"}}}
	_, err := f.loadRejecting(d, first, "", store.Loaded, rejected{3, "p2", wrongType}, rejected{4, "p3", wrongType}, rejected{5, "p4", wrongType})
	require.NoError(f, err)
	// prepare numbers the lines of a part from 2 on; the first of these was never rejected.
	out, err := f.loadRejecting(d, batch{id: "r1", lines: []line{{"other"}, {"p2"}, {"!p3"}, {"!p4"}}}, "b1", store.Loaded,
		rejected{4, "corrected", notInEnum}, rejected{5, "p4", notInEnum})
	require.NoError(f, err)
	require.Equal(f, store.Outcome{Status: store.Loaded, Read: 4, Accepted: 2, Rejected: 2, Created: 2}, out)
	require.Equal(f, map[int64]string{4: "p3", 5: "p4"}, f.openRows(d, "b1"))
	lines, err := f.RejectedLines(f.Context(), d, "b1")
	require.NoError(f, err)
	require.Equal(f, map[int64]string{3: "r1", 4: "", 5: ""}, lines)
	counts, err := f.RejectionCounts(f.Context(), d, "b1")
	require.NoError(f, err)
	require.ElementsMatch(f, []store.RejectionCount{{Reason: notInEnum, Rows: 1}, {Reason: wrongType, Rows: 1}}, counts)
	// Undone, its rows are in quarantine again as they came.
	f.delete(d, "r1", false)
	require.Equal(f, map[int64]string{3: "p2", 4: "p3", 5: "p4"}, f.openRows(d, "b1"))
	// A row that is rejected again and is not in quarantine is a fault of ours.
	_, err = f.loadRejecting(d, batch{id: "r2", lines: []line{{"!p9"}}}, "b1", store.Loaded, rejected{99, "p9", wrongType})
	require.Equal(f, errkind.Internal, errkind.Of(err))
}

// EC-18: of the lines of one file the last one of an id counts, also when an earlier one is accepted later.
func replayedLines(f *fixture) {
	d := dataset("d", store.Replace)
	_, err := f.loadRejecting(d, batch{id: "b1", lines: []line{{"!p1", "2"}, {"p1", "3"}, {"p2", "4"}, {"!p2", "5"}}}, "", store.Loaded, rejected{2, "p1", wrongType}, rejected{5, "p2", wrongType})
	require.NoError(f, err)
	out, err := f.loadRejecting(d, batch{id: "r1", lines: []line{{"p1", "2"}, {"o1"}, {"o2"}, {"p2", "5"}}}, "b1", store.Loaded)
	require.NoError(f, err)
	require.EqualValues(f, 1, out.Outdated)
	require.EqualValues(f, 1, out.Updated)
	held := f.holds(d, "p1", "p2", "o1", "o2")
	require.Contains(f, held["p1"], "line 3 of b1")
	require.Contains(f, held["p2"], "line 5 of r1")
}

// A replay does not outlive its batch, nor the other way round: a batch that failed is not loaded a second time over rows
// of its own, and rows of one that was deleted are not loaded.
func replaysAndOriginal(f *fixture) {
	d := dataset("d", store.Replace)
	first := batch{id: "b1", lines: []line{{"p1", "x"}, {"!p2", "x"}}}
	_, err := f.loadRejecting(d, first, "", store.Failed, rejected{3, "p2", wrongType})
	require.NoError(f, err)
	_, err = f.loadRejecting(d, batch{id: "r1", lines: []line{{"other"}, {"p2", "corrected"}}}, "b1", store.Loaded)
	require.NoError(f, err)
	_, err = f.loadRejecting(d, first, "", store.Loaded, rejected{3, "p2", wrongType})
	require.Equal(f, errkind.BadInput, errkind.Of(err))
	require.ErrorContains(f, err, "rows of it were replayed in r1; delete that first")
	f.delete(d, "r1", false)
	_, err = f.loadRejecting(d, first, "", store.Loaded, rejected{3, "p2", wrongType})
	require.NoError(f, err)
	require.Equal(f, map[int64]string{3: "p2"}, f.openRows(d, "b1"))
	f.delete(d, "b1", false)
	_, err = f.loadRejecting(d, batch{id: "r1", lines: []line{{"other"}, {"p2", "corrected"}}}, "b1", store.Loaded)
	require.Equal(f, errkind.Conflict, errkind.Of(err))
	require.ErrorContains(f, err, "batch b1, whose rows it replays, was deleted")
	require.Empty(f, f.holds(d, "p1", "p2", "other"))
}
