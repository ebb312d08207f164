// Package prospect holds what a partner's rows must satisfy: how a file's columns bind to XDM paths,
// and the diagnostics codes with which a row is refused. It is pure: the store carries the rules
// out, the framer finds broken records, and both report in the terms of this package.
package prospect

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/xdm"
)

// Code says why a row was refused. Codes of the public documentation are used where they exist
// (BI-10), our own otherwise.
type Code string

// The diagnostics codes.
const (
	CorruptRow Code = "INGEST-1401-400"  // the record cannot be read
	Required   Code = "INGEST-1555-400"  // a required field is missing or null
	TooLarge   Code = "PROSPECT-SIZE"    // the record is above 100 KB (BI-14)
	WrongType  Code = "PROSPECT-TYPE"    // the value is not of the field's type
	NotInEnum  Code = "PROSPECT-ENUM"    // the value is not one of the allowed ones
	NotPattern Code = "PROSPECT-PATTERN" // the value does not match the field's pattern
	NotFormat  Code = "PROSPECT-FORMAT"  // the value has not the field's format
	OutOfRange Code = "PROSPECT-RANGE"   // the number is below minimum or above maximum
	BadLength  Code = "PROSPECT-LENGTH"  // the text is shorter or longer than allowed
)

// Reason is one thing wrong with a row. It never carries the row's values.
type Reason struct {
	Code   Code   `json:"code"`
	Field  string `json:"field,omitempty"`  // XDM path, or empty for the whole record
	Detail string `json:"detail,omitempty"` // for CorruptRow, what is broken
}

func (r Reason) String() string {
	text := string(r.Code)
	if r.Field != "" {
		text += " " + r.Field
	}
	if r.Detail != "" {
		text += " (" + r.Detail + ")"
	}
	return text
}

// Column is one mapped column: where it stands in the file and the field that it fills.
type Column struct {
	Index int
	Field xdm.Field
}

// Bind finds the mapped columns in a file's header. The header must hold each mapped column once,
// and nothing that is neither mapped nor ignored: a change of the partner's layout is never taken
// silently. Columns come in path order. Errors are kind BadInput.
func Bind(header []string, mapping map[string]string, ignored []string, schema *xdm.Schema) ([]Column, error) {
	var unknown, repeated, missing []string
	seen := map[string]int{}
	for i, raw := range header {
		name := strings.TrimSpace(raw)
		if _, ok := seen[name]; ok {
			repeated = append(repeated, quote(name))
		}
		seen[name] = i
		if _, mapped := mapping[name]; !mapped && !slices.Contains(ignored, name) {
			unknown = append(unknown, quote(name))
		}
	}
	var columns []Column
	for name, path := range mapping {
		i, ok := seen[name]
		if !ok {
			missing = append(missing, quote(name))
			continue
		}
		field, ok := schema.Field(path)
		if !ok {
			return nil, errkind.Newf(errkind.Internal, "mapping names the unknown field %s", path)
		}
		columns = append(columns, Column{Index: i, Field: field})
	}
	var wrong []string
	for what, names := range map[string][]string{"lacks the mapped": missing, "repeats the": repeated, "has the unmapped": unknown} {
		if len(names) > 0 {
			slices.Sort(names)
			wrong = append(wrong, fmt.Sprintf("%s columns %s", what, strings.Join(names, ", ")))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return nil, errkind.New(errkind.BadInput, "", fmt.Errorf("the header does not match the mapping: it %s", strings.Join(wrong, " and it ")),
			"ask the partner for the agreed layout, or change mapping and ignoreColumns of the source")
	}
	slices.SortFunc(columns, func(a, b Column) int { return strings.Compare(a.Field.Path, b.Field.Path) })
	return columns, nil
}

// quote bounds what a header may put into an error: names are the partner's bytes.
func quote(name string) string {
	if len(name) > 40 {
		name = name[:40] + "…"
	}
	return fmt.Sprintf("%q", name)
}
