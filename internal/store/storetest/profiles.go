package storetest

import (
	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// Each value of a profile has the batch, file and line that it came from, also where an upsert has left it alone.
func origins(f *fixture) {
	d := dataset("d", store.Upsert)
	n := store.Namespace{Symbol: "n", Datasets: []store.Dataset{d}}
	f.load(d, batch{id: "b1", lines: []line{{"p0", "x"}, {"p1", "1", "1"}}})
	f.load(d, batch{id: "b2", columns: []string{"a"}, date: "2026-11-20", lines: []line{{"p1", "2"}}})
	f.load(d, batch{id: "b3", columns: []string{"a"}, date: "2026-11-19", lines: []line{{"p1", "3"}}})
	f.load(d, batch{id: "b4", columns: []string{"c"}, lines: []line{{"p1", "", "", "4"}}})
	p, err := f.Provenance(f.Context(), n, "p1")
	require.NoError(f, err)
	origin := func(path string) string { return p.Attributes[path].Batch + " " + p.Attributes[path].Value.(string) }
	require.Equal(f, []string{"b2 2", "b1 1", "b4 4"}, []string{origin("a"), origin("b"), origin("c")})
	require.Equal(f, store.Origin{Dataset: "d", Batch: "b1", Source: "partner", File: "b1.csv", Line: 3, At: instant(1)}, p.Attributes["b"].Origin)
	var history []string
	for _, c := range p.History {
		history = append(history, c.Batch+" "+c.Effect)
	}
	require.Equal(f, []string{"b1 created", "b2 updated", "b3 outdated", "b4 updated"}, history)
	require.Equal(f, map[string]any{"id": "p1", "a": "2", "b": "1"}, p.History[1].Attributes)
	require.Equal(f, "b4", p.Fragments[0].Batch)
	require.Equal(f, p.Fragments[0].Attributes, p.History[3].Attributes)

	n.Datasets[0].History = false
	p, err = f.Provenance(f.Context(), n, "p1")
	require.NoError(f, err)
	require.Empty(f, p.History)
	require.Equal(f, []string{"d"}, p.WithoutHistory)
	_, err = f.Provenance(f.Context(), n, "P1")
	require.Equal(f, errkind.Missing, errkind.Of(err))
}

// PF-15, PF-16, AS-10: of two datasets with one prospect the value counts, attribute by attribute, that was ingested last.
// AS-9, EC-3: the same value in another namespace is somebody else.
func merges(f *fixture) {
	one, two, other := dataset("one", store.Replace), dataset("two", store.Replace), dataset("other", store.Replace)
	f.load(one, batch{id: "b1", lines: []line{{"p1", "one", "one"}, {"p2", "one"}}})
	f.load(two, batch{id: "b2", lines: []line{{"p1", "two", "", "two"}, {"p3", "two"}}})
	f.load(other, batch{id: "b3", lines: []line{{"p1", "other"}}})
	require.Equal(f, "p1,two,one,two\np2,one,,\np3,two,,\n", f.export(instant(9), one, two))
	require.Equal(f, "p1,other,,\n", f.export(instant(9), other))
	f.load(one, batch{id: "b4", lines: []line{{"p1", "again"}}})
	require.Equal(f, "p1,again,,two\np2,one,,\np3,two,,\n", f.export(instant(9), one, two))

	n := store.Namespace{Symbol: "n", Datasets: []store.Dataset{one, two}}
	p, err := f.Provenance(f.Context(), n, "p1")
	require.NoError(f, err)
	require.Equal(f, "b4", p.Attributes["a"].Batch)
	require.Equal(f, "b2", p.Attributes["c"].Batch)
	require.Len(f, p.Fragments, 2)
	// Two fragments ingested at one instant: the later dataset's value, every time.
	f.load(one, batch{id: "b5", at: instant(8), lines: []line{{"p4", "one"}}})
	f.load(two, batch{id: "b6", at: instant(8), lines: []line{{"p4", "two"}}})
	require.Contains(f, f.export(instant(9), one, two), "p4,two,,\n")
}
