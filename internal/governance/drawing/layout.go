package drawing

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/governance"
)

// Distances in pixels.
const (
	padding = 10
	between = 18 // boxes of one layer
	gutter  = 30 // layers
)

// box is something with a place in a layer: a node, the words at an edge, or the point where an edge passes.
type box struct {
	class       string
	title       string // in full, where lines are cut
	lines       []text
	layer       int
	x, y, w, h  int
	left, right []*box // neighbours in the layers beside
}

// step is a piece of an edge, from one layer to the next.
type step struct {
	from, to *box
	denied   bool
	arrow    bool
}

// graph is a lineage with places.
type graph struct {
	layers [][]*box
	steps  []step
	w, h   int
}

// layOut gives every node a box in the layer of its longest way from a dataset, and every edge a box with its fields between two
// layers, so that words never lie on a line or on each other. An edge over several layers passes each at a point of its own.
func layOut(l *governance.Lineage, verdict []text) *graph {
	g := &graph{}
	ranks, last := rank(l)
	nodes := map[string]*box{}
	for _, n := range l.Nodes {
		b := nodeBox(n)
		b.layer = 2 * ranks[n.ID]
		nodes[n.ID] = g.add(b)
	}
	for _, e := range l.Edges {
		from, to := nodes[e.From], nodes[e.To]
		if from == nil || to == nil || from.layer >= to.layer {
			continue // no rule refers to itself
		}
		denied := to.layer == 2*last && len(verdict) > 0
		b := &box{class: "fields", lines: fieldLines(e.Fields), title: strings.Join(e.Fields, ", ")}
		if denied {
			b = &box{class: "verdict", lines: verdict}
		}
		at := from
		for layer := from.layer + 1; layer < to.layer; layer++ {
			next := &box{class: "point"}
			if words := len(b.lines) > 0; words && !denied && layer == from.layer+1 || denied && layer == to.layer-1 {
				next = b
			}
			next.layer = layer
			g.join(at, g.add(next), denied)
			at = next
		}
		g.join(at, to, denied)
		g.steps[len(g.steps)-1].arrow = true
	}
	g.order()
	g.place()
	return g
}

// rank is the longest way from a node without predecessor; destinations come last.
func rank(l *governance.Lineage) (ranks map[string]int, last int) {
	ranks = map[string]int{}
	for range l.Nodes {
		for _, e := range l.Edges {
			ranks[e.To] = min(max(ranks[e.To], ranks[e.From]+1), len(l.Nodes))
		}
	}
	for _, n := range l.Nodes {
		last = max(last, ranks[n.ID])
	}
	for _, n := range l.Nodes {
		if n.Kind == governance.DestinationNode {
			ranks[n.ID] = last
		}
	}
	return ranks, last
}

func nodeBox(n governance.Node) *box {
	b := &box{class: "node", title: n.Kind + " " + n.Name, lines: wrapped(n.Kind, faint)}
	b.lines = append(b.lines, wrapped(n.Name, strong)...)
	b.lines = append(b.lines, wrapped(n.At, faint)...)
	if n.Changed != "" {
		b.class = "node changed"
		b.lines = append(b.lines, wrapped("~ "+n.Changed, mark)...)
	}
	return b
}

// fieldLines names the fields that take a step, the first few of many.
func fieldLines(fields []string) (out []text) {
	const most = 5
	for i, f := range fields {
		if i == most && len(fields) > most+1 {
			return append(out, text{fmt.Sprintf("and %d more", len(fields)-most), plain})
		}
		out = append(out, broken(f, plain, mostLetters, 2)...)
	}
	return out
}

func (g *graph) add(b *box) *box {
	for len(g.layers) <= b.layer {
		g.layers = append(g.layers, nil)
	}
	g.layers[b.layer] = append(g.layers[b.layer], b)
	return b
}

func (g *graph) join(from, to *box, denied bool) {
	from.right, to.left = append(from.right, to), append(to.left, from)
	g.steps = append(g.steps, step{from: from, to: to, denied: denied})
}

// order sorts each layer by the middle of its neighbours', there and back a few times, so that fewer edges cross.
func (g *graph) order() {
	for sweep := range 4 {
		for i := range g.layers {
			layer, neighbours := i, func(b *box) []*box { return b.left }
			if sweep%2 == 1 {
				layer, neighbours = len(g.layers)-1-i, func(b *box) []*box { return b.right }
			}
			place := map[*box]float64{}
			for j, b := range g.layers[layer] {
				place[b] = float64(j)
				if beside := neighbours(b); len(beside) > 0 {
					sum := 0
					for _, n := range beside {
						sum += slices.Index(g.layers[n.layer], n)
					}
					place[b] = float64(sum) / float64(len(beside))
				}
			}
			slices.SortStableFunc(g.layers[layer], func(a, b *box) int {
				switch {
				case place[a] < place[b]:
					return -1
				case place[a] > place[b]:
					return 1
				}
				return 0
			})
		}
	}
}

// place gives boxes their size, and puts each layer beside the one before it, all on one middle line.
func (g *graph) place() {
	for _, layer := range g.layers {
		high := -between
		for _, b := range layer {
			for _, l := range b.lines {
				b.w = max(b.w, width(l.words)+2*padding)
			}
			if len(b.lines) > 0 {
				b.h = len(b.lines)*lineHeight + padding
			}
			high += b.h + between
		}
		g.h = max(g.h, high)
	}
	for i, layer := range g.layers {
		if i > 0 {
			g.w += gutter
		}
		wide, high := 0, -between
		for _, b := range layer {
			wide, high = max(wide, b.w), high+b.h+between
		}
		y := (g.h - high) / 2
		for _, b := range layer {
			b.x, b.y, b.w = g.w, y, wide
			y += b.h + between
		}
		g.w += wide
	}
}
