// Package xdm holds XDM schemas: the class XDM Individual Prospect Profile, the partner field groups of
// the public registry, custom field groups, and resources as a registry writes them in JSON. It flattens
// them to leaf paths such as "partner.hiking", which is what mappings, rules and stores speak of.
// It performs no I/O.
package xdm

import (
	"fmt"
	"slices"
	"strings"
)

// Type is a leaf field's type.
type Type string

// The scalar types of the prospect class and its field groups.
const (
	String   Type = "string"
	Integer  Type = "integer"
	Number   Type = "number"
	Boolean  Type = "boolean"
	Date     Type = "date"
	DateTime Type = "date-time"
)

// Types lists the scalar types.
var Types = []Type{String, Integer, Number, Boolean, Date, DateTime}

// Container says that a field holds several values of its type.
type Container string

// The containers.
const (
	Single Container = ""
	Array  Container = "array"
	Map    Container = "map" // from text to the type
)

// Formats of strings that are checked, besides the types date and date-time.
const (
	Email        = "email"
	URI          = "uri"
	URIReference = "uri-reference"
)

// Formats lists the formats.
var Formats = []string{Email, URI, URIReference}

// Field is one leaf of a schema. The zero value of a constraint means that it is not set (SC-32).
type Field struct {
	Path      string // dotted, case-sensitive
	Type      Type
	Container Container
	Title     string
	Group     string // title of the class or field group that defines it
	Required  bool
	Enum      []string // hard: other values are refused
	Suggested []string // soft: shown to people, other values are taken too
	Format    string   // of a string
	Default   *string  // stands in for a missing value, written as in a file
	Pattern   string   // RE2, must match the whole value
	MinLength int      // characters
	MaxLength int      // characters, 0 = no limit
	Minimum   *float64
	Maximum   *float64
	System    bool // written by Prospector, never by a partner's file
}

// Group is a class or a field group: a named set of leaf fields.
type Group struct {
	ID     string // $id for registry groups, empty for custom ones
	Title  string
	Fields []Field
}

// Schema is a class plus field groups with one primary identity.
type Schema struct {
	Name   string
	Groups []string // titles, the class first
	Fields []Field  // in path order
}

// Field returns the leaf at path.
func (s *Schema) Field(path string) (Field, bool) {
	i, ok := slices.BinarySearchFunc(s.Fields, path, func(f Field, p string) int { return strings.Compare(f.Path, p) })
	if !ok {
		return Field{}, false
	}
	return s.Fields[i], true
}

// Same reports whether two definitions of a path are of one type.
func (f Field) Same(other Field) bool { return f.Type == other.Type && f.Container == other.Container }

// TypeText names a field's type as people write it: "string", "array of integer".
func (f Field) TypeText() string {
	if f.Container == Single {
		return string(f.Type)
	}
	return string(f.Container) + " of " + string(f.Type)
}

// Compose builds a schema of the prospect class and groups. Two groups that define one path with
// different types are refused, and so is a field that is also an object above another one; the same
// definition twice is one field.
func Compose(name string, groups []Group) (*Schema, error) {
	s := &Schema{Name: name}
	seen := map[string]Field{}
	for _, g := range append([]Group{ProspectClass()}, groups...) {
		s.Groups = append(s.Groups, g.Title)
		for _, f := range g.Fields {
			f.Group = g.Title
			if old, ok := seen[f.Path]; ok {
				if !old.Same(f) {
					return nil, fmt.Errorf("field %s is %s in %s and %s in %s", f.Path, old.TypeText(), old.Group, f.TypeText(), g.Title)
				}
				continue
			}
			seen[f.Path] = f
			s.Fields = append(s.Fields, f)
		}
	}
	slices.SortFunc(s.Fields, func(a, b Field) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range s.Fields {
		for i := strings.LastIndexByte(f.Path, '.'); i > 0; i = strings.LastIndexByte(f.Path[:i], '.') {
			if above, ok := seen[f.Path[:i]]; ok {
				return nil, fmt.Errorf("%s is a field of %s, and an object with the field %s in %s", above.Path, above.Group, f.Path, f.Group)
			}
		}
	}
	return s, nil
}

// Nearest returns the candidate closest to name by edit distance, or "" when none is close
// enough to be a likely slip.
func Nearest(name string, candidates []string) string {
	best, bestDistance := "", len(name)/3+2
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(name), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		previous := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := previous
			if a[i-1] != b[j-1] {
				cost = 1 + min(previous, row[j], row[j-1])
			}
			previous, row[j] = row[j], cost
		}
	}
	return row[len(b)]
}
