package storetest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/xdm"
)

func oneLoad(f *fixture) {
	d := dataset("d", store.Replace)
	odd := f.prepare(d, batch{id: "b0", lines: []line{{"p9"}}})
	odd.Batch.Header = []string{"id", "a|b", "c\nd", `e"f`, ""}
	_, err := f.Load(f.Context(), odd, nil)
	require.NoError(f, err)
	header, err := f.Header(f.Context(), d, "b0")
	require.NoError(f, err)
	require.Equal(f, odd.Batch.Header, header)
	f.delete(d, "b0", false)

	b := batch{id: "b1", at: began, lines: []line{{"p1", "x"}, {"p2", "y"}, {"p1", "z"}, {"!p3", "w"}}} // EC-18: the last line wins
	first := f.load(d, b)
	require.Equal(f, store.Outcome{Status: store.Loaded, Read: 4, Accepted: 3, Rejected: 1, Created: 2, Superseded: 1}, first)
	held := f.holds(d, "p1", "p2", "p3")
	require.Equal(f, first, f.load(d, b))
	f.reopen()
	require.Equal(f, first, f.load(d, b))
	require.Equal(f, held, f.holds(d, "p1", "p2", "p3"))
	require.Contains(f, held["p1"], "line 4 of b1")
}

// AS-10: a later file wins, createdByBatchID stays, modifiedByBatchID does not.
func replaces(f *fixture) {
	d := dataset("d", store.Replace)
	f.load(d, batch{id: "b1", lines: []line{{"p1", "3", "kept?"}, {"p2", "same", "", "0012"}}})
	out := f.load(d, batch{id: "b2", lines: []line{{"p1", "5"}, {"p2", "same", "", "0012"}, {"p3", "new"}}})
	require.Equal(f, store.Outcome{Status: store.Loaded, Read: 3, Accepted: 3, Created: 1, Updated: 1, Unchanged: 1}, out)
	require.Equal(f, map[string]string{
		"p1": "5 <nil> <nil>, line 2 of b2 at 2026-11-23 06:00:00, since b1 at 2026-11-23 05:00:00", // the row replaces the row
		"p2": "same <nil> 0012, line 3 of b2 at 2026-11-23 06:00:00, since b1 at 2026-11-23 05:00:00",
		"p3": "new <nil> <nil>, line 4 of b2 at 2026-11-23 06:00:00, since b2 at 2026-11-23 06:00:00",
	}, f.holds(d, "p1", "p2", "p3"))

	// A corrected file of an earlier day does not undo a later one.
	f.load(d, batch{id: "b3", date: "2026-11-20", lines: []line{{"p1", "20th"}}})
	out = f.load(d, batch{id: "b4", date: "2026-11-19", lines: []line{{"p1", "19th"}, {"p9", "19th"}}})
	require.Equal(f, store.Outcome{Status: store.Loaded, Read: 2, Accepted: 2, Created: 1, Outdated: 1}, out)
	require.Contains(f, f.holds(d, "p1", "p2", "p3", "p9")["p1"], "20th")
}

// PF-19, AS-10: with upsert the columns that the file does not carry keep their values; those that it carries do not.
func upserts(f *fixture) {
	d := dataset("d", store.Upsert)
	f.load(d, batch{id: "b1", lines: []line{{"p1", "3", "hiking", "x"}, {"p2", "3", "", "x"}}})
	out := f.load(d, batch{id: "b2", columns: []string{"a", "c"}, lines: []line{{"p1", "5"}, {"p2", "3", "", "x"}, {"p3", "1"}}})
	require.Equal(f, store.Outcome{Status: store.Loaded, Read: 3, Accepted: 3, Created: 1, Updated: 1, Unchanged: 1}, out)
	held := f.holds(d, "p1", "p2", "p3")
	require.Equal(f, "5 hiking <nil>, line 2 of b2 at 2026-11-23 06:00:00, since b1 at 2026-11-23 05:00:00", held["p1"], "b is kept, c is emptied")
	require.Equal(f, "1 <nil> <nil>, line 4 of b2 at 2026-11-23 06:00:00, since b2 at 2026-11-23 06:00:00", held["p3"])
}

func removes(f *fixture) {
	d := dataset("d", store.Full)
	f.load(d, batch{id: "b1", lines: []line{{"p1", "x"}, {"p2", "x"}, {"p3", "x"}, {"p4", "x"}, {"p5", "x"}}})
	out := f.load(d, batch{id: "b2", lines: []line{{"p1", "y"}, {"p2", "x"}, {"!p3", "x"}, {"p4", "x"}, {"p6", "x"}}})
	require.Equal(f, store.Outcome{Status: store.Loaded, Read: 5, Accepted: 4, Rejected: 1, Created: 1, Updated: 1, Unchanged: 2, Removed: 1}, out)
	held := f.holds(d, "p1", "p2", "p3", "p4", "p5", "p6")
	require.NotContains(f, held, "p5")
	require.Contains(f, held["p3"], "b1", "a row that was refused is in the file all the same")

	// A full file of an earlier day removes nothing that is of a later one.
	f.load(d, batch{id: "b3", date: "2026-11-20", lines: []line{{"p1", "z"}, {"p2", "z"}, {"p3", "z"}, {"p4", "z"}, {"p6", "z"}}})
	out = f.load(d, batch{id: "b4", date: "2026-11-19", lines: []line{{"p1", "older"}, {"p7", "older"}}})
	require.Equal(f, store.Outcome{Status: store.Loaded, Read: 2, Accepted: 2, Created: 1, Outdated: 1}, out)
	require.Len(f, f.holds(d, "p1", "p2", "p3", "p4", "p6", "p7"), 6)
}

func guards(f *fixture) {
	d := dataset("d", store.Full)
	f.load(d, batch{id: "b1", lines: []line{{"p1"}, {"p2"}, {"p3"}, {"p4"}, {"p5"}, {"p6"}, {"p7"}, {"p8"}, {"p9"}, {"p10"}}})
	ids := []string{"p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10"}
	held := f.holds(d, ids...)
	cut := batch{id: "b2", at: instant(9), lines: []line{{"p1"}, {"p2"}, {"p3"}, {"p4"}, {"p5"}, {"p6"}}}
	_, err := f.Load(f.Context(), f.prepare(d, cut), nil)
	require.ErrorContains(f, err, "would remove 4 of 10 profiles (40.0%)")
	require.Equal(f, errkind.BadInput, errkind.Of(err))
	require.Equal(f, held, f.holds(d, ids...))
	cut.force = true
	require.EqualValues(f, 4, f.load(d, cut).Removed)
	three := batch{id: "b3", lines: []line{{"p1"}, {"p2"}, {"p3"}, {"p4"}, {"p5"}}}
	require.EqualValues(f, 1, f.load(d, three).Removed)
}

// A load that is stopped between any two of its steps leaves the dataset as it was, in every mode.
func stopped(f *fixture) {
	for _, merge := range []store.Merge{store.Replace, store.Upsert, store.Full} {
		d := dataset("d_"+string(merge), merge)
		f.load(d, batch{id: "b1", lines: []line{{"p1", "x"}, {"p2", "x"}, {"p3", "x"}, {"p4", "x"}}})
		before := f.holds(d, "p1", "p2", "p3", "p4", "p5")
		l := f.prepare(d, batch{id: "b2", lines: []line{{"p1", "y"}, {"p2", "x"}, {"p3", "x"}, {"p5", "y"}}})
		for n := 1; ; n++ {
			ctx, cancel := context.WithCancel(f.Context())
			var seen []string
			_, err := f.Load(ctx, l, func(step string) {
				if seen = append(seen, step); len(seen) == n {
					cancel()
				}
			})
			cancel()
			if seen[len(seen)-1] == "committed" {
				break
			}
			require.Error(f, err, seen)
			require.Equal(f, before, f.holds(d, "p1", "p2", "p3", "p4", "p5"), seen)
			require.Less(f, n, 20)
		}
		require.NotEqual(f, before, f.holds(d, "p1", "p2", "p3", "p4", "p5"))
	}
}

// Readers see a load whole or not at all.
func readers(f *fixture) {
	d := dataset("d", store.Replace)
	f.load(d, batch{id: "b1", lines: []line{{"p1", "old"}, {"p2", "old"}}})
	l := f.prepare(d, batch{id: "b2", lines: []line{{"p1", "new"}, {"p2", "new"}, {"p3", "new"}}})
	looks := 0
	_, err := f.Load(f.Context(), l, func(step string) {
		looks++
		want := "p1,old,,\np2,old,,\n"
		if step == "committed" {
			want = "p1,new,,\np2,new,,\np3,new,,\n"
		}
		require.Equal(f, want, f.export(instant(5), d), step)
	})
	require.NoError(f, err)
	require.Greater(f, looks, 3)
}

// PF-9: a profile lives so many days since a batch refreshed it.
func expires(f *fixture) {
	d := dataset("d", store.Replace)
	f.load(d, batch{id: "b1", at: began, lines: []line{{"p1", "x"}, {"p2", "x"}}})
	f.load(d, batch{id: "b2", at: began.AddDate(0, 0, 10), lines: []line{{"p2", "x"}}})
	require.Equal(f, "p1,x,,\np2,x,,\n", f.export(began.AddDate(0, 0, 25).Add(-time.Second), d))
	require.Equal(f, "p2,x,,\n", f.export(began.AddDate(0, 0, 25), d))
	require.Empty(f, f.export(began.AddDate(0, 0, 35), d))
}

// LB-8: the labels count under which values were taken that are still there.
func labels(f *fixture) {
	taken := func(name string, merge store.Merge) map[string][]string {
		d := dataset(name, merge)
		f.load(d, batch{id: "b1", labels: map[string][]string{"a": {"C1"}, "b": {"C2"}}, lines: []line{{"p1", "x", "y"}}})
		f.load(d, batch{id: "b2", labels: map[string][]string{"a": {"C3"}}, columns: []string{"a"}, lines: []line{{"p1", "z"}}})
		out, err := f.Labels(f.Context(), d)
		require.NoError(f, err)
		return out
	}
	require.Equal(f, map[string][]string{"a": {"C3"}}, taken("replaced", store.Replace))
	require.Equal(f, map[string][]string{"a": {"C1", "C3"}, "b": {"C2"}}, taken("upserted", store.Upsert))
}

// BI-12: rejected rows are kept for so many days; the counts of their batch stay.
func keepsQuarantine(f *fixture) {
	d := dataset("d", store.Replace)
	d.Quarantine = 30 * 24 * time.Hour
	l := f.prepare(d, batch{id: "b1", at: began, lines: []line{{"p1"}, {"!p2"}}})
	l.Quarantine = filepath.Join(f.dir, "staging", "rejections.jsonl")
	require.NoError(f, os.WriteFile(l.Quarantine, []byte(`{"line":3,"offset":9,"raw":"cDI=","reasons":[{"code":"PROSPECT-TYPE","field":"a"}]}`+"\n"), 0o600))
	out, err := f.Load(f.Context(), l, nil)
	require.NoError(f, err)
	for _, each := range []struct{ days, kept int }{{29, 1}, {31, 0}} {
		require.NoError(f, f.ExpireQuarantine(f.Context(), d, began.AddDate(0, 0, each.days)))
		lines, err := f.RejectedLines(f.Context(), d, "b1")
		require.NoError(f, err)
		require.Len(f, lines, each.kept, "after %d days", each.days)
	}
	again, err := f.Load(f.Context(), l, nil)
	require.NoError(f, err)
	require.Equal(f, out, again)
}

// A batch that failed leaves no part; that of a loaded one is never removed.
func forgetsParts(f *fixture) {
	d := dataset("d", store.Upsert)
	f.load(d, batch{id: "b1", lines: []line{{"p1", "x"}}})
	f.prepare(d, batch{id: "b2", lines: []line{{"p1", "y"}}})
	for range 2 {
		require.NoError(f, f.ForgetPart(f.Context(), d, "b1"))
		require.NoError(f, f.ForgetPart(f.Context(), d, "b2"))
	}
	p, err := f.Provenance(f.Context(), store.Namespace{Symbol: "n", Datasets: []store.Dataset{d}}, "p1")
	require.NoError(f, err)
	require.Equal(f, "b1", p.Attributes["a"].Batch)
	for _, err := range f.PartRejections(f.Context(), d.Name, "b2") {
		require.Error(f, err, "the part is gone")
	}
}

// BI-8: without a file of rejections the refused rows are counted and not kept.
func withoutDiagnostics(f *fixture) {
	d := dataset("d", store.Replace)
	l := f.prepare(d, batch{id: "b1", lines: []line{{"p1", "x"}, {"!p2", "x"}}})
	l.Status = store.Failed
	out, err := f.Load(f.Context(), l, nil)
	require.NoError(f, err)
	require.Equal(f, store.Outcome{Status: store.Failed, Read: 2, Accepted: 1, Rejected: 1}, out)
	require.Empty(f, f.holds(d, "p1", "p2"))
}

// SC-27: a field that a schema gains has no value in what was loaded before, and changes none of it.
func gains(f *fixture) {
	d := dataset("d", store.Upsert)
	f.load(d, batch{id: "b1", lines: []line{{"p1", "x"}}})
	more := dataset("d", store.Upsert)
	more.Schema.Fields = slices.Insert(more.Schema.Fields, 3, xdm.Field{Path: "d", Type: xdm.String}) // fields are in path order
	f.fields = append(f.fields, "d")
	out := f.load(more, batch{id: "b2", lines: []line{{"p1", "x"}}})
	require.EqualValues(f, 1, out.Unchanged)
	f.load(more, batch{id: "b3", lines: []line{{"p1", "x", "", "", "gained"}}})
	f.delete(more, "b2", false)
	fragment, _, err := f.Fragment(f.Context(), more, "p1")
	require.NoError(f, err)
	require.Equal(f, map[string]any{"id": "p1", "a": "x", "d": "gained"}, fragment.Attributes)
}
