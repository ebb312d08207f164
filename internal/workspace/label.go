package workspace

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/governance"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Label declares a usage label of your own beside the core ones (LB-11). Labels are case-sensitive.
type Label struct {
	yamldoc.Document `yaml:"-"`
	// Name is the short code that fields and policies carry.
	Name string `yaml:"name" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9_-]*$,maxLength=100"`
	// Title to display.
	Title string `yaml:"title"`
	// Description of the restriction.
	Description string `yaml:"description"`
}

func (x *Label) name() string { return x.Name }
func (x *Label) kind() string { return "Label" }

const maxLabels = 300 // of one schema (LB-10)

func (l *loader) checkLabel(x *Label) {
	if i := slices.IndexFunc(governance.CoreLabels, func(core string) bool { return strings.EqualFold(core, x.Name) }); i >= 0 {
		l.at(x, "name").problem("choose another name", "there is a core label %s already", governance.CoreLabels[i])
	}
}

// LabelNames lists the names of all labels, the core ones first.
func (w *Workspace) LabelNames() []string {
	return slices.Concat(governance.CoreLabels, names(w.Labels))
}

// checkLabels judges a list of labels and writes each as it is stored.
func (l *loader) checkLabels(at place, labels []string) {
	for i, label := range labels {
		labels[i] = governance.Stored(label)
		if !slices.Contains(l.workspace.LabelNames(), labels[i]) {
			l.unknownLabel(at.in(index(i)), label)
		}
	}
}

func (l *loader) unknownLabel(at place, label string) {
	known := l.workspace.LabelNames()
	hint := "known are " + strings.Join(known, ", ") + "; labels of your own need a document of kind Label"
	if near := xdm.Nearest(label, known); near != "" && len(label) > 3 { // C1 is no better guess for C13 than any other
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	if i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, label) }); i >= 0 {
		hint = "upper and lower case count: write " + known[i] // EC-9
	}
	if !l.mayBe("Label", label) {
		at.problem(hint, "there is no label %q", label)
	}
}

// LabelOrigin says where a label on a field comes from.
type LabelOrigin struct {
	Label     string
	Source    string           // such as "schema acme-prospects"
	At        yamldoc.Position // where it is written
	Inherited bool             // to be changed there, not here (LB-7)
}

// SandboxDefaults is the source of the labels that the sandbox puts on every field.
const SandboxDefaults = "the sandbox's defaults"

// LabelOrigins lists the labels of a field of a schema and where each comes from: the sandbox's
// defaults, the schema itself, and other schemas that share the field's class or field group (LB-9).
func (w *Workspace) LabelOrigins(s *Schema, path string) []LabelOrigin {
	field, ok := s.Composed.Field(path)
	if !ok {
		return nil
	}
	var out []LabelOrigin
	for i, label := range w.Sandbox.Defaults.Labels {
		out = append(out, LabelOrigin{label, SandboxDefaults, w.Sandbox.At("defaults", "labels", index(i)), true})
	}
	for _, other := range w.Schemas {
		if other.Composed == nil {
			continue
		}
		if shared, ok := other.Composed.Field(path); !ok || shared.Group != field.Group {
			continue
		}
		for i, label := range other.Labels.All {
			out = append(out, LabelOrigin{label, titled(other), other.At("labels", "all", index(i)), other != s})
		}
		for _, key := range sortedKeys(other.Labels.Fields) {
			if key != path && !strings.HasPrefix(path, key+".") {
				continue
			}
			for i, label := range other.Labels.Fields[key] {
				out = append(out, LabelOrigin{label, titled(other), other.At("labels", "fields", key, index(i)), other != s})
			}
		}
	}
	return out
}

// DatasetLabelOrigins adds the dataset's own labels, which every field inherits (LB-6).
func (w *Workspace) DatasetLabelOrigins(d *Dataset, path string) []LabelOrigin {
	out := w.LabelOrigins(w.Schema(d), path)
	for i := range out {
		out[i].Inherited = true
	}
	for i, name := range d.Labels {
		out = append(out, LabelOrigin{name, titled(d), d.At("labels", index(i)), true})
	}
	return out
}

// FieldLabels returns the labels of every field of a dataset, sorted and without repeats (LB-6, LB-8).
func (w *Workspace) FieldLabels(d *Dataset) map[string][]string {
	out := map[string][]string{}
	for _, f := range w.Schema(d).Composed.Fields {
		labels := []string{}
		for _, origin := range w.DatasetLabelOrigins(d, f.Path) {
			labels = append(labels, origin.Label)
		}
		slices.Sort(labels)
		out[f.Path] = slices.Compact(labels)
	}
	return out
}

// FieldLabels puts labels on fields. A label on a field of a class or field group counts in every schema that uses it (LB-9).
type FieldLabels struct {
	// All puts labels on every field.
	All []string `yaml:"all"`
	// Fields puts labels on single fields, by path, or on all fields of an object.
	Fields map[string][]string `yaml:"fields"`
}

// checkLabelling warns about fields that escape governance (LB-1, EC-4).
func (l *loader) checkLabelling(s *Schema) {
	if s.Composed == nil {
		return
	}
	count := len(s.Labels.All) * len(s.Composed.Fields)
	for _, labels := range s.Labels.Fields {
		count += len(labels)
	}
	if limit := maxLabels; len(s.Labels.All) == 0 && count > limit { // labels: {all: …} counts as one
		l.at(s, "labels").keyProblem("label whole objects, or all fields at once", "it has %d labels, there may be %d", count, limit)
	}
	var unlabelled, unmarked []string // LB-1
	for _, f := range s.Composed.Fields {
		origins := l.workspace.LabelOrigins(s, f.Path)
		switch {
		case len(origins) == 0:
			unlabelled = append(unlabelled, f.Path)
		case !slices.ContainsFunc(origins, func(o LabelOrigin) bool { return o.Label == governance.ThirdParty }):
			unmarked = append(unmarked, f.Path)
		}
	}
	const hint = "write labels: {all: [Third-Party]}"
	if len(unlabelled) > 0 {
		l.at(s, "labels").warning(hint, "%s %s no label, so no policy protects what is in there", firstFew(unlabelled), carry(unlabelled))
	}
	if len(unmarked) > 0 && s.Profile {
		l.at(s, "labels").warning(hint, "%s %s other labels, and not %s: nothing tells that a partner supplied it", firstFew(unmarked), carry(unmarked), governance.ThirdParty)
	}
}

func carry(fields []string) string {
	if len(fields) == 1 {
		return "carries"
	}
	return "carry"
}
