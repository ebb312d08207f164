//go:build !release

package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/api"
	"prospector/internal/catalog"
	"prospector/workflows"
)

// MO-9, MO-10, AS-E3, AS-E4: whatever a person starts from the command line is in the audit with who it was, also what is refused; the
// audit is listed, exported and verified there; a record that somebody changes in the database is found and named. With an access file,
// who is not in it starts, reads and applies nothing.
func TestAuditTrail(t *testing.T) {
	t.Parallel()
	me, err := user.Current()
	require.NoError(t, err)
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	starter := starterCommand(t)
	run := func(wantExit int, arguments ...string) string {
		t.Helper()
		text, code := starter(d.client.Address, arguments...)
		require.Equal(t, wantExit, code, text)
		return text
	}
	audited := func(arguments ...string) (out []api.AuditRecord) {
		t.Helper()
		var page api.AuditPage
		require.NoError(t, json.Unmarshal([]byte(run(0, append([]string{"audit", "list", "--json", "--limit", "1000", "--data-dir", dir}, arguments...)...)), &page))
		return page.Records
	}
	d.putAcme("in/acme_prospects.csv.gz", acmeFile(t, 11))
	run(0, "run", "sync-source", "acme")
	run(0, "run", "evaluate-audiences", "outdoor-families", "coastal-sailors")
	run(0, "run", "activate-audiences", "acme-to-media")
	run(3, "run", "activate-audiences", "acme-to-newsletter")
	run(0, "run", "backfill-source", "acme", "--from", "2026-11-01", "--to", "2026-11-01", "--yes")
	var ledger struct{ Files []catalog.File }
	require.NoError(t, json.Unmarshal([]byte(run(0, "files", "acme", "--json")), &ledger))
	batch := ledger.Files[0].Batch
	run(0, "quarantine", "replay", "acme_2026", batch)
	run(0, "batches", "delete", "acme_2026", batch, "--yes")
	run(0, "profiles", "browse", "--data-dir", dir)

	for _, want := range []struct{ outcome, action, kind, object, detail string }{
		{"allowed", "sync", "Source", "acme", ""},
		{"allowed", "evaluate", "Evaluation", "", "outdoor-families, coastal-sailors"},
		{"allowed", "activate", "Activation", "acme-to-media", "destination media-drop"},
		{"allowed", "begin", "Delivery", "", "activation acme-to-media to destination media-drop"},
		{"allowed", "end", "Delivery", "", "delivered"},
		{"denied", "activate", "Activation", "acme-to-newsletter", `policy "No e-mail with vendor data"`},
		{"allowed", "backfill", "Source", "acme", "2026-11-01 to 2026-11-01"},
		{"allowed", "delete", "Batch", batch, "dataset acme_2026, undone"},
	} {
		found := audited("--action", want.action, "--outcome", want.outcome, "--kind", want.kind, "--actor", me.Username)
		require.Len(t, found, 1, "%+v", want)
		require.Contains(t, found[0].Object, want.object)
		require.Contains(t, found[0].Detail, want.detail)
		require.NotEmpty(t, found[0].Run)
	}
	require.Len(t, audited("--actor", "machine", "--action", "browse"), 1)
	require.NotEmpty(t, audited("--kind", "Audience", "--action", "add", "--actor", "worker start"), "of the first workspace, each object")

	text := run(0, "audit", "list", "--outcome", "denied", "--data-dir", dir)
	require.Regexp(t, me.Username+` +denied +activate +Activation +acme-to-newsletter`, text)
	head := strings.TrimSpace(run(0, "audit", "head", "--data-dir", dir))
	require.Contains(t, run(0, "audit", "verify", "--head", head, "--data-dir", dir), "the audit holds: ")
	require.Contains(t, run(2, "audit", "verify", "--head", "17", "--data-dir", dir), "NUMBER:HASH")
	require.Contains(t, run(2, "audit", "export", "--from", "2026-01-01", "--to", "2026-06-01", "--data-dir", dir), "an export covers at most 90 days")
	out := filepath.Join(t.TempDir(), "audit.csv")
	run(0, "audit", "export", "--format", "csv", "--out", out, "--data-dir", dir)
	exported, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Contains(t, string(exported), "acme-to-newsletter")
	deletion := audited("--action", "delete")[0]
	d.stop()

	// Somebody who may write to the catalog hides a deletion.
	db, err := sql.Open("sqlite", filepath.Join(dir, "catalog.db"))
	require.NoError(t, err)
	_, err = db.Exec("UPDATE audit SET actor = 'nobody' WHERE number = $1", deletion.Number)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	file := filepath.Join(t.TempDir(), "access.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write("principals: {machine: {roles: [production-all-access]}}")
	d = startDev(t, dir, nil, "--access-file", file)
	text = run(1, "audit", "verify", "--data-dir", dir)
	require.Contains(t, text, fmt.Sprintf("record %d: its content was changed", deletion.Number))

	// With an access file, who is not in it does nothing, and what is taken away is gone at once.
	text = run(1, "run", "activate-audiences", "acme-to-media")
	require.Contains(t, text, `the access file names no principal "`+me.Username+`"`)
	run(1, "run", "sync-source", "acme")
	f := folder{t, filepath.Join(dir, "workspace")}
	f.replace("audiences.yaml", "partner.sailing = 'Y'", "partner.sailing = 'N'")
	require.Contains(t, run(2, "apply", "--yes", f.dir), "names no principal")
	require.Len(t, audited("--outcome", "denied", "--kind", "Activation", "--object", "acme-to-media"), 1)
	require.Len(t, audited("--outcome", "denied", "--action", "sync"), 1)
	require.NotEmpty(t, audited("--outcome", "denied", "--kind", "Workspace"))
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil), "as a schedule does")
	write("principals: {" + me.Username + ": {roles: [production-all-access]}}")
	require.Contains(t, run(0, "apply", "--yes", f.dir), "applied: ")
	require.Contains(t, run(1, "profiles", "count", "--data-dir", dir), `names no principal "machine"`)
	changes := []string{}
	write("principals: {machine: {roles: [production-all-access]}, " + me.Username + ": {roles: [production-all-access]}}")
	for _, r := range audited("--kind", "AccessFile") {
		changes = append(changes, r.Action+" "+r.Object)
		require.NotEqual(t, r.Before, r.After)
	}
	require.Equal(t, []string{"change access.yaml", "change access.yaml", "change access.yaml"}, changes)
	write("principals: [")
	require.Contains(t, run(1, "profiles", "count", "--data-dir", dir), "access file cannot be read")
	d.stop()
}
