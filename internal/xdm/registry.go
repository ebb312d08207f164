package xdm

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Document is one resource of an XDM schema registry, as the public registry and a user's own export
// write it: a class, a field group (mixin), a data type or a schema.
type Document struct {
	ID          string              `json:"$id"`
	Title       string              `json:"title"`
	Description string              `json:"description"`
	Class       string              `json:"meta:class"`
	Extends     []string            `json:"meta:extends"`
	Intended    []string            `json:"meta:intendedToExtend"`
	Definitions map[string]property `json:"definitions"`
	property
}

type property struct {
	Ref        string              `json:"$ref"`
	Type       string              `json:"type"`
	XDMType    string              `json:"meta:xdmType"`
	Format     string              `json:"format"`
	Title      string              `json:"title"`
	Properties map[string]property `json:"properties"`
	Required   []string            `json:"required"`
	Items      *property           `json:"items"`
	Additional *additional         `json:"additionalProperties"`
	AllOf      []property          `json:"allOf"`
	Enum       []any               `json:"enum"`
	Suggested  map[string]string   `json:"meta:enum"`
	Pattern    string              `json:"pattern"`
	MinLength  int                 `json:"minLength"`
	MaxLength  int                 `json:"maxLength"`
	Minimum    *float64            `json:"minimum"`
	Maximum    *float64            `json:"maximum"`
	Default    any                 `json:"default"`
}

// additional is a schema, or true or false, which say nothing about a map's values.
type additional struct{ property }

func (a *additional) UnmarshalJSON(data []byte) error {
	if text := string(data); text == "true" || text == "false" {
		return nil
	}
	return json.Unmarshal(data, &a.property)
}

// ReadDocuments reads one registry resource or a list of them, also one whose resources are wrapped as
// an export writes them.
func ReadDocuments(data []byte) ([]Document, error) {
	raws := []json.RawMessage{data}
	if strings.HasPrefix(strings.TrimSpace(string(data)), "[") {
		if err := json.Unmarshal(data, &raws); err != nil {
			return nil, err
		}
	}
	var out []Document
	for _, raw := range raws {
		var wrapped struct {
			Body json.RawMessage `json:"body"`
		}
		if err := json.Unmarshal(raw, &wrapped); err == nil && len(wrapped.Body) > 0 {
			raw = wrapped.Body
		}
		var d Document
		if err := json.Unmarshal(raw, &d); err != nil {
			return nil, err
		}
		if d.ID == "" || d.Title == "" {
			return nil, errors.New("this JSON is no XDM resource: it has no $id or no title")
		}
		out = append(out, d)
	}
	return out, nil
}

// Registry resolves the references among XDM resources. The public registry's resources that prospects
// need are known without files.
type Registry map[string]Document

// Resources of the public registry that are known by name: they add nothing to a record.
const (
	recordBehaviour     = "https://ns.adobe.com/xdm/data/record"
	timeSeriesBehaviour = "https://ns.adobe.com/xdm/data/time-series"
	auditTrail          = "https://ns.adobe.com/xdm/common/auditable"
)

// ExtendsProspects reports whether the resource is a field group for the prospect class.
func (d Document) ExtendsProspects() bool { return slices.Contains(d.Intended, ProspectClassID) }

// IsSchema reports whether the resource composes a class and field groups.
func (d Document) IsSchema() bool { return d.Class != "" }

// TimeSeries reports whether records of the resource are events, which prospects have none of (SC-35).
func (d Document) TimeSeries() bool { return slices.Contains(d.Extends, timeSeriesBehaviour) }

// Composes lists the class and the field groups that a schema resource is made of.
func (d Document) Composes() []string {
	var out []string
	for _, part := range d.AllOf {
		if part.Ref != "" && !strings.HasPrefix(part.Ref, "#") {
			out = append(out, part.Ref)
		}
	}
	return out
}

// Group returns the leaf fields of a class or field group, in path order.
func (r Registry) Group(id string) (Group, error) {
	d, ok := r[id]
	if !ok {
		return Group{}, fmt.Errorf("the resource %s is not there; export it from your registry into the workspace", id)
	}
	w := flattening{registry: r, document: d}
	if err := w.property("", d.property, false); err != nil {
		return Group{}, fmt.Errorf("%s: %w", d.Title, err)
	}
	slices.SortFunc(w.fields, func(a, b Field) int { return strings.Compare(a.Path, b.Path) })
	return Group{ID: d.ID, Title: d.Title, Fields: w.fields}, nil
}

// flattening walks a resource down to its leaves.
type flattening struct {
	registry Registry
	document Document
	fields   []Field
	depth    int
}

const maxDepth = 64 // a resource that refers to itself ends here

func (w *flattening) property(path string, p property, required bool) error {
	w.depth++
	defer func() { w.depth-- }()
	if w.depth > maxDepth {
		return fmt.Errorf("%s is nested without end", orRoot(path))
	}
	if p.Ref != "" {
		if err := w.reference(path, p.Ref, required); err != nil {
			return err
		}
	}
	for _, part := range p.AllOf {
		if err := w.property(path, part, required); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		err := w.property(joined(path, leafName(name)), p.Properties[name], slices.Contains(p.Required, name))
		if err != nil {
			return err
		}
	}
	if path == "" || len(p.Properties) > 0 || p.Ref != "" || len(p.AllOf) > 0 {
		return nil
	}
	return w.leaf(path, p, required)
}

func (w *flattening) reference(path, ref string, required bool) error {
	if name, ok := strings.CutPrefix(ref, "#/definitions/"); ok {
		definition, ok := w.document.Definitions[name]
		if !ok {
			return fmt.Errorf("the definition %s is not there", name)
		}
		return w.property(path, definition, required)
	}
	if other, ok := w.registry[ref]; ok {
		inner := flattening{registry: w.registry, document: other, depth: w.depth}
		err := inner.property(path, other.property, required)
		w.fields = append(w.fields, inner.fields...)
		return err
	}
	fields, ok := publicPart(ref)
	if !ok {
		return fmt.Errorf("%s refers to %s, which is not there; export it from your registry into the workspace", orRoot(path), ref)
	}
	w.fields = append(w.fields, fields...)
	return nil
}

// publicPart returns the fields of a resource that every registry has and no export holds.
func publicPart(ref string) ([]Field, bool) {
	isPart := func(string) bool { return false }
	switch {
	case ref == ProspectClassID:
		isPart = func(string) bool { return true }
	case ref == recordBehaviour:
		isPart = func(path string) bool { return path == "_id" }
	case strings.HasSuffix(ref, "#/definitions/date-properties"):
		isPart = func(path string) bool { return strings.HasPrefix(path, "_repo.") }
	case ref == auditTrail:
		isPart = func(path string) bool { return path != "_id" && path != PartnerID }
	case strings.HasPrefix(ref, "https://ns.adobe.com/xdm/common/extensible"): // leave to add fields, not fields
	default:
		return nil, false
	}
	return slices.DeleteFunc(ProspectClass().Fields, func(f Field) bool { return !isPart(f.Path) }), true
}

func (w *flattening) leaf(path string, p property, required bool) error {
	f := Field{Path: path, Title: p.Title, Required: required}
	named := p.Type
	switch {
	case p.Type == "array" && p.Items != nil:
		f.Container = Array
		inner := *p.Items
		if len(inner.Properties) > 0 || inner.Ref != "" {
			return fmt.Errorf("%s is an array of objects; only arrays of single values are supported", path)
		}
		p = inner // what each element must be
	case p.Additional != nil && p.Additional.Type != "":
		f.Container = Map
		p = p.Additional.property
	}
	f.Type, f.Format = typeOf(p)
	if f.Type == "" {
		return fmt.Errorf("%s is of the unknown type %q", path, named)
	}
	f.Pattern, f.MinLength, f.MaxLength, f.Minimum, f.Maximum = p.Pattern, p.MinLength, p.MaxLength, p.Minimum, p.Maximum
	for _, v := range p.Enum {
		f.Enum = append(f.Enum, fmt.Sprint(v))
	}
	if len(p.Enum) == 0 {
		f.Suggested = slices.Sorted(maps.Keys(p.Suggested))
	}
	if p.Default != nil && f.Container == Single {
		text := fmt.Sprint(p.Default)
		f.Default = &text
	}
	w.fields = append(w.fields, f)
	return nil
}

// typeOf reads JSON Schema's type and format, or where they are missing the XDM type.
func typeOf(p property) (Type, string) {
	name := p.Type
	if name == "" {
		name = map[string]string{"int": "integer", "long": "integer", "short": "integer", "byte": "integer", "double": "number",
			"float": "number", "date": "date", "date-time": "date-time"}[p.XDMType]
		if name == "" {
			name = p.XDMType
		}
	}
	if name == string(String) && (p.Format == string(Date) || p.Format == string(DateTime)) {
		return Type(p.Format), ""
	}
	if slices.Contains(Types, Type(name)) {
		return Type(name), p.Format
	}
	return "", ""
}

// leafName is the last part of a path: without the prefix xdm:, and with _ for @.
func leafName(name string) string {
	name = strings.TrimPrefix(name, "xdm:")
	if rest, ok := strings.CutPrefix(name, "@"); ok {
		return "_" + rest
	}
	return name
}

func joined(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func orRoot(path string) string {
	if path == "" {
		return "the resource"
	}
	return path
}
