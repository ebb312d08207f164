package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
	"prospector/internal/governance"
	"prospector/internal/source"
	"prospector/internal/store"
)

var at = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func open(t *testing.T) *catalog.Catalog {
	c, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "odd name?#%.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// DS-9: a version of a file is one entry however often it is seen; another version is another entry.
func TestLedgerKeepsOneEntryPerVersion(t *testing.T) {
	c, ctx := open(t), context.Background()
	file := source.File{Path: "in/a.csv", Size: 10, Modified: at, ETag: "e1"}
	seen, err := c.SeeFiles(ctx, "acme", []catalog.Sighting{{File: file}}, at)
	require.NoError(t, err)
	require.True(t, seen[0].State.Due())
	require.Equal(t, "batch_20261123040000_", seen[0].Batch[:len("batch_20261123040000_")])

	require.NoError(t, c.SetFileState(ctx, seen[0].Batch, catalog.Loaded, "abc", "", at))
	newer := file
	newer.ETag = "e2"
	again, err := c.SeeFiles(ctx, "acme", []catalog.Sighting{{File: file}, {File: newer}}, at.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, catalog.Loaded, again[0].State)
	require.Equal(t, "abc", again[0].SHA256)
	require.False(t, again[0].State.Due())
	require.Equal(t, catalog.Seen, again[1].State)
	require.NotEqual(t, again[0].Batch, again[1].Batch)
	files, err := c.Files(ctx, "acme")
	require.NoError(t, err)
	require.Len(t, files, 2)

	_, err = c.File(ctx, "batch_none")
	require.Equal(t, errkind.Missing, errkind.Of(err))
}

// On S3 the token of a version is that of its bytes: the same bytes put there again later are another version, also
// when other bytes were there in between, and each can be found by its batch.
func TestLedgerTellsBytesThatCameBack(t *testing.T) {
	c, ctx := open(t), context.Background()
	a := source.File{Path: "in/a.csv", Size: 10, Modified: at, ETag: "a"}
	b := source.File{Path: "in/a.csv", Size: 10, Modified: at.Add(time.Minute), ETag: "b"}
	again := source.File{Path: "in/a.csv", Size: 10, Modified: at.Add(time.Hour), ETag: "a"}
	for _, f := range []source.File{a, b, again, again} {
		seen, err := c.SeeFiles(ctx, "acme", []catalog.Sighting{{File: f}}, at)
		require.NoError(t, err)
		entry, err := c.File(ctx, seen[0].Batch)
		require.NoError(t, err)
		require.Equal(t, f, entry.File)
	}
	files, err := c.Files(ctx, "acme")
	require.NoError(t, err)
	require.Len(t, files, 3)
}

// The same bytes are recognised in a dataset, but a failed batch does not count.
func TestSameContent(t *testing.T) {
	c, ctx := open(t), context.Background()
	n := 0
	see := func(path, day string) string {
		t.Helper()
		n++
		seen, err := c.SeeFiles(ctx, "acme", []catalog.Sighting{{File: source.File{Path: path, Modified: at.Add(time.Duration(n) * time.Minute)}, BusinessDate: day}}, at)
		require.NoError(t, err)
		return seen[0].Batch
	}
	load := func(batch, sum, reading, status string) {
		t.Helper()
		n++
		b := store.Batch{ID: batch, Source: "acme", SHA256: sum, Reading: reading}
		require.NoError(t, c.RecordBatch(ctx, "acme_2026", b, store.Outcome{Status: status, Read: 9, Accepted: 9}, at.Add(time.Duration(n)*time.Minute)))
	}
	same := func(want, dataset, batch, reading string) {
		t.Helper()
		id, err := c.SameContent(ctx, dataset, "abc", batch, reading)
		require.NoError(t, err)
		require.Equal(t, want, id)
	}
	first, renamed := see("a.csv", ""), see("renamed.csv", "")
	load(first, "abc", "r", store.Failed)
	same("", "acme_2026", renamed, "r")
	load(first, "abc", "r", store.Loaded)
	same(first, "acme_2026", renamed, "r")
	same(first, "acme_2026", see("a.csv", ""), "r")
	same("", "acme_2026", first, "r")
	same("", "merk_2026", renamed, "r")
	same("", "acme_2026", renamed, "another mapping")
	o, err := c.Batch(ctx, first)
	require.NoError(t, err)
	require.EqualValues(t, 9, o.Accepted)
	// Once anything else was loaded the same name may take a change back; another name may not.
	load(see("b.csv", ""), "def", "r", store.Loaded)
	same("", "acme_2026", see("a.csv", ""), "r")
	same(first, "acme_2026", renamed, "r")
	same(first, "acme_2026", see("b2.csv", ""), "r")
	same("", "acme_2026", see("b.csv", ""), "r") // it had other content since
	// Each day's file is what that day says, also when its bytes are those of another day's.
	dated := see("2026-11-01.csv", "2026-11-01")
	load(dated, "abc", "r", store.Loaded)
	for batch, want := range map[string]string{see("2026-11-01-again.csv", "2026-11-01"): dated, see("2026-11-03.csv", "2026-11-03"): "", see("undated.csv", ""): first} {
		same(want, "acme_2026", batch, "r")
	}
	// What was loaded before its reading was recorded counts as read in the same way.
	old := see("old.csv", "2026-12-01")
	load(old, "abc", "", store.Loaded)
	same(old, "acme_2026", see("new.csv", "2026-12-01"), "r")
}

// A partner takes a change back and keeps the file's old time: that is a version of its own, once.
func TestVersionThatComesBack(t *testing.T) {
	c, ctx := open(t), context.Background()
	n := 0
	see := func(modified time.Time) catalog.File {
		t.Helper()
		n++
		seen, err := c.SeeFiles(ctx, "acme", []catalog.Sighting{{File: source.File{Path: "a.csv", Size: 3, Modified: modified}}}, at.Add(time.Duration(n)*time.Minute))
		require.NoError(t, err)
		return seen[0]
	}
	loaded := func(f catalog.File) {
		t.Helper()
		n++
		require.NoError(t, c.SetFileState(ctx, f.Batch, catalog.Loaded, "", "", at.Add(time.Duration(n)*time.Minute)))
	}
	a := see(at)
	loaded(a)
	b := see(at.Add(time.Hour))
	require.Equal(t, a.Batch, see(at).Batch, "the other version was not loaded")
	loaded(b)
	back := see(at)
	require.NotEqual(t, a.Batch, back.Batch)
	require.Equal(t, catalog.Seen, back.State)
	require.Equal(t, back.Batch, see(at).Batch)
	loaded(back)
	require.Equal(t, catalog.Loaded, see(at).State)
	again := see(at.Add(time.Hour))
	require.NotEqual(t, b.Batch, again.Batch)
	loaded(again)
	require.NotContains(t, []string{a.Batch, back.Batch}, see(at).Batch)
	files, err := c.Files(ctx, "acme")
	require.NoError(t, err)
	require.Len(t, files, 5)
}

// AU-34: an audience that failed keeps its earlier membership; two sets are kept, older ones go.
func TestLatestMembershipsSurviveAFailedEvaluation(t *testing.T) {
	c, ctx := open(t), context.Background()
	publish := func(id string, hours int, a, b store.Membership) {
		require.NoError(t, c.PublishEvaluation(ctx, id, at.Add(time.Duration(hours)*time.Hour), []store.Membership{a, b}, at))
	}
	a := func(part string) store.Membership {
		return store.Membership{Audience: "a", Part: part, MemberCounts: store.MemberCounts{Realized: 1}}
	}
	publish("eval_1", 0, a("a1"), store.Membership{Audience: "b", Part: "b1", MemberCounts: store.MemberCounts{Realized: 2}, Namespaces: []store.NamespaceMembers{{Namespace: "acme_pid", MemberCounts: store.MemberCounts{Realized: 2}, Datasets: map[string]int64{"d": 2}}}})
	publish("eval_2", 1, a("a2"), store.Membership{Audience: "b", Error: "out of memory"})
	publish("eval_2", 1, a("other"), store.Membership{Audience: "b", Part: "other"}) // again: nothing changes

	latest, err := c.LatestMemberships(ctx, "")
	require.NoError(t, err)
	require.Equal(t, "eval_2", latest["a"].Evaluation)
	require.Equal(t, "a2", latest["a"].Part)
	require.Equal(t, "eval_1", latest["b"].Evaluation)
	require.Equal(t, map[string]int64{"d": 2}, latest["b"].Namespaces[0].Datasets)
	results, err := c.LatestResults(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"", "out of memory"}, []string{results[0].Error, results[1].Error})
	history, err := c.AudienceHistory(ctx, "b", 10)
	require.NoError(t, err)
	require.Equal(t, []string{"eval_2", "eval_1"}, []string{history[0].Evaluation, history[1].Evaluation})
	before, err := c.LatestMemberships(ctx, "eval_2")
	require.NoError(t, err)
	require.Equal(t, "a1", before["a"].Part)

	publish("eval_3", 2, a("a3"), store.Membership{Audience: "b", Part: "b3"})
	for range 2 {
		require.NoError(t, c.ForgetStaleParts(ctx))
		kept, err := c.KeptParts(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string][]string{"eval_1": {"b1"}, "eval_2": {"a2"}, "eval_3": {"a3", "b3"}}, kept)
	}
	require.NoError(t, c.ForgetAudience(ctx, "b"))
	kept, err := c.KeptParts(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"eval_1": {""}, "eval_2": {"a2"}, "eval_3": {"a3"}}, kept)
	latest, err = c.LatestMemberships(ctx, "")
	require.NoError(t, err)
	require.NotContains(t, latest, "b", "one that is declared anew inherits nothing")
	results, err = c.Evaluation(ctx, "eval_1")
	require.NoError(t, err)
	require.Len(t, results, 2)
}

// AU-34: an evaluation that ends after a later one of an audience does not count as older than what it was compared with: it is refused, in
// whole. Those of other audiences, one that the later one failed for, and one that was published already are none of its business.
func TestLateEvaluationsAreRefused(t *testing.T) {
	c, ctx := open(t), context.Background()
	publish := func(id string, hours int, names ...string) error {
		var results []store.Membership
		for _, name := range names {
			m := store.Membership{Audience: name, Part: id + name}
			if name == "broken" {
				m.Part, m.Error = "", "out of memory"
			}
			results = append(results, m)
		}
		return c.PublishEvaluation(ctx, id, at.Add(time.Duration(hours)*time.Hour), results, at)
	}
	require.NoError(t, publish("eval_1", 1, "a", "broken"))
	require.NoError(t, publish("eval_3", 3, "a", "broken"))
	err := publish("eval_2", 2, "b", "a")
	require.Equal(t, errkind.Conflict, errkind.Of(err))
	require.ErrorContains(t, err, "evaluation eval_2: eval_3 of audience a is as of ")
	require.ErrorContains(t, err, "nothing is lost")
	results, err := c.Evaluation(ctx, "eval_2")
	require.NoError(t, err)
	require.Empty(t, results)
	latest, err := c.LatestMemberships(ctx, "")
	require.NoError(t, err)
	require.NotContains(t, latest, "b")
	require.NoError(t, publish("eval_1", 1, "a"), "again")
	require.NoError(t, c.Superseded(ctx, "eval_1", at.Add(time.Hour), "a"))
	require.NoError(t, c.Superseded(ctx, "eval_2", at.Add(2*time.Hour), "b", "broken"))
	require.Equal(t, errkind.Conflict, errkind.Of(c.Superseded(ctx, "eval_2", at.Add(2*time.Hour), "b", "a")))
	require.NoError(t, publish("eval_2", 2, "b"))
	require.NoError(t, publish("eval_4", 4, "a"))
}

// PL-19: a decision is kept with its violations. The same one again is one record; another one of the same delivery has a record and an id of
// its own, and one that refuses ends the delivery. Each is in the audit once.
func TestDecisionsAndReceipts(t *testing.T) {
	c, ctx := open(t), context.Background()
	d := catalog.Decision{ID: "dec_1", Delivery: "dlv_1", Activation: "x", Destination: "y", Covers: "c", Contracts: []string{"vendor"}, Allowed: true, Run: "run 1"}
	record := func(d catalog.Decision) string {
		t.Helper()
		id, err := c.RecordDecision(ctx, d, at)
		require.NoError(t, err)
		got, err := c.Decision(ctx, id)
		require.NoError(t, err)
		d.ID, got.Contracts, got.Run = id, d.Contracts, d.Run // kept beside it
		require.Equal(t, d, got)
		return id
	}
	require.Equal(t, "dec_1", record(d))
	require.NoError(t, c.BeginDelivery(ctx, "dlv_1", d, "eval_1", at))
	require.Equal(t, "dec_1", record(d))
	changed := d
	changed.Covers = "d"
	require.Equal(t, "dec_1_2", record(changed))
	refused := d
	refused.Allowed, refused.Violations = false, []catalog.Violation{{Audience: "a", Violation: governance.Violation{Policy: "No e-mail", Labels: []string{"C4"}}}}
	require.Equal(t, "dec_1_3", record(refused))
	require.Equal(t, "dec_1_3", record(refused))
	require.Equal(t, "dec_1_2", record(changed))
	n, err := c.CountDelivered(ctx, "vendor", at.Add(-time.Hour), "")
	require.NoError(t, err)
	require.Zero(t, n, "it was refused")
	changed.ID = "dec_1_2"
	require.NoError(t, c.BeginDelivery(ctx, "dlv_1", changed, "eval_1", at))
	n, err = c.CountDelivered(ctx, "vendor", at.Add(-time.Hour), "")
	require.NoError(t, err)
	require.EqualValues(t, 1, n, "it was let go after all")
	require.NoError(t, c.EndDelivery(ctx, "dlv_1", catalog.Undelivered, catalog.AuditRecord{Run: "run 1", Action: "end", Kind: catalog.AuditedDelivery, Object: "dlv_1", Outcome: catalog.AuditFailed, At: at}, at))
	records, err := c.Audit(ctx, catalog.AuditQuery{Kind: "Activation", Limit: 10})
	require.NoError(t, err)
	var decided []string
	for _, r := range records {
		decided = append(decided, r.Outcome+": "+strings.SplitN(r.Detail, ",", 2)[0])
	}
	require.Equal(t, []string{"denied: decision dec_1_3", "allowed: decision dec_1_2", "allowed: decision dec_1"}, decided)
	report, err := c.VerifyAudit(ctx, catalog.AuditHead{})
	require.NoError(t, err)
	require.Empty(t, report.Breaks)

	d.ID, d.Delivery = "dec_2", "dlv_2"
	require.Equal(t, "dec_2", record(d))
	require.NoError(t, c.BeginDelivery(ctx, "dlv_2", d, "eval_1", at))
	r := catalog.Receipt{File: "f.csv", Rows: 3, Bytes: 10, SHA256: "aa"}
	require.NoError(t, c.RecordReceipt(ctx, "dlv_2", r, at))
	require.NoError(t, c.RecordReceipt(ctx, "dlv_2", r, at))
	for except, want := range map[string]int64{"": 1, "dlv_2": 0} { // it is under way
		n, err := c.CountDelivered(ctx, "vendor", at.Add(-time.Hour), except)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	require.NoError(t, c.EndDelivery(ctx, "dlv_2", catalog.Delivered, catalog.AuditRecord{Run: "run 1", Action: "end", Kind: catalog.AuditedDelivery, Object: "dlv_2", Outcome: catalog.AuditAllowed, At: at}, at))
	for since, want := range map[time.Duration]int64{-time.Hour: 1, time.Hour: 0} {
		n, err := c.CountDelivered(ctx, "vendor", at.Add(since), "")
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	receipts, err := c.Receipts(ctx, "dlv_2")
	require.NoError(t, err)
	require.Equal(t, []catalog.Receipt{r}, receipts)
}

// A delivery counts for a contract when a file has arrived or may have, however it ended, also for one that came while it was under
// way; one of which nothing ever left does not.
func TestHalfDeliveriesCount(t *testing.T) {
	c, ctx, at := open(t), t.Context(), time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	counted := func(contract string, since time.Duration) int64 {
		n, err := c.CountDelivered(ctx, contract, at.Add(since), "")
		require.NoError(t, err)
		return n
	}
	begin := func(id string) {
		d := catalog.Decision{ID: "dec_" + id, Delivery: id, Activation: "a", Destination: "d", Covers: "c", Allowed: true, Contracts: []string{"vendor"}, Run: id}
		_, err := c.RecordDecision(ctx, d, at)
		require.NoError(t, err)
		require.NoError(t, c.BeginDelivery(ctx, id, d, "eval_1", at))
	}
	fail := func(id string) {
		require.NoError(t, c.EndDelivery(ctx, id, catalog.Undelivered, catalog.AuditRecord{Run: id, Action: "end", Kind: catalog.AuditedDelivery, Object: id, Outcome: catalog.AuditFailed, At: at}, at))
	}
	begin("nothing left")
	require.EqualValues(t, 1, counted("vendor", 0), "it is under way")
	fail("nothing left")
	require.Zero(t, counted("vendor", 0))

	begin("a file arrived") // before departures were recorded
	require.NoError(t, c.RecordReceipt(ctx, "a file arrived", catalog.Receipt{File: "f.csv"}, at))
	fail("a file arrived")
	require.EqualValues(t, 1, counted("vendor", 0))
	require.Zero(t, counted("vendor", time.Hour))

	begin("a file may have arrived")
	require.Zero(t, counted("newer", 0))
	for _, after := range []time.Duration{0, 2 * time.Hour} { // its second file changes nothing
		require.NoError(t, c.RecordDeparture(ctx, "a file may have arrived", []string{"vendor", "newer"}, at.Add(after)))
	}
	fail("a file may have arrived")
	require.EqualValues(t, 2, counted("vendor", 0))
	require.EqualValues(t, 1, counted("newer", 0))
	require.Zero(t, counted("newer", time.Hour))
}

// A version is applied on top of the one that it was planned from, once, with its audit record; the same
// step again changes nothing, and one that came too late is refused.
func TestWorkspaceVersions(t *testing.T) {
	c, ctx := open(t), context.Background()
	none, err := c.Workspace(ctx)
	require.NoError(t, err)
	require.Empty(t, none.Version)
	apply := func(version, previous, actor string) error {
		return c.ApplyWorkspace(ctx, catalog.WorkspaceVersion{Version: version, Digest: "d" + version, AppliedBy: actor, AppliedAt: at}, previous,
			map[string]string{"a.yaml": version}, []catalog.ObjectChange{{Kind: "Audience", Name: "a", Action: "change"}}, []catalog.AuditRecord{{Run: "run " + version, Action: "apply", Kind: catalog.AuditedWorkspace, Object: version, Actor: actor, Outcome: catalog.AuditAllowed, At: at}})
	}
	require.NoError(t, apply("ws_1", "", "ann"))
	require.NoError(t, apply("ws_2", "ws_1", "ben"))
	require.NoError(t, apply("ws_2", "ws_1", "ben"))
	err = apply("ws_3", "ws_1", "cem")
	require.Equal(t, errkind.Conflict, errkind.Of(err))
	require.ErrorContains(t, err, "ben applied version ws_2 meanwhile; plan again")
	holds, err := c.Workspace(ctx)
	require.NoError(t, err)
	require.Equal(t, catalog.WorkspaceVersion{Version: "ws_2", Digest: "dws_2", AppliedBy: "ben", AppliedAt: at}, holds)
	files, err := c.WorkspaceFiles(ctx, "ws_1")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a.yaml": "ws_1"}, files)
	_, err = c.WorkspaceFiles(ctx, "ws_9")
	require.Equal(t, errkind.Missing, errkind.Of(err))
	audit, err := c.Audit(ctx, catalog.AuditQuery{Limit: 10})
	require.NoError(t, err)
	require.Len(t, audit, 2, "what was refused by the catalog is not recorded as done")
	require.Equal(t, "ben", audit[0].Actor)
}

// FX-1: no two deliveries to a destination begin in the same second, for their files would have the same names. One that is begun again
// began when it did.
func TestDeliveriesBeginInSecondsOfTheirOwn(t *testing.T) {
	c, ctx, second := open(t), context.Background(), at.Truncate(time.Second)
	begin := func(id, destination string, when time.Time) time.Time {
		t.Helper()
		require.NoError(t, c.BeginDelivery(ctx, id, catalog.Decision{ID: "dec_" + id, Activation: "x", Destination: destination, Run: id}, "eval_1", when))
		began, err := c.DeliveryBegan(ctx, id)
		require.NoError(t, err)
		return began
	}
	require.Equal(t, second, begin("dlv_1", "y", second.Add(300*time.Millisecond)))
	require.Equal(t, second.Add(time.Second), begin("dlv_2", "y", second.Add(900*time.Millisecond)))
	require.Equal(t, second.Add(2*time.Second), begin("dlv_3", "y", second.Add(1100*time.Millisecond)))
	require.Equal(t, second, begin("dlv_4", "elsewhere", second))
	require.Equal(t, second.Add(3*time.Second), begin("dlv_5", "y", second.Add(-time.Minute)), "the clock was put back")
	require.Equal(t, second.AddDate(-1, 0, 0), begin("dlv_7", "y", second.AddDate(-1, 0, 0)), "the clock was wrong before")
	require.Equal(t, second, begin("dlv_1", "y", second.Add(time.Minute)), "tried again")
	require.Equal(t, second.Add(4*time.Second), begin("dlv_4", "y", second), "tried again when it goes to where others have gone")
	_, err := c.DeliveryBegan(ctx, "dlv_6")
	require.Equal(t, errkind.Missing, errkind.Of(err))
}

// DS-6: of what evaluations and deliveries were made, and which of them may hold rows of a batch: those made while it was in its
// dataset, also before it was deleted and after it was loaded again.
func TestLineage(t *testing.T) {
	c, ctx := open(t), context.Background()
	in := func(n int64) []store.NamespaceMembers {
		return []store.NamespaceMembers{{Namespace: "acme_pid", Datasets: map[string]int64{"d": n, "other": 5}}}
	}
	made := func(subject string, first, last int64) {
		require.NoError(t, c.RecordDerivations(ctx, subject, []store.Derivation{{Dataset: "d", FirstVersion: first, Version: last, Batches: 1, Latest: "b"}, {Dataset: "other", FirstVersion: 7, Version: 7}}))
	}
	for i, versions := range [][2]int64{{1, 1}, {2, 3}, {4, 4}} {
		id, delivery := fmt.Sprintf("eval_%d", i+1), fmt.Sprintf("dlv_%d", i+1)
		asOf := at.Add(time.Duration(i) * time.Hour)
		made(id, versions[0], versions[0]) // as it begins
		made(id, versions[0], versions[1])
		require.NoError(t, c.PublishEvaluation(ctx, id, asOf, []store.Membership{{Audience: "hikers", Part: id + "h", Namespaces: in(3)}, {Audience: "nobody", Part: id + "n", Namespaces: in(0)},
			{Audience: "broken", Error: "out of memory"}}, asOf))
		made(delivery, versions[0], versions[1])
		require.NoError(t, c.BeginDelivery(ctx, delivery, catalog.Decision{ID: "dec" + delivery, Activation: "x", Destination: "y"}, id, asOf))
		require.NoError(t, c.RecordReceipt(ctx, delivery, catalog.Receipt{File: "f.csv"}, asOf))
		require.NoError(t, c.RecordReceipt(ctx, delivery, catalog.Receipt{File: "g.csv"}, asOf))
	}
	got, err := c.Derivations(ctx, "eval_2")
	require.NoError(t, err)
	require.Equal(t, store.Derivation{Dataset: "d", FirstVersion: 2, Version: 3, Batches: 1, Latest: "b"}, got[0])
	made("eval_unpublished", 4, 4)

	for name, u := range map[string]struct {
		spans       []store.BatchSpan
		evaluations int64
		current     bool
		deliveries  []string
	}{
		"never loaded":                       {nil, 0, false, nil},
		"there all the time":                 {[]store.BatchSpan{{Loaded: 1}}, 3, true, []string{"dlv_3", "dlv_2", "dlv_1"}},
		"deleted":                            {[]store.BatchSpan{{Loaded: 1, Deleted: 2}}, 1, false, []string{"dlv_1"}},
		"deleted while it was made":          {[]store.BatchSpan{{Loaded: 1, Deleted: 3}}, 2, false, []string{"dlv_2", "dlv_1"}},
		"loaded while it was made":           {[]store.BatchSpan{{Loaded: 3, Deleted: 4}}, 1, false, []string{"dlv_2"}},
		"loaded again":                       {[]store.BatchSpan{{Loaded: 1, Deleted: 2}, {Loaded: 4}}, 2, true, []string{"dlv_3", "dlv_1"}},
		"loaded again while it was made":     {[]store.BatchSpan{{Loaded: 1, Deleted: 3}, {Loaded: 3}}, 3, true, []string{"dlv_3", "dlv_2", "dlv_1"}},
		"loaded after all that was made yet": {[]store.BatchSpan{{Loaded: 5}}, 0, false, nil},
	} {
		audiences, err := c.AudienceUses(ctx, "d", u.spans)
		require.NoError(t, err, name)
		if u.evaluations == 0 {
			require.Empty(t, audiences, name)
		} else {
			require.Len(t, audiences, 1, name)
			require.Equal(t, "hikers", audiences[0].Audience)
			require.Equal(t, u.evaluations, audiences[0].Evaluations, name)
			require.Equal(t, u.current, audiences[0].Current, name)
		}
		deliveries, n, err := c.DeliveryUses(ctx, "d", u.spans)
		require.NoError(t, err, name)
		require.EqualValues(t, len(u.deliveries), n, name)
		var ids []string
		for _, d := range deliveries {
			ids = append(ids, d.Delivery)
			require.EqualValues(t, 2, d.Files)
		}
		require.Equal(t, u.deliveries, ids, name)
	}

	// Whose members were chosen before a batch was undone, and whose rows were taken afterwards; another dataset's version is not its.
	made("dlv_4", 6, 6)
	require.NoError(t, c.RecordDerivations(ctx, "eval_4", []store.Derivation{{Dataset: "d", FirstVersion: 5, Version: 5}, {Dataset: "not delivered", FirstVersion: 1, Version: 1}}))
	require.NoError(t, c.BeginDelivery(ctx, "dlv_4", catalog.Decision{ID: "dec_4", Activation: "x", Destination: "z"}, "eval_4", at))
	for _, f := range []string{"f.csv", "g.csv"} {
		require.NoError(t, c.RecordReceipt(ctx, "dlv_4", catalog.Receipt{File: f}, at))
	}
	chosen, _, err := c.DeliveryUses(ctx, "d", []store.BatchSpan{{Loaded: 5, Deleted: 6}})
	require.NoError(t, err)
	require.Len(t, chosen, 1)
	require.Equal(t, "dlv_4", chosen[0].Delivery)
	none, _, err := c.DeliveryUses(ctx, "not delivered", []store.BatchSpan{{Loaded: 1}})
	require.NoError(t, err)
	require.Empty(t, none)
}
