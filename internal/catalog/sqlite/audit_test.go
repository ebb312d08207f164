package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
)

// chained is a catalog with ten audit records, and its database as somebody sees it who may write to the file.
func chained(t *testing.T) (*catalog.Catalog, *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "catalog.db")
	c, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	for i := range 10 {
		require.NoError(t, c.RecordAudit(t.Context(), record(i, at.Add(time.Duration(i)*time.Hour))))
	}
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return c, db
}

func record(i int, at time.Time) catalog.AuditRecord {
	return catalog.AuditRecord{Run: fmt.Sprintf("run %d", i), Action: []string{"change", "remove"}[i%2], Kind: []string{"Audience", "Dataset"}[i%2], Object: fmt.Sprint("object ", i),
		Actor: []string{"ann", "ben", "cem"}[i%3], Outcome: []string{catalog.AuditAllowed, catalog.AuditDenied}[i%2], Detail: "d", Before: "b", After: "a", At: at}
}

// MO-9: whoever changes, removes, moves or adds a record in the database without going through the chain is found, and where.
func TestTamperingShows(t *testing.T) {
	for name, c := range map[string]struct {
		statements string
		number     int64
		message    string
	}{
		"detail changed":     {"UPDATE audit SET detail = 'e' WHERE number = 4", 4, "its content was changed"},
		"actor changed":      {"UPDATE audit SET actor = 'nobody' WHERE number = 10", 10, "its content was changed"},
		"outcome changed":    {"UPDATE audit SET outcome = 'allowed' WHERE number = 2", 2, "its content was changed"},
		"digest changed":     {"UPDATE audit SET after_digest = '' WHERE number = 1", 1, "its content was changed"},
		"time changed":       {"UPDATE audit SET recorded_at = '2020-01-01T00:00:00.000000000Z' WHERE number = 5", 5, "its content was changed"},
		"time broken":        {"UPDATE audit SET recorded_at = 'never' WHERE number = 5", 5, "its content was changed"},
		"another type":       {"UPDATE audit SET outcome = CAST(outcome AS BLOB) WHERE number = 5", 5, "its content was changed"},
		"another time zone":  {"UPDATE audit SET recorded_at = replace(recorded_at, 'Z', '+00:00') WHERE number = 5", 5, "its content was changed"},
		"fields moved":       {"UPDATE audit SET before_digest = 'ba', after_digest = '' WHERE number = 5", 5, "its content was changed"},
		"hash changed":       {"UPDATE audit SET hash = 'ff' WHERE number = 6", 6, "its content was changed"},
		"one removed":        {"DELETE FROM audit WHERE number = 3", 4, "record 3 is missing before it"},
		"several removed":    {"DELETE FROM audit WHERE number BETWEEN 3 AND 5", 6, "records 3 to 5 are missing before it"},
		"beginning removed":  {"DELETE FROM audit WHERE number < 3", 3, "records 1 to 2 are missing before it, and no expiry accounts for that"},
		"tail cut":           {"DELETE FROM audit WHERE number > 8", 10, "records 9 to 10 are missing at the end"},
		"all removed":        {"DELETE FROM audit", 10, "records 1 to 10 are missing at the end"},
		"closed up":          {"DELETE FROM audit WHERE number = 3; UPDATE audit SET number = number - 1 WHERE number > 3", 3, "it does not follow record 2"},
		"two changed places": {"UPDATE audit SET number = 99 WHERE number = 4; UPDATE audit SET number = 4 WHERE number = 5; UPDATE audit SET number = 5 WHERE number = 99", 4, "it does not follow record 3"},
		"one put behind": {`INSERT INTO audit SELECT 11, 'r', action, kind, object, actor, outcome, detail, before_digest, after_digest, recorded_at, hash, hash FROM audit WHERE number = 10`, 11,
			"its content was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			chain, db := chained(t)
			report, err := chain.VerifyAudit(t.Context(), catalog.AuditHead{})
			require.NoError(t, err)
			require.Empty(t, report.Breaks)
			require.EqualValues(t, 10, report.Records)
			_, err = db.Exec(c.statements)
			require.NoError(t, err)
			report, err = chain.VerifyAudit(t.Context(), catalog.AuditHead{})
			require.NoError(t, err)
			require.NotEmpty(t, report.Breaks)
			require.Equal(t, c.number, report.Breaks[0].Number, "%v", report.Breaks)
			require.Contains(t, report.Breaks[0].Message, c.message)
			if strings.Contains(c.message, "content") && c.number < 11 && name != "hash changed" {
				require.Len(t, report.Breaks, 1, "which record was changed is said")
			}
			require.Equal(t, errkind.Conflict, errkind.Of(chain.ExpireAudit(t.Context(), at.AddDate(2, 0, 0))), "evidence is not removed")
		})
	}
}

// MO-9: not even a chain that is removed with its head passes for one that has not begun.
func TestWipedAudit(t *testing.T) {
	chain, db := chained(t)
	_, err := db.Exec("DELETE FROM audit; DELETE FROM audit_head")
	require.NoError(t, err)
	report, err := chain.VerifyAudit(t.Context(), catalog.AuditHead{})
	require.NoError(t, err)
	require.Empty(t, report.Breaks, "nothing was ever applied")
	require.NoError(t, chain.ApplyWorkspace(t.Context(), catalog.WorkspaceVersion{Version: "ws_1", AppliedAt: at}, "", nil, nil, nil))
	report, err = chain.VerifyAudit(t.Context(), catalog.AuditHead{})
	require.NoError(t, err)
	require.Len(t, report.Breaks, 1)
	require.Contains(t, report.Breaks[0].Message, "all records are missing, with the head of the chain: that workspace ws_1 was applied was one")
}

// Somebody who may write to the database and puts its head back as well is found by a head that was noted elsewhere.
func TestNotedHead(t *testing.T) {
	chain, db := chained(t)
	noted, err := chain.AuditHead(t.Context())
	require.NoError(t, err)
	require.NoError(t, chain.RecordAudit(t.Context(), record(10, at)))
	report, err := chain.VerifyAudit(t.Context(), noted)
	require.NoError(t, err)
	require.Empty(t, report.Breaks)
	_, err = db.Exec("DELETE FROM audit WHERE number > 8; UPDATE audit_head SET number = 8, hash = (SELECT hash FROM audit WHERE number = 8)")
	require.NoError(t, err)
	report, err = chain.VerifyAudit(t.Context(), catalog.AuditHead{})
	require.NoError(t, err)
	require.Empty(t, report.Breaks, "the chain alone cannot tell")
	report, err = chain.VerifyAudit(t.Context(), noted)
	require.NoError(t, err)
	require.Contains(t, report.Breaks[0].Message, "it was noted as the head, and the chain ends at record 8")
	for i := range 3 { // what was cut off is written anew
		require.NoError(t, chain.RecordAudit(t.Context(), record(20+i, at)))
	}
	report, err = chain.VerifyAudit(t.Context(), noted)
	require.NoError(t, err)
	require.Equal(t, []catalog.AuditBreak{{Number: 10, Message: "the head that was noted has another hash"}}, report.Breaks)
}

// MO-11: records are kept for a year. Expiry leaves a chain that holds, time after time, and says what it has removed.
func TestAuditExpires(t *testing.T) {
	chain, db := chained(t) // from at on, one an hour
	kept := func() (out []int64) {
		t.Helper()
		report, err := chain.VerifyAudit(t.Context(), catalog.AuditHead{})
		require.NoError(t, err)
		require.Empty(t, report.Breaks)
		records, err := chain.Audit(t.Context(), catalog.AuditQuery{Limit: 100})
		require.NoError(t, err)
		for _, r := range records {
			out = append(out, r.Number)
		}
		require.Equal(t, report.First, out[len(out)-1])
		return out
	}
	noted, err := chain.AuditHead(t.Context())
	require.NoError(t, err)
	require.NoError(t, chain.ExpireAudit(t.Context(), at.AddDate(0, 0, 365)))
	require.Len(t, kept(), 10, "none is older than a year")
	later := at.AddDate(0, 0, 365).Add(4 * time.Hour)
	for range 2 {
		require.NoError(t, chain.ExpireAudit(t.Context(), later))
		require.Equal(t, []int64{11, 10, 9, 8, 7, 6, 5}, kept())
	}
	report, err := chain.VerifyAudit(t.Context(), noted)
	require.NoError(t, err)
	require.Empty(t, report.Breaks)
	require.NoError(t, chain.ExpireAudit(t.Context(), later.Add(24*time.Hour)))
	require.Equal(t, []int64{12, 11}, kept())
	records, err := chain.Audit(t.Context(), catalog.AuditQuery{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, "expire Audit 10", records[0].Action+" "+records[0].Kind+" "+records[0].Object)
	_, err = chain.VerifyAudit(t.Context(), noted)
	require.Equal(t, errkind.Invalid, errkind.Of(err))
	require.ErrorContains(t, err, "record 10, which was noted, has expired")

	_, err = db.Exec("DELETE FROM audit WHERE number = 11")
	require.NoError(t, err)
	report, err = chain.VerifyAudit(t.Context(), catalog.AuditHead{})
	require.NoError(t, err)
	require.Contains(t, report.Breaks[0].Message, "no expiry accounts for that")
	_, err = db.Exec("DELETE FROM audit; UPDATE audit_head SET number = 0, hash = ''")
	require.NoError(t, err)
	require.NoError(t, chain.ExpireAudit(t.Context(), at), "there is nothing to remove")
}

// A chain of which everything is too old goes on behind what stands for it.
func TestAuditExpiresAsAWhole(t *testing.T) {
	chain, _ := chained(t)
	require.NoError(t, chain.ExpireAudit(t.Context(), at.AddDate(3, 0, 0)))
	require.NoError(t, chain.RecordAudit(t.Context(), record(11, at.AddDate(3, 0, 1))))
	report, err := chain.VerifyAudit(t.Context(), catalog.AuditHead{})
	require.NoError(t, err)
	require.Empty(t, report.Breaks)
	require.EqualValues(t, 2, report.Records)
	require.EqualValues(t, 11, report.First)
}

// MO-11: the newest first, narrowed by kind, action, actor, outcome, object and time, page by page.
func TestAuditFilters(t *testing.T) {
	c, _ := chained(t)
	for name, q := range map[string]struct {
		catalog.AuditQuery
		want []int64
	}{
		"all":     {catalog.AuditQuery{}, []int64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
		"kind":    {catalog.AuditQuery{Kind: "Dataset"}, []int64{10, 8, 6, 4, 2}},
		"action":  {catalog.AuditQuery{Action: "change"}, []int64{9, 7, 5, 3, 1}},
		"actor":   {catalog.AuditQuery{Actor: "ben"}, []int64{8, 5, 2}},
		"outcome": {catalog.AuditQuery{Outcome: catalog.AuditDenied}, []int64{10, 8, 6, 4, 2}},
		"object":  {catalog.AuditQuery{Object: "object 6"}, []int64{7}},
		"time":    {catalog.AuditQuery{From: at.Add(2 * time.Hour), To: at.Add(5 * time.Hour)}, []int64{5, 4, 3}},
		"several": {catalog.AuditQuery{Actor: "ben", Outcome: catalog.AuditDenied, To: at.Add(7 * time.Hour)}, []int64{2}},
		"page":    {catalog.AuditQuery{Kind: "Dataset", After: 8, Limit: 2}, []int64{6, 4}},
	} {
		if q.Limit == 0 {
			q.Limit = 100
		}
		found, err := c.Audit(t.Context(), q.AuditQuery)
		require.NoError(t, err)
		var got []int64
		for _, r := range found {
			got = append(got, r.Number)
		}
		require.Equal(t, q.want, got, name)
	}
}

// The same action on the same object in the same run with the same outcome is one record; several at once are one chain; texts of any bytes are kept so that
// their hash holds.
func TestAuditIsRecordedOnce(t *testing.T) {
	c, _ := chained(t)
	require.NoError(t, c.RecordAudit(t.Context(), record(3, at), record(30, at), record(30, at)))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 5 {
				if err := c.RecordAudit(context.WithoutCancel(t.Context()), record(100+10*i+j, at)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	odd := record(200, at)
	odd.Detail, odd.Actor, odd.Object = strings.Repeat("ü", 4000), "a\xff\x00b", "'; DROP TABLE audit; --"
	require.NoError(t, c.RecordAudit(t.Context(), odd))
	report, err := c.VerifyAudit(t.Context(), catalog.AuditHead{})
	require.NoError(t, err)
	require.Empty(t, report.Breaks)
	require.EqualValues(t, 10+1+40+1, report.Records)
	found, err := c.Audit(t.Context(), catalog.AuditQuery{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, "a??b", found[0].Actor)
}

// What a catalog recorded before there was a chain is in it.
func TestOldAuditIsChained(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	schema, err := os.ReadFile("../../../sql/catalog/schema.sql")
	require.NoError(t, err)
	_, err = db.Exec(string(schema) + `; INSERT INTO audit VALUES ('r2', 'apply workspace', '', 'ben', 'refused', 'no', '2026-11-24T06:00:00.000000000Z'),
		('r1', 'apply workspace', 'ws_1', 'ann', 'done', 'add', '2026-11-23T06:00:00.000000000Z')`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	for range 2 {
		c, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err)
		found, err := c.Audit(t.Context(), catalog.AuditQuery{Limit: 10})
		require.NoError(t, err)
		require.Len(t, found, 2)
		for i, r := range found {
			require.NotEmpty(t, r.Hash)
			found[i].Hash, found[i].Previous, found[i].At = "", "", time.Time{}
		}
		require.Equal(t, []catalog.AuditRecord{{Number: 2, Run: "r2", Action: "apply", Kind: "Workspace", Actor: "ben", Outcome: "denied", Detail: "no"},
			{Number: 1, Run: "r1", Action: "apply", Kind: "Workspace", Object: "ws_1", Actor: "ann", Outcome: "allowed", Detail: "add"}}, found)
		report, err := c.VerifyAudit(t.Context(), catalog.AuditHead{})
		require.NoError(t, err)
		require.Empty(t, report.Breaks)
		require.NoError(t, c.Close())
	}
}
