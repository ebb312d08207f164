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
		{"schemas.yaml", "namespace: acme_pid", "namespace: Email", "schemas.yaml:12: schema acme-prospects: namespace Email is of type Email address, prospects may use only type Partner ID"},
		{"identities.yaml", "type: Partner ID", "type: Partner", `identities.yaml:2: namespace acme_pid has no known type: "Partner"`},
		{"identities.yaml", "symbol: merk_pid", "symbol: acme_pid", "identities.yaml:7: namespace acme_pid is declared twice, first at identities.yaml:2"},
		{"schemas.yaml", "Partner Prospect Details (Sample)", "Profile Partner Enrichment (Sample)", "no field group for the prospect class"},
		{"sources.yaml", "mapping:", "maping:", `unknown key "maping"; did you mean "mapping"?`},
		{"sources.yaml", "partner.householdID", "partner.householdId", "did you mean \"partner.householdID\"?"},
		{"sources.yaml", `delimiter: ","`, `delimiter: "||"`, "must be one character"},
		{"sources.yaml", "${env:PROSPECTOR_S3_SECRET_KEY}", "hunter2", "secretKey must be a reference"},
		{"sources.yaml", "  pid: partnerID\n", "", "required field partnerID is not mapped"},
		{"audiences.yaml", "partner.hiking", "partner.hikking", "audience outdoor-families: rule: column 2:"},
		{"governance.yaml", "Email Targeting", "Mail Targeting", `did you mean "Email Targeting"?`},
		{"activations.yaml", "destination: newsletter", "destination: newsleter", `did you mean "newsletter"?`},
		{"prospector.yaml", "kind: Sandbox", "kind: Sandbx", `did you mean "Sandbox"?`},
		{"datasets.yaml", "schema: merk-prospects", "schema: acme-prospects", "both hold profiles of namespace acme_pid"},
		{"schemas.yaml", "pattern: \"[0-9]{5}\"", "pattern: \"[0-9\"", "error parsing regexp"},
		{"schemas.yaml", "kind: FieldGroup", "kind: [", "schemas.yaml:"},
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
	require.Contains(t, err.Error(), "a.yaml:1")
	require.Contains(t, err.Error(), "a.yaml:5")
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
