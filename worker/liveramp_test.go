//go:build !release

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/workflows"
)

// DE-23, AS-25: LiveRamp is told that somebody has left whom it was sent before, with the identity alone, and of nobody else; who
// takes back his consent has left.
func TestLiveRampIsToldWhoHasLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	folder := d.folderSource("path: in/*.csv\nreadiness: {rule: immediate}\n")
	consent := "kind: ConsentPolicy\nname: Cyclists have agreed\nstatus: ENABLED\nmarketingActions: [Export to Third Party]\nrequire: partner.bicycling = 'Y'\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "workspace", "consent.yaml"), []byte(consent), 0o600))
	require.NoError(t, d.applyEdited("activations.yaml", "name: merk-to-liveramp\ndestination: liveramp\naudiences: [established-households]\nnamespace: merk_pid\nmapping:\n  - {field: partnerID, header: PID}",
		"name: acme-to-liveramp\ndestination: liveramp\naudiences: [coastal-sailors]\nnamespace: acme_pid\nmapping:\n  - {field: partnerID, header: PID}\n  - {field: _luma.prospect.state, header: state}"))
	at, files := time.Now().Add(-time.Hour), 0
	load := func(rows ...string) { // id, state, bicycling, sailing
		files++
		text := acmeHeader
		for _, row := range rows {
			f := strings.Fields(row)
			text += f[0] + ",A,B,25-34,02139," + f[1] + ",Y," + f[2] + ",," + f[3] + ",,3,2,,h\n"
		}
		drop(t, folder, "in/"+string(rune('0'+files))+".csv", text, at.Add(time.Duration(files)*time.Minute))
		require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, nil))
		require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{Audiences: []string{"coastal-sailors"}}, nil))
	}
	deliver := func() string {
		var out workflows.ActivateAudiencesResult
		require.NoError(t, d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-liveramp"}, &out))
		require.Len(t, out.Files, 1)
		data, err := os.ReadFile(filepath.Join(dir, "sftp", "liveramp", "uploads", out.Files[0].File))
		require.NoError(t, err)
		return strings.TrimPrefix(string(data), "PID,state,coastal-sailors\n")
	}
	load("never MA Y Y", "leaves MA Y Y", "objects MA Y Y", "stays MA Y Y", "silent MA N Y")
	load("never MA Y N")
	require.Equal(t, "leaves,MA,active\nobjects,MA,active\nstays,MA,active\n", deliver())
	load("leaves MA Y N", "objects MA N Y")
	require.Equal(t, "leaves,,expired\nobjects,,expired\nstays,MA,active\n", deliver())
	load("objects CA Y Y")
	require.Equal(t, "leaves,,expired\nobjects,CA,active\nstays,MA,active\n", deliver())
}

// DE-23: whom a delivery would have told, had it come so far, the destination does not know: nothing is said of them later.
func TestLiveRampIsNotToldOfThoseWhoNeverLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	folder := d.folderSource("path: in/*.csv\nreadiness: {rule: immediate}\n")
	require.NoError(t, d.applyEdited("activations.yaml", "name: merk-to-liveramp\ndestination: liveramp\naudiences: [established-households]\nnamespace: merk_pid\nmapping:\n  - {field: partnerID, header: PID}",
		"name: acme-to-liveramp\ndestination: liveramp\naudiences: [coastal-sailors]\nnamespace: acme_pid\nmapping:\n  - {field: partnerID, header: PID}"))
	drop(t, folder, "in/1.csv", acmeHeader+prospectRows("a1", "a2")+"a3,A,B,25-34,02139,MA,Y,Y,,Y,,3,2,,h\n", time.Now().Add(-time.Hour)) // a3 rides a bicycle
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, nil))
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{Audiences: []string{"coastal-sailors"}}, nil))
	var out workflows.ActivateAudiencesResult
	deliver := func() error {
		return d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-liveramp"}, &out)
	}
	require.NoError(t, d.applyEdited("destinations.yaml", "user: ${env:PROSPECTOR_SFTP_USER}", "user: stranger"))
	require.Equal(t, errkind.Denied, workflows.KindOf(deliver()))
	require.NoError(t, d.applyEdited("destinations.yaml"))
	require.NoError(t, os.Rename(filepath.Join(dir, "sftp", "liveramp", "uploads"), filepath.Join(dir, "sftp", "liveramp", "gone")))
	require.Equal(t, errkind.Missing, workflows.KindOf(deliver()))
	require.NoError(t, os.Rename(filepath.Join(dir, "sftp", "liveramp", "gone"), filepath.Join(dir, "sftp", "liveramp", "uploads")))

	consent := "kind: ConsentPolicy\nname: Cyclists have agreed\nstatus: ENABLED\nmarketingActions: [Export to Third Party]\nrequire: partner.bicycling = 'Y'\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "workspace", "consent.yaml"), []byte(consent), 0o600))
	require.NoError(t, d.applyEdited("destinations.yaml"))
	require.NoError(t, deliver())
	data, err := os.ReadFile(filepath.Join(dir, "sftp", "liveramp", "uploads", out.Files[0].File))
	require.NoError(t, err)
	require.Equal(t, "PID,coastal-sailors\na3,active\n", string(data))
}
