package enforcement

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/governance"
	"prospector/internal/workspace"
	"prospector/internal/yamldoc"
)

// explanation is what explains the violations of one audience's activation.
type explanation struct {
	w           *workspace.Workspace
	activation  *workspace.Activation
	destination *workspace.Destination
	audience    *workspace.Audience
	facts       Facts
	uses        []governance.FieldUse
}

func line(at yamldoc.Position) string {
	if at.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", at.File, at.Line)
}

func at(place string) string {
	if place == "" {
		return ""
	}
	return " (" + place + ")"
}

func (e explanation) ofPolicy(v governance.Violation, policies []governance.Policy) governance.Violation {
	deny := governance.Expression{Label: governance.NoExport}
	if i := slices.IndexFunc(policies, func(p governance.Policy) bool { return p.Name == v.Policy }); v.Kind == governance.OfPolicy && i >= 0 {
		deny = policies[i].Deny
		v.Changed = e.facts.Changed["Policy "+v.Policy] || policies[i].Type != governance.Custom && e.facts.Changed["Sandbox governance"]
	}
	v.Origins = e.origins(v)
	v.Lineage = e.lineage(v)
	v.Remedies = e.remedies(v, deny)
	v.Resolution = v.Remedies[0]
	return v
}

func (e explanation) ofContract(v governance.Violation) governance.Violation {
	v.Changed = e.facts.Changed["Contract "+v.Policy]
	v.Lineage = e.lineage(v)
	switch v.Term {
	case governance.Territory, governance.Suppression, governance.MostRows:
		v.Remedies[0] += at(line(e.audience.KeyAt("rule")))
	case governance.SuppressionList:
		for _, c := range e.w.Contracts {
			if c.Name == v.Policy {
				if a, err := e.w.Audience(c.Suppression); err == nil {
					v.Remedies[0] += at(line(a.KeyAt("status")))
				}
			}
		}
	case governance.Purposes:
		v.Remedies[0] += at(line(e.destination.KeyAt("marketingActions")))
	case governance.Destinations:
		v.Remedies[0] += at(line(e.activation.KeyAt("destination")))
	}
	v.Remedies = append(v.Remedies, "agree on other terms with the partner, and change the contract"+at(v.At))
	v.Resolution = v.Remedies[0]
	return v
}

// origins says where each offending label comes from, those that are written at one place together.
func (e explanation) origins(v governance.Violation) (out []governance.Origin) {
	add := func(o governance.Origin, path string) {
		i := slices.IndexFunc(out, func(other governance.Origin) bool {
			return other.Label == o.Label && other.Source == o.Source && other.At == o.At && other.Dataset == o.Dataset
		})
		if i < 0 {
			out = append(out, o)
			i = len(out) - 1
		}
		if !slices.Contains(out[i].Fields, path) {
			out[i].Fields = append(out[i].Fields, path)
		}
	}
	for _, f := range v.Fields {
		d, err := e.w.Dataset(f.Dataset)
		if err != nil {
			continue
		}
		declared := e.w.DatasetLabelOrigins(d, f.Path)
		for _, label := range f.Labels {
			if !slices.Contains(v.Labels, label) {
				continue
			}
			found := false
			for _, o := range declared {
				if o.Label == label {
					add(governance.Origin{Label: label, Source: o.Source, At: line(o.At), Dataset: f.Dataset}, f.Path)
					found = true
				}
			}
			if !found {
				add(governance.Origin{Label: label, Source: "rows that were loaded under it", Dataset: f.Dataset}, f.Path)
			}
		}
	}
	return out
}

// remedies lists what can be done, in the order in which to try it. Those are left out that would not help: the identity leaves
// with every file, so its label stays whatever else is dropped.
func (e explanation) remedies(v governance.Violation, deny governance.Expression) (out []string) {
	identity := map[string]bool{}
	for _, u := range e.uses {
		if u.Use == governance.AsIdentity {
			identity[u.Path] = true
		}
	}
	mapped := func(u governance.FieldUse) bool { return u.Use == governance.InMapping && !identity[u.Path] }
	ruled := func(u governance.FieldUse) bool { return u.Use == governance.InRule }
	either := func(u governance.FieldUse) bool { return mapped(u) || ruled(u) }
	drop := func(fields map[string]bool) string {
		return fmt.Sprintf("drop %s from the mapping of activation %s%s", paths(v.Fields, func(u governance.FieldUse) bool { return mapped(u) && fields[u.Path] }),
			e.activation.Name, at(line(e.activation.KeyAt("mapping"))))
	}
	change := func(fields map[string]bool) string {
		return e.changeRules(v, func(u governance.FieldUse) bool { return ruled(u) && fields[u.Path] })
	}
	byMapping, byRule := e.needless(deny, mapped), e.needless(deny, ruled)
	if byMapping != nil {
		out = append(out, drop(byMapping))
	}
	if byRule != nil {
		out = append(out, change(byRule))
	}
	if fields := e.needless(deny, either); byMapping == nil && byRule == nil && fields != nil {
		out = append(out, drop(fields)+", and "+change(fields))
	}
	if v.Kind == governance.OfPolicy {
		out = append(out, fmt.Sprintf("take %s out of the marketing actions of destination %s%s if the data is not used for it there, or use another destination",
			v.MarketingAction, e.destination.Name, at(line(e.destination.KeyAt("marketingActions")))))
	}
	used, alone := governance.LabelsOf(e.uses), false
	for _, label := range v.Labels {
		if !deny.Holds(without(used, label)) {
			out, alone = append(out, e.unlabel(v, label)), true
		}
	}
	if !alone {
		out = append(out, e.unlabel(v, v.Labels...))
	}
	return out
}

// unlabel is to take labels off wherever they come from: at one place alone it does not help while there is another.
func (e explanation) unlabel(v governance.Violation, labels ...string) string {
	var places, loaded []string
	for _, o := range v.Origins {
		if !slices.Contains(labels, o.Label) {
			continue
		}
		if o.At != "" {
			if place := o.Source + at(o.At); !slices.Contains(places, place) {
				places = append(places, place)
			}
		}
		counts := o.At == "" || slices.ContainsFunc(o.Fields, func(path string) bool { return slices.Contains(e.facts.Labels[o.Dataset][path], o.Label) })
		if counts && !slices.Contains(loaded, o.Dataset) {
			loaded = append(loaded, o.Dataset)
		}
	}
	noun, wrong := "label ", " off where it is wrong"
	if len(labels) > 1 {
		noun, wrong = "labels ", " off where they are wrong"
	}
	noun += strings.Join(labels, ", ")
	var parts []string
	if len(places) > 0 {
		where := ": "
		if len(places) > 1 {
			where = ", at all these places: "
		}
		parts = append(parts, "take "+noun+wrong+where+strings.Join(places, ", "))
	}
	if len(loaded) > 0 {
		parts = append(parts, fmt.Sprintf("load dataset %s anew without %s: rows keep the labels under which they were loaded", strings.Join(loaded, ", "), noun))
	}
	return strings.Join(parts, ", and ")
}

func without(labels []string, label string) []string {
	return slices.DeleteFunc(slices.Clone(labels), func(other string) bool { return other == label })
}

// needless are fields without which the expression would not hold, as few as can be told one by one; nil when it holds without all
// that may go.
func (e explanation) needless(deny governance.Expression, mayGo func(governance.FieldUse) bool) map[string]bool {
	kept := slices.DeleteFunc(slices.Clone(e.uses), mayGo)
	if deny.Holds(governance.LabelsOf(kept)) {
		return nil
	}
	gone := map[string]bool{}
	for _, use := range e.uses {
		if !mayGo(use) || gone[use.Path] {
			continue
		}
		if with := append(slices.Clone(kept), use); deny.Holds(governance.LabelsOf(with)) {
			gone[use.Path] = true
		} else {
			kept = with
		}
	}
	return gone
}

// changeRules names the rules that use offending fields.
func (e explanation) changeRules(v governance.Violation, ruled func(governance.FieldUse) bool) string {
	var parts []string
	for _, a := range e.w.EvaluationOrder([]*workspace.Audience{e.audience}) {
		if used := paths(v.Fields, func(u governance.FieldUse) bool { return ruled(u) && u.Audience == a.Name }); used != "" {
			parts = append(parts, fmt.Sprintf("change the rule of audience %s%s, which uses %s", a.Name, at(line(a.KeyAt("rule"))), used))
		}
	}
	return strings.Join(parts, ", and ")
}

// paths names the fields that are used so, each once.
func paths(uses []governance.FieldUse, so func(governance.FieldUse) bool) string {
	var out []string
	for _, u := range uses {
		if so(u) && !slices.Contains(out, u.Path) {
			out = append(out, u.Path)
		}
	}
	return strings.Join(out, ", ")
}

// lineage is the way of the offending fields; of a contract, that of its datasets.
func (e explanation) lineage(v governance.Violation) *governance.Lineage {
	out := &governance.Lineage{}
	node := func(kind, name string, at yamldoc.Position, changed string) string {
		n := governance.Node{ID: kind + " " + name, Kind: kind, Name: name, At: line(at), Changed: changed}
		out.Add(n)
		return n.ID
	}
	audience := func(a *workspace.Audience) string {
		return node(governance.AudienceNode, a.Name, a.At(), e.changed("Audience", a.Name))
	}
	carrying := map[string]bool{e.audience.Name: true}
	for _, f := range v.Fields {
		d, err := e.w.Dataset(f.Dataset)
		if err != nil {
			continue
		}
		dataset := node(governance.DatasetNode, d.Name, d.At(), e.changedDataset(v, d))
		merge := governance.Node{ID: governance.MergeNode + " " + e.w.Namespace(d), Kind: governance.MergeNode, Name: governance.MergePolicy}
		out.Add(merge)
		user, err := e.w.Audience(f.Audience)
		if err != nil {
			user = e.audience
		}
		carrying[user.Name] = true
		var fields []string
		if f.Path != "" {
			fields = []string{f.Path}
		}
		out.Link(dataset, merge.ID, fields...)
		out.Link(merge.ID, audience(user), fields...)
	}
	for _, a := range e.w.EvaluationOrder([]*workspace.Audience{e.audience}) {
		for _, name := range a.Parsed.Audiences {
			if other, err := e.w.Audience(name); err == nil && carrying[name] {
				out.Link(audience(other), audience(a))
				carrying[a.Name] = true
			}
		}
	}
	changed := e.changed("Destination", e.destination.Name)
	if e.changed("Activation", e.activation.Name) != "" {
		changed = strings.TrimPrefix(changed+", activation "+e.activation.Name+" changed", ", ")
	}
	out.Link(audience(e.audience), node(governance.DestinationNode, e.destination.Name, e.destination.At(), changed))
	return out
}

func (e explanation) changed(kind, name string) string {
	if e.facts.Changed[kind+" "+name] {
		return "changed"
	}
	return ""
}

// changedDataset says what about a dataset changes: itself, or what puts labels on its fields.
func (e explanation) changedDataset(v governance.Violation, d *workspace.Dataset) string {
	var out []string
	if e.facts.Changed["Dataset "+d.Name] {
		out = append(out, "changed")
	}
	for _, o := range v.Origins {
		name, isSchema := strings.CutPrefix(o.Source, "schema ")
		changes := isSchema && e.facts.Changed["Schema "+name] || o.Source == workspace.SandboxDefaults && e.facts.Changed["Sandbox defaults"]
		if text := o.Source + " changed"; o.Dataset == d.Name && changes && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return strings.Join(out, ", ")
}
