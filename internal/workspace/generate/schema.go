package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"prospector/internal/governance"
	"prospector/internal/identity"
	"prospector/internal/mapping"
	"prospector/internal/workspace"
	"prospector/internal/xdm"
)

// kinds are the Go types of a workspace's objects.
var kinds = map[string]any{"Sandbox": workspace.Sandbox{}, "Namespace": workspace.Namespace{}, "Label": workspace.Label{}, "FieldGroup": workspace.FieldGroup{},
	"Schema": workspace.Schema{}, "Dataset": workspace.Dataset{}, "MarketingAction": workspace.MarketingAction{}, "Policy": workspace.Policy{}, "Source": workspace.Source{},
	"Audience": workspace.Audience{}, "Destination": workspace.Destination{}, "Contract": workspace.Contract{}, "ConsentPolicy": workspace.ConsentPolicy{}, "SuppressionList": workspace.SuppressionList{}, "Activation": workspace.Activation{}}

// stepName is the definition of a step.
var stepName = reflect.TypeFor[mapping.Step]().Name()

// schema builds the JSON Schema of all kinds: a document's kind says which definition holds. It keeps to
// draft 7, which every editor knows.
// It must run in the repository's folder: descriptions are the types' comments.
func schema() ([]byte, error) {
	reflector := jsonschema.Reflector{FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, Anonymous: true, Mapper: mapped}
	for _, room := range []string{"internal/workspace", "internal/governance", "internal/mapping"} {
		if err := reflector.AddGoComments("prospector", "./"+room, jsonschema.WithFullComment()); err != nil {
			return nil, fmt.Errorf("read comments of %s: %w", room, err)
		}
	}
	definitions := map[string]*jsonschema.Schema{}
	var branches []any
	for _, kind := range workspace.Kinds {
		reflected := reflector.Reflect(kinds[kind])
		for name, definition := range reflected.Definitions {
			definition.Description = oneLine(definition.Description)
			for pair := definition.Properties.Oldest(); pair != nil; pair = pair.Next() {
				pair.Value.Description = oneLine(pair.Value.Description)
			}
			definitions[name] = definition
		}
		if step := definitions[stepName]; step != nil {
			// It may be a word, too, and have one key only: what is wrong with that, mapping says better than a choice of schemas.
			step.Type, step.AdditionalProperties = "", nil
		}
		object := definitions[kind]
		object.Properties.Set("kind", &jsonschema.Schema{Const: kind, Description: "Kind of the object."})
		if err := object.Properties.MoveToFront("kind"); err != nil {
			return nil, err
		}
		object.Required = append([]string{"kind"}, object.Required...)
		branches = append(branches, map[string]any{
			"if":   map[string]any{"properties": map[string]any{"kind": map[string]any{"const": kind}}, "required": []string{"kind"}},
			"then": map[string]any{"$ref": "#/$defs/" + kind},
		})
	}
	return json.MarshalIndent(map[string]any{
		"$schema": "http://json-schema.org/draft-07/schema#", "title": "Prospector workspace",
		"description": "One document of a Prospector workspace.",
		"type":        "object", "required": []string{"kind"},
		"properties": map[string]any{"kind": map[string]any{"enum": workspace.Kinds, "description": "Kind of the object."}},
		"allOf":      branches, "$defs": definitions,
	}, "", " ")
}

// mapped are the types that are more than Go's types say.
func mapped(t reflect.Type) *jsonschema.Schema {
	texts := func(values ...string) *jsonschema.Schema {
		out := &jsonschema.Schema{Type: "string"}
		for _, v := range values {
			out.Enum = append(out.Enum, v)
		}
		return out
	}
	switch t {
	case reflect.TypeFor[identity.Type]():
		return texts(asTexts(identity.Types)...)
	case reflect.TypeFor[xdm.Type]():
		return texts(asTexts(xdm.Types)...)
	case reflect.TypeFor[xdm.Container]():
		return texts(string(xdm.Array), string(xdm.Map))
	case reflect.TypeFor[governance.Status]():
		return texts(string(governance.Draft), string(governance.Enabled), string(governance.Disabled))
	case reflect.TypeFor[workspace.Secret]():
		return &jsonschema.Schema{Type: "string", Pattern: workspace.SecretPattern}
	}
	return nil
}

func asTexts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
