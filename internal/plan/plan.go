// Package plan compares two versions of a workspace: what applying the new one would change, what that
// means, and what is refused because it cannot be undone or would contradict data that is loaded. It is
// pure: whoever asks brings the facts about what is loaded.
package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"prospector/internal/enforcement"
	"prospector/internal/governance"
	"prospector/internal/workspace"
)

// Facts are what a plan must know besides the two workspaces.
type Facts struct {
	Batches      map[string]int64               // batches loaded, by dataset
	Now          time.Time                      // by which licences are judged
	Rows         map[string]map[string]int64    // that an activation would deliver, by dataset
	RowsBefore   map[string]map[string]int64    // that it delivers as it is applied now
	Labels       map[string]map[string][]string // under which rows were loaded, by dataset and path
	Deliveries   map[string]int64               // made in a contract's time, by contract
	StopAffected bool                           // a change that blocks flows is applied, and they stop
}

// Plan is what applying a workspace would do. Nothing is applied while something is refused.
type Plan struct {
	Changes []Change `json:"changes,omitempty"`
	Effects []string `json:"effects,omitempty"` // on what is not changed itself
	Refused []Reason `json:"refused,omitempty"`
	Stopped []Flow   `json:"stopped,omitempty"` // flows that stop, because that was asked for
}

// Flow is an activation that delivers today and would be blocked.
type Flow struct {
	Activation string                  `json:"activation"`
	Violations []enforcement.Violation `json:"violations,omitempty"`
}

// Actions of a change.
const (
	Add    = "add"
	Edit   = "change"
	Remove = "remove"
)

// Change is one object that differs.
type Change struct {
	Action    string   `json:"action"`
	Kind      string   `json:"kind"`
	Name      string   `json:"name"`
	Keys      []string `json:"keys,omitempty"` // that differ
	Effects   []string `json:"effects,omitempty"`
	Permanent string   `json:"permanent,omitempty"` // what cannot be undone once applied
}

// Reason says why a change is refused.
type Reason struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	At      string `json:"at,omitempty"` // where it is written; empty for what is gone
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`

	Violations []enforcement.Violation `json:"violations,omitempty"` // that a flow would be in
}

// Lines are the reason with what explains it.
func (r Reason) Lines() []string {
	out := []string{r.String()}
	for _, line := range enforcement.Lines(r.Violations) {
		out = append(out, "  "+line)
	}
	return out
}

func (r Reason) String() string {
	text := strings.ToLower(r.Kind) + " " + r.Name + ": " + r.Message
	if r.At != "" {
		text = r.At + ": " + text
	}
	if r.Hint != "" {
		text += "; " + r.Hint
	}
	return text
}

// Empty reports whether applying would change nothing.
func (p Plan) Empty() bool { return len(p.Changes)+len(p.Refused) == 0 }

// Compare plans the way from one workspace, nil when none is applied, to another.
func Compare(from, to *workspace.Workspace, facts Facts) Plan {
	c := compare(from, to, facts)
	c.enforce()
	return c.plan
}

// compare finds what changes, and what is refused whatever policies say.
func compare(from, to *workspace.Workspace, facts Facts) *comparison {
	c := &comparison{from: from, to: to, first: from == nil, facts: facts}
	if from == nil {
		c.from = &workspace.Workspace{}
	}
	c.sandbox()
	before := byName(c.from.Objects())
	for _, o := range to.Objects() {
		old, known := before[key(o)]
		delete(before, key(o))
		switch {
		case !known:
			c.add(o)
		default:
			c.edit(old, o)
		}
	}
	for _, o := range c.from.Objects() { // in their order
		if _, gone := before[key(o)]; gone {
			c.remove(o)
		}
	}
	return c
}

func key(o workspace.Object) string { return o.Kind + " " + o.Name }

func byName(objects []workspace.Object) map[string]workspace.Object {
	out := map[string]workspace.Object{}
	for _, o := range objects {
		out[key(o)] = o
	}
	return out
}

type comparison struct {
	from, to *workspace.Workspace
	first    bool // nothing is applied yet
	facts    Facts
	plan     Plan
}

func (c *comparison) change(change Change) { c.plan.Changes = append(c.plan.Changes, change) }

func (c *comparison) refuse(o workspace.Object, hint, format string, args ...any) {
	at := ""
	if o.At.File != "" {
		at = o.At.String()
	}
	c.plan.Refused = append(c.plan.Refused, Reason{Kind: o.Kind, Name: o.Name, At: at, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// sandbox refuses another sandbox's workspace: it would take one partner's data for another's.
func (c *comparison) sandbox() {
	from, to := c.from.Sandbox, c.to.Sandbox
	declared, _ := to.Declared() // it was read before
	o := workspace.Object{Kind: "Sandbox", Name: to.Name, Value: &to, Declared: declared, At: to.At()}
	if c.first {
		c.change(Change{Action: Add, Kind: o.Kind, Name: o.Name, Effects: switched(nil, to.Governance.Enable)})
		return
	}
	if from.Name != to.Name {
		c.refuse(o, "apply it to a worker of its own, or correct the name", "this is the workspace of sandbox %s, the worker's is %s", to.Name, from.Name)
		return
	}
	old, _ := from.Declared()
	if keys := differing(old, declared); len(keys) > 0 {
		change := Change{Action: Edit, Kind: o.Kind, Name: o.Name, Keys: keys, Effects: switched(from.Governance.Enable, to.Governance.Enable)}
		if from.Organization != to.Organization {
			change.Effects = append(change.Effects, "names of LiveRamp's files change")
		}
		c.change(change)
	}
}

// switched names the built-in policies that are switched on and off.
func switched(from, to []string) (out []string) {
	var on, off []string
	before := governance.BuiltIn(from)
	for i, p := range governance.BuiltIn(to) {
		switch p.Status {
		case before[i].Status:
		case governance.Enabled:
			on = append(on, strconv.Quote(p.Name))
		default:
			off = append(off, strconv.Quote(p.Name))
		}
	}
	if len(on) > 0 {
		out = append(out, "switches on from the next delivery on: "+strings.Join(on, ", "))
	}
	if len(off) > 0 {
		out = append(out, "switches off: "+strings.Join(off, ", "))
	}
	return out
}

// differing lists the keys in which two declarations differ, one level deep, in order.
func differing(before, after any) []string {
	a, _ := before.(map[string]any)
	b, _ := after.(map[string]any)
	var out []string
	for _, k := range slices.Sorted(maps.Keys(merged(a, b))) {
		if reflect.DeepEqual(a[k], b[k]) {
			continue
		}
		inner, innerNew := asMap(a[k]), asMap(b[k])
		if inner == nil || innerNew == nil {
			out = append(out, k)
			continue
		}
		for _, below := range slices.Sorted(maps.Keys(merged(inner, innerNew))) {
			if !reflect.DeepEqual(inner[below], innerNew[below]) {
				out = append(out, k+"."+below)
			}
		}
	}
	return out
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func merged(a, b map[string]any) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

// fields says how many there are.
func fields(n int) string {
	if n == 1 {
		return "1 field"
	}
	return fmt.Sprintf("%d fields", n)
}

// some lists names, the first few of many.
func some(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
}
