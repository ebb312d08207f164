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

// LB-2, LB-5, LB-11, LB-15: labels by category, with what they mean, those of the workspace first.
func TestLabels(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	require.NoError(t, writeTemplate(dir))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "labels.yaml"), []byte("kind: Label\nname: embargo\ntitle: Embargo\ndescription: waits for a press release\n"), 0o600))
	w, err := workspace.Load(dir)
	require.NoError(t, err)
	all, err := labelViews(w, "")
	require.NoError(t, err)
	require.Len(t, all, 20)
	require.Equal(t, labelView{"embargo", "Custom", "labels.yaml:1:1", "Embargo", "waits for a press release"}, all[0])
	for _, l := range all {
		require.NotEmpty(t, l.Meaning, l.Name)
	}
	vendor, err := labelViews(w, "Third Party")
	require.NoError(t, err)
	require.Equal(t, "Partner Ecosystem", vendor[0].Category)
	_, err = labelViews(w, "c2")
	require.ErrorContains(t, err, `no label is called "c2"`)
}

// LB-7: labels that are inherited are marked, and hidden on request.
func TestInheritedLabelsAreHidden(t *testing.T) {
	w, err := workspace.Load(sample)
	require.NoError(t, err)
	schema := w.Schemas[0]
	own := schema.Labels.All
	schema.Labels.All = nil // the other schema's reach the fields that both have
	inherited := func(hide bool) (n int) {
		for _, f := range fieldViews(w, schema, hide) {
			n += len(f.Inherited)
		}
		return n
	}
	require.Positive(t, inherited(false))
	require.Zero(t, inherited(true))
	schema.Labels.All = own
	require.Equal(t, own, fieldViews(w, schema, true)[0].Labels)
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
