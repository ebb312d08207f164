package drawing_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/governance"
	"prospector/internal/governance/drawing"
)

var update = flag.Bool("update", false, "write testdata anew")

// explained are the violations that package enforcement's test explains.
func explained(t *testing.T) (out []drawing.Violation) {
	t.Helper()
	data, err := os.ReadFile("../../enforcement/testdata/explained.json")
	require.NoError(t, err)
	var violations []struct {
		Audience string `json:"audience"`
		governance.Violation
	}
	require.NoError(t, json.Unmarshal(data, &violations))
	for _, v := range violations {
		out = append(out, drawing.Violation{Title: "audience " + v.Audience + ": " + v.Headline(), Violation: v.Violation})
	}
	return out
}

// texts parses a drawing and returns what stands in its text elements, its title and its description.
func texts(t *testing.T, svg string) (out []string, title, description string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(svg))
	var path []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return out, title, description
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Local)
			require.Contains(t, []string{"svg", "title", "desc", "style", "rect", "g", "path", "text"}, token.Name.Local)
			for _, a := range token.Attr {
				require.False(t, strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href"), a.Name.Local)
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			switch strings.Join(path, " ") {
			case "svg title":
				title += string(token)
			case "svg desc":
				description += string(token)
			}
			if len(path) > 0 && path[len(path)-1] == "text" {
				out = append(out, string(token))
			}
		}
	}
}

// PL-20: datasets, merge policy, audiences and destination with the place of each, the fields that take each step, what changes,
// and the step that is denied with the policy or contract; all of it in words for those who do not see it.
func TestDrawing(t *testing.T) {
	svg := drawing.SVG(explained(t))
	if *update {
		require.NoError(t, os.WriteFile("testdata/explained.svg", []byte(svg), 0o600))
	}
	want, err := os.ReadFile("testdata/explained.svg")
	require.NoError(t, err)
	require.Equal(t, string(want), svg, "when the new drawing is right, look at it and: go test ./internal/governance/drawing -update")
	require.Equal(t, svg, drawing.SVG(explained(t)))

	words, title, description := texts(t, svg)
	for _, v := range explained(t) {
		require.Contains(t, title, v.Title)
		for _, way := range v.Lineage.Ways() {
			require.Contains(t, description, way)
		}
		for _, n := range v.Lineage.Nodes {
			require.Contains(t, words, n.Name)
			require.True(t, n.At == "" || slices.Contains(words, n.At), n.At)
		}
		for _, e := range v.Lineage.Edges {
			for _, f := range e.Fields {
				require.Contains(t, strings.Join(words, ""), f)
			}
		}
	}
	require.Contains(t, words, "denied by policy")
	require.Contains(t, words, "denied by contract")
	require.Contains(t, words, "~ schema acme-prospects")
}

// Names are data: none breaks the document, reorders or hides what stands beside it, or runs out of its box.
func TestHostileNames(t *testing.T) {
	names := []string{`"><script>alert(1)</script>`, "]]>&amp;<!--", "a\x00b\x1b[31mc\xff\n\r\t", "\u202egnp.live\u2066", strings.Repeat("very-long-name.", 40), strings.Repeat("x", 2000), strings.Repeat("語", 200), "", "e\u0301\u0301\u0301"}
	l := &governance.Lineage{}
	for i, name := range names {
		id := "audience " + name
		l.Add(governance.Node{ID: id, Kind: governance.AudienceNode, Name: name, At: name + ".yaml:1", Changed: name})
		l.Add(governance.Node{ID: "dataset", Kind: governance.DatasetNode, Name: name})
		l.Link("dataset", id, names[:i+1]...)
		l.Link(id, "destination", name)
	}
	l.Add(governance.Node{ID: "destination", Kind: governance.DestinationNode, Name: names[0]})
	l.Link("nowhere", "destination")
	l.Link("destination", "dataset") // a record that somebody has tampered with
	for _, name := range names {
		for _, kind := range []string{governance.OfPolicy, governance.OfContract, governance.OfBan, "", name} {
			v := governance.Violation{Kind: kind, Policy: name, At: name, Message: name, MarketingAction: name, Labels: names, Lineage: l}
			svg := drawing.SVG([]drawing.Violation{{Title: name, Violation: v}})
			words, _, _ := texts(t, svg)
			for _, w := range words {
				require.NotContains(t, w, "\u202e")
				require.LessOrEqual(t, len([]rune(w)), 101, w)
			}
			require.NotContains(t, svg, "<script")
		}
	}
}

// Without a lineage, as records of earlier versions are, there is a title; without a violation that is said; of very many the first.
func TestNothingToDraw(t *testing.T) {
	words, title, _ := texts(t, drawing.SVG(nil))
	require.Equal(t, []string{"nothing is denied"}, words)
	require.Equal(t, "Lineage: nothing is denied", title)
	words, _, _ = texts(t, drawing.SVG([]drawing.Violation{{Title: "audience hikers: denied"}}))
	require.Equal(t, []string{"audience hikers: denied"}, words)
	words, _, _ = texts(t, drawing.SVG(make([]drawing.Violation, drawing.Most+3)))
	require.Contains(t, words, "and 3 more")
}
