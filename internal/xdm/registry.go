package xdm

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

// ProspectClassID and ProspectClassTitle name the one class that prospects have (SC-8).
const (
	ProspectClassID    = "https://ns.adobe.com/xdm/context/prospect-profile"
	ProspectClassTitle = "XDM Individual Prospect Profile"
)

//go:embed registry/*.json
var registryFiles embed.FS

// document is the part of a registry file that defines fields.
type document struct {
	ID          string              `json:"$id"`
	Title       string              `json:"title"`
	Extends     []string            `json:"meta:intendedToExtend"`
	Definitions map[string]property `json:"definitions"`
	AllOf       []struct {
		Ref string `json:"$ref"`
	} `json:"allOf"`
}

type property struct {
	Type       string              `json:"type"`
	Format     string              `json:"format"`
	Title      string              `json:"title"`
	Properties map[string]property `json:"properties"`
}

// dateProperties stands for http://ns.adobe.com/adobecloud/core/1.0#/definitions/date-properties,
// which the audit trail refers to and the XDM registry does not hold (SC-12, SC-13).
var dateProperties = []Field{
	{Path: "_repo.createDate", Type: DateTime, Title: "Created date"},
	{Path: "_repo.modifyDate", Type: DateTime, Title: "Last modified date"},
}

var registry = sync.OnceValue(func() map[string]document {
	documents := map[string]document{}
	entries, err := registryFiles.ReadDir("registry")
	if err != nil {
		panic(err) // embedded: cannot fail in a binary that was built
	}
	for _, entry := range entries {
		data, err := registryFiles.ReadFile(path.Join("registry", entry.Name()))
		if err != nil {
			panic(err)
		}
		var d document
		if err := json.Unmarshal(data, &d); err != nil {
			panic(fmt.Errorf("registry file %s: %w", entry.Name(), err))
		}
		documents[d.ID] = d
	}
	return documents
})

// ProspectClass returns the class's eight leaf fields. All but partnerID are written by
// Prospector itself.
func ProspectClass() Group {
	var fields []Field
	collect(registry()[ProspectClassID], &fields)
	for i := range fields {
		fields[i].System = fields[i].Path != "partnerID"
	}
	return Group{ID: ProspectClassID, Title: ProspectClassTitle, Fields: fields}
}

// BuiltInGroups returns the registry's field groups that extend the prospect class (SC-21 to
// SC-23), in title order.
func BuiltInGroups() []Group {
	var groups []Group
	for _, d := range registry() {
		if !slices.Contains(d.Extends, ProspectClassID) {
			continue
		}
		g := Group{ID: d.ID, Title: d.Title}
		collect(d, &g.Fields)
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b Group) int { return strings.Compare(a.Title, b.Title) })
	return groups
}

// BuiltInGroup finds a built-in field group by title or $id. Spaces do not count, because the
// registry itself writes "Details(Core)".
func BuiltInGroup(name string) (Group, bool) {
	squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
	for _, g := range BuiltInGroups() {
		if g.ID == name || squeeze(g.Title) == squeeze(name) {
			return g, true
		}
	}
	return Group{}, false
}

// collect appends the leaf fields of d and of everything that it is composed of.
func collect(d document, into *[]Field) {
	for _, part := range d.AllOf {
		switch {
		case strings.HasPrefix(part.Ref, "#/definitions/"):
			flatten("", d.Definitions[strings.TrimPrefix(part.Ref, "#/definitions/")], into)
		case strings.HasSuffix(part.Ref, "#/definitions/date-properties"):
			*into = append(*into, dateProperties...)
		default:
			if other, ok := registry()[part.Ref]; ok {
				collect(other, into)
			}
		}
	}
}

func flatten(prefix string, p property, into *[]Field) {
	if len(p.Properties) == 0 {
		if prefix == "" {
			return
		}
		f := Field{Path: prefix, Type: Type(p.Type), Title: p.Title}
		if p.Format == string(DateTime) || p.Format == string(Date) {
			f.Type = Type(p.Format)
		}
		*into = append(*into, f)
		return
	}
	names := make([]string, 0, len(p.Properties))
	for name := range p.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		leaf := strings.TrimPrefix(name, "xdm:")
		if name == "@id" {
			leaf = "_id"
		}
		if prefix != "" {
			leaf = prefix + "." + leaf
		}
		flatten(leaf, p.Properties[name], into)
	}
}
