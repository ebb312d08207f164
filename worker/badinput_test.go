//go:build !release

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/testdata"
	"prospector/workflows"
)

// applyEdited applies the sample workspace with replacements in one file, also when that stops an activation.
func (d *devProcess) applyEdited(file string, replacements ...string) error {
	t := d.t
	t.Helper()
	dir := filepath.Dir(d.hostKeyFile)
	content, err := testdata.Workspace.ReadFile("workspace/" + file)
	require.NoError(t, err)
	for i := 0; i < len(replacements); i += 2 {
		require.Contains(t, string(content), replacements[i])
	}
	edited := strings.NewReplacer(replacements...).Replace(string(content))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "workspace", file), []byte(edited), 0o600))
	return d.run(workflows.ApplyWorkspace, workflows.ApplyWorkspaceInput{Dir: filepath.Join(dir, "workspace"), StopAffected: true}, nil)
}

// zipped compresses text.
func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// Bad input ends a run with one clear error that names the source and what to do, and what was
// published before stays as it was.
func TestBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, []string{"PROSPECTOR_TEST_WRONG=wrong"})

	sync := func(name string) error {
		var out workflows.SyncSourceResult
		return d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: name}, &out)
	}
	requireFailure := func(err error, kind errkind.Kind, words ...string) {
		t.Helper()
		require.Error(t, err)
		require.Equal(t, kind, workflows.KindOf(err), workflows.MessageOf(err))
		for _, word := range words {
			require.Contains(t, workflows.MessageOf(err), word)
		}
		require.NotContains(t, workflows.MessageOf(err), "\n")
		t.Log(workflows.MessageOf(err))
	}
	requireFailure(sync("merk"), errkind.Missing, "source merk", "no file matches outgoing/*.psv")
	requireFailure(sync("acme"), errkind.Missing, "source acme", "no file matches in/*.csv.gz")
	requireFailure(sync("amce"), errkind.Invalid, `no source is called "amce"`, "acme")
	requireFailure(d.run(workflows.IngestFile, workflows.IngestFileInput{Source: "acme", Path: "in/no.csv.gz"}, nil), errkind.Missing, "source acme", "in/no.csv.gz")

	d.putAcme("in/good.csv.gz", acmeFile(t, 3))
	require.NoError(t, sync("acme"))
	published := func() (out workflows.EvaluateAudiencesResult) {
		t.Helper()
		require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, &out))
		return out
	}
	before := sizes(report{Evaluation: published()})
	require.Positive(t, before["outdoor-families"])

	header := "pid,first_name,last_name,age_range,zip,state,hiking,bicycling,skiing,sailing,tennis,buyer_rating,donor_rating,spending_volume,household_id\n"
	good := acmeFile(t, 4)
	for _, c := range []struct {
		name    string
		content []byte
		kind    errkind.Kind
		words   []string
	}{
		{"in/cut.csv.gz", good[:len(good)/2], errkind.BadInput, []string{"source acme", "in/cut.csv.gz"}},
		{"in/not_gzip.csv.gz", []byte("pid,first_name\n1,2\n"), errkind.BadInput, []string{"source acme", "in/not_gzip.csv.gz", "gzip"}},
		{"in/empty.csv.gz", zipped(t, ""), errkind.BadInput, []string{"source acme", "in/empty.csv.gz", "empty"}},
		{"in/renamed.csv.gz", zipped(t, strings.Replace(header, "zip", "postcode", 1)), errkind.BadInput, []string{"source acme", "in/renamed.csv.gz", "zip", "postcode"}},
		{"in/all_bad.csv.gz", zipped(t, header+strings.Repeat("a,b\n", 100)), errkind.BadInput, []string{"source acme", "in/all_bad.csv.gz", "100 of 100 rows"}},
	} {
		d.putAcme(c.name, c.content)
		requireFailure(sync("acme"), c.kind, c.words...)
		var again workflows.SyncSourceResult
		require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &again), "a refused file is not taken again")
		require.Empty(t, again.Files)
	}

	require.NoError(t, d.applyEdited("sources.yaml", "secretKey: ${env:PROSPECTOR_S3_SECRET_KEY}", "secretKey: ${env:PROSPECTOR_TEST_WRONG}",
		"password: ${env:PROSPECTOR_SFTP_PASSWORD}", "password: ${env:PROSPECTOR_TEST_WRONG}"))
	requireFailure(sync("acme"), errkind.Denied, "source acme")
	requireFailure(sync("merk"), errkind.Denied, "source merk")
	require.NoError(t, d.applyEdited("sources.yaml", "address: ${env:PROSPECTOR_SFTP_ADDRESS}", "address: 127.0.0.1:1", "secretKey: ${env:PROSPECTOR_S3_SECRET_KEY}", "secretKey: ${env:PROSPECTOR_TEST_UNSET}"))
	requireFailure(sync("merk"), errkind.Transient, "source merk", "127.0.0.1:1")
	requireFailure(sync("acme"), errkind.Denied, "source acme", "PROSPECTOR_TEST_UNSET")
	requireFailure(d.applyEdited("sources.yaml", "dataset: acme_2026", "dataset: acme_2062"), errkind.Invalid, "sources.yaml:4:10", "acme_2062")
	require.NoError(t, d.applyEdited("sources.yaml"))
	require.NoError(t, sync("acme"))

	// Who is in an audience was decided by fields that a changed rule does not name any more.
	require.NoError(t, d.applyEdited("audiences.yaml", "partner.sailing = 'Y' AND ", ""))
	requireFailure(d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media"}, nil), errkind.Conflict,
		"audience coastal-sailors has changed since it was evaluated", "EvaluateAudiences first")
	require.NoError(t, d.applyEdited("audiences.yaml"))

	for _, typed := range []struct{ workflow, input, want string }{
		{"Sync", `{"source": "acme"}`, "there is no workflow type Sync; known are ActivateAudiences"},
		{"SyncSource", `{"source": 5}`, "the input is not what the workflow takes"},
		{"EvaluateAudiences", `{"audience": ["coastal-sailors"]}`, `unknown field "audience"`},
		{"SyncSource", `{}`, `the input has no "source"`},
	} {
		startFromWebUI(t, d, "typed", typed.workflow, typed.input)
		requireFailure(d.client.GetWorkflow(t.Context(), "typed", "").Get(t.Context(), nil), errkind.Invalid, typed.want)
	}

	require.Equal(t, before, sizes(report{Evaluation: published()}))
	d.stop()
}
