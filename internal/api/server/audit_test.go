package server_test

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/api"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
)

// recorded is what the audit holds of a kind, the earliest first, as "outcome actor action object".
func (f *fixture) recorded(kind string) (out []string) {
	f.Helper()
	records, err := f.catalog.Audit(f.Context(), catalog.AuditQuery{Kind: kind, Limit: 1000})
	require.NoError(f, err)
	for _, r := range records {
		out = append([]string{fmt.Sprintf("%s %s %s %s", r.Outcome, r.Actor, r.Action, r.Object)}, out...)
	}
	return out
}

// MO-9, MO-10: who is shown rows, or exports them, is recorded before; a profile by a digest, not by its id. What shows no row is not.
func TestLooksAreAudited(t *testing.T) {
	f := newFixture(t)
	f.edit(audiences)
	f.load("batch_1", row("P0001", "MA", "Y")+row("P0002", "XX", "Y"))
	f.evaluate("eval_1", time.Now().UTC(), "hikers", "eastern", "eastern-hikers")
	ctx := t.Context()
	_, err := f.client.Profiles(ctx, url.Values{"where": {"partner.householdID = 'h1'"}})
	require.NoError(t, err)
	_, err = f.client.Profile(ctx, "acme_pid", "P0001")
	require.NoError(t, err)
	_, err = f.client.Profile(ctx, "acme_pid", "P4711")
	require.Equal(t, errkind.Missing, errkind.Of(err))
	_, err = f.client.Provenance(ctx, "acme_pid", "P0001")
	require.NoError(t, err)
	_, err = f.client.Why(ctx, "hikers", "acme_pid", "P0001")
	require.NoError(t, err)
	p1, p2 := api.ProfileObject("acme_pid", "P0001"), api.ProfileObject("acme_pid", "P4711")
	require.NotEqual(t, p1, p2)
	require.Equal(t, []string{"allowed machine browse acme_pid, merk_pid", "allowed machine view " + p1, "allowed machine view " + p2, "allowed machine view " + p1, "allowed machine view " + p1},
		f.recorded("Profile"))
	_, err = f.client.Members(ctx, "hikers", nil)
	require.NoError(t, err)
	_, err = f.client.Preview(ctx, api.PreviewRequest{Audience: "hikers", Sample: 5})
	require.NoError(t, err)
	require.Equal(t, []string{"allowed machine view members hikers", "allowed machine preview hikers"}, f.recorded("Audience"))
	_, err = f.client.Quarantine(ctx, "acme_2026", nil)
	require.NoError(t, err)
	require.NoError(t, f.client.ExportQuarantine(ctx, "acme_2026", nil, io.Discard))
	require.Equal(t, []string{"allowed machine view quarantine acme_2026", "allowed machine export quarantine acme_2026"}, f.recorded("Dataset"))

	before := len(f.recorded(""))
	_, err = f.client.Counts(ctx)
	require.NoError(t, err)
	_, err = f.client.Audiences(ctx, nil)
	require.NoError(t, err)
	_, err = f.client.Preview(ctx, api.PreviewRequest{Audience: "hikers"})
	require.NoError(t, err)
	_, err = f.client.Batches(ctx, "acme_2026", nil)
	require.NoError(t, err)
	require.Len(t, f.recorded(""), before)

	db, err := sql.Open("sqlite", filepath.Join(f.dir, "catalog.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var personal int
	require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM audit WHERE object || detail LIKE '%P0001%' OR object || detail LIKE '%h1%'").Scan(&personal))
	require.Zero(t, personal)

	_, err = db.Exec("DROP TABLE audit_head")
	require.NoError(t, err)
	for _, look := range []func() error{
		func() error { _, err := f.client.Profiles(ctx, nil); return err },
		func() error { _, err := f.client.Profile(ctx, "acme_pid", "P0001"); return err },
		func() error { _, err := f.client.Members(ctx, "hikers", nil); return err },
		func() error { return f.client.ExportQuarantine(ctx, "acme_2026", nil, io.Discard) },
	} {
		require.Error(t, look(), "what cannot be recorded is not shown")
	}
}

// AS-E4: each request without a valid token is in the audit as denied; a flood of them is counted, not recorded one by one.
func TestRefusedRequestsAreAudited(t *testing.T) {
	f := newFixture(t)
	for _, authorization := range []string{"", "Bearer nobody's", "Basic x"} {
		status, _, _ := f.get("/api/v1/profile?namespace=acme_pid&id=P0001", authorization)
		require.Equal(t, http.StatusUnauthorized, status)
	}
	require.Equal(t, []string{"denied  request GET /api/v1/profile", "denied  request GET /api/v1/profile", "denied  request GET /api/v1/profile"}, f.recorded("Request"))
	for range 150 {
		_, _, _ = f.get("/"+strings.Repeat("x", 500), "Bearer y")
	}
	refused := f.recorded("Request")
	require.GreaterOrEqual(t, len(refused), 100)
	require.LessOrEqual(t, len(refused), 200)
	require.Less(t, len(refused[len(refused)-1]), 150)
}

// MO-9, MO-11: the audit is listed, filtered, verified and exported through the API.
func TestAuditEndpoints(t *testing.T) {
	f := newFixture(t)
	ctx, now := t.Context(), time.Now().UTC().Truncate(time.Second)
	for day := range 100 {
		require.NoError(t, f.catalog.RecordAudit(ctx, catalog.AuditRecord{Run: fmt.Sprint("r", day), Action: "change", Kind: "Audience", Object: fmt.Sprintf(`a "%d", x`, day), Actor: []string{"ann", "ben"}[day%2],
			Outcome: []string{catalog.AuditAllowed, catalog.AuditDenied}[day%2], At: now.AddDate(0, 0, day-99)}))
	}
	page, err := f.client.Audit(ctx, url.Values{"limit": {"10"}})
	require.NoError(t, err)
	require.Len(t, page.Records, 10)
	require.EqualValues(t, 100, page.Records[0].Number, "the newest first")
	page, err = f.client.Audit(ctx, url.Values{"limit": {"1000"}, "after": {fmt.Sprint(page.Next)}, "actor": {"ann"}})
	require.NoError(t, err)
	require.Len(t, page.Records, 45)
	require.Zero(t, page.Next)
	page, err = f.client.Audit(ctx, url.Values{"from": {now.AddDate(0, 0, -9).Format(time.RFC3339)}, "to": {now.Format(time.RFC3339)}, "outcome": {"denied"}})
	require.NoError(t, err)
	require.Len(t, page.Records, 4)
	_, err = f.client.Audit(ctx, url.Values{"limit": {"1001"}})
	require.Equal(t, errkind.Invalid, errkind.Of(err))

	head, err := f.client.AuditHead(ctx)
	require.NoError(t, err)
	report, err := f.client.VerifyAudit(ctx, head)
	require.NoError(t, err)
	require.Empty(t, report.Breaks)

	// An export covers 90 days at most, the last ones unless said, and is recorded itself.
	var out bytes.Buffer
	require.NoError(t, f.client.ExportAudit(ctx, nil, &out))
	var lines []api.AuditRecord
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var r api.AuditRecord
		require.NoError(t, decoder.Decode(&r))
		lines = append(lines, r)
	}
	require.GreaterOrEqual(t, len(lines), 90)
	require.Less(t, len(lines), 93)
	require.EqualValues(t, 100, lines[0].Number)
	exports := f.recorded("Audit")
	require.Len(t, exports, 1)
	require.Contains(t, exports[0], "allowed machine export ")
	out.Reset()
	from := now.AddDate(0, 0, -99)
	require.NoError(t, f.client.ExportAudit(ctx, url.Values{"from": {from.Format(time.RFC3339)}, "format": {"csv"}, "kind": {"Audience"}}, &out))
	rows, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 91, "90 days from then on, and the header")
	require.Equal(t, "number", rows[0][0])
	require.Equal(t, `a "89", x`, rows[1][5])
	for _, q := range []url.Values{
		{"from": {from.Format(time.RFC3339)}, "to": {from.AddDate(0, 0, 91).Format(time.RFC3339)}},
		{"from": {now.Format(time.RFC3339)}, "to": {from.Format(time.RFC3339)}},
		{"format": {"xlsx"}},
	} {
		require.Equal(t, errkind.Invalid, errkind.Of(f.client.ExportAudit(ctx, q, io.Discard)))
	}

	db, err := sql.Open("sqlite", filepath.Join(f.dir, "catalog.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.Exec("UPDATE audit SET actor = 'eve' WHERE number = 42")
	require.NoError(t, err)
	report, err = f.client.VerifyAudit(ctx, api.AuditHead{})
	require.NoError(t, err)
	require.Equal(t, []api.AuditBreak{{Number: 42, Message: "its content was changed: it does not give its hash"}}, report.Breaks)
}
