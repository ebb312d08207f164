package workspace

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"prospector/internal/yamldoc"
)

// SchemaJSON is the JSON Schema of a workspace's documents, generated from this package's types. Editors
// that know it complete and check what people type; check judges by it too.
//
//go:embed workspace.schema.json
var SchemaJSON []byte

const schemaURL = "workspace.schema.json"

// shapes holds the compiled schema of each kind.
var shapes = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(SchemaJSON))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(schemaURL, document); err != nil {
		return nil, err
	}
	out := map[string]*jsonschema.Schema{}
	for _, kind := range Kinds {
		if out[kind], err = compiler.Compile(schemaURL + "#/$defs/" + kind); err != nil {
			return nil, err
		}
	}
	return out, nil
})

// judge holds a document against the shape of its kind: keys, types, and what each value may be.
func (l *loader) judge(d yamldoc.Document) (kind string, ok bool) {
	say := func(at yamldoc.Position, object, message, hint string) {
		l.problems = append(l.problems, Problem{Position: at, Object: object, Message: message, Hint: hint})
	}
	value, err := d.Declared()
	var syntax *yamldoc.SyntaxError
	if errors.As(err, &syntax) {
		say(syntax.Position, "", syntax.Message, "")
		return "", false
	}
	object, isMapping := value.(map[string]any)
	if !isMapping {
		say(d.At(), "", "the document is not an object", "write keys and values, kind first")
		return "", false
	}
	kind, isText := object["kind"].(string)
	switch {
	case object["kind"] == nil:
		say(d.At(), "", "the document has no kind", "add one of "+strings.Join(Kinds, ", "))
		return "", false
	case !isText || !slices.Contains(Kinds, kind):
		say(d.At("kind"), "", fmt.Sprintf("unknown kind %q", fmt.Sprint(object["kind"])), didYouMean(kind, Kinds))
		return "", false
	}
	all, err := shapes()
	if err != nil {
		panic(err) // embedded: every test finds it
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(all[kind].Validate(value), &invalid) {
		return kind, true
	}
	name, _ := object["name"].(string)
	if symbol, ok := object["symbol"].(string); ok {
		name = symbol
	}
	for _, leaf := range leaves(invalid) {
		for _, p := range shapeProblems(d, leaf) {
			say(p.Position, strings.TrimSpace(spoken(kind)+" "+name), p.Message, p.Hint)
		}
	}
	return kind, false
}

// leaves are the errors behind an error.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var out []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		out = append(out, leaves(cause)...)
	}
	return out
}

// Patterns of the schema and what to do where they do not match.
var patternHints = map[string]string{
	`^[A-Za-z0-9][A-Za-z0-9_-]*$`: "use letters, digits, _ and -, the first a letter or a digit",
	SecretPattern:                 "write ${env:NAME} or ${file:/path}; a secret never stands in a workspace",
}

// shapeProblems says in our words what the validator found.
func shapeProblems(d yamldoc.Document, e *jsonschema.ValidationError) []Problem {
	path := e.InstanceLocation
	at, key := d.At(path...), strings.Join(path, ".")
	one := func(hint, format string, args ...any) []Problem {
		return []Problem{{Position: at, Message: fmt.Sprintf(format, args...), Hint: hint}}
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		var out []Problem
		for _, name := range k.Properties {
			out = append(out, Problem{Position: d.KeyAt(append(slices.Clone(path), name)...), Message: fmt.Sprintf("unknown key %q", name),
				Hint: didYouMean(name, knownKeys(e.SchemaURL))})
		}
		return out
	case *kind.Required:
		var out []Problem
		for _, name := range k.Missing {
			where := ""
			if key != "" {
				where = " in " + key
			}
			out = append(out, Problem{Position: at, Message: fmt.Sprintf("the key %q is missing%s", name, where), Hint: description(e.SchemaURL, name)})
		}
		return out
	case *kind.Type:
		hint := ""
		if slices.Contains(k.Want, "string") && k.Got != "object" && k.Got != "array" && k.Got != "null" {
			hint = "put it into quotes"
		}
		return one(hint, "%s is %s, it must be %s", key, typeText(k.Got), typeText(k.Want...))
	case *kind.Enum:
		want := make([]string, len(k.Want))
		for i, w := range k.Want {
			want[i] = fmt.Sprint(w)
		}
		return one(didYouMean(fmt.Sprint(k.Got), want), "%s cannot be %q", key, fmt.Sprint(k.Got))
	case *kind.Pattern:
		if k.Want == SecretPattern { // the value may be a secret
			return one(patternHints[k.Want], "%s must be a reference", key)
		}
		return one(patternHints[k.Want], "%s %q is not allowed", key, k.Got)
	case *kind.MinLength, *kind.MinItems, *kind.MinProperties:
		return one("", "%s is empty", key)
	case *kind.MaxLength:
		return one("", "%s has %d characters, there may be %d", key, k.Got, k.Want)
	case *kind.Minimum:
		want, _ := k.Want.Float64()
		return one("", "%s must be %g or more", key, want)
	case *kind.Maximum:
		want, _ := k.Want.Float64()
		return one("", "%s must be %g or less", key, want)
	}
	return one("", "%s: %v", key, e)
}

var typeTexts = map[string]string{"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "object": "keys and values",
	"array": "a list", "null": "empty"}

func typeText(types ...string) string {
	texts := make([]string, len(types))
	for i, t := range types {
		texts[i] = typeTexts[t]
	}
	return strings.Join(texts, " or ")
}

// definition is the part of the JSON Schema to which the URL of an error points.
func definition(url string) map[string]any {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(SchemaJSON))
	if err != nil {
		return nil
	}
	_, pointer, _ := strings.Cut(url, "#")
	for _, step := range strings.Split(strings.Trim(pointer, "/"), "/") {
		object, ok := document.(map[string]any)
		if !ok {
			return nil
		}
		document = object[step]
	}
	out, _ := document.(map[string]any)
	return out
}

func knownKeys(url string) []string {
	properties, _ := definition(url)["properties"].(map[string]any)
	return sortedKeys(properties)
}

// description says what a key is for.
func description(url, key string) string {
	properties, _ := definition(url)["properties"].(map[string]any)
	property, _ := properties[key].(map[string]any)
	text, _ := property["description"].(string)
	if text == "" {
		return ""
	}
	return key + ": " + strings.TrimSuffix(text, ".")
}
