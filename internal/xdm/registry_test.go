package xdm

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// typed is what must be equal between a built-in field and the registry's.
func typed(fields []Field) map[string]string {
	out := map[string]string{}
	for _, f := range fields {
		out[f.Path] = f.TypeText()
	}
	return out
}

// SC-8 to SC-17, SC-21 to SC-23: what we built in is what the public registry publishes, path by path.
// PROSPECTOR_XDM_REGISTRY names a folder with its JSON files, as they are published.
func TestBuiltInGroupsEqualThePublicRegistry(t *testing.T) {
	folder := os.Getenv("PROSPECTOR_XDM_REGISTRY")
	if folder == "" {
		if os.Getenv("PROSPECTOR_REQUIRE_TOOLS") != "" {
			t.Fatal("PROSPECTOR_XDM_REGISTRY is not set")
		}
		t.Skip("PROSPECTOR_XDM_REGISTRY is not set: no copy of the public registry to compare with")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	require.NoError(t, err)
	registry := Registry{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		documents, err := ReadDocuments(data)
		require.NoError(t, err, file)
		for _, d := range documents {
			registry[d.ID] = d
		}
	}
	for _, ours := range append(BuiltInGroups(), ProspectClass()) {
		published, err := registry.Group(ours.ID)
		require.NoError(t, err)
		require.Equal(t, typed(published.Fields), typed(ours.Fields), ours.Title)
		require.Equal(t, squeezed(published.Title), squeezed(ours.Title))
		require.Equal(t, ours.ID != ProspectClassID, registry[ours.ID].ExtendsProspects())
	}
}

const exported = `[{"id": "mixins/1", "resourceType": "mixins", "body": {
  "$id": "https://ns.adobe.com/luma/mixins/1", "title": "Luma Interests", "meta:intendedToExtend": ["https://ns.adobe.com/xdm/context/prospect-profile"],
  "definitions": {"customFields": {"type": "object", "properties": {"_luma": {"type": "object", "required": ["segment"], "properties": {
    "segment": {"type": "string", "enum": ["a", "b"], "title": "Segment", "default": "a"},
    "score": {"type": "number", "minimum": 0, "maximum": 1, "meta:xdmType": "double"},
    "seen": {"type": "string", "format": "date-time"},
    "mail": {"type": "string", "format": "email", "meta:enum": {"x": "X"}},
    "topics": {"type": "array", "items": {"type": "string", "enum": ["a"], "maxLength": 9}, "default": ["a"]},
    "counts": {"type": "object", "meta:xdmType": "map", "additionalProperties": {"type": "integer", "minimum": 1}},
    "home": {"$ref": "https://ns.adobe.com/luma/datatypes/place"}}}}}},
  "allOf": [{"$ref": "#/definitions/customFields"}]}},
 {"$id": "https://ns.adobe.com/luma/datatypes/place", "title": "Place", "properties": {"zip": {"type": "string", "pattern": "[0-9]{5}"}}}]`

// A field group that a user has made in a registry drops in: enums, ranges, arrays, maps and data types.
func TestExportedFieldGroup(t *testing.T) {
	documents, err := ReadDocuments([]byte(exported))
	require.NoError(t, err)
	registry := Registry{}
	for _, d := range documents {
		registry[d.ID] = d
	}
	group, err := registry.Group("https://ns.adobe.com/luma/mixins/1")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"_luma.segment": "string", "_luma.score": "number", "_luma.seen": "date-time", "_luma.mail": "string",
		"_luma.topics": "array of string", "_luma.counts": "map of integer", "_luma.home.zip": "string"}, typed(group.Fields))
	schema, err := Compose("x", []Group{group})
	require.NoError(t, err)
	segment, _ := schema.Field("_luma.segment")
	require.True(t, segment.Required)
	require.Equal(t, []string{"a", "b"}, segment.Enum)
	require.Equal(t, "a", *segment.Default)
	topics, _ := schema.Field("_luma.topics") // SC-32: what is asked of elements
	require.Equal(t, []any{[]string{"a"}, 9, (*string)(nil)}, []any{topics.Enum, topics.MaxLength, topics.Default})
	counts, _ := schema.Field("_luma.counts")
	require.InDelta(t, 1, *counts.Minimum, 0)
	mail, _ := schema.Field("_luma.mail")
	require.Equal(t, Email, mail.Format)
	require.Equal(t, []string{"x"}, mail.Suggested)

	delete(registry, "https://ns.adobe.com/luma/datatypes/place")
	_, err = registry.Group("https://ns.adobe.com/luma/mixins/1")
	require.ErrorContains(t, err, "https://ns.adobe.com/luma/datatypes/place, which is not there")
}

func TestNoResource(t *testing.T) {
	for text, want := range map[string]string{`{"a": 1}`: "no $id", `{`: "unexpected end", `[1]`: "cannot unmarshal"} {
		_, err := ReadDocuments([]byte(text))
		require.ErrorContains(t, err, want)
	}
}

// A field cannot be a value and an object at once, nor of two types.
func TestComposeRefusesConflicts(t *testing.T) {
	a := Group{Title: "A", Fields: []Field{{Path: "_luma.x", Type: String}}}
	for _, b := range []Field{{Path: "_luma.x", Type: Integer}, {Path: "_luma.x", Type: String, Container: Array}, {Path: "_luma.x.y", Type: String}} {
		_, err := Compose("s", []Group{a, {Title: "B", Fields: []Field{b}}})
		require.ErrorContains(t, err, "_luma.x")
	}
}
