package drawing

import (
	"encoding/xml"
	"fmt"
	"hash/fnv"
	"strings"
)

const (
	leastWidth = 640
	margin     = 24
)

// document is a drawing as it is written, from top to bottom.
type document struct {
	body        strings.Builder
	titles      []string
	description []string
	width, y    int
}

// Colours differ by at least 4.5:1 from what lies below them, in light and in dark.
const style = `
.lineage{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px}
.lineage .paper{fill:#fff}.lineage text{fill:#1a1a1a}.lineage .faint{fill:#595959}.lineage .strong{font-weight:700}
.lineage .mark{fill:#7a4100;font-weight:700}.lineage .heading{font-size:13px;font-weight:700}
.lineage rect.node{fill:#f2f4f7;stroke:#5c6670;stroke-width:1.2}.lineage rect.changed{stroke:#7a4100;stroke-width:3;fill:#fff6e5}
.lineage rect.fields{fill:none;stroke:#8a939c;stroke-dasharray:1 3}.lineage rect.verdict{fill:#fdecea;stroke:#b3261e;stroke-width:2}
.lineage path{fill:none;stroke:#5c6670;stroke-width:1.4}.lineage path.head{fill:#5c6670}
.lineage path.denied,.lineage path.cross{stroke:#b3261e;stroke-width:2}.lineage path.denied{stroke-dasharray:6 4}.lineage path.cross{stroke-width:3}
@media (prefers-color-scheme:dark){
.lineage .paper{fill:#16191d}.lineage text{fill:#eceff1}.lineage .faint{fill:#aab2ba}.lineage .mark{fill:#ffc266}
.lineage rect.node{fill:#22272e;stroke:#9aa5b1}.lineage rect.changed{fill:#33270f;stroke:#ffc266}
.lineage rect.fields{stroke:#7c8790}.lineage rect.verdict{fill:#3a1a18;stroke:#ff8a80}
.lineage path{stroke:#9aa5b1}.lineage path.head{fill:#9aa5b1}.lineage path.denied,.lineage path.cross{stroke:#ff8a80}
}
`

func escaped(words string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(printable(words))) // a builder takes everything
	return out.String()
}

func (d *document) write(format string, args ...any) { fmt.Fprintf(&d.body, format+"\n", args...) }

func (d *document) words(x, y int, class, words string) {
	d.write(`<text x="%d" y="%d" class="%s">%s</text>`, x, y, class, escaped(words))
}

// heading is the title of what follows.
func (d *document) heading(title string) {
	d.titles = append(d.titles, title)
	d.description = append(d.description, title)
	d.y += margin
	for _, l := range broken(title, plain, 100, 4) {
		d.y += lineHeight
		d.words(margin, d.y, "heading", l.words)
		d.width = max(d.width, width(l.words)*13/12+2*margin)
	}
}

func (d *document) graph(g *graph) {
	d.y += margin
	d.write(`<g transform="translate(%d %d)">`, margin, d.y)
	for _, s := range g.steps {
		d.step(s)
	}
	for _, layer := range g.layers {
		for _, b := range layer {
			d.box(b)
		}
	}
	d.write(`</g>`)
	d.y += g.h
	d.width = max(d.width, g.w+2*margin)
}

func (d *document) step(s step) {
	class := "step"
	if s.denied {
		class = "denied"
	}
	x, y, toX, toY := s.from.x+s.from.w, s.from.y+s.from.h/2, s.to.x, s.to.y+s.to.h/2
	if s.from.class == "point" { // an edge goes straight through the layer that it passes
		x = s.from.x
	}
	if s.arrow {
		toX -= 7
	}
	bend := gutter / 2
	d.write(`<path class="%s" d="M%d %dH%dC%d %d %d %d %d %d"/>`, class, x, y, s.from.x+s.from.w, s.from.x+s.from.w+bend, y, toX-bend, toY, toX, toY)
	switch {
	case s.arrow && s.denied:
		d.write(`<path class="cross" d="M%d %dl10 10m0 -10l-10 10"/>`, (x+toX)/2-5, (y+toY)/2-5)
	case s.arrow:
		d.write(`<path class="head" d="M%d %dl-7 -4v8z"/>`, toX+7, toY)
	}
}

func (d *document) box(b *box) {
	if len(b.lines) == 0 {
		return
	}
	d.write(`<g>`)
	if b.title != "" {
		d.write(`<title>%s</title>`, escaped(b.title))
	}
	d.write(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="5"/>`, b.class, b.x, b.y, b.w, b.h)
	for i, l := range b.lines {
		d.words(b.x+padding, b.y+(i+1)*lineHeight, l.style, l.words)
	}
	d.write(`</g>`)
}

// svg is the whole document. Its title and description are what is read to those who do not see it; their ids differ from those
// of other drawings on a page.
func (d *document) svg() string {
	height := d.y + margin
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(d.body.String())) // cannot fail
	id := fmt.Sprintf("lineage-%08x", sum.Sum32())
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" class="lineage" role="img" aria-labelledby="%s-title %s-desc" width="%d" height="%d" viewBox="0 0 %d %d">`+"\n",
		id, id, d.width, height, d.width, height)
	fmt.Fprintf(&out, "<title id=\"%s-title\">%s</title>\n<desc id=\"%s-desc\">%s</desc>\n", id, escaped("Lineage: "+strings.Join(d.titles, "; ")), id, escaped(strings.Join(d.description, "; ")))
	fmt.Fprintf(&out, "<style>%s</style>\n<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n%s</svg>\n", style, d.width, height, d.body.String())
	return out.String()
}
