package workspace

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
)

const sample = "../../testdata/workspace"

func TestSampleWorkspaceIsValid(t *testing.T) {
	w, err := Load(sample)
	require.NoError(t, err)
	require.Empty(t, w.Warnings)
	d, err := w.Dataset("acme_2026")
	require.NoError(t, err)
	for path, labels := range w.FieldLabels(d) { // AS-6: every field carries the label
		require.Equal(t, []string{"Third-Party"}, labels, path)
	}
	require.Len(t, w.FieldLabels(d), 8+28+2)
}

// edited loads the sample with one text replaced in one file and returns the problems.
func edited(t *testing.T, file, old, replacement string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(sample)))
	data, err := os.ReadFile(filepath.Join(dir, file))
	require.NoError(t, err)
	require.Contains(t, string(data), old)
	require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(strings.Replace(string(data), old, replacement, 1)), 0o600))
	_, err = Load(dir)
	require.Error(t, err)
	require.Equal(t, errkind.Invalid, errkind.Of(err))
	return err.Error()
}

// AS-1, AS-2, SC-25, SR-11 and references: each error names file and line and says what to do.
func TestProblemsNameTheirPlaceAndWhatToDo(t *testing.T) {
	for _, c := range []struct{ file, old, replacement, want string }{
		{"schemas.yaml", "namespace: acme_pid", "namespace: Email", "schemas.yaml:17:48: schema acme-prospects: namespace Email is of type Email address, prospects may use only type Partner ID; use a namespace of type Partner ID"},
		{"identities.yaml", "type: Partner ID", "type: Partner", `identities.yaml:5:7: namespace acme_pid: type cannot be "Partner"; did you mean "Partner ID"?`},
		{"identities.yaml", "symbol: merk_pid", "symbol: acme_pid", "identities.yaml:9:9: namespace acme_pid: there is another one at identities.yaml:2:1; rename one of them, or take one away"},
		{"sources.yaml", "mapping:", "maping:", `unknown key "maping"; did you mean "mapping"?`},
		{"sources.yaml", "partner.householdID", "partner.householdId", "did you mean partner.householdID?"},
		{"sources.yaml", "${env:PROSPECTOR_S3_SECRET_KEY}", "hunter2", "source acme: s3.secretKey must be a reference and nothing else; write ${env:NAME} or ${file:/path}; a secret never stands in a workspace"},
		{"prospector.yaml", "kind: Sandbox", "kind: Sandbx", `prospector.yaml:2:7: there is no kind "Sandbx"; did you mean "Sandbox"?`},
	} {
		require.Contains(t, edited(t, c.file, c.old, c.replacement), c.want)
	}
}

func TestAllProblemsAreReported(t *testing.T) {
	text := edited(t, "destinations.yaml", "type: s3", "type: s4")
	require.NotContains(t, text, "\n")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.yaml"), []byte("kind: Namespce\n---\nkind: Dataset\nname: x\nfoo: 1\n"), 0o600))
	_, err := Load(dir)
	require.Contains(t, err.Error(), `a.yaml:1:7: there is no kind "Namespce"; did you mean "Namespace"?`)
	require.Contains(t, err.Error(), `a.yaml:5:1: dataset x: unknown key "foo"`)
	require.Contains(t, err.Error(), `the key "schema" is missing`)
}

func TestReferencesResolveLateAndHideValues(t *testing.T) {
	t.Setenv("PROSPECTOR_TEST_VALUE", "s3cret")
	v, err := Reference("x-${env:PROSPECTOR_TEST_VALUE}").Resolve()
	require.NoError(t, err)
	require.Equal(t, "x-s3cret", v)
	_, err = Reference("${env:PROSPECTOR_TEST_UNSET}").Resolve()
	require.ErrorContains(t, err, "PROSPECTOR_TEST_UNSET is not set")
	require.Equal(t, errkind.Denied, errkind.Of(err))
}

// SD-7, ID-5: a planning question without an answer is a warning that names the key to set.
func TestPlanningQuestionsAreAsked(t *testing.T) {
	files, err := Read(sample)
	require.NoError(t, err)
	for _, edit := range []struct{ file, old, text string }{
		{"sources.yaml", "planning: {cadence: weekly, identifier: partner ID, usagePolicies: [No e-mail with vendor data]}", ""},
		{"destinations.yaml", "planning: {identities: [merk_pid]}", ""},
		{"destinations.yaml", "planning: {identities: [acme_pid]}", "planning: {identities: [merk_pid]}"},
		{"governance.yaml", "status: ENABLED", "status: DRAFT"},
	} {
		require.Contains(t, files[edit.file], edit.old)
		files[edit.file] = strings.Replace(files[edit.file], edit.old, edit.text, 1)
	}
	w, err := Parse(files)
	require.NoError(t, err)
	text := w.Warnings.Error()
	for _, want := range []string{"source merk: how often the partner delivers is not said; set schedule, or planning.cadence",
		"set planning.identifier to PII, hashed PII or partner ID", "set planning.usagePolicies to the names of policies, or to [] when there are none",
		"destination liveramp: which identities the destination can act on is not said; set planning.identities",
		"activation acme-to-media: destination media-drop can act on merk_pid, and gets acme_pid",
		`source acme: policy "No e-mail with vendor data" applies to the data of dataset acme_2026 and is not enabled`} {
		require.Contains(t, text, want)
	}
}
