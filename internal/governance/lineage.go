package governance

import (
	"slices"
	"strings"
)

// Lineage is how data would reach a destination, as a graph to draw: datasets, the merge policy of their namespace, audiences and
// those that they refer to, the destination (PL-20).
type Lineage struct {
	Nodes []Node `json:"nodes"`
	Edges []Edge `json:"edges"`
}

// Kinds of nodes.
const (
	DatasetNode     = "dataset"
	MergeNode       = "merge"
	AudienceNode    = "audience"
	DestinationNode = "destination"
)

// MergePolicy is the one merge policy that there is: attribute by attribute, the dataset counts that was loaded last.
const MergePolicy = "default merge policy"

// Node is one entity on the way.
type Node struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	At      string `json:"at,omitempty"`      // file and line
	Changed string `json:"changed,omitempty"` // what about it is being changed
}

// Edge is one step of data on its way. Fields are the offending ones that take it; at the destination there are none to tell.
type Edge struct {
	From   string   `json:"from"`
	To     string   `json:"to"`
	Fields []string `json:"fields,omitempty"`
}

// Add puts a node in once.
func (l *Lineage) Add(n Node) {
	if !slices.ContainsFunc(l.Nodes, func(other Node) bool { return other.ID == n.ID }) {
		l.Nodes = append(l.Nodes, n)
	}
}

// Link puts an edge in once, with all fields that take it.
func (l *Lineage) Link(from, to string, fields ...string) {
	i := slices.IndexFunc(l.Edges, func(e Edge) bool { return e.From == from && e.To == to })
	if i < 0 {
		l.Edges = append(l.Edges, Edge{From: from, To: to})
		i = len(l.Edges) - 1
	}
	for _, f := range fields {
		if !slices.Contains(l.Edges[i].Fields, f) {
			l.Edges[i].Fields = append(l.Edges[i].Fields, f)
		}
	}
}

// Ways lists in words how the fields go, one line for each dataset and audience that takes some.
func (l *Lineage) Ways() (out []string) {
	if l == nil {
		return nil
	}
	for _, first := range l.Edges {
		dataset := l.node(first.From)
		if dataset.Kind != DatasetNode {
			continue
		}
		for _, second := range l.Edges {
			fields := slices.DeleteFunc(slices.Clone(first.Fields), func(f string) bool { return !slices.Contains(second.Fields, f) })
			if second.From != first.To || len(fields) == 0 && len(first.Fields) > 0 {
				continue
			}
			taken := ""
			if len(fields) > 0 {
				taken = " (" + some(fields) + ")"
			}
			steps := []string{dataset.text() + taken, l.node(first.To).text()}
			for _, id := range l.onward(second.To) {
				steps = append(steps, l.node(id).text())
			}
			out = append(out, strings.Join(steps, " → "))
		}
	}
	return out
}

// onward is the shortest way from a node to the destination.
func (l *Lineage) onward(id string) []string {
	ways := [][]string{{id}}
	seen := map[string]bool{id: true}
	for len(ways) > 0 {
		way := ways[0]
		ways = ways[1:]
		last := way[len(way)-1]
		if l.node(last).Kind == DestinationNode {
			return way
		}
		for _, e := range l.Edges {
			if e.From == last && !seen[e.To] {
				seen[e.To] = true
				ways = append(ways, append(slices.Clone(way), e.To))
			}
		}
	}
	return []string{id}
}

func (l *Lineage) node(id string) Node {
	i := slices.IndexFunc(l.Nodes, func(n Node) bool { return n.ID == id })
	if i < 0 {
		return Node{}
	}
	return l.Nodes[i]
}

func (n Node) text() string {
	text := n.Kind + " " + n.Name
	if n.Kind == MergeNode {
		text = n.Name
	}
	if n.Changed != "" {
		text += " [" + n.Changed + "]"
	}
	return text
}
