package enforcement_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/enforcement"
	"prospector/internal/governance"
	"prospector/internal/workspace"
)

// The model is a random workspace as plain data. The oracle below reads nothing else; the engine reads the YAML written from it.
type model struct {
	defaults  []string
	schemas   []*modelSchema
	datasets  []*modelDataset
	policies  []modelPolicy
	enable    []string
	audiences []*modelAudience // the last one may refer to all before it; the first is the suppression
	contracts []*modelContract

	suppression string // status of the suppression audience
}

type modelSchema struct {
	name, namespace string
	groups          []string
	all             []string
	fields          map[string][]string
}

type modelDataset struct {
	name    string
	schema  *modelSchema
	labels  []string
	profile bool
	loaded  map[string][]string
}

type modelPolicy struct {
	name, status string
	actions      []string
	deny         *tree
}

// tree is a label expression: a label, or an operator.
type tree struct {
	label string
	op    string
	below []*tree
}

// formula is a rule: a condition on a field, a set of states, a reference, or an operator.
type formula struct {
	op     string // is, known, states, member, notblocked, and, or
	field  string
	states []string
	member *modelAudience
	below  []*formula
}

type modelAudience struct {
	name       string
	namespaces []string
	rule       *formula
	limitBy    string
	worlds     *worlds
}

type modelContract struct {
	name                    string
	datasets, purposes      []string
	destinations            []string
	start, end              string // days
	mostRows, mostActivated int64
	states                  []string
	suppression             bool
}

const (
	stateField = "_luma.g1.state"
	scoreField = "_luma.g2.score"
	suppressed = "blocked"
)

var (
	groupFields = map[string][]string{
		"G1": {stateField, "_luma.g1.a", "_luma.g1.b"},
		"G2": {"_luma.g2.c", "_luma.g2.d", scoreField},
		"G3": {"_luma.g3.e", "_luma.g3.f"},
	}
	labelPool  = []string{"C1", "C2", "C3", "C5", "C9", "I1", "S1", "RHD", governance.ThirdParty, "own"}
	actionPool = []string{"Analytics", "Cross Site Targeting", "Data Science", "Email Targeting", "Export to Third Party", "Postal Mail"}
	statePool  = []string{"CA", "NY", "TX"}
)

func some[T any](r *rand.Rand, pool []T, most int) (out []T) {
	for _, i := range r.Perm(len(pool))[:min(len(pool), r.IntN(most+1))] {
		out = append(out, pool[i])
	}
	return out
}

func pick[T any](r *rand.Rand, pool []T) T { return pool[r.IntN(len(pool))] }

func labels(r *rand.Rand, chance int) []string {
	if r.IntN(chance) > 0 {
		return nil
	}
	return some(r, labelPool, 2)
}

func randomTree(r *rand.Rand, depth int) *tree {
	if depth == 0 || r.IntN(3) == 0 {
		return &tree{label: pick(r, labelPool)}
	}
	out := &tree{op: pick(r, []string{"AND", "OR"})}
	for range 1 + r.IntN(3) {
		out.below = append(out.below, randomTree(r, depth-1))
	}
	return out
}

func newModel(r *rand.Rand) *model {
	m := &model{defaults: labels(r, 8)}
	for i, s := range []*modelSchema{{namespace: "a_pid", groups: []string{"G1", "G2"}}, {namespace: "a_pid", groups: []string{"G2", "G3"}}, {namespace: "b_pid", groups: []string{"G1", "G3"}}} {
		s.name, s.all, s.fields = fmt.Sprintf("s%d", i), labels(r, 5), map[string][]string{}
		for _, g := range s.groups {
			for _, path := range append([]string{"_luma." + strings.ToLower(g)}, groupFields[g]...) {
				if l := labels(r, 5); len(l) > 0 {
					s.fields[path] = l
				}
			}
		}
		if r.IntN(12) == 0 {
			s.fields[pick(r, groupFields[pick(r, s.groups)])] = []string{governance.NoExport}
		}
		m.schemas = append(m.schemas, s)
		d := &modelDataset{name: fmt.Sprintf("d%d", i), schema: s, labels: labels(r, 6), profile: i != 1 || r.IntN(2) == 0, loaded: map[string][]string{}}
		for _, path := range m.fieldsOf(d) {
			if l := labels(r, 15); len(l) > 0 {
				d.loaded[path] = l
			}
		}
		m.datasets = append(m.datasets, d)
	}
	for i := range 3 + r.IntN(5) {
		m.policies = append(m.policies, modelPolicy{fmt.Sprintf("p%d", i), pick(r, []string{"ENABLED", "ENABLED", "ENABLED", "DRAFT", "DISABLED"}), append(some(r, actionPool, 2), pick(r, actionPool)), randomTree(r, 3)})
		m.policies[i].actions = slices.Compact(slices.Sorted(slices.Values(m.policies[i].actions)))
	}
	m.enable = some(r, governance.Switches(), 3)
	m.suppression = pick(r, []string{"published", "published", "published", "draft"})
	m.audiences = []*modelAudience{{name: suppressed, rule: &formula{op: "is", field: "_luma.g3.f"}}}
	for i := range 5 {
		a := &modelAudience{name: fmt.Sprintf("au%d", i), namespaces: pick(r, [][]string{nil, {"a_pid"}, {"b_pid"}, {"a_pid", "b_pid"}})}
		a.rule = m.randomRule(r, a, 3)
		if r.IntN(4) == 0 && slices.Contains(m.usable(a), scoreField) {
			a.limitBy = scoreField
		}
		m.audiences = append(m.audiences, a)
	}
	for i := range r.IntN(4) {
		c := &modelContract{name: fmt.Sprintf("c%d", i), purposes: append(some(r, actionPool, 3), pick(r, actionPool)), suppression: r.IntN(3) == 0}
		for _, d := range m.datasets {
			if r.IntN(2) == 0 {
				c.datasets = append(c.datasets, d.name)
			}
		}
		if len(c.datasets) == 0 {
			c.datasets = []string{"d0"}
		}
		if r.IntN(3) == 0 {
			c.destinations = some(r, []string{"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"}, 8)
		}
		if r.IntN(2) == 0 {
			c.start, c.end = pick(r, []string{"", "2026-01-01", "2026-06-15"}), pick(r, []string{"", "2026-06-30", "2026-12-31"})
		}
		if r.IntN(3) == 0 {
			c.mostRows = int64(1 + r.IntN(100))
		}
		if r.IntN(3) == 0 {
			c.mostActivated = int64(1 + r.IntN(5))
		}
		if r.IntN(3) == 0 && !slices.Equal(c.datasets, []string{"d1"}) { // which has no state
			c.states = some(r, statePool, 2)
		}
		m.contracts = append(m.contracts, c)
	}
	return m
}

func (m *model) fieldsOf(d *modelDataset) (out []string) {
	for _, g := range d.schema.groups {
		out = append(out, groupFields[g]...)
	}
	return append(out, "partnerID")
}

// inScope are the datasets whose prospects are in one of the namespaces.
func (m *model) inScope(namespaces []string) (out []*modelDataset) {
	for _, d := range m.datasets {
		if d.profile && (len(namespaces) == 0 || slices.Contains(namespaces, d.schema.namespace)) {
			out = append(out, d)
		}
	}
	return out
}

func (m *model) usable(a *modelAudience) (out []string) {
	for _, d := range m.inScope(a.namespaces) {
		out = append(out, m.fieldsOf(d)...)
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(path string) bool { return path == "partnerID" })
}

// randomRule makes a rule whose conditions never contradict each other, so that what it makes certain can be told from the rule.
func (m *model) randomRule(r *rand.Rand, a *modelAudience, depth int) *formula {
	plain := slices.DeleteFunc(m.usable(a), func(path string) bool { return path == stateField || path == scoreField })
	if depth > 0 && r.IntN(3) > 0 {
		out := &formula{op: pick(r, []string{"and", "and", "or"})}
		for range 2 + r.IntN(2) {
			out.below = append(out.below, m.randomRule(r, a, depth-1))
		}
		return out
	}
	switch n := r.IntN(8); {
	case n == 0 && slices.Contains(m.usable(a), stateField), n == 1 && slices.Contains(m.usable(a), stateField):
		return &formula{op: "states", field: stateField, states: append(some(r, statePool[1:], 2), "CA")}
	case n == 2 && len(m.audiences) > 1:
		return &formula{op: "member", member: pick(r, m.audiences[1:])}
	case n == 3:
		return &formula{op: "notblocked", member: m.audiences[0]}
	case n == 4:
		return &formula{op: "known", field: pick(r, plain)}
	}
	return &formula{op: "is", field: pick(r, plain)}
}

func (f *formula) text(r *rand.Rand) string {
	switch f.op {
	case "is":
		return f.field + " = 'Y'"
	case "known":
		return f.field + " IS NOT NULL"
	case "states":
		if len(f.states) == 1 {
			return pick(r, []string{f.field + " = 'CA'", "NOT (" + f.field + " <> 'CA')", "(" + f.field + " IN ('CA')) IS TRUE"})
		}
		return f.field + " IN ('" + strings.Join(f.states, "', '") + "')"
	case "member":
		return "audience('" + f.member.name + "')"
	case "notblocked":
		return "NOT audience('" + suppressed + "')"
	}
	var parts []string
	for _, b := range f.below {
		parts = append(parts, "("+b.text(r)+")")
	}
	return strings.Join(parts, " "+strings.ToUpper(f.op)+" ")
}

func (t *tree) text() string {
	if t.label != "" {
		return "{label: " + t.label + "}"
	}
	var parts []string
	for _, b := range t.below {
		parts = append(parts, b.text())
	}
	return "{operator: " + t.op + ", operands: [" + strings.Join(parts, ", ") + "]}"
}

func list(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = "'" + s + "'"
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// yaml writes the model as people would.
func (m *model) yaml(r *rand.Rand) workspace.Files {
	var out strings.Builder
	doc := func(format string, args ...any) { fmt.Fprintf(&out, "---\n"+format, args...) }
	doc("kind: Sandbox\nname: demo\norganization: Luma\ntenant: _luma\ndefaults: {labels: %s}\ngovernance: {enable: %s}\n", list(m.defaults), list(m.enable))
	doc("kind: MarketingAction\nname: Postal Mail\n")
	doc("kind: Label\nname: own\n")
	for _, ns := range []string{"a_pid", "b_pid"} {
		doc("kind: Namespace\nname: %s\nsymbol: %s\ntype: Partner ID\n", strings.ToUpper(ns), ns)
	}
	for _, g := range []string{"G1", "G2", "G3"} {
		doc("kind: FieldGroup\nname: %s\nfields:\n", g)
		for _, path := range groupFields[g] {
			kind := "string"
			if path == scoreField {
				kind = "integer"
			}
			fmt.Fprintf(&out, "  - {path: %s, type: %s}\n", path, kind)
		}
	}
	for _, s := range m.schemas {
		doc("kind: Schema\nname: %s\nclass: XDM Individual Prospect Profile\nfieldGroups: %s\nprimaryIdentity: {field: partnerID, namespace: %s}\nprofile: true\nlabels:\n  all: %s\n  fields:\n    _id: []\n", s.name, list(s.groups), s.namespace, list(s.all))
		for path, l := range s.fields {
			fmt.Fprintf(&out, "    %s: %s\n", path, list(l))
		}
	}
	for _, d := range m.datasets {
		doc("kind: Dataset\nname: %s\nschema: %s\nprofile: %t\nlabels: %s\n", d.name, d.schema.name, d.profile, list(d.labels))
	}
	for _, p := range m.policies {
		doc("kind: Policy\nname: %s\nstatus: %s\nmarketingActions: %s\ndeny: %s\n", p.name, p.status, list(p.actions), p.deny.text())
	}
	for _, a := range m.audiences {
		doc("kind: Audience\nname: %s\nrule: >-\n  %s\n", a.name, a.rule.text(r))
		if a.name == suppressed {
			fmt.Fprintf(&out, "status: %s\n", m.suppression)
		}
		if len(a.namespaces) > 0 {
			fmt.Fprintf(&out, "namespaces: %s\n", list(a.namespaces))
		}
		if a.limitBy != "" {
			fmt.Fprintf(&out, "limit: {profiles: 10, by: %s}\n", a.limitBy)
		}
	}
	for i := range 8 {
		doc("kind: Destination\nname: x%d\ntype: s3\ns3: {endpoint: 'http://localhost', region: us-east-1, bucket: b}\n", i)
	}
	for _, c := range m.contracts {
		doc("kind: Contract\nname: %s\ndatasets: %s\npurposes: %s\n", c.name, list(c.datasets), list(c.purposes))
		if len(c.destinations) > 0 {
			fmt.Fprintf(&out, "destinations: %s\n", list(c.destinations))
		}
		if c.start+c.end != "" {
			fmt.Fprintf(&out, "licence: {start: %q, end: %q}\n", c.start, c.end)
		}
		if c.mostRows > 0 {
			fmt.Fprintf(&out, "mostRows: %d\n", c.mostRows)
		}
		if c.mostActivated > 0 {
			fmt.Fprintf(&out, "mostActivations: %d\n", c.mostActivated)
		}
		if len(c.states) > 0 {
			fmt.Fprintf(&out, "territory: {field: %s, values: %s}\n", stateField, list(c.states))
		}
		if c.suppression {
			fmt.Fprintf(&out, "suppression: %s\n", suppressed)
		}
	}
	return workspace.Files{"all.yaml": out.String()}
}

// From here on the oracle: brute force over the model, by the words of the requirements.

// labelsOf are a field's labels in a dataset: its dataset's, and those that any schema with the same field puts on it, or on an
// object around it (LB-6, LB-8, LB-9).
func (m *model) labelsOf(d *modelDataset, path string) map[string]bool {
	out := map[string]bool{}
	add := func(labels []string) {
		for _, l := range labels {
			out[l] = true
		}
	}
	add(m.defaults)
	add(d.labels)
	add(d.loaded[path])
	for _, s := range m.schemas {
		if has := slices.ContainsFunc(s.groups, func(g string) bool { return slices.Contains(groupFields[g], path) }); !has && path != "partnerID" {
			continue
		}
		add(s.all)
		for key, l := range s.fields {
			if key == path || strings.HasPrefix(path, key+".") {
				add(l)
			}
		}
	}
	return out
}

func (t *tree) holds(labels map[string]bool) bool {
	if t.label != "" {
		return labels[t.label]
	}
	n := 0
	for _, b := range t.below {
		if b.holds(labels) {
			n++
		}
	}
	if t.op == "AND" {
		return n == len(t.below)
	}
	return n > 0
}

// used are the fields that an audience's definition uses, with those of audiences that it refers to.
func (a *modelAudience) used(out map[string]bool) {
	if a.limitBy != "" {
		out[a.limitBy] = true
	}
	var walk func(f *formula)
	walk = func(f *formula) {
		if f.field != "" {
			out[f.field] = true
		}
		if f.member != nil {
			f.member.used(out)
		}
		for _, b := range f.below {
			walk(b)
		}
	}
	walk(a.rule)
}

// worlds are what can be true of a member of an audience, found by trying everything.
type worlds struct {
	states  map[string]bool // that a member can have; "" is none
	blocked bool            // a member can be in the suppression
}

// world is one prospect.
type world struct {
	values  map[string]string
	blocked bool
}

func (f *formula) true(w world) bool {
	switch f.op {
	case "is":
		return w.values[f.field] == "Y"
	case "known":
		return w.values[f.field] != ""
	case "states":
		return slices.Contains(f.states, w.values[f.field])
	case "member":
		return f.member.rule.true(w)
	case "notblocked":
		return !w.blocked
	case "and":
		return !slices.ContainsFunc(f.below, func(b *formula) bool { return !b.true(w) })
	}
	return slices.ContainsFunc(f.below, func(b *formula) bool { return b.true(w) })
}

func (a *modelAudience) possible() *worlds {
	if a.worlds != nil {
		return a.worlds
	}
	a.worlds = &worlds{states: map[string]bool{}}
	fields := map[string]bool{}
	a.used(fields)
	delete(fields, stateField)
	delete(fields, scoreField)
	names := []string{}
	for path := range fields {
		names = append(names, path)
	}
	w := world{values: map[string]string{}}
	var try func(i int)
	try = func(i int) {
		if i < len(names) {
			for _, v := range []string{"", "N", "Y"} {
				w.values[names[i]] = v
				try(i + 1)
			}
			return
		}
		for _, state := range append([]string{"", "WA"}, statePool...) {
			for _, w.blocked = range []bool{false, true} {
				w.values[stateField] = state
				if a.rule.true(w) {
					a.worlds.states[state] = true
					a.worlds.blocked = a.worlds.blocked || w.blocked
				}
			}
		}
	}
	try(0)
	return a.worlds
}

// departure is one random activation with the facts of its moment.
type departure struct {
	namespace   string
	audiences   []*modelAudience
	mapping     []string
	destination string
	actions     []string
	now         time.Time
	rows        map[string]int64
	made        map[string]int64
	drafts      bool
}

func (m *model) verdict(d departure) (out []string) {
	leaving := m.inScope([]string{d.namespace})
	for _, a := range d.audiences {
		used := map[string]bool{"partnerID": true}
		a.used(used)
		for _, path := range d.mapping {
			used[path] = true
		}
		found := map[string]bool{} // PL-21: of this audience alone
		for _, dataset := range m.inScope(a.namespaces) {
			for _, path := range m.fieldsOf(dataset) {
				if used[path] { // PL-17
					for l := range m.labelsOf(dataset, path) {
						found[l] = true
					}
				}
			}
		}
		if found[governance.NoExport] {
			out = append(out, a.name+"|"+governance.ExportBan+"|any export")
		}
		for _, p := range m.policies { // PL-3, PL-4
			if (p.status == "ENABLED" || d.drafts && p.status == "DRAFT") && p.deny.holds(found) {
				for _, action := range p.actions {
					if slices.Contains(d.actions, action) {
						out = append(out, a.name+"|"+p.name+"|"+action)
					}
				}
			}
		}
		for _, p := range slices.Concat(governance.CorePolicies, governance.Packs[governance.ThirdPartyPack]) {
			if on := slices.Contains(m.enable, p.Name) || p.Type == governance.Pack && slices.Contains(m.enable, governance.ThirdPartyPack); !on {
				continue
			}
			vendor, sensitive := found[governance.ThirdParty], found["RHD"] || found["PSPD"] || found["S1"]
			denied := found[p.Deny.Label] || p.Deny.Label == "" && vendor && sensitive
			for _, action := range p.MarketingActions {
				if denied && slices.Contains(d.actions, action) {
					out = append(out, a.name+"|"+p.Name+"|"+action)
				}
			}
		}
		for _, c := range m.contracts {
			covered, rows := false, int64(0)
			for _, dataset := range leaving {
				if slices.Contains(c.datasets, dataset.name) {
					covered = true
					rows += d.rows[dataset.name]
				}
			}
			if !covered {
				continue
			}
			breach := func(term, action string) { out = append(out, a.name+"|"+c.name+"|"+term+"|"+action) }
			if len(d.actions) == 0 {
				breach("purposes", "")
			}
			for _, action := range d.actions {
				if !slices.Contains(c.purposes, action) {
					breach("purposes", action)
				}
			}
			if len(c.destinations) > 0 && !slices.Contains(c.destinations, d.destination) {
				breach("destinations", "")
			}
			today := d.now.Format(time.DateOnly)
			if c.start != "" && today < c.start {
				breach("licence start", "")
			} else if c.end != "" && today > c.end {
				breach("licence end", "")
			}
			if c.mostRows > 0 && rows > c.mostRows {
				breach("mostRows", "")
			}
			if made, known := d.made[c.name]; known && c.mostActivated > 0 && made >= c.mostActivated {
				breach("mostActivations", "")
			}
			if len(c.states) > 0 {
				for state := range a.possible().states {
					if !slices.Contains(c.states, state) {
						breach("territory", "")
						break
					}
				}
			}
			if c.suppression && a.possible().blocked {
				breach("suppression", "")
			}
			if c.suppression && m.suppression != "published" {
				breach("suppression audience", "")
			}
		}
	}
	slices.Sort(out)
	return out
}

func (m *model) randomDeparture(r *rand.Rand) (d departure, ok bool) {
	d = departure{namespace: pick(r, []string{"a_pid", "b_pid"}), destination: fmt.Sprintf("x%d", r.IntN(8)), actions: some(r, actionPool, 3), drafts: r.IntN(4) == 0,
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(400*24)-10*24) * time.Hour), mapping: []string{"partnerID"}}
	var open []*modelAudience
	for _, a := range m.audiences {
		if len(a.namespaces) == 0 || slices.Contains(a.namespaces, d.namespace) {
			open = append(open, a)
		}
	}
	d.audiences = some(r, open, 3)
	fields := []string{}
	for _, dataset := range m.inScope([]string{d.namespace}) {
		fields = append(fields, m.fieldsOf(dataset)...)
	}
	slices.Sort(fields)
	d.mapping = append(d.mapping, some(r, slices.DeleteFunc(slices.Compact(fields), func(p string) bool { return p == "partnerID" }), 3)...)
	if r.IntN(2) == 0 {
		d.rows, d.made = map[string]int64{}, map[string]int64{}
		for _, dataset := range m.datasets {
			d.rows[dataset.name] = int64(r.IntN(80))
		}
		for _, c := range m.contracts {
			d.made[c.name] = int64(r.IntN(6))
		}
	}
	return d, len(d.audiences) > 0
}

// PL-3, PL-4, PL-17, PL-21: over random labels, policies, contracts, audiences that refer to others, and mappings, the engine says
// what brute force says, violation for violation.
func TestVerdictsEqualTheOracle(t *testing.T) {
	const workspaces, fewest = 60, 12000
	r := rand.New(rand.NewPCG(7, 2026))
	cases, allowed, seen := 0, 0, map[string]int{}
	for range workspaces {
		m := newModel(r)
		files := m.yaml(r)
		w, err := workspace.Parse(files)
		require.NoError(t, err, files["all.yaml"])
		loaded := map[string]map[string][]string{}
		for _, d := range m.datasets {
			loaded[d.name] = d.loaded
		}
		for done := 0; done < fewest/workspaces; {
			d, ok := m.randomDeparture(r)
			if !ok {
				continue
			}
			done++
			activation := &workspace.Activation{Name: "to", Destination: d.destination, Namespace: d.namespace}
			for _, a := range d.audiences {
				activation.Audiences = append(activation.Audiences, a.name)
			}
			for _, path := range d.mapping {
				activation.Mapping = append(activation.Mapping, workspace.MappedTo{Field: path, Header: path})
			}
			destination, err := w.Destination(d.destination)
			require.NoError(t, err)
			destination.MarketingActions = d.actions
			found, err := enforcement.Judge(w, activation, enforcement.Facts{Now: d.now, Labels: loaded, Rows: d.rows, Deliveries: d.made, Drafts: d.drafts})
			require.NoError(t, err)
			var got []string
			for _, v := range found {
				text := v.Audience + "|" + v.Policy + "|" + v.MarketingAction
				if v.Kind == governance.OfContract {
					text = v.Audience + "|" + v.Policy + "|" + v.Term + "|" + v.MarketingAction
				}
				got = append(got, text)
				seen[v.Kind+" "+v.Term]++
				require.NotEmpty(t, v.Remedies, text)
				require.NotEmpty(t, v.Lineage.Ways(), text)
			}
			slices.Sort(got)
			want := m.verdict(d)
			if !slices.Equal(want, got) {
				t.Fatalf("oracle %q\nengine %q\ndeparture %+v\n%s", want, got, d, files["all.yaml"])
			}
			cases++
			if len(want) == 0 {
				allowed++
			}
		}
	}
	require.GreaterOrEqual(t, cases, 10000)
	require.Greater(t, allowed, cases/20, "some are allowed")
	for _, kind := range []string{"policy ", "ban ", "contract purposes", "contract destinations", "contract licence start", "contract licence end", "contract mostRows", "contract mostActivations",
		"contract territory", "contract suppression", "contract suppression audience"} {
		require.Greater(t, seen[kind], 50, kind)
	}
	t.Logf("%d cases, %d allowed, violations %v", cases, allowed, seen)
}
