// Package yamldoc reads YAML files of several documents and knows where everything in them stands, so
// that whoever judges a value can name its file, line and column. It judges nothing itself but syntax.
package yamldoc

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Position is a place in a file. Line and Column count from 1; a zero Line is the file as a whole.
type Position struct {
	File   string
	Line   int
	Column int
}

func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Compare orders positions by file and place.
func (p Position) Compare(other Position) int {
	if c := strings.Compare(p.File, other.File); c != 0 {
		return c
	}
	if p.Line != other.Line {
		return p.Line - other.Line
	}
	return p.Column - other.Column
}

// SyntaxError is text that is no YAML.
type SyntaxError struct {
	Position
	Message string
}

func (e *SyntaxError) Error() string { return e.Position.String() + ": " + e.Message }

// Document is one YAML document. The zero value stands nowhere and holds nothing.
type Document struct {
	file string
	root ast.Node
}

// Parse reads the documents of a file; name is what positions call it. Empty documents are left out.
// A piece between two "---" lines that is no YAML is a problem of its own.
func Parse(name string, data []byte) (out []Document, problems []*SyntaxError) {
	for _, text := range separate(string(data)) {
		file, err := parser.ParseBytes([]byte(text), 0)
		if err != nil {
			problems = append(problems, syntaxError(name, err))
			continue
		}
		for _, d := range file.Docs {
			if d.Body != nil && d.Body.Type() != ast.NullType && d.Body.Type() != ast.CommentType {
				out = append(out, Document{file: name, root: d.Body})
			}
		}
	}
	return out, problems
}

// separate cuts a file at its "---" lines, because the parser drops everything behind an empty document.
// Empty lines in front of each piece keep its line numbers.
func separate(data string) []string {
	var out []string
	var piece strings.Builder
	for i, line := range strings.SplitAfter(data, "\n") {
		if marker := strings.TrimRight(line, " \t\r\n"); marker == "---" || strings.HasPrefix(line, "--- ") {
			out = append(out, piece.String())
			piece.Reset()
			piece.WriteString(strings.Repeat("\n", i))
		}
		piece.WriteString(line)
	}
	return append(out, piece.String())
}

// The parser names a key's earlier place as [line:column]; the rest of its text is a picture of the file.
var earlierPlace = regexp.MustCompile(` at \[(\d+):(\d+)\]`)

func syntaxError(file string, err error) *SyntaxError {
	out := &SyntaxError{Position: Position{File: file}, Message: err.Error()}
	var known yaml.Error
	if errors.As(err, &known) {
		out.Message = known.GetMessage()
		if token := known.GetToken(); token != nil && token.Position != nil {
			out.Line, out.Column = token.Position.Line, token.Position.Column
		}
	}
	out.Message = earlierPlace.ReplaceAllString(out.Message, " in line $1")
	return out
}

// Declared returns the document as maps, slices and scalars, as a JSON Schema judges it.
func (d Document) Declared() (any, error) {
	var out any
	err := d.Decode(&out)
	return out, err
}

// Decode fills a value. Keys that it does not know are passed over.
func (d Document) Decode(into any) error {
	if d.root == nil {
		return nil
	}
	if err := yaml.NodeToValue(d.root, into); err != nil {
		return syntaxError(d.file, err)
	}
	return nil
}

// File is the name of the document's file.
func (d Document) File() string { return d.file }

// At is where the value at path stands, a path being keys of mappings and indexes of sequences. Of a
// value that is not there it is the closest one above.
func (d Document) At(path ...string) Position { return d.find(path, false) }

// KeyAt is where the key of the value at path stands.
func (d Document) KeyAt(path ...string) Position { return d.find(path, true) }

func (d Document) find(path []string, key bool) Position {
	if d.root == nil {
		return Position{File: d.file}
	}
	node := unwrap(d.root)
	at := d.position(first(node))
	for i, step := range path {
		pair, value := child(node, step)
		if value == nil {
			return at
		}
		if at = d.position(first(value)); pair != nil && (key && i == len(path)-1 || isEmpty(value)) {
			at = d.position(pair)
		}
		node = value
	}
	return at
}

// child returns a mapping's key and value, or a sequence's item.
func child(node ast.Node, step string) (key, value ast.Node) {
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if keyText(pair.Key) == step {
				return pair.Key, unwrap(pair.Value)
			}
		}
	case *ast.MappingValueNode:
		if keyText(n.Key) == step {
			return n.Key, unwrap(n.Value)
		}
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Values) {
			return nil, unwrap(n.Values[i])
		}
	}
	return nil, nil
}

func keyText(key ast.MapKeyNode) string {
	if s, ok := key.(*ast.StringNode); ok {
		return s.Value
	}
	return key.GetToken().Value
}

func unwrap(node ast.Node) ast.Node {
	for {
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.TagNode:
			node = n.Value
		default:
			return node
		}
	}
}

// first is the node at which a value begins: a mapping's own token is its first colon.
func first(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return n.Values[0].Key
		}
	case *ast.MappingValueNode:
		return n.Key
	case *ast.SequenceNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return first(unwrap(n.Values[0]))
		}
	}
	return node
}

func isEmpty(node ast.Node) bool { return node == nil || node.Type() == ast.NullType }

func (d Document) position(node ast.Node) Position {
	at := Position{File: d.file}
	if token := node.GetToken(); token != nil && token.Position != nil {
		at.Line, at.Column = token.Position.Line, token.Position.Column
	}
	return at
}
