//go:build !release

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
	"prospector/workflows"
)

// folder is a workspace's folder that a test edits.
type folder struct {
	t   *testing.T
	dir string
}

func (f folder) replace(file, old, text string) {
	f.t.Helper()
	path := filepath.Join(f.dir, file)
	data, err := os.ReadFile(path)
	require.NoError(f.t, err)
	require.Contains(f.t, string(data), old)
	require.NoError(f.t, os.WriteFile(path, []byte(strings.Replace(string(data), old, text, 1)), 0o600))
}

func scheduleIDs(t *testing.T, d *devProcess) []string {
	t.Helper()
	list, err := d.client.ScheduleClient().List(t.Context(), client.ScheduleListOptions{})
	require.NoError(t, err)
	var out []string
	for list.HasNext() {
		entry, err := list.Next()
		require.NoError(t, err)
		out = append(out, entry.ID)
	}
	return out
}

// What runs is what was applied: an edited file changes nothing until then, what is refused changes
// nothing at all, and after apply there are no differences, in the schedules neither.
func TestWorkspaceIsApplied(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	f := folder{t, filepath.Join(dir, "workspace")}
	starter := starterCommand(t)
	run := func(wantExit int, arguments ...string) string {
		t.Helper()
		text, code := starter(d.client.Address, arguments...)
		require.Equal(t, wantExit, code, text)
		return text
	}
	require.Equal(t, "no differences\n", run(0, "plan", f.dir), "worker dev has applied the sample")
	require.ElementsMatch(t, []string{"sync-source/acme", "evaluate-audiences"}, scheduleIDs(t, d))

	// DS-11, AS-7 (another way, see ADR 5): rows that were loaded before a dataset is enabled count from then on, once.
	audiences, err := os.ReadFile(filepath.Join(f.dir, "audiences.yaml"))
	require.NoError(t, err)
	kept, _, _ := strings.Cut(string(audiences), "---\nkind: Audience\nname: established-households")
	f.replace("audiences.yaml", string(audiences), kept)
	f.replace("activations.yaml", "kind: Activation\nname: merk-to-liveramp\ndestination: liveramp\naudiences: [established-households]\nnamespace: merk_pid\nmapping:\n  - {field: partnerID, header: PID}\n---\n", "")
	f.replace("datasets.yaml", "schema: merk-prospects\nprofile: true", "schema: merk-prospects\nprofile: false")
	text := run(0, "apply", "--yes", f.dir)
	require.Contains(t, text, "retires the audience: it is not evaluated any more")
	require.Contains(t, text, "its prospects leave every audience at the next evaluation")
	d.putMerk(hostKey(t, d), "outgoing/merk_prospects.psv", merkFile(t, 9))
	var synced workflows.SyncSourceResult
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "merk"}, &synced))
	created := synced.Files[0].Outcome.Created
	require.Positive(t, created)
	f.replace("audiences.yaml", kept, string(audiences))
	f.replace("datasets.yaml", "profile: false", "profile: true")
	require.Contains(t, run(0, "apply", "--yes", f.dir), "its rows become prospects at once, also those loaded before")
	var evaluated workflows.EvaluateAudiencesResult
	evaluate := workflows.EvaluateAudiencesInput{Audiences: []string{"established-households"}}
	require.NoError(t, d.run(workflows.EvaluateAudiences, evaluate, &evaluated))
	size := evaluated.Memberships[0].Size()
	require.Positive(t, size)
	d.putMerk(hostKey(t, d), "outgoing/again.psv", merkFile(t, 9))
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "merk"}, &synced))
	require.NotEmpty(t, synced.Files[0].DuplicateOf, "the same bytes are not loaded twice")
	require.NoError(t, d.run(workflows.EvaluateAudiences, evaluate, &evaluated))
	require.Equal(t, size, evaluated.Memberships[0].Size())

	// An edit counts after apply, with the schedules.
	f.replace("sources.yaml", `"0 4 * * *"`, `"30 5 * * *"`)
	f.replace("sources.yaml", "cadence: weekly", "cadence: daily")
	text = run(0, "plan", f.dir)
	require.Contains(t, text, "schedule.cron: its schedule becomes 30 5 * * * America/New_York, paused; counts from the next sync on")
	require.Contains(t, text, "0 to add, 2 to change, 0 to remove, 0 refused")
	require.Contains(t, run(0, "apply", f.dir), "schedule changed sync-source/acme")
	require.Equal(t, "no differences\n", run(0, "plan", f.dir))
	described, err := d.client.ScheduleClient().GetHandle(t.Context(), "sync-source/acme").Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, 5, described.Schedule.Spec.Calendars[0].Hour[0].Start)
	require.True(t, described.Schedule.State.Paused)
	// A pause by hand stays, and what is not ours is left alone.
	f.replace("sources.yaml", "paused: true}", "paused: false}")
	run(0, "apply", f.dir)
	handle := d.client.ScheduleClient().GetHandle(t.Context(), "sync-source/acme")
	require.NoError(t, handle.Pause(t.Context(), client.SchedulePauseOptions{Note: "the partner is on holiday"}))
	_, err = d.client.ScheduleClient().Create(t.Context(), client.ScheduleOptions{ID: "sync-source/mine", Spec: client.ScheduleSpec{}, Paused: true,
		Action: &client.ScheduleWorkflowAction{Workflow: workflows.SyncSource, TaskQueue: workflows.TaskQueue, Args: []any{workflows.SyncSourceInput{Source: "acme"}}}})
	require.NoError(t, err)
	require.Contains(t, run(0, "apply", f.dir), "schedule kept the pause that was set by hand of sync-source/acme")
	described, err = handle.Describe(t.Context())
	require.NoError(t, err)
	require.True(t, described.Schedule.State.Paused)
	require.Equal(t, "the partner is on holiday", described.Schedule.State.Note)
	f.replace("sources.yaml", `schedule: {cron: "30 5 * * *", timeZone: America/New_York, paused: false}`, "")
	f.replace("sources.yaml", "planning: {identifier", "planning: {cadence: daily, identifier")
	require.Contains(t, run(0, "apply", f.dir), "schedule removed sync-source/acme")
	require.ElementsMatch(t, []string{"sync-source/mine", "evaluate-audiences"}, scheduleIDs(t, d))

	// What is refused changes nothing (AS-3, SC-27).
	f.replace("identities.yaml", "symbol: merk_pid\ntype: Partner ID", "symbol: merk_pid\ntype: Device ID")
	text = run(2, "apply", "--yes", f.dir)
	require.Contains(t, text, "prospects may use only type Partner ID")
	f.replace("identities.yaml", "type: Device ID", "type: Partner ID")
	f.replace("schemas.yaml", "maximum: 120", "maximum: 100")
	text = run(2, "plan", f.dir)
	require.Contains(t, text, "field merkle.demographics.age.age would get stricter: its range is smaller; 1 batch is loaded under it")
	text = run(2, "apply", "--yes", f.dir)
	require.Contains(t, text, "nothing was applied, refused changes: 1")
	f.replace("schemas.yaml", "maximum: 100", "maximum: 120")
	require.Equal(t, "no differences\n", run(0, "plan", f.dir))

	// AS-23, PL-22: what would stop a flow is refused and the flow goes on; or it is applied, the flow stops, and nothing of it leaves.
	const newsletter = "kind: Activation\nname: acme-to-newsletter"
	f.replace("activations.yaml", newsletter, "kind: Activation\nname: merk-to-liveramp\ndestination: liveramp\naudiences: [established-households]\nnamespace: merk_pid\nmapping:\n  - {field: partnerID, header: PID}\n---\n"+newsletter)
	run(0, "apply", "--yes", f.dir)
	uploads := filepath.Join(dir, "sftp", "liveramp", "uploads")
	run(0, "run", "activate-audiences", "merk-to-liveramp")
	delivered, err := os.ReadDir(uploads)
	require.NoError(t, err)
	require.NotEmpty(t, delivered)
	f.replace("destinations.yaml", "[Export to Third Party]", "[Email Targeting]")
	text = run(2, "plan", f.dir)
	require.Contains(t, text, `activation merk-to-liveramp: it delivers today and would be blocked: audience established-households: policy "No e-mail with vendor data"`)
	require.Contains(t, text, "→ audience established-households → destination liveramp [changed]")
	require.Contains(t, run(2, "apply", "--yes", f.dir), "starter apply --stop-affected")
	run(0, "run", "activate-audiences", "merk-to-liveramp")
	require.NoError(t, os.RemoveAll(uploads))
	require.NoError(t, os.MkdirAll(uploads, 0o755))
	require.Contains(t, run(0, "apply", "--yes", "--stop-affected", f.dir), "stopped: activation merk-to-liveramp")
	require.Contains(t, run(3, "run", "activate-audiences", "merk-to-liveramp"), "activation merk-to-liveramp is blocked")
	delivered, err = os.ReadDir(uploads)
	require.NoError(t, err)
	require.Empty(t, delivered, "the stopped flow left something")
	f.replace("destinations.yaml", "marketingActions: [Email Targeting]\nplanning: {identities: [merk_pid]}", "marketingActions: [Export to Third Party]\nplanning: {identities: [merk_pid]}")
	require.Contains(t, run(0, "apply", "--yes", f.dir), "activation merk-to-liveramp is blocked no more")

	// What cannot be undone is not applied without a word.
	f.replace("identities.yaml", "kind: Namespace\nname: Merk", "kind: Namespace\nname: Third\nsymbol: third_pid\ntype: Partner ID\n---\nkind: Namespace\nname: Merk")
	text = run(2, "apply", f.dir)
	require.Contains(t, text, "namespace third_pid of type Partner ID stays")
	require.Contains(t, text, "apply with --yes")
	require.Contains(t, run(0, "plan", f.dir), "1 to add")
	run(0, "apply", "--yes", f.dir)
	f.replace("identities.yaml", "symbol: third_pid", "symbol: fourth_pid")
	require.Contains(t, run(2, "plan", f.dir), "a namespace cannot be removed once applied")
	d.stop()

	record, err := sqlite.Open(t.Context(), filepath.Join(dir, "catalog.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, record.Close()) }()
	audit, err := record.Audit(t.Context(), catalog.AuditQuery{Action: "apply", Kind: catalog.AuditedWorkspace, Limit: 100})
	require.NoError(t, err)
	outcomes := map[string]int{}
	for _, r := range audit {
		require.NotEmpty(t, r.Actor)
		outcomes[r.Outcome]++
	}
	require.Equal(t, map[string]int{catalog.AuditAllowed: 10, catalog.AuditDenied: 2}, outcomes)
	// MO-10: each object that was changed, with digests of before and after; AS-E4: each whose change was refused.
	one := func(q catalog.AuditQuery) catalog.AuditRecord {
		t.Helper()
		q.Limit = 1
		found, err := record.Audit(t.Context(), q)
		require.NoError(t, err)
		require.Len(t, found, 1)
		return found[0]
	}
	added, removed := one(catalog.AuditQuery{Action: "add", Kind: "Namespace", Object: "third_pid"}), one(catalog.AuditQuery{Action: "remove", Kind: "Audience", Object: "established-households"})
	require.Empty(t, added.Before)
	require.NotEmpty(t, added.After)
	require.NotEmpty(t, removed.Before)
	require.Empty(t, removed.After)
	changed := one(catalog.AuditQuery{Action: "change", Kind: "Source", Object: "acme"})
	require.NotEqual(t, changed.Before, changed.After)
	require.Contains(t, changed.Detail, "schedule")
	refused := one(catalog.AuditQuery{Outcome: catalog.AuditDenied, Kind: "Schema"})
	require.Equal(t, "merk-prospects", refused.Object)
	require.Contains(t, refused.Detail, "its range is smaller")
	report, err := record.VerifyAudit(t.Context(), catalog.AuditHead{})
	require.NoError(t, err)
	require.Empty(t, report.Breaks)
}

// Rows that were checked under one schema are not loaded under another: the run ends, and the next sync
// checks them again. The worker dies between the two steps, and a stricter schema is applied meanwhile.
func TestRulesThatChangeBeforeTheLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, []string{"PROSPECTOR_STOP_AT=load"})
	d.putAcme("in/acme_prospects.csv.gz", acmeFile(t, 11))
	sync := func(d *devProcess) error {
		return d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, nil)
	}
	require.ErrorIs(t, doUntilExit(d, sync), errExited)
	d = startDev(t, dir, nil)
	require.NoError(t, d.applyEdited("schemas.yaml", "partner.tennis: {enum: [Y, N]}", "partner.tennis: {enum: [N]}"))
	err := sync(d) // the run that was under way
	require.Equal(t, errkind.Conflict, workflows.KindOf(err), "%v", err)
	require.Contains(t, workflows.MessageOf(err), "the schema, the mapping or a suppression list has changed since its rows were checked")
	require.NoError(t, d.applyEdited("schemas.yaml"))
	var out workflows.SyncSourceResult
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &out))
	require.Positive(t, out.Files[0].Outcome.Created)
	d.stop()
}
