package storetest

import (
	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// DS-6: each load and each deletion is a version of the dataset, and it is known which batches each held.
func versions(f *fixture) {
	d := dataset("d", store.Replace)
	is := func(want store.Derivation) {
		f.Helper()
		want.Dataset, want.FirstVersion = "d", want.Version
		got, err := f.Versions(f.Context(), []store.Dataset{d})
		require.NoError(f, err)
		require.Equal(f, []store.Derivation{want}, got)
	}
	is(store.Derivation{})
	first := batch{id: "b1", lines: []line{{"p1", "1"}}}
	f.load(d, first)
	f.load(d, first) // once is enough
	is(store.Derivation{Version: 1, Batches: 1, Latest: "b1"})
	f.load(d, batch{id: "b2", lines: []line{{"p2", "1"}}})
	f.delete(d, "b1", true)
	is(store.Derivation{Version: 2, Batches: 2, Latest: "b2"})
	f.delete(d, "b1", false)
	f.delete(d, "b1", false)
	is(store.Derivation{Version: 3, Batches: 1, Latest: "b2"})
	refused := f.prepare(d, batch{id: "b3", lines: []line{{"!p3", "1"}}})
	refused.Status = store.Failed
	_, err := f.Load(f.Context(), refused, nil)
	require.NoError(f, err)
	f.load(d, first) // somebody asked for it
	f.reopen()
	is(store.Derivation{Version: 4, Batches: 2, Latest: "b1"})

	for id, want := range map[string][]store.BatchSpan{"b1": {{Loaded: 1, Deleted: 3}, {Loaded: 4}}, "b2": {{Loaded: 2}}, "b3": nil, "b9": nil} {
		got, err := f.BatchSpans(f.Context(), d, id)
		require.NoError(f, err)
		require.Equal(f, want, got, id)
	}
	for version, want := range map[int64][]string{0: {"b1", "b3", "b2"}, 1: {"b1"}, 2: {"b1", "b2"}, 3: {"b2"}, 4: {"b1", "b2"}} {
		found, _, err := f.ListBatches(f.Context(), d, store.BatchQuery{Version: version, Limit: 9})
		require.NoError(f, err)
		var ids []string
		for _, b := range found {
			ids = append(ids, b.ID)
		}
		require.ElementsMatch(f, want, ids, version)
	}
	_, _, err = f.ListBatches(f.Context(), d, store.BatchQuery{Version: 5, Limit: 9})
	require.Equal(f, errkind.Missing, errkind.Of(err))
	require.ErrorContains(f, err, "it has no version 5; its latest is 4")
}
