package duckdb_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/audience"
	"prospector/internal/errkind"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/xdm"
)

// namespaces are the fixture's dataset as acme_pid, and two datasets of one schema as other_pid.
func (f *fixture) namespaces() (acme, other store.Namespace) {
	second, third := f.dataset, f.dataset
	second.Name, third.Name = "other_2026", "other_late"
	return store.Namespace{Symbol: "acme_pid", Datasets: []store.Dataset{f.dataset}}, store.Namespace{Symbol: "other_pid", Datasets: []store.Dataset{second, third}}
}

func (f *fixture) ingestInto(d store.Dataset, batch, rows string, at time.Time) store.Outcome {
	f.Helper()
	kept := f.dataset
	defer func() { f.dataset = kept }()
	f.dataset = d
	counts, file := f.validate(batch, rows)
	l := f.loadRequest(batch, file, counts)
	l.At, l.Batch.Header = at, strings.Split(strings.TrimSpace(header), ",")
	outcome, err := f.store.Load(f.Context(), l, nil)
	require.NoError(f, err)
	return outcome
}

// keys are the profiles of a page as namespace:id.
func keys(profiles []store.Profile) (out []string) {
	for _, p := range profiles {
		out = append(out, p.Namespace+":"+p.PartnerID)
	}
	return out
}

// AS-9, PF-4, EC-3: one value at two partners is two prospects, and the list shows the namespace of each; PF-12: page by page;
// PF-16: the fragments of one namespace are one profile, and what was ingested last counts.
func TestBrowse(t *testing.T) {
	f := newFixture(t)
	acme, other := f.namespaces()
	query := store.ProfileQuery{Namespaces: []store.Namespace{other, acme}, AsOf: monday, Limit: store.PageSize}
	page, next, err := f.store.Browse(t.Context(), query)
	require.NoError(t, err)
	require.Empty(t, page)
	require.Nil(t, next)

	f.ingestInto(acme.Datasets[0], "batch_1", row("P0001", "25-34", "02139", "MA", "Y", "Y", "3")+row("P0002", "25-34", "02139", "CA", "N", "Y", ""), monday)
	f.ingestInto(other.Datasets[0], "batch_2", row("P0001", "25-34", "02139", "MA", "N", "Y", "")+row("p0003", "25-34", "02139", "MA", "N", "N", ""), monday)
	f.ingestInto(other.Datasets[1], "batch_3", row("P0001", "35-44", "02139", "NY", "", "Y", ""), monday.Add(time.Hour))
	query.AsOf = monday.Add(2 * time.Hour)
	page, next, err = f.store.Browse(t.Context(), query)
	require.NoError(t, err)
	require.Nil(t, next)
	require.Equal(t, []string{"acme_pid:P0001", "acme_pid:P0002", "other_pid:P0001", "other_pid:p0003"}, keys(page))
	require.Equal(t, "Y", page[0].Attributes["partner.hiking"])
	require.Equal(t, "P0001", page[0].Attributes["partnerID"])
	require.Equal(t, "N", page[2].Attributes["partner.hiking"], "the later fragment says nothing of it")
	require.Equal(t, "NY", page[2].Attributes["_luma.prospect.state"])
	require.Equal(t, "batch_3", page[2].Batch)
	require.Equal(t, monday.Add(time.Hour), page[2].Modified)
	require.NotContains(t, page[1].Attributes, "partner.buyerRating", "only attributes with a value")

	// Page by page, whatever the size of a page, all of them come once and in order.
	for limit := 1; limit <= 5; limit++ {
		query := query
		query.Limit, query.Columns = limit, []string{"partner.hiking"}
		var all []string
		for {
			page, next, err := f.store.Browse(t.Context(), query)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page), limit)
			all = append(all, keys(page)...)
			for _, p := range page {
				require.LessOrEqual(t, len(p.Attributes), 1)
			}
			if next == nil {
				break
			}
			require.Len(t, page, limit)
			query.After = *next
		}
		require.Equal(t, []string{"acme_pid:P0001", "acme_pid:P0002", "other_pid:P0001", "other_pid:p0003"}, all, limit)
	}

	// A rule is the same as an audience's; its values are bound.
	for rule, want := range map[string][]string{
		"partner.hiking = 'N'": {"acme_pid:P0002", "other_pid:P0001", "other_pid:p0003"},
		"partner.hiking = 'N' AND _luma.prospect.state IN ('CA', 'NY')": {"acme_pid:P0002", "other_pid:P0001"},
		"partner.hiking = 'x'' OR 1 = 1 --'":                            nil,
	} {
		query := query
		query.Rule, err = audience.Parse(rule, audience.Fields{"partner.hiking": {Type: xdm.String}, "_luma.prospect.state": {Type: xdm.String}})
		require.NoError(t, err)
		page, next, err := f.store.Browse(t.Context(), query)
		require.NoError(t, err)
		require.Equal(t, want, keys(page), rule)
		require.Nil(t, next)
		if len(want) > 1 {
			query.Limit = 1
			page, next, err = f.store.Browse(t.Context(), query)
			require.NoError(t, err)
			require.Equal(t, want[:1], keys(page))
			query.After = *next
			page, _, err = f.store.Browse(t.Context(), query)
			require.NoError(t, err)
			require.Equal(t, want[1:2], keys(page))
		}
	}

	// PF-9: what has expired is not there.
	query.AsOf = monday.AddDate(0, 0, 25).Add(time.Minute)
	page, _, err = f.store.Browse(t.Context(), query)
	require.NoError(t, err)
	require.Equal(t, []string{"other_pid:P0001"}, keys(page))
	require.NotContains(t, page[0].Attributes, "partner.hiking", "it was in the fragment that has expired")

	query.Limit = store.MostPageSize + 1
	_, _, err = f.store.Browse(t.Context(), query)
	require.Equal(t, errkind.Invalid, errkind.Of(err))
}

// AS-9, PF-5, PF-10, PF-11: a look-up by namespace and value returns exactly one profile, with all its attributes; PF-13: and
// the audiences that it is in; PF-16: and its fragments.
func TestProfile(t *testing.T) {
	f := newFixture(t)
	acme, other := f.namespaces()
	f.ingestInto(acme.Datasets[0], "batch_1", row("P0001", "25-34", "02139", "MA", "Y", "Y", "3"), monday)
	f.ingestInto(other.Datasets[0], "batch_2", row("P0001", "25-34", "02139", "MA", "N", "Y", ""), monday)
	later := monday.AddDate(0, 0, 3)
	f.ingestInto(acme.Datasets[0], "batch_3", row("P0002", "25-34", "02139", "MA", "N", "Y", "")+row("P0001", "25-34", "02139", "MA", "Y", "Y", "5"), later)

	p, err := f.store.Profile(t.Context(), acme, "P0001", later)
	require.NoError(t, err)
	require.Equal(t, "Y", p.Attributes["partner.hiking"])
	require.Equal(t, "5", p.Attributes["partner.buyerRating"])
	require.Equal(t, []store.ProfileFragment{{Dataset: "acme_2026", CreatedBatch: "batch_1", Batch: "batch_3", Line: 3, Created: monday, Modified: later, Expires: later.AddDate(0, 0, 25)}}, p.Fragments)
	p, err = f.store.Profile(t.Context(), other, "P0001", later)
	require.NoError(t, err)
	require.Equal(t, "N", p.Attributes["partner.hiking"])
	_, err = f.store.Profile(t.Context(), other, "P0002", later)
	require.Equal(t, errkind.Missing, errkind.Of(err))
	require.NotContains(t, err.Error(), "P0002")
	_, err = f.store.Profile(t.Context(), acme, "p0001", later)
	require.Equal(t, errkind.Missing, errkind.Of(err), "ids are case-sensitive")
	_, err = f.store.Profile(t.Context(), acme, "P0001", later.AddDate(0, 0, 26))
	require.Equal(t, errkind.Missing, errkind.Of(err), "PF-9: it has expired")

	first := f.evaluate("eval_1", "")
	memberships, err := f.store.MembershipsOf(t.Context(), "acme_pid", "P0001", map[string]string{
		"coastal-sailors": first["coastal-sailors"].Part, "outdoor-families": first["outdoor-families"].Part})
	require.NoError(t, err)
	require.Equal(t, []store.ProfileMembership{{Audience: "coastal-sailors", Status: "realized", Since: monday}, {Audience: "outdoor-families", Status: "realized", Since: monday}}, memberships)
	memberships, err = f.store.MembershipsOf(t.Context(), "other_pid", "P0001", map[string]string{"coastal-sailors": first["coastal-sailors"].Part})
	require.NoError(t, err)
	require.Empty(t, memberships, "the same value in another namespace is somebody else")
}

// PF-14: profiles by namespace and dataset, those that have expired left out; batches by status.
func TestCount(t *testing.T) {
	f := newFixture(t)
	acme, other := f.namespaces()
	f.ingestInto(acme.Datasets[0], "batch_1", row("P0001", "25-34", "02139", "MA", "Y", "Y", "3")+"bad\n", monday)
	f.ingestInto(other.Datasets[0], "batch_2", row("P0001", "25-34", "02139", "MA", "N", "Y", "")+row("P0002", "25-34", "02139", "MA", "N", "Y", ""), monday)
	later := monday.Add(time.Hour)
	f.ingestInto(other.Datasets[1], "batch_3", row("P0001", "25-34", "02139", "MA", "N", "Y", ""), later)
	counts, err := f.store.Count(t.Context(), []store.Namespace{other}, []store.Namespace{acme}, later)
	require.NoError(t, err)
	require.Equal(t, store.Counts{AsOf: later, Namespaces: []store.NamespaceCount{{Namespace: "other_pid", Profiles: 2}}, Datasets: []store.DatasetCount{
		{Dataset: "other_2026", Namespace: "other_pid", Enabled: true, Fragments: 2, Batches: map[string]int64{"loaded": 1}, Updated: &monday},
		{Dataset: "other_late", Namespace: "other_pid", Enabled: true, Fragments: 1, Batches: map[string]int64{"loaded": 1}, Updated: &later},
		{Dataset: "acme_2026", Namespace: "acme_pid", Fragments: 1, Quarantine: 1, Batches: map[string]int64{"loaded": 1}, Updated: &monday}}}, counts)
	counts, err = f.store.Count(t.Context(), []store.Namespace{acme, other}, nil, monday.AddDate(0, 0, 25).Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, []store.NamespaceCount{{Namespace: "acme_pid"}, {Namespace: "other_pid", Profiles: 1}}, counts.Namespaces)
	require.EqualValues(t, 1, counts.Datasets[0].Expired)
}

// DS-17, BI-9: batches with all their counts, the newest first, page by page; one of them with why rows were rejected.
func TestBatches(t *testing.T) {
	f := newFixture(t)
	for i := 1; i <= 3; i++ {
		f.ingestInto(f.dataset, fmt.Sprintf("batch_%d", i), row("P0001", "25-34", "02139", "MA", "Y", "Y", "3")+row("P0002", "25-34", "bad", "XX", "Y", "Y", "3")+"bad\n", monday)
	}
	list, next, err := f.store.ListBatches(t.Context(), f.dataset, store.BatchQuery{Limit: 2})
	require.NoError(t, err)
	require.Equal(t, "batch_2", next)
	require.Equal(t, "batch_3", list[0].ID)
	require.Equal(t, store.Outcome{Status: store.Loaded, Read: 3, Accepted: 1, Rejected: 2, Unchanged: 1}, list[0].Outcome)
	require.Equal(t, "batch_3.csv", list[0].File)
	list, next, err = f.store.ListBatches(t.Context(), f.dataset, store.BatchQuery{Limit: 2, After: next})
	require.NoError(t, err)
	require.Empty(t, next)
	require.Len(t, list, 1)
	require.EqualValues(t, 1, list[0].Created)
	list, _, err = f.store.ListBatches(t.Context(), f.dataset, store.BatchQuery{Limit: 2, Status: store.Failed})
	require.NoError(t, err)
	require.Empty(t, list)

	b, err := f.store.Batch(t.Context(), f.dataset, "batch_1")
	require.NoError(t, err)
	require.EqualValues(t, 2, b.Quarantine)
	require.Len(t, b.Reasons, 3)
	require.Contains(t, b.Columns, "partner.hiking")
	require.Equal(t, "pid", b.Header[0])
	_, err = f.store.Batch(t.Context(), f.dataset, "batch_9")
	require.Equal(t, errkind.Missing, errkind.Of(err))
}

// BI-11, BI-12: rejected rows with line, record and all their reasons, filtered and page by page; bytes that are no text stay
// what they are.
func TestQuarantine(t *testing.T) {
	f := newFixture(t)
	f.ingestInto(f.dataset, "batch_2", row("P0001", "25-34", "02139", "MA", "Y", "Y", "3")+row("P0002", "25-34", "bad", "XX", "Y", "Y", "3")+"a3,too,few\n", monday)
	f.ingestInto(f.dataset, "batch_1", row("", "25-34", "02139", "MA", "Y", "Y", "3")+"b\xff\xfe,few\n", monday)
	all := func(q store.QuarantineQuery) (out []store.QuarantinedRow) {
		t.Helper()
		require.NoError(t, f.store.ExportQuarantine(t.Context(), f.dataset, q, func(r store.QuarantinedRow) error {
			out = append(out, r)
			return nil
		}))
		return out
	}
	rows := all(store.QuarantineQuery{})
	require.Len(t, rows, 4)
	require.Equal(t, "batch_2", rows[0].Batch, "in the order of loads, not of ids")
	require.EqualValues(t, 3, rows[0].Line)
	require.Equal(t, `P0002,,,25-34,bad,XX,Y,N,,Y,,3,,,h1`, *rows[0].Raw)
	require.Equal(t, []store.ExplainedReason{
		{Reason: prospect.Reason{Code: prospect.NotPattern, Field: "_luma.prospect.postalCode"}, Message: "_luma.prospect.postalCode: the value does not match the field's pattern"},
		{Reason: prospect.Reason{Code: prospect.NotInEnum, Field: "_luma.prospect.state"}, Message: "_luma.prospect.state: the value is not one of those that are allowed"}}, rows[0].Reasons)
	require.Equal(t, "pid", rows[0].Header[0])
	require.Nil(t, rows[3].Raw)
	require.Equal(t, []byte("b\xff\xfe,few"), rows[3].RawBase64)

	require.Equal(t, rows[2:], all(store.QuarantineQuery{Batch: "batch_1"}))
	require.Equal(t, rows[:1], all(store.QuarantineQuery{Code: prospect.NotInEnum}), "with all of its reasons")
	require.Empty(t, all(store.QuarantineQuery{Code: prospect.NotInEnum, Field: "partnerID"}))
	require.Equal(t, rows[2:3], all(store.QuarantineQuery{Field: "partnerID"}))
	require.Equal(t, rows, all(store.QuarantineQuery{State: store.Unresolved}))
	require.Empty(t, all(store.QuarantineQuery{State: store.Resolved}))

	var paged []store.QuarantinedRow
	for q := (store.QuarantineQuery{Limit: 3}); ; {
		page, next, err := f.store.Quarantined(t.Context(), f.dataset, q)
		require.NoError(t, err)
		paged = append(paged, page...)
		if next == nil {
			break
		}
		require.Len(t, page, 3)
		q.After = *next
	}
	require.Equal(t, rows, paged)
}

// An export is one version of the dataset, whatever is loaded meanwhile, and holds some rows in memory at a time: here a page is full
// of small records, and others of large ones.
func TestQuarantineExportIsOneVersion(t *testing.T) {
	f := newFixture(t)
	small, large := strings.Repeat("bad\n", 50_010), strings.Repeat(strings.Repeat("x", 90_000)+"\n", 400)
	f.ingestInto(f.dataset, "batch_1", small+large, monday)
	next := int64(2)
	require.NoError(t, f.store.ExportQuarantine(t.Context(), f.dataset, store.QuarantineQuery{}, func(r store.QuarantinedRow) error {
		if next == 30_000 {
			f.ingestInto(f.dataset, "batch_2", strings.Repeat("bad\n", 10), monday)
		}
		if r.Batch != "batch_1" || r.Line != next {
			return fmt.Errorf("line %d of %s came, line %d of batch_1 was due", r.Line, r.Batch, next)
		}
		next++
		return nil
	}))
	require.EqualValues(t, 50_412, next)
}

// Readers see the version before a load or the one after it: at no step of a load anything of it.
func TestReadersSeeNoHalfLoad(t *testing.T) {
	f := newFixture(t)
	acme, _ := f.namespaces()
	f.ingestInto(f.dataset, "batch_1", row("P0001", "25-34", "02139", "MA", "Y", "Y", "3"), monday)
	counts, file := f.validate("batch_2", row("P0001", "25-34", "02139", "MA", "N", "Y", "3")+row("P0002", "25-34", "02139", "MA", "N", "Y", "3")+"bad\n")
	hiking := func() (out []any) {
		page, _, err := f.store.Browse(t.Context(), store.ProfileQuery{Namespaces: []store.Namespace{acme}, AsOf: monday, Limit: 10})
		require.NoError(t, err)
		for _, p := range page {
			out = append(out, p.Attributes["partner.hiking"])
		}
		return out
	}
	steps := map[string][]any{}
	_, err := f.store.Load(t.Context(), f.loadRequest("batch_2", file, counts), func(step string) {
		steps[step] = hiking()
		list, _, err := f.store.ListBatches(t.Context(), f.dataset, store.BatchQuery{Limit: 10})
		require.NoError(t, err)
		require.Len(t, list, len(steps[step]))
	})
	require.NoError(t, err)
	require.Greater(t, len(steps), 4)
	for step, seen := range steps {
		if step == "committed" {
			require.Equal(t, []any{"N", "N"}, seen)
		} else {
			require.Equal(t, []any{"Y"}, seen, step)
		}
	}
}
