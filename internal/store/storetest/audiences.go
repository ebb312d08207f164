package storetest

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/audience"
	"prospector/internal/store"
	"prospector/internal/xdm"
)

func (f *fixture) scope(name, rule, evaluation, previous string, datasets ...store.Dataset) store.AudienceScope {
	fields := audience.Fields{}
	for _, path := range []string{"id", "a", "b", "c"} {
		fields.Add(xdm.Field{Path: path, Type: xdm.String})
	}
	parsed, err := audience.Parse(rule, fields, audience.MayRefer("x", "X", "y", "z", "broken"))
	require.NoError(f, err)
	out := store.AudienceScope{Name: name, Rule: parsed, Namespaces: []store.Namespace{{Symbol: "n", Datasets: datasets}}, Part: "memberships/" + evaluation + "/" + name + ".parquet"}
	if previous != "" {
		out.Previous = "memberships/" + previous + "/" + name + ".parquet"
	}
	return out
}

func (f *fixture) members(part, status string) (ids []string) {
	members, _, err := f.Members(f.Context(), store.MemberQuery{Part: part, Status: status, Limit: store.MostPageSize})
	require.NoError(f, err)
	for _, m := range members {
		ids = append(ids, m.PartnerID)
	}
	return ids
}

// AS-18, AU-32, AU-34, SC-19: on the first day 300 prospects qualify. Before the second, 20 of them stop and 50 others begin:
// 50 are realized, 280 existing, 20 exited. Who left is told for 30 days; who comes back is realized again.
func statuses(f *fixture) {
	d := dataset("d", store.Replace)
	rows := func(from, to int, hiking string) (out []line) {
		for i := from; i < to; i++ {
			out = append(out, line{fmt.Sprintf("p%03d", i), hiking})
		}
		return out
	}
	evaluate := func(day int, evaluation, previous string) store.Membership {
		out, err := f.Evaluate(f.Context(), began.AddDate(0, 0, day), []store.AudienceScope{f.scope("x", "a = 'Y'", evaluation, previous, d)}, nil)
		require.NoError(f, err)
		require.Empty(f, out[0].Error)
		require.Equal(f, out[0].Size(), out[0].Namespaces[0].Datasets["d"])
		return out[0]
	}
	f.load(d, batch{id: "b1", lines: append(rows(0, 300, "Y"), rows(300, 400, "N")...)})
	first := evaluate(1, "e1", "")
	require.Equal(f, store.MemberCounts{Realized: 300}, first.MemberCounts)
	f.load(d, batch{id: "b2", lines: append(rows(0, 20, "N"), rows(300, 350, "Y")...)})
	require.Len(f, f.members(first.Part, ""), 300, "a load changes no membership until the next evaluation")
	second := evaluate(2, "e2", "e1")
	require.Equal(f, store.MemberCounts{Realized: 50, Existing: 280, Exited: 20}, second.MemberCounts)
	members, _, err := f.Members(f.Context(), store.MemberQuery{Part: second.Part, Status: "exited", Limit: 1})
	require.NoError(f, err)
	require.Equal(f, store.Member{Namespace: "n", PartnerID: "p000", Status: "exited", Since: began.AddDate(0, 0, 2), LastQualified: began.AddDate(0, 0, 1)}, members[0])
	f.load(d, batch{id: "b3", at: began.AddDate(0, 0, 20), lines: append(rows(0, 1, "Y"), rows(20, 400, "Y")...)})
	third := evaluate(21, "e3", "e2")
	require.Equal(f, store.MemberCounts{Realized: 51, Existing: 330, Exited: 19}, third.MemberCounts)
	require.Equal(f, store.MemberCounts{Existing: 381}, evaluate(33, "e4", "e3").MemberCounts, "after 30 days nobody is told that they left")
}

// EC-24, AU-10: an audience of audiences holds who is in them at the same instant; sets, exclusion and chains. A broken
// audience among 20 fails alone, with those that refer to it.
func referring(f *fixture) {
	d := dataset("d", store.Replace)
	f.load(d, batch{id: "b1", lines: []line{{"p1", "Y", "Y"}, {"p2", "Y"}, {"p3", "N", "Y"}, {"p4"}}})
	scopes := []store.AudienceScope{f.scope("x", "a = 'Y'", "e1", "", d), f.scope("y", "b = 'Y'", "e1", "", d),
		f.scope("z", "audience('x') AND NOT audience('y')", "e1", "", d), f.scope("w", "audience('z') OR audience('y') AND id <> 'p1'", "e1", "", d),
		f.scope("broken", "a = 'Y'", "e1", "e0", d), f.scope("follows", "a = 'Y' OR audience('broken')", "e1", "", d)}
	for i := range 14 {
		scopes = append(scopes, f.scope(fmt.Sprintf("s%d", i), "a = 'Y'", "e1", "", d))
	}
	require.NoError(f, os.MkdirAll(filepath.Join(f.dir, "memberships", "e0"), 0o700))
	require.NoError(f, os.WriteFile(filepath.Join(f.dir, "memberships", "e0", "broken.parquet"), []byte("no Parquet"), 0o600))
	scopes[0].Previous = "memberships/e0/lost.parquet"
	out, err := f.Evaluate(f.Context(), began, scopes, nil)
	require.NoError(f, err)
	require.Contains(f, out[0].Warning, "its earlier membership is lost")
	require.Contains(f, out[4].Error, "the membership of audience broken is lost or broken; restore memberships/e0/broken.parquet")
	got, failed := map[string][]string{}, []string{}
	for _, m := range out {
		if m.Error != "" {
			failed = append(failed, m.Audience)
			continue
		}
		got[m.Audience] = f.members(m.Part, "")
	}
	require.Equal(f, []string{"broken", "follows"}, failed)
	require.Contains(f, out[5].Error, "audience broken, which the rule refers to, has no members")
	require.Equal(f, []string{"p1", "p2"}, got["x"])
	require.Equal(f, []string{"p2"}, got["z"])
	require.Equal(f, []string{"p2", "p3"}, got["w"])
	require.Equal(f, []string{"p1", "p2"}, got["s13"])
	overlap, err := f.Overlap(f.Context(), map[string]string{"x": out[0].Part, "y": out[1].Part})
	require.NoError(f, err)
	require.Equal(f, []store.Overlap{{A: "x", B: "x", Both: 2}, {A: "x", B: "y", Both: 1}, {A: "y", B: "y", Both: 2}}, overlap)
}

// A limited audience keeps the same prospects each time, other ones with another seed, and of those with the highest values.
func limits(f *fixture) {
	d := dataset("d", store.Replace)
	d.Schema.Fields = append(d.Schema.Fields[:3:3], append([]xdm.Field{{Path: "d", Type: xdm.Integer}}, d.Schema.Fields[3:]...)...)
	var lines []line
	for i := range 100 {
		lines = append(lines, line{fmt.Sprintf("p%02d", i), "Y"})
	}
	f.load(d, batch{id: "b1", lines: lines})
	evaluate := func(evaluation string, limit store.Limit) []string {
		scope := f.scope("x", "a = 'Y'", evaluation, "", d)
		scope.Limit = &limit
		out, err := f.Evaluate(f.Context(), began, []store.AudienceScope{scope}, nil)
		require.NoError(f, err)
		require.Empty(f, out[0].Error)
		require.EqualValues(f, min(limit.Profiles, 100), out[0].Realized)
		return f.members(out[0].Part, "")
	}
	first := evaluate("e1", store.Limit{Profiles: 10, Seed: "s"})
	require.Equal(f, first, evaluate("e2", store.Limit{Profiles: 10, Seed: "s"}))
	require.NotEqual(f, first, evaluate("e3", store.Limit{Profiles: 10, Seed: "t"}))
	require.True(f, !slices.ContainsFunc(first, func(id string) bool {
		return !slices.Contains(evaluate("e4", store.Limit{Profiles: 20, Seed: "s"}), id)
	}), "more of them are the same and others")
	require.Equal(f, first, evaluate("e5", store.Limit{Profiles: 10, Seed: "s", By: "d"}), "nobody has a value: the hash decides")
	evaluate("e6", store.Limit{Profiles: 1000, Seed: "s"})
}

// PL-15, PL-25: of the members only those leave who may as they are now, whatever they were when the audience was evaluated: with
// consent, within the territory, and in no audience of people to be left out. The others are counted.
func leaving(f *fixture) {
	d := dataset("d", store.Replace)
	lines := func(state, consent string, ids ...string) (out []line) {
		for _, id := range ids {
			out = append(out, line{id, "Y", state, consent})
		}
		return out
	}
	f.load(d, batch{id: "b1", lines: lines("CA", "y", "p1", "p2", "p3", "p4", "p5")})
	out, err := f.Evaluate(f.Context(), began, []store.AudienceScope{f.scope("x", "a = 'Y'", "e1", "", d), f.scope("y", "c = 'stop'", "e1", "", d)}, nil)
	require.NoError(f, err)
	q := store.ExportQuery{Namespace: store.Namespace{Symbol: "n", Datasets: []store.Dataset{d}}, AsOf: began, Paths: []string{"id"}, Memberships: []string{out[0].Part}, Delimiter: ","}
	left := func() string {
		n, err := f.LeftOut(f.Context(), q)
		require.NoError(f, err)
		ids := strings.Fields(f.exported(q))
		require.EqualValues(f, 5, int64(len(ids))+n)
		return strings.Join(ids, " ")
	}
	require.Equal(f, "p1 p2 p3 p4 p5", left())
	f.load(d, batch{id: "b2", lines: append(append(lines("TX", "y", "p1"), lines("CA", "stop", "p2")...), lines("CA", "", "p3")...)})
	require.Equal(f, "p1 p2 p3 p4 p5", left(), "the audience was not evaluated again")
	q.Confined = map[string][]string{"b": {"CA", "NY"}}
	require.Equal(f, "p2 p3 p4 p5", left())
	out, err = f.Evaluate(f.Context(), began, []store.AudienceScope{f.scope("y", "c = 'stop'", "e2", "e1", d)}, nil)
	require.NoError(f, err)
	q.Suppressed = []string{out[0].Part}
	require.Equal(f, "p3 p4 p5", left())
	q.Consent = []*audience.Rule{f.scope("x", "c = 'y'", "e", "", d).Rule}
	require.Equal(f, "p4 p5", left())
	q.Confined = map[string][]string{"b": {}}
	require.Equal(f, "", left(), "two contracts with no territory in common")
	q.Confined = map[string][]string{"b": {"it's"}}
	require.Equal(f, "", left())
}

// PL-25: nobody leaves who is on a suppression list by partner id or by an attribute, as the list is then and as exactly as it is written. One
// who is on it stays on it when nobody refreshes it, and a list that is empty holds nobody back.
func listed(f *fixture) {
	d, ids, values := dataset("d", store.Replace), dataset("stop-ids", store.Replace), dataset("stop-values", store.Replace)
	f.load(d, batch{id: "b1", lines: []line{{"p1", "Y", "", "ab12"}, {"p2", "Y", "", "AB12"}, {"p3", "Y"}, {"p4", "Y", "", "cd34"}, {"p5", "N", "", "cd34"}}})
	out, err := f.Evaluate(f.Context(), began, []store.AudienceScope{f.scope("x", "a = 'Y'", "e1", "", d)}, nil)
	require.NoError(f, err)
	q := store.ExportQuery{Namespace: store.Namespace{Symbol: "n", Datasets: []store.Dataset{d}}, AsOf: began, Paths: []string{"id"}, Memberships: []string{out[0].Part}, Delimiter: ",",
		Terms: store.Terms{Lists: []store.List{{Dataset: ids}, {Dataset: values, Field: "c"}}}}
	left := func() string {
		n, err := f.LeftOut(f.Context(), q)
		require.NoError(f, err)
		ids := strings.Fields(f.exported(q))
		require.EqualValues(f, 4, int64(len(ids))+n)
		return strings.Join(ids, " ")
	}
	require.Equal(f, "p1 p2 p3 p4", left())
	f.load(values, batch{id: "v1", lines: []line{{"ab12"}, {"p4"}}})
	require.Equal(f, "p2 p3 p4", left())
	f.load(ids, batch{id: "i1", at: began.AddDate(-1, 0, 0), lines: []line{{"p4"}, {"cd34"}, {"ab12"}}})
	require.Equal(f, "p2 p3", left())
	q.Lists = q.Lists[:1]
	require.Equal(f, "p1 p2 p3", left())
	require.ElementsMatch(f, []string{"p4", "cd34", "ab12"}, slices.Collect(f.values(ids)))
	q.Standings = &store.Standings{Audiences: []string{"x"}, Part: "told/one.parquet"}
	require.Equal(f, "p1,active p2,active p3,active", strings.Join(strings.Fields(f.exported(q)), " "))
	f.load(ids, batch{id: "i2", lines: []line{{"p3"}}})
	q.Standings = &store.Standings{Audiences: []string{"x"}, Told: []string{"told/one.parquet"}, Part: "told/two.parquet"}
	require.Equal(f, "p1,active p2,active p3,expired", strings.Join(strings.Fields(f.exported(q)), " "), "p4 was never told")
}

func (f *fixture) exported(q store.ExportQuery) string {
	text, _ := f.counted(q)
	return text
}

// counted are the rows that are exported, and how many of them are of each dataset that is counted.
func (f *fixture) counted(q store.ExportQuery) (string, map[string]int64) {
	f.Helper()
	var text bytes.Buffer
	rows, err := f.Export(f.Context(), q, func(r io.Reader) error {
		_, err := text.ReadFrom(r)
		return err
	})
	require.NoError(f, err)
	return text.String(), rows
}

// PL-18: of two datasets of a namespace it is counted what is exported of each, as it is then and without those who are left out. Of standings
// each audience's counts, and for every dataset those of whom nothing is there any more.
func countsOfDatasets(f *fixture) {
	d, other := dataset("d", store.Replace), dataset("other", store.Replace)
	n := store.Namespace{Symbol: "n", Datasets: []store.Dataset{d, other}}
	f.load(d, batch{id: "b1", lines: []line{{"p1", "Y", "Y"}, {"p2", "Y", "Y"}, {"p3", "Y", "N"}}})
	f.load(other, batch{id: "o0", lines: []line{{"nobody", "N"}}})
	x, y := f.scope("x", "a = 'Y'", "e1", "", d), f.scope("y", "b = 'Y'", "e1", "", d)
	x.Namespaces, y.Namespaces = []store.Namespace{n}, []store.Namespace{n}
	out, err := f.Evaluate(f.Context(), began, []store.AudienceScope{x, y}, nil)
	require.NoError(f, err)
	q := store.ExportQuery{Namespace: n, AsOf: began, Paths: []string{"id"}, Memberships: []string{out[0].Part}, Delimiter: ","}
	exported := func() map[string]int64 {
		_, rows := f.counted(q)
		return rows
	}
	require.Empty(f, exported(), "nothing is to be counted")
	q.Counted = []string{"other"}
	require.Equal(f, map[string]int64{"other": 0}, exported())
	f.load(other, batch{id: "o1", lines: []line{{"p1", "", "", "late"}, {"p2"}, {"p9", "Y"}}})
	require.Equal(f, map[string]int64{"other": 2}, exported(), "of those that have come in since the evaluation")
	q.Counted = []string{"d", "other"}
	require.Equal(f, map[string]int64{"d": 3, "other": 2}, exported())
	q.Consent = []*audience.Rule{f.scope("z", "c IS NULL", "e1", "", d).Rule}
	require.Equal(f, map[string]int64{"d": 2, "other": 1}, exported(), "p1 is left out")

	q.Consent, q.Memberships = nil, []string{out[0].Part, out[1].Part}
	q.Standings = &store.Standings{Audiences: []string{"x", "y"}, Part: "told/one.parquet"}
	require.Equal(f, map[string]int64{"d": 5, "other": 4}, exported(), "p1 and p2 are in both audiences")
	f.delete(d, "b1", false)
	q.Standings = &store.Standings{Audiences: []string{"x", "y"}, Told: []string{"told/one.parquet"}, Part: "told/two.parquet"}
	require.Equal(f, map[string]int64{"d": 1, "other": 5}, exported(), "p3 is in no dataset any more and leaves as expired")
}

// values are the ids of a list.
func (f *fixture) values(d store.Dataset) iter.Seq[string] {
	return func(yield func(string) bool) {
		for value, err := range f.ListValues(f.Context(), d) {
			require.NoError(f, err)
			if !yield(value) {
				return
			}
		}
	}
}

// AU-34, EC-24: many audiences, which share a scan, hold whom each holds that is evaluated alone, with the same counts: over two
// datasets of a namespace and another namespace, with references and limits, before and after a change. One that fails as the
// prospects are read fails alone.
func together(f *fixture) {
	one, two, other := dataset("one", store.Replace), dataset("two", store.Replace), dataset("other", store.Replace)
	lines := func(from, to, shift int) (out []line) {
		for i := from; i < to; i++ {
			out = append(out, line{fmt.Sprintf("p%03d", i), string(rune('A' + (i+shift)%5)), []string{"", "Y", "N"}[(i+shift)%3], string(rune('A' + i%7))})
		}
		return out
	}
	f.load(one, batch{id: "b1", lines: lines(0, 200, 0)})
	f.load(two, batch{id: "b2", at: began.Add(time.Hour), lines: lines(150, 300, 1)})
	f.load(other, batch{id: "b3", lines: lines(0, 50, 2)})
	scopes := func(evaluation, previous string) (out []store.AudienceScope) {
		add := func(name, rule string) *store.AudienceScope {
			scope := f.scope(name, rule, evaluation, previous, one, two)
			if len(out)%3 == 0 {
				scope.Namespaces = append([]store.Namespace{{Symbol: "z", Datasets: []store.Dataset{other}}}, scope.Namespaces...)
			}
			out = append(out, scope)
			return &out[len(out)-1]
		}
		add("x", "a IN ('A', 'B')")
		add("y", "b = 'Y' OR c = 'C'")
		add("X", "b = 'N'")  // names are told apart by case
		for i := range 140 { // more than 64 share a scan

			a, c := string(rune('A'+i%5)), string(rune('A'+i%7))
			switch i % 4 {
			case 0:
				add(fmt.Sprintf("s%02d", i), fmt.Sprintf("a = '%s' OR c > '%s'", a, c))
			case 1:
				add(fmt.Sprintf("s%02d", i), fmt.Sprintf("b IS NULL AND c <> '%s'", c))
			case 2:
				add(fmt.Sprintf("s%02d", i), fmt.Sprintf("audience('%s') AND NOT audience('y') OR c = '%s'", []string{"x", "X"}[i/4%2], c))
			case 3:
				add(fmt.Sprintf("s%02d", i), fmt.Sprintf("NOT (b = 'N' AND a < '%s')", a)).Limit = &store.Limit{Profiles: 40, Seed: a}
			}
		}
		return out
	}
	for n, evaluation := range []string{"e1", "e2"} {
		previous, alone := "", ""
		if n > 0 {
			f.load(one, batch{id: "b4", at: began.Add(2 * time.Hour), lines: lines(20, 120, 3)})
			previous, alone = "e1", "alone1"
		}
		asOf := began.AddDate(0, 0, n+1)
		all := scopes(evaluation, previous)
		got, err := f.Evaluate(f.Context(), asOf, all, nil)
		require.NoError(f, err)
		apart := scopes(fmt.Sprintf("alone%d", n+1), alone)
		exited := int64(0)
		for i, scope := range apart {
			if i > 3 && i%7 != 0 { // of each kind some
				continue
			}
			with := []store.AudienceScope{scope}
			if len(scope.Rule.Audiences) > 0 {
				with = append(slices.Clone(apart[:3]), scope)
			}
			want, err := f.Evaluate(f.Context(), asOf, with, nil)
			require.NoError(f, err)
			w, g := want[len(want)-1], got[i]
			require.Empty(f, g.Error)
			w.Part, g.Part = "", ""
			require.Equal(f, w, g, "%s of %s", scope.Name, evaluation)
			require.Positive(f, g.Size())
			exited += g.Exited
			for _, status := range []string{"", "realized", "existing", "exited"} {
				require.Equal(f, f.members(scope.Part, status), f.members(all[i].Part, status), "%s of %s", scope.Name, evaluation)
			}
		}
		require.Equal(f, n > 0, exited > 0)
		failing := f.scope("failing", "a = 'A'", "broken", "", one, two)
		failing.Rule, err = audience.Parse("a > 5", audience.Fields{"a": {Path: "a", Type: xdm.Integer}}) // the datasets hold texts
		require.NoError(f, err)
		beside, err := f.Evaluate(f.Context(), asOf, append([]store.AudienceScope{failing}, scopes("broken", previous)...), nil)
		require.NoError(f, err)
		require.NotEmpty(f, beside[0].Error)
		for i, m := range beside[1:] {
			require.Empty(f, m.Error)
			require.Equal(f, got[i].MemberCounts, m.MemberCounts)
		}
	}
}
