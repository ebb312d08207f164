// Package prospect holds what a partner's rows must satisfy: how a file's columns bind to XDM paths,
// and the diagnostics codes with which a row is refused. It is pure: the store carries the rules
// out, the framer finds broken records, and both report in the terms of this package.
package prospect

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/mapping"
	"prospector/internal/xdm"
)

// Reason is one thing wrong with a row. It never carries the row's values.
type Reason struct {
	Code   Code   `json:"code"`
	Field  string `json:"field,omitempty"`  // XDM path, or empty for the whole record
	Detail string `json:"detail,omitempty"` // for CorruptRow what is broken, for Unmappable the step, of lists and maps the shape
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

// ParseReason reads what String wrote.
func ParseReason(text string) (r Reason) {
	if before, detail, ok := strings.Cut(text, " ("); ok {
		text, r.Detail = before, strings.TrimSuffix(detail, ")")
	}
	code, field, _ := strings.Cut(text, " ")
	r.Code, r.Field = Code(code), field
	return r
}

// Texts writes reasons one to a line.
func Texts(reasons []Reason) string {
	texts := make([]string, len(reasons))
	for i, r := range reasons {
		texts[i] = r.String()
	}
	return strings.Join(texts, "\n")
}

// Column is one column of a batch: the field that it fills.
type Column struct {
	Field  xdm.Field
	Absent bool // the file has none of the columns that it is filled from
}

// Columns are the fields that a mapping fills, in its order.
func Columns(targets []mapping.Target, schema *xdm.Schema) ([]Column, error) {
	out := make([]Column, len(targets))
	for i, t := range targets {
		field, ok := schema.Field(t.Field)
		if !ok {
			return nil, errkind.Newf(errkind.Internal, "mapping names the unknown field %s", t.Field)
		}
		out[i].Field = field
	}
	return out, nil
}

// Drift is where a file's columns are not those of the mapping, in their order there.
type Drift struct {
	Unmapped []string // neither wanted nor ignored
	Missing  []string // wanted
}

// Fit compares a file's columns with those that are wanted. A name that stands twice is kind BadInput: nobody
// can say which is meant.
func Fit(header, wanted, ignored []string) (out Drift, err error) {
	var repeated []string
	for i, name := range header {
		switch {
		case slices.Index(header, name) < i:
			repeated = append(repeated, name)
		case !slices.Contains(wanted, name) && !slices.Contains(ignored, name):
			out.Unmapped = append(out.Unmapped, name)
		}
	}
	for _, name := range wanted {
		if !slices.Contains(header, name) {
			out.Missing = append(out.Missing, name)
		}
	}
	if len(repeated) > 0 {
		return out, errkind.New(errkind.BadInput, "", fmt.Errorf("the header repeats the columns %s", Names(repeated)), "ask the partner for the agreed layout")
	}
	return out, nil
}

// Names lists columns for a message; it bounds what a header may put into one.
func Names(names []string) string {
	const most = 10
	var out []string
	for _, name := range slices.Sorted(slices.Values(names)) {
		if len(out) == most {
			out = append(out, fmt.Sprintf("and %d more", len(names)-most))
			break
		}
		out = append(out, quote(name))
	}
	return strings.Join(out, ", ")
}

// quote bounds one name: names are the partner's bytes.
func quote(name string) string {
	if len(name) > 40 {
		name = name[:40] + "…"
	}
	return fmt.Sprintf("%q", name)
}
