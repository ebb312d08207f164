package storetest

import (
	"encoding/json"
	"strings"

	"github.com/stretchr/testify/require"

	"prospector/internal/audience"
	"prospector/internal/store"
	"prospector/internal/xdm"
)

// SC-32, PF-10, PF-19, AU-5: a list or map is one value. A later file replaces the whole of it, or leaves it as it was where an upsert
// does not carry it; an empty one is not none; undoing a batch brings the ones before back; rules ask for what is in it.
func containers(f *fixture) {
	for _, merge := range []store.Merge{store.Replace, store.Upsert} {
		d := dataset("d_"+string(merge), merge)
		d.Schema = &xdm.Schema{Fields: []xdm.Field{{Path: "a", Type: xdm.String, Container: xdm.Array}, {Path: "b", Type: xdm.Integer, Container: xdm.Map},
			{Path: "c", Type: xdm.Date, Container: xdm.Array}, {Path: "id", Type: xdm.String}}}
		ids := []string{"p1", "p2", "p3", "p4", "p5"}
		f.load(d, batch{id: "b1", lines: []line{{"p1", `["x","y"]`, `{"k":"1","m":"2"}`, `["2024-02-29"]`}, {"p2", `["x"]`, `{"k":"3"}`}, {"p3", `[]`, `{}`, `[]`}, {"p4"}, {"p5", `["a, b","\"]\n"]`}}})
		before := f.asJSON(d, ids)
		require.Equal(f, map[string]string{"p1": `{"a":["x","y"],"b":{"k":1,"m":2},"c":["2024-02-29"]}`, "p2": `{"a":["x"],"b":{"k":3}}`, "p3": `{"a":[],"b":{},"c":[]}`, "p4": `{}`,
			"p5": `{"a":["a, b","\"]\n"]}`}, before)

		again := f.load(d, batch{id: "b2", columns: []string{"a"}, lines: []line{{"p1", `["y","x"]`}, {"p2", `["x"]`}, {"p3", ""}, {"p4", `[]`}, {"p5", `["a","b"]`}}})
		want := map[string]string{"p1": `{"a":["y","x"]}`, "p2": `{"a":["x"]}`, "p3": `{}`, "p4": `{"a":[]}`, "p5": `{"a":["a","b"]}`}
		updated := int64(5)
		if merge == store.Upsert {
			updated = 4
			want["p1"], want["p2"], want["p3"] = `{"a":["y","x"],"b":{"k":1,"m":2},"c":["2024-02-29"]}`, before["p2"], `{"b":{},"c":[]}`
		}
		require.Equal(f, want, f.asJSON(d, ids), merge)
		require.Equal(f, []int64{updated, 5 - updated}, []int64{again.Updated, again.Unchanged}, "%s: order and emptiness are values", merge)

		f.ask(d, map[string]string{"'x' = ANY(a)": "p1 p2", "a && ARRAY['y', 'b']": "p1 p5", "a @> ARRAY['x', 'y']": "p1"})
		f.delete(d, "b2", false)
		require.Equal(f, before, f.asJSON(d, ids), "as if it had never come")
		f.ask(d, map[string]string{"b['k'] > 1": "p2", "'m' = ANY(map_keys(b))": "p1", "3 = ANY(map_values(b))": "p2", "'y' = ANY(a)": "p1", "DATE '2024-02-29' = ANY(c)": "p1"})
		f.reopen()
		require.Equal(f, before, f.asJSON(d, ids))
		later := d // of the same namespace
		later.Name += "_later"
		f.load(later, batch{id: "b4", at: instant(8), lines: []line{{"p1", `[]`}, {"p2", "", `{"n":"9"}`}}})
		merged, _, err := f.Browse(f.Context(), store.ProfileQuery{Namespaces: []store.Namespace{{Symbol: "n", Datasets: []store.Dataset{d, later}}}, AsOf: instant(9), Limit: 2})
		require.NoError(f, err)
		require.Equal(f, []any{}, merged[0].Attributes["a"])
		require.Equal(f, map[string]any{"k": int64(1), "m": int64(2)}, merged[0].Attributes["b"])
		require.Equal(f, map[string]any{"n": int64(9)}, merged[1].Attributes["b"])
		require.EqualValues(f, 5, f.load(d, batch{id: "b3", lines: []line{{"p1", `["x","y"]`, `{"k":"1","m":"2"}`, `["2024-02-29"]`}, {"p2", `["x"]`, `{"k":"3"}`}, {"p3", `[]`, `{}`, `[]`}, {"p4"},
			{"p5", `["a, b","\"]\n"]`}}}).Unchanged)
	}
}

// asJSON are the attributes of profiles as JSON says them, which is how they are shown; the fragment that each is made of says the
// same.
func (f *fixture) asJSON(d store.Dataset, ids []string) map[string]string {
	f.Helper()
	out := map[string]string{}
	profiles, _, err := f.Browse(f.Context(), store.ProfileQuery{Namespaces: []store.Namespace{{Symbol: "n", Datasets: []store.Dataset{d}}}, AsOf: instant(9), Limit: 10})
	require.NoError(f, err)
	require.Len(f, profiles, len(ids))
	for _, p := range profiles {
		fragment, ok, err := f.Fragment(f.Context(), d, p.PartnerID)
		require.NoError(f, err)
		require.True(f, ok)
		require.Equal(f, fragment.Attributes, p.Attributes)
		delete(p.Attributes, "id")
		text, err := json.Marshal(p.Attributes)
		require.NoError(f, err)
		out[p.PartnerID] = string(text)
	}
	return out
}

// ask holds the members of rules against the ids that are wanted.
func (f *fixture) ask(d store.Dataset, rules map[string]string) {
	f.Helper()
	fields := audience.Fields{}
	for _, field := range d.Schema.Fields {
		fields.Add(field)
	}
	for text, want := range rules {
		rule, err := audience.Parse(text, fields)
		require.NoError(f, err)
		out, err := f.Evaluate(f.Context(), instant(9), []store.AudienceScope{{Name: "x", Rule: rule, Namespaces: []store.Namespace{{Symbol: "n", Datasets: []store.Dataset{d}}},
			Part: "memberships/e/x.parquet"}}, nil)
		require.NoError(f, err)
		require.Empty(f, out[0].Error)
		require.Equal(f, want, strings.Join(f.members(out[0].Part, ""), " "), text)
		found, _, err := f.Browse(f.Context(), store.ProfileQuery{Namespaces: []store.Namespace{{Symbol: "n", Datasets: []store.Dataset{d}}}, AsOf: instant(9), Rule: rule, Limit: 10})
		require.NoError(f, err)
		require.Len(f, found, len(strings.Fields(want)), text)
	}
}
