package workspace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/xdm"
)

// edit is one change to the sample: a text that takes another's place, or with nothing to replace a file.
type edit struct{ file, old, replacement string }

// parsed checks the sample with edits.
func parsed(t *testing.T, edits ...edit) (*Workspace, error) {
	t.Helper()
	files, err := Read(sample)
	require.NoError(t, err)
	for _, e := range edits {
		if e.old == "" {
			files[e.file] = e.replacement
			continue
		}
		require.Contains(t, files[e.file], e.old)
		files[e.file] = strings.Replace(files[e.file], e.old, e.replacement, 1)
	}
	return Parse(files)
}

func accepted(t *testing.T, edits ...edit) *Workspace {
	t.Helper()
	w, err := parsed(t, edits...)
	require.NoError(t, err)
	return w
}

// refused returns the only problem of the sample with edits.
func refused(t *testing.T, edits ...edit) string {
	t.Helper()
	_, err := parsed(t, edits...)
	var problems Problems
	require.True(t, errors.As(err, &problems), "%v", err)
	require.Len(t, problems, 1, "%v", err)
	return err.Error()
}

const (
	primary  = "primaryIdentity: {field: partnerID, namespace: acme_pid}"
	labelAll = "labels: {all: [Third-Party]}"
	acme     = "fieldGroups: [Partner Prospect Details (Sample), Luma Prospect Location]"
)

func secondary(field, namespace string) edit {
	return edit{"schemas.yaml", primary, primary + fmt.Sprintf("\nidentities: [{field: %s, namespace: %s}]", field, namespace)}
}

// AS-1, EC-1, EC-2: no namespace but those of type Partner ID gets in, whichever the way.
func TestFirstPartyNamespacesAreRefused(t *testing.T) {
	for namespace, kind := range map[string]string{"Email": "Email address", "ECID": "Cookie ID", "Phone": "Phone number"} {
		want := fmt.Sprintf("namespace %s is of type %s, prospects may use only type Partner ID", namespace, kind)
		require.Contains(t, refused(t, edit{"schemas.yaml", "namespace: acme_pid", "namespace: " + namespace}), want)
		require.Contains(t, refused(t, secondary("partner.individualID", namespace)), want)
	}
	crossDevice := edit{"own.yaml", "", "kind: Namespace\nname: Acme Household\nsymbol: acme_household\ntype: Cross-Device ID\n"}
	text := refused(t, crossDevice, edit{"schemas.yaml", "namespace: acme_pid", "namespace: acme_household"})
	require.Contains(t, text, "namespace acme_household is of type Cross-Device ID, prospects may use only type Partner ID")
	require.Contains(t, text, "declare a new namespace with another symbol")
	accepted(t, crossDevice) // as such it is no mistake

	for _, e := range []edit{
		{"sources.yaml", "hiking: partner.hiking", "email: identityMap.Email"},
		{"schemas.yaml", labelAll, "labels: {all: [Third-Party], fields: {identityMap: [I1]}}"},
		{"schemas.yaml", "partner.hiking: {enum: [Y, N]}", "identityMap: {required: true}"},
		{"activations.yaml", "_luma.prospect.state", "identityMap.Email"},
	} {
		require.Contains(t, refused(t, e), "is no field of prospects: an identity map would let identities in that are not of type Partner ID")
	}
	require.Contains(t, refused(t, edit{"schemas.yaml", "[Merkle Prospect Details (Core)]", "[Merkle Prospect Details (Core), IdentityMap]"}), "is not for prospects")
}

// AS-2, ID-18, ID-19: identities are required fields, and one of them is primary.
func TestPrimaryIdentity(t *testing.T) {
	w := accepted(t, secondary("partner.individualID", "acme_pid"), edit{"sources.yaml", "  hiking:", "  individual: partner.individualID\n  hiking:"})
	for _, path := range []string{"partnerID", "partner.individualID"} {
		f, ok := w.Schemas[0].Composed.Field(path)
		require.True(t, ok)
		require.True(t, f.Required, path)
	}
	text := refused(t, edit{"schemas.yaml", primary, primary + "\nidentities: [{field: partner.individualID, namespace: acme_pid, primary: true}]"})
	require.Contains(t, text, "it has a primary identity already, partnerID")
	w = accepted(t, edit{"schemas.yaml", primary, "identities: [{field: partnerID, namespace: acme_pid, primary: true}]"})
	require.Equal(t, Identity{Field: "partnerID", Namespace: "acme_pid"}, w.Schemas[0].PrimaryIdentity)
}

// AS-4, SC-30: Profile needs a primary identity. What may change afterwards is for the plan to say.
func TestProfileNeedsAPrimaryIdentity(t *testing.T) {
	require.Contains(t, refused(t, edit{"schemas.yaml", primary, ""}), "it is enabled for Profile and has no primary identity")
}

// AS-5, SC-21, SC-24, SC-25: field groups for prospects, and no others.
func TestFieldGroupCompatibility(t *testing.T) {
	var titles []string
	for _, g := range xdm.BuiltInGroups() {
		titles = append(titles, g.Title)
	}
	require.ElementsMatch(t, []string{"Partner Prospect Details (Sample)", "Merkle Prospect Details (Core)", "Merkle Prospect Details (corelogic)"}, titles)
	for _, name := range append(titles, xdm.BuiltInGroups()[0].ID) {
		accepted(t, edit{"more.yaml", "", "kind: Schema\nname: more\nclass: XDM Individual Prospect Profile\nfieldGroups: [\"" + name + "\"]\n"})
	}
	for _, name := range []string{"Profile Partner Enrichment (Sample)", `"https://ns.adobe.com/xdm/mixins/profile-partner-enrichment-sample"`} {
		text := refused(t, edit{"schemas.yaml", "[Merkle Prospect Details (Core)]", "[" + name + "]"})
		require.Contains(t, text, "is not for prospects, it extends XDM Individual Profile")
		for _, title := range titles {
			require.Contains(t, text, title)
		}
	}
	w := accepted(t)
	_, ok := w.Schemas[0].Composed.Field("partner.householdID")
	require.True(t, ok)
	_, ok = w.Schemas[0].Composed.Field("partner.householdId")
	require.False(t, ok)
}

// SC-35: prospects have no events.
func TestEventsAreRefused(t *testing.T) {
	require.Contains(t, refused(t, edit{"schemas.yaml", "class: XDM Individual Prospect Profile", "class: XDM ExperienceEvent"}), "is not for prospects")
	group := `{"$id": "https://ns.adobe.com/luma/mixins/2", "title": "Luma Visits", "meta:intendedToExtend": ["` + xdm.ProspectClassID +
		`"], "meta:extends": ["https://ns.adobe.com/xdm/data/time-series"], "properties": {"_luma": {"properties": {"page": {"type": "string"}}}}}`
	text := refused(t, edit{"visits.json", "", group}, edit{"schemas.yaml", "[Merkle Prospect Details (Core)]", "[Merkle Prospect Details (Core), Luma Visits]"})
	require.Contains(t, text, `field group "Luma Visits" in visits.json is not for prospects`)
}

const second = `kind: Schema
name: acme-second
class: XDM Individual Prospect Profile
fieldGroups: [Partner Prospect Details (Sample)]
---
kind: Dataset
name: acme_second
schema: acme-second
`

func labelsOf(origins []LabelOrigin) (out []string) {
	for _, o := range origins {
		out = append(out, fmt.Sprintf("%s from %s at %s, inherited %v", o.Label, o.Source, o.At, o.Inherited))
	}
	return out
}

// AS-6, LB-1 to LB-3, LB-6 to LB-9, EC-5: a label on all fields shows on all of them, in each dataset of the
// schema, and in other schemas on the fields that they share; it is changed where it is written.
func TestLabelEverything(t *testing.T) {
	before := "kind: Dataset\nname: acme_before\nschema: acme-prospects\n"
	w := accepted(t, edit{"schemas.yaml", acme, "fieldGroups: [Partner Prospect Details (Sample)]"}, edit{"a.yaml", "", before},
		edit{"second.yaml", "", second}, edit{"sources.yaml", "  zip: _luma.prospect.postalCode\n  state: _luma.prospect.state\n", ""},
		edit{"activations.yaml", "  - {field: _luma.prospect.state, header: state}\n", ""},
		edit{"audiences.yaml", " AND _luma.prospect.state IN\n  ('ME','NH','MA','RI','CT','NY','NJ','MD','VA','NC','SC','GA','FL','CA','OR','WA')", ""})
	labelled := []string{"Third-Party from schema acme-prospects at schemas.yaml:19:16, inherited false"}
	schema := w.Schemas[0]
	require.Len(t, schema.Composed.Fields, 36)
	for _, f := range schema.Composed.Fields {
		require.Subset(t, labelsOf(w.LabelOrigins(schema, f.Path)), labelled, f.Path) // the class is shared with merk-prospects
	}
	for _, name := range []string{"acme_before", "acme_2026"} {
		d, err := w.Dataset(name)
		require.NoError(t, err)
		fields := w.FieldLabels(d)
		require.Len(t, fields, 36)
		for path, labels := range fields {
			require.Equal(t, []string{"Third-Party"}, labels, path)
		}
	}
	other, ok := find(w.Schemas, "acme-second")
	require.True(t, ok)
	shared := w.LabelOrigins(other, "partner.hiking")
	require.Equal(t, []string{"Third-Party from schema acme-prospects at schemas.yaml:19:16, inherited true"}, labelsOf(shared))
	d, err := w.Dataset("acme_second")
	require.NoError(t, err)
	require.Equal(t, []string{"Third-Party"}, w.FieldLabels(d)["partner.hiking"])
}

// LB-6, LB-7, LB-10: labels of datasets and objects reach the fields below, and go no other way.
func TestLabelsAreInheritedDownward(t *testing.T) {
	w := accepted(t, edit{"schemas.yaml", labelAll, "labels: {fields: {_luma.prospect: [S2], partner.hiking: [C2]}}"},
		edit{"datasets.yaml", "profile: true", "profile: true\nlabels: [C9]"})
	d, err := w.Dataset("acme_2026")
	require.NoError(t, err)
	labels := w.FieldLabels(d)
	require.Equal(t, []string{"C9", "S2"}, labels["_luma.prospect.state"])
	require.Equal(t, []string{"C2", "C9"}, labels["partner.hiking"])
	require.Equal(t, []string{"C9"}, labels["partner.tennis"])
	require.Empty(t, w.LabelOrigins(w.Schemas[0], "partner.tennis"), "a dataset's label is not the schema's")
	require.Equal(t, []string{"C2 from schema acme-prospects at schemas.yaml:19:58, inherited true", "C9 from dataset acme_2026 at datasets.yaml:7:10, inherited true"},
		labelsOf(w.DatasetLabelOrigins(d, "partner.hiking")))
}

// LB-8: labels of a schema reach every dataset of it, and defaults reach every field of every schema.
func TestDefaultLabels(t *testing.T) {
	w := accepted(t, edit{"prospector.yaml", "tenant: _luma", "tenant: _luma\ndefaults: {labels: [C9]}"})
	for _, d := range w.Datasets {
		for path, labels := range w.FieldLabels(d) {
			require.Equal(t, []string{"C9", "Third-Party"}, labels, path)
		}
	}
	require.Contains(t, labelsOf(w.LabelOrigins(w.Schemas[0], "partnerID")), "C9 from the sandbox's defaults at prospector.yaml:6:21, inherited true")
}

// LB-10: there is a limit to the labels of a schema, and labelling all fields at once stays below it.
func TestLabelLimit(t *testing.T) {
	all := "labels: {all: [C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, I1, I2, S1, S2]}"
	accepted(t, edit{"schemas.yaml", labelAll, all})
}

// LB-11, EC-9, the spelling Third Party of the documentation: labels of our own, to the letter.
func TestLabelNames(t *testing.T) {
	own := edit{"labels.yaml", "", "kind: Label\nname: Contract-A\n"}
	for _, c := range []struct{ label, problem string }{
		{"C2", ""}, {"Third-Party", ""}, {"Third Party", ""}, {"Contract-A", ""},
		{"c2", `there is no label "c2"; upper and lower case count: write C2`},
		{"contract-a", `there is no label "contract-a"; upper and lower case count: write Contract-A`},
		{"third-party", "upper and lower case count: write Third-Party"},
		{"C13", `there is no label "C13"; known are C1, `},
	} {
		label := edit{"schemas.yaml", labelAll, "labels: {all: [" + c.label + "]}"}
		if c.problem != "" {
			require.Contains(t, refused(t, own, label), c.problem)
			continue
		}
		w := accepted(t, own, label)
		require.Equal(t, strings.ReplaceAll(c.label, " ", "-"), w.LabelOrigins(w.Schemas[0], "partnerID")[0].Label)
	}
	require.Contains(t, refused(t, edit{"schemas.yaml", "partner.hiking: {enum", "partner.Hiking: {enum"}), "did you mean partner.hiking?")
}

// EC-4, LB-1: a field that escapes the labels is a warning that names it.
func TestUnlabelledFieldsAreWarnedAbout(t *testing.T) {
	w := accepted(t, edit{"schemas.yaml", labelAll, "labels: {fields: {partner: [Third-Party]}}"})
	require.Contains(t, w.Warnings.Error(), "schemas.yaml:19:1: schema acme-prospects: _luma.prospect.postalCode, _luma.prospect.state carry no label, so no policy protects what is in there")
	county := edit{"schemas.yaml", "  - path: _luma", "  - {path: _luma.prospect.county, type: string}\n  - path: _luma"}
	require.Empty(t, accepted(t, county).Warnings)
	w = accepted(t, county, edit{"schemas.yaml", labelAll, "labels: {fields: {partner: [C2], _luma.prospect.state: [C2], _luma.prospect.postalCode: [C2]}}"})
	require.Contains(t, w.Warnings.Error(), "_luma.prospect.county carries no label")
}

// SC-28: a field that is left out is left out of one schema; a new field of a group is in each that uses it.
func TestFieldsOfSharedGroups(t *testing.T) {
	w := accepted(t, edit{"second.yaml", "", strings.Replace(second, "Sample)]", "Sample), Luma Prospect Location]\nexclude: [partner.hiking, _luma.prospect.postalCode]", 1)},
		edit{"schemas.yaml", "  - path: _luma", "  - {path: _luma.prospect.county, type: string}\n  - path: _luma"})
	first, other := w.Schemas[0], w.Schemas[2]
	for _, c := range []struct {
		path           string
		inFirst, other bool
	}{{"partner.hiking", true, false}, {"_luma.prospect.postalCode", true, false}, {"_luma.prospect.county", true, true}, {"partner.tennis", true, true}} {
		_, ok := first.Composed.Field(c.path)
		require.Equal(t, c.inFirst, ok, c.path)
		_, ok = other.Composed.Field(c.path)
		require.Equal(t, c.other, ok, c.path)
	}
}

// SC-34: the union holds each path of the schemas that are enabled for Profile once, and who has it.
func TestUnion(t *testing.T) {
	w := accepted(t, edit{"second.yaml", "", second})
	paths := map[string][]string{}
	for _, f := range w.Union() {
		require.NotContains(t, paths, f.Path)
		paths[f.Path] = f.Schemas
	}
	require.Len(t, paths, 8+28+2+12)
	require.Equal(t, []string{"acme-prospects", "merk-prospects"}, paths["partnerID"])
	require.Equal(t, []string{"acme-prospects"}, paths["partner.hiking"], "acme-second is not enabled")
	require.Equal(t, []string{"merk-prospects"}, paths["merkle.demographics.age.age"])
}

// DS-21: more than twenty datasets of a class are a warning.
func TestManyDatasets(t *testing.T) {
	many := func(n int) *Workspace {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "---\nkind: Dataset\nname: d%d\nschema: acme-prospects\n", i)
		}
		return accepted(t, edit{"z.yaml", "", text.String()})
	}
	require.Empty(t, many(18).Warnings)
	require.Contains(t, many(19).Warnings.Error(), "21 datasets; more than 20 on one class are not recommended")
}

const interestsJSON = `{"$id": "https://ns.adobe.com/luma/mixins/1", "title": "Luma Interests", "meta:intendedToExtend": ["https://ns.adobe.com/xdm/context/prospect-profile"],
"allOf": [{"$ref": "#/definitions/own"}], "definitions": {"own": {"properties": {"_luma": {"type": "object", "properties": {
"interest": {"type": "string", "enum": ["golf", "yoga"]}, "home": {"$ref": "https://ns.adobe.com/luma/datatypes/place"}}}}}}}`

const homePlace = `[{"$id": "https://ns.adobe.com/luma/datatypes/place", "title": "Place", "properties": {"zip": {"type": "string"}}}]`

// AS-16: an audience's rule may be written in PQL; its fields are known as those of SQL are.
func TestRuleInPQL(t *testing.T) {
	rule := "(partner.hiking = 'Y' OR partner.bicycling = 'Y')\n  AND partner.ageRangeInHousehold IN ('25-34', '35-44', '45-54')"
	plain := accepted(t)
	w := accepted(t, edit{"audiences.yaml", rule, "(partner.hiking = \"Y\" or partner.bicycling = \"Y\")\n  and partner.ageRangeInHousehold in [\"25-34\", \"35-44\", \"45-54\"]\nnotation: pql"})
	require.True(t, w.Audiences[0].Parsed.Same(plain.Audiences[0].Parsed))
	require.Equal(t, []string{"partner.ageRangeInHousehold", "partner.bicycling", "partner.hiking"}, w.Audiences[0].Parsed.Columns)
}

// A field group and its data type drop in as JSON: schemas, mappings and rules use it.
func TestFieldGroupsInJSON(t *testing.T) {
	for _, name := range []string{"Luma Interests", "https://ns.adobe.com/luma/mixins/1"} {
		w := accepted(t, edit{"xdm/interests.json", "", interestsJSON}, edit{"xdm/types/place.json", "", homePlace},
			edit{"schemas.yaml", acme, strings.Replace(acme, "]", `, "`+name+`"]`, 1)},
			edit{"sources.yaml", "zip: _luma.prospect.postalCode", "zip: _luma.home.zip"},
			edit{"audiences.yaml", "partner.sailing = 'Y'", "_luma.interest = 'golf'"})
		f, ok := w.Schemas[0].Composed.Field("_luma.interest")
		require.True(t, ok)
		require.Equal(t, []string{"golf", "yoga"}, f.Enum)
	}
}

// The public registry's files drop in unchanged, and a schema may use what they define.
// PROSPECTOR_XDM_REGISTRY names a folder with its JSON files.
func TestPublicRegistryDropsIn(t *testing.T) {
	folder := os.Getenv("PROSPECTOR_XDM_REGISTRY")
	if folder == "" {
		if os.Getenv("PROSPECTOR_REQUIRE_TOOLS") != "" {
			t.Fatal("PROSPECTOR_XDM_REGISTRY is not set")
		}
		t.Skip("PROSPECTOR_XDM_REGISTRY is not set: no copy of the public registry to load")
	}
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(sample)))
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), data, 0o600))
	}
	w, err := Load(dir)
	require.NoError(t, err)
	for _, g := range xdm.BuiltInGroups() {
		text := "kind: Schema\nname: more\nclass: XDM Individual Prospect Profile\nfieldGroups: [\"" + g.ID + "\"]\n"
		w.Files["more.yaml"] = text
		more, err := Parse(w.Files)
		require.NoError(t, err)
		schema, ok := find(more.Schemas, "more")
		require.True(t, ok)
		require.Len(t, schema.Composed.Fields, 8+len(g.Fields))
	}
}

// What is no workspace at all is said of the folder.
func TestNoFolder(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "absent"))
	require.ErrorContains(t, err, "name the folder that holds prospector.yaml")
	_, err = Load("scenarios_test.go")
	require.ErrorContains(t, err, "scenarios_test.go is not a folder")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data.json"), make([]byte, MaxBytes+1), 0o600))
	_, err = Load(dir)
	require.ErrorContains(t, err, "keep data out of the workspace's folder")
}
