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
