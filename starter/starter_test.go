package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/workspace"
)

const sample = "../testdata/workspace"

// What init writes is a workspace with nothing to complain about, and never replaces a file.
func TestInitWritesAValidWorkspace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	require.NoError(t, writeTemplate(dir))
	w, err := workspace.Load(dir)
	require.NoError(t, err)
	require.Empty(t, w.Warnings)
	require.NoError(t, os.Remove(filepath.Join(dir, "acme.yaml")))
	err = writeTemplate(dir)
	require.Equal(t, errkind.Conflict, errkind.Of(err))
	require.NoFileExists(t, filepath.Join(dir, "acme.yaml"))
}

// A field's labels, where each comes from, and who uses the field.
func TestExplain(t *testing.T) {
	w, err := workspace.Load(sample)
	require.NoError(t, err)
	e, err := explain(w, "partner.hiking")
	require.NoError(t, err)
	require.Equal(t, "Partner Prospect Details (Sample)", e.Group)
	require.Equal(t, []schemaUse{{"acme-prospects", []string{"one of Y, N"}}}, e.Schemas)
	require.Equal(t, []labelOrigin{{Label: "Third-Party", From: "schema acme-prospects", At: "schemas.yaml:19:16", On: "schema acme-prospects"},
		{Label: "Third-Party", From: "schema acme-prospects", At: "schemas.yaml:19:16", On: "dataset acme_2026", Inherited: true}}, e.Labels)
	require.Equal(t, []string{"hiking of source acme"}, e.Columns)
	require.Equal(t, []string{"outdoor-families"}, e.Audiences)
	require.Equal(t, []string{"acme-to-media, through audience outdoor-families, to media-drop", "acme-to-newsletter, through audience outdoor-families, to newsletter"}, e.Activations)

	class, err := explain(w, "partnerID")
	require.NoError(t, err)
	require.Len(t, class.Labels, 8, "LB-9: a field of the class carries both schemas' labels in both")
	require.True(t, class.Labels[1].Inherited)

	_, err = explain(w, "partner.hikin")
	require.ErrorContains(t, err, "no schema has the field partner.hikin; did you mean partner.hiking?")
}

func TestKindOf(t *testing.T) {
	for text, want := range map[string]string{"schema": "Schema", "Schemas": "Schema", "policies": "Policy", "field-group": "FieldGroup", "fieldgroups": "FieldGroup", "union": union, "marketing-action": "MarketingAction", "contracts": "Contract"} {
		got, err := kindOf(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := kindOf("table")
	require.ErrorContains(t, err, `unknown kind "table"; known are union, sandbox`)
}
