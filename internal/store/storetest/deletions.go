package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// Undoing the second of three overlapping batches equals loading only the first and the third.
func undoesSecond(f *fixture) {
	for _, merge := range []store.Merge{store.Replace, store.Upsert, store.Full} {
		first := batch{id: "b1", at: instant(1), lines: []line{{"p1", "1", "1"}, {"p2", "1", "1"}, {"p3", "1", "1"}, {"p4", "1", "1"}}}
		second := batch{id: "b2", at: instant(2), columns: []string{"a"}, lines: []line{{"p2", "2"}, {"p3", "2"}, {"p5", "2"}, {"p6", "2"}}, force: true}
		third := batch{id: "b3", at: instant(3), columns: []string{"a", "c"}, lines: []line{{"p3", "3", "", "3"}, {"p6", "3", "", "3"}, {"p7", "3"}}, force: true}
		all, without := dataset("all_"+string(merge), merge), dataset("without_"+string(merge), merge)
		for _, b := range []batch{first, second, third} {
			f.load(all, b)
			if b.id != "b2" {
				f.load(without, b)
			}
		}
		ids := []string{"p1", "p2", "p3", "p4", "p5", "p6", "p7"}
		f.delete(all, "b2", false)
		require.Equal(f, f.holds(without, ids...), f.holds(all, ids...), merge)
		require.Equal(f, f.export(instant(9), without), f.export(instant(9), all), merge)
	}
}

func previews(f *fixture) {
	d := dataset("d", store.Replace)
	f.load(d, batch{id: "b1", lines: []line{{"p1", "1"}, {"p2", "1"}, {"p3", "1"}}})
	f.load(d, batch{id: "b2", lines: []line{{"p2", "2"}, {"p3", "2"}, {"p4", "2"}}})
	f.load(d, batch{id: "b3", lines: []line{{"p3", "3"}}})
	ids := []string{"p1", "p2", "p3", "p4"}
	before := f.holds(d, ids...)
	want := store.Deletion{Batch: "b2", Dataset: "d", Source: "partner", File: "b2.csv", Removed: 1, Reverted: 1, Kept: 1, Preview: true}
	require.Equal(f, want, f.delete(d, "b2", true))
	require.Equal(f, before, f.holds(d, ids...))
	want.Preview = false
	require.Equal(f, want, f.delete(d, "b2", false))
	require.Equal(f, want, f.delete(d, "b2", false), "deleted again, nothing happens")
	f.reopen()
	require.Len(f, f.holds(d, ids...), 3)

	out := f.load(d, batch{id: "b2", lines: []line{{"p3", "2"}, {"p4", "2"}}})
	require.Equal(f, store.Outcome{Status: store.Loaded, Read: 2, Accepted: 2, Created: 1, Updated: 1}, out, "asked for, it is loaded as the newest batch")
	_, err := f.DeleteBatch(f.Context(), store.Namespace{}, d, "b9", false, nil)
	require.Equal(f, errkind.Missing, errkind.Of(err))
}

// expected is what a dataset holds of an id, computed row by row.
type expected struct {
	values       map[string]string
	batch        string
	line         int
	at, created  time.Time
	createdBatch string
	date         string
}

// fold applies batches in order as the modes are defined, without any database.
func fold(d store.Dataset, fields []string, batches []batch) map[string]expected {
	state := map[string]expected{}
	outdated := func(id string, b batch) bool {
		known, ok := state[id]
		return ok && known.date != "" && b.date != "" && known.date > b.date
	}
	for _, b := range batches {
		last, inFile := map[string]int{}, map[string]bool{}
		for n, l := range b.lines {
			if l[0][0] == '!' {
				inFile[l[0][1:]] = true
				continue
			}
			inFile[l[0]], last[l[0]] = true, n
		}
		if d.Merge == store.Full {
			for id := range state {
				if !inFile[id] && !outdated(id, b) {
					delete(state, id)
				}
			}
		}
		for id, n := range last {
			if outdated(id, b) {
				continue
			}
			known, ok := state[id]
			next := expected{values: map[string]string{}, batch: b.id, line: n + 2, at: b.at, created: b.at, createdBatch: b.id, date: b.date}
			if ok {
				next.created, next.createdBatch = known.created, known.createdBatch
			}
			for i, path := range fields {
				if d.Merge == store.Upsert && b.columns != nil && !slices.Contains(b.columns, path) {
					next.values[path] = known.values[path]
				} else if b.columns == nil || slices.Contains(b.columns, path) {
					next.values[path] = b.lines[n][i+1]
				}
			}
			state[id] = next
		}
	}
	return state
}

func (e expected) text() string {
	value := func(path string) string { return cmp.Or(e.values[path], "<nil>") }
	return fmt.Sprintf("%s %s %s, line %d of %s at %s, since %s at %s", value("a"), value("b"), value("c"), e.line, e.batch, e.at.Format(time.DateTime), e.createdBatch, e.created.Format(time.DateTime))
}

// Loads and deletions in any order leave what the same batches leave in a plain model; so do the origins of values.
func model(f *fixture) {
	ids := make([]string, 8)
	for i := range ids {
		ids[i] = fmt.Sprintf("p%d", i)
	}
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable on purpose
		d := dataset(fmt.Sprintf("d%d", seed), []store.Merge{store.Replace, store.Upsert, store.Full}[seed%3])
		var loaded []batch
		for n := range 8 {
			if len(loaded) > 1 && random.IntN(4) == 0 {
				i := random.IntN(len(loaded))
				f.delete(d, loaded[i].id, random.IntN(3) == 0) // some are previewed first
				f.delete(d, loaded[i].id, false)
				loaded = slices.Delete(loaded, i, i+1)
			} else {
				b := randomBatch(random, fmt.Sprintf("b%d", n), ids, f.fields)
				b.at = instant(n)
				f.load(d, b)
				loaded = append(loaded, b)
			}
			want := map[string]string{}
			for id, e := range fold(d, f.fields, loaded) {
				want[id] = e.text()
			}
			require.Equal(f, want, f.holds(d, ids...), "seed %d, step %d", seed, n)
		}
	}
}

func randomBatch(random *rand.Rand, id string, ids, fields []string) batch {
	b := batch{id: id, force: true}
	if random.IntN(2) == 0 {
		b.columns = []string{}
		for _, path := range fields {
			if random.IntN(2) == 0 {
				b.columns = append(b.columns, path)
			}
		}
	}
	if random.IntN(2) == 0 {
		b.date = fmt.Sprintf("2026-11-%02d", 1+random.IntN(4))
	}
	for range 1 + random.IntN(10) {
		l := line{ids[random.IntN(len(ids))]}
		if random.IntN(8) == 0 {
			l[0] = "!" + l[0]
		}
		for _, path := range fields {
			value := []string{"", "x", "y", "z"}[random.IntN(4)]
			if b.columns != nil && !slices.Contains(b.columns, path) {
				value = ""
			}
			l = append(l, value)
		}
		b.lines = append(b.lines, l)
	}
	return b
}
