package workspace

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"prospector/internal/xdm"
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
		l.problems = append(l.problems, syntaxProblem(syntax))
		l.nameless = true
		return "", false
	}
	object, isMapping := value.(map[string]any)
	kind, isText := object["kind"].(string)
	switch {
	case !isMapping:
		say(d.At(), "", "the document has no keys", "write each object as KEY: VALUE lines, kind first, and a line --- between two objects")
	case object["kind"] == nil:
		say(d.At(), "", "the document has no kind", "add kind: with one of "+strings.Join(Kinds, ", ")+elsewhere(""))
	case !isText || !slices.Contains(Kinds, kind):
		say(d.At("kind"), "", fmt.Sprintf("there is no kind %q", fmt.Sprint(object["kind"])), didYouMean(kind, Kinds)+elsewhere(kind))
	}
	if !isText || !slices.Contains(Kinds, kind) {
		l.nameless = true
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
	name, _ := object[nameKey(kind)].(string)
	title := name
	if title == "" {
		title, _ = object["name"].(string)
	}
	for _, leaf := range leaves(invalid) {
		for _, p := range shapeProblems(d, kind, value, leaf) {
			say(p.Position, strings.TrimSpace(spoken(kind)+" "+title), p.Message, p.Hint)
		}
		if slices.Equal(leaf.InstanceLocation, []string{nameKey(kind)}) {
			name = anyName // others write another
		}
	}
	l.cannotRead(kind, name)
	return kind, false
}

// elsewhere is said of a kind that resembles none of ours.
func elsewhere(kind string) string {
	if xdm.Nearest(kind, Kinds) != "" {
		return ""
	}
	return "; keep files of other programs elsewhere"
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
	`^[A-Za-z0-9][A-Za-z0-9_-]*$`:  "use letters, digits, _ and -, the first a letter or a digit",
	`^[A-Za-z0-9][A-Za-z0-9 _-]*$`: "use letters, digits, spaces, _ and -, the first a letter or a digit",
	`^[1-9][0-9]?[0-9]?$`:          "write the calling code of a country, 1 to 3 digits",
	SecretPattern:                  "write ${env:NAME} or ${file:/path}; a secret never stands in a workspace",
}

// somethingPattern is the form of texts that must not be blank.
const somethingPattern = `\S`

// Keys that people expect and that are elsewhere.
var keyHints = map[string]string{
	"Audience evaluation":       "audiences of prospects are evaluated in batch, on a schedule, after a load or on demand", // AU-3
	"Audience evaluationMethod": "audiences of prospects are evaluated in batch, on a schedule, after a load or on demand",
	"Audience labels":           "label the fields in a schema or a dataset, audiences inherit what they use", // LB-13
	"Source labels":             "label the dataset, or the fields in its schema",
	"Activation schedule":       "start ActivateAudiences, or EvaluateAudiences with activate",
	"Activation export":         "leave it out: prospects leave in full files, all members in each delivery", // DE-6, AS-24
	"Schema namespace":          "write primaryIdentity: {field: partnerID, namespace: …}",
}

// shapeProblems says in our words what the validator found.
func shapeProblems(d yamldoc.Document, objectKind string, value any, e *jsonschema.ValidationError) []Problem {
	path := e.InstanceLocation
	at, key := d.At(path...), spokenPath(value, path)
	one := func(hint, format string, args ...any) []Problem {
		return []Problem{{Position: at, Message: fmt.Sprintf(format, args...), Hint: hint}}
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		var out []Problem
		for _, name := range k.Properties {
			hint := keyHints[objectKind+" "+name]
			if hint == "" || len(path) > 0 {
				hint = didYouMean(name, knownKeys(e.SchemaURL))
			}
			out = append(out, Problem{Position: d.KeyAt(append(slices.Clone(path), name)...), Message: fmt.Sprintf("unknown key %q%s", name, within(key)), Hint: hint})
		}
		return out
	case *kind.Required:
		var out []Problem
		for _, name := range k.Missing {
			out = append(out, Problem{Position: at, Message: fmt.Sprintf("the key %q is missing%s", name, within(key)), Hint: "add it: " + description(e.SchemaURL, name)})
		}
		return out
	case *kind.Type:
		return one(typeHint(e.SchemaURL, k.Got, k.Want), "%s %s, it must be %s", key, typeVerbs[k.Got], typeText(k.Want...))
	case *kind.Enum:
		want := make([]string, len(k.Want))
		for i, w := range k.Want {
			want[i] = fmt.Sprint(w)
		}
		return one(didYouMean(fmt.Sprint(k.Got), want), "%s cannot be %q", key, fmt.Sprint(k.Got))
	case *kind.Pattern:
		if k.Want == SecretPattern { // the value may be a secret
			return one(patternHints[k.Want], "%s must be a reference and nothing else", key)
		}
		if k.Want == somethingPattern {
			return one("write a text", "%s is empty", key)
		}
		return one(patternHints[k.Want], "%s cannot be %q", key, k.Got)
	case *kind.InvalidJsonValue:
		return one("write digits", "%s is not a number that can be used", key)
	case *kind.MinItems, *kind.MinProperties:
		return one("write at least one", "%s is empty", key)
	case *kind.MinLength:
		return one("write a text", "%s is empty", key)
	case *kind.MaxLength:
		return one("shorten it", "%s has %d characters, there may be %d", key, k.Got, k.Want)
	case *kind.Minimum:
		want, _ := k.Want.Float64()
		return one("raise it", "%s must be %v or more", key, want)
	case *kind.Maximum:
		want, _ := k.Want.Float64()
		return one("lower it", "%s must be %.0f or less", key, want)
	}
	return one("write another value", "%s cannot be used as it is", key)
}

func within(key string) string {
	if key == "" {
		return ""
	}
	return " in " + key
}

// spokenPath names a value as people do: items of lists count from 1.
func spokenPath(value any, path []string) string {
	out, keys := "", ""
	for _, step := range path {
		switch v := value.(type) {
		case []any:
			i, _ := strconv.Atoi(step)
			out, keys = fmt.Sprintf("item %d of %s", i+1, joinPath(keys, out)), ""
			value = v[i]
		case map[string]any:
			keys = strings.TrimPrefix(keys+"."+step, ".")
			value = v[step]
		}
	}
	return joinPath(keys, out)
}

func joinPath(keys, of string) string {
	if keys == "" || of == "" {
		return keys + of
	}
	return keys + " in " + of
}

var (
	typeTexts = map[string]string{"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "object": "keys with values",
		"array": "a list", "null": "empty"}
	typeVerbs = map[string]string{"string": "is a text", "integer": "is a number", "number": "is a number", "boolean": "is true or false", "object": "has keys",
		"array": "is a list", "null": "has no value"}
)

func typeText(types ...string) string {
	texts := make([]string, len(types))
	for i, t := range types {
		texts[i] = typeTexts[t]
	}
	return strings.Join(texts, " or ")
}

// typeHint says how to write a value of another type.
func typeHint(url, got string, want []string) string {
	pointer := strings.TrimSuffix(url, "/type")
	scalar := got == "integer" || got == "number" || got == "boolean" || got == "string"
	switch want[0] {
	case "string":
		if hint := patternHints[SecretPattern]; definition(pointer)["pattern"] == SecretPattern {
			return hint
		}
		values, _ := definition(pointer)["enum"].([]any)
		if scalar || got == "null" && slices.Contains(values, any(got)) {
			return "put it into quotes"
		}
		return "write a text"
	case "boolean":
		return "write true or false, without quotes"
	case "integer":
		return "write digits and nothing else"
	case "number":
		return "write digits, and a point if need be"
	case "array":
		if scalar {
			return "put brackets around it: […]"
		}
		return "write a list in brackets: […]"
	}
	if strings.HasSuffix(pointer, "/Expression") {
		return "write {label: …}"
	}
	keys := requiredKeys(pointer)
	if len(keys) == 0 {
		keys = knownKeys(pointer)
	}
	if len(keys) == 0 {
		return "write KEY: VALUE lines below it"
	}
	return "write {" + strings.Join(keys, ": …, ") + ": …}"
}

// What the parser says in its own words, and what people make of it.
var syntaxWords = []struct{ parser, message, hint string }{
	{"found character '\t'", "a tab stands where a line begins", "indent with spaces"},
	{"double-quoted text", "a text in quotes has no end", "close it with \""},
	{"single-quoted text", "a text in quotes has no end", "close it with '"},
	{"']'", "a list in brackets has no end or lacks a comma, here or in the lines before", "close it with ]"},
	{"'}'", "keys in braces have no end or lack a comma, here or in the lines before", "close them with }"},
	{"flow map content", "keys in braces have no end", "close them with }"},
	{"mapping value is not allowed", "a colon or the indentation is out of place, here or in the next line", "put a text with a colon in it into quotes, and indent the keys of one object alike"},
	{"key-value is pre-defined", "text stands behind a value", "put the whole text into quotes"},
	{"value is not allowed in this context", "the indentation is out of place, or text stands behind a closing brace", "indent the keys of one object alike, and put a text with braces in it into quotes"},
	{"invalid header option", "a value begins with > or |", "put the text into quotes"},
	{"reserved character", "a value begins with a character that YAML keeps for itself", "put the text into quotes"},
	{"directive", "a value begins with %", "put the text into quotes"},
	{"block sequence entries", "a list begins behind a key", "begin it in a line of its own, or write it in brackets"},
	{"unexpected map key", "the indentation is out of place, or text stands behind a closing brace", "indent the keys of one object alike, and put a text with braces in it into quotes"},
	{"non-map value", "a line has no colon behind its key", "write KEY: VALUE, the colon and a space behind the key"},
	{"could not find alias", "", "define it further up with &NAME, or put the text into quotes"},
}

var keyTwice = regexp.MustCompile(`^mapping key "(.*)" already defined in line (\d+)$`)

// syntaxProblem says in our words what the parser found.
func syntaxProblem(e *yamldoc.SyntaxError) Problem {
	out := Problem{Position: e.Position, Message: e.Message, Hint: "look at this line and at the one before: it is no YAML"}
	if twice := keyTwice.FindStringSubmatch(e.Message); twice != nil {
		out.Message, out.Hint = fmt.Sprintf("the key %q is written twice, first in line %s", twice[1], twice[2]), "leave one of them out"
		if twice[1] == "kind" {
			out.Hint = "put a line --- between two objects"
		}
		return out
	}
	for _, w := range syntaxWords {
		if strings.Contains(e.Message, w.parser) {
			if out.Hint = w.hint; w.message != "" {
				out.Message = w.message
			}
			break
		}
	}
	return out
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

func requiredKeys(url string) []string {
	required, _ := definition(url)["required"].([]any)
	out := make([]string, len(required))
	for i, key := range required {
		out[i] = fmt.Sprint(key)
	}
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
	first, rest, _ := strings.Cut(strings.TrimSuffix(text, "."), " ")
	if strings.EqualFold(first, key) {
		first = key
	}
	return strings.TrimSpace(first + " " + rest)
}
