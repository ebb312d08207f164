package plan

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/workspace"
	"prospector/internal/xdm"
)

// editSchema allows addition only once data is loaded (SC-27), and nothing that would undo Profile (SC-30).
func (c *comparison) editSchema(was, v *workspace.Schema, o workspace.Object, change *Change) {
	if was.Profile && !v.Profile { // AS-4
		c.refuse(o, "write profile: true again; to stop using its data, set profile: false in the datasets", "a schema stays enabled for Profile once applied")
	}
	if v.Profile && !was.Profile {
		change.Permanent = fmt.Sprintf("schema %s stays enabled for Profile", v.Name)
	}
	var batches int64
	for _, d := range c.from.Datasets {
		if d.Schema == was.Name {
			batches += c.facts.Batches[d.Name]
		}
	}
	if was.PrimaryIdentity != v.PrimaryIdentity && was.PrimaryIdentity.Field != "" && (was.Profile || batches > 0) {
		c.refuse(o, "declare a new schema and dataset", "its primary identity is %s in namespace %s and cannot become %s in %s", was.PrimaryIdentity.Field,
			was.PrimaryIdentity.Namespace, v.PrimaryIdentity.Field, v.PrimaryIdentity.Namespace)
	}
	added, removed, narrowed := fieldChanges(was.Composed, v.Composed)
	if batches > 0 {
		for _, reason := range slices.Concat(removed, narrowed) {
			c.refuse(o, "once data is loaded a schema changes by addition only: declare a new schema and dataset", "%s; %s loaded under it", reason, batchesAre(batches))
		}
	} else {
		change.Effects = append(change.Effects, removed...)
		change.Effects = append(change.Effects, narrowed...)
	}
	if len(added) > 0 {
		change.Effects = append(change.Effects, "adds "+fields(len(added))+": "+some(added))
	}
	change.Effects = append(change.Effects, c.labelChanges(was, v)...)
}

// fieldChanges lists the fields that are new, and what would not hold for rows that are loaded.
func fieldChanges(was, is *xdm.Schema) (added, removed, narrowed []string) {
	for _, f := range is.Fields {
		old, ok := was.Field(f.Path)
		switch {
		case !ok && f.Required:
			narrowed = append(narrowed, fmt.Sprintf("the new field %s is required, which rows without it do not satisfy", f.Path))
		case !ok:
			added = append(added, f.Path)
		case !old.Same(f):
			narrowed = append(narrowed, fmt.Sprintf("field %s is %s and would become %s", f.Path, old.TypeText(), f.TypeText()))
		default:
			for _, rule := range stricter(old, f) {
				narrowed = append(narrowed, fmt.Sprintf("field %s would get stricter: %s", f.Path, rule))
			}
		}
	}
	for _, f := range was.Fields {
		if _, ok := is.Field(f.Path); !ok {
			removed = append(removed, fmt.Sprintf("field %s would go", f.Path))
		}
	}
	return added, removed, narrowed
}

// stricter lists the rules of a field that refuse values which were accepted.
func stricter(was, is xdm.Field) []string {
	var out []string
	if is.Required && !was.Required {
		out = append(out, "it is required")
	}
	if len(is.Enum) > 0 {
		gone := slices.DeleteFunc(slices.Clone(was.Enum), func(v string) bool { return slices.Contains(is.Enum, v) })
		switch {
		case len(was.Enum) == 0:
			out = append(out, "it has an enum")
		case len(gone) > 0:
			out = append(out, "the enum loses "+some(gone))
		}
	}
	if is.Pattern != "" && is.Pattern != was.Pattern {
		out = append(out, "its pattern is another")
	}
	if is.Format != "" && is.Format != was.Format {
		out = append(out, "it has the format "+is.Format)
	}
	if is.MinLength > was.MinLength || is.MaxLength > 0 && (was.MaxLength == 0 || is.MaxLength < was.MaxLength) {
		out = append(out, "its length is bounded more closely")
	}
	if is.Minimum != nil && (was.Minimum == nil || *is.Minimum > *was.Minimum) || is.Maximum != nil && (was.Maximum == nil || *is.Maximum < *was.Maximum) {
		out = append(out, "its range is smaller")
	}
	return out
}

// labelChanges says which labels fields gain and lose, wherever they come from (EC-5).
func (c *comparison) labelChanges(was, v *workspace.Schema) []string {
	gained, lost := map[string][]string{}, map[string][]string{}
	for _, f := range v.Composed.Fields {
		old, now := labelsOf(c.from.LabelOrigins(was, f.Path)), labelsOf(c.to.LabelOrigins(v, f.Path))
		if _, existed := was.Composed.Field(f.Path); !existed {
			continue
		}
		for _, l := range now {
			if !slices.Contains(old, l) {
				gained[l] = append(gained[l], f.Path)
			}
		}
		for _, l := range old {
			if !slices.Contains(now, l) {
				lost[l] = append(lost[l], f.Path)
			}
		}
	}
	var out []string
	for _, l := range sorted(gained) {
		out = append(out, fmt.Sprintf("label %s comes onto %s: %s", l, fields(len(gained[l])), some(gained[l])))
	}
	for _, l := range sorted(lost) {
		out = append(out, fmt.Sprintf("label %s goes from %s: %s; rows keep the labels under which they were loaded", l, fields(len(lost[l])), some(lost[l])))
	}
	return out
}

func labelsOf(origins []workspace.LabelOrigin) []string {
	var out []string
	for _, o := range origins {
		out = append(out, o.Label)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func sorted(m map[string][]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, strings.Compare)
	return out
}
