package workspace

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"prospector/internal/yamldoc"
)

// With returns the files as they would be with the documents of another text: they take the place of those of the same kind and
// name, or are added. All other documents keep their lines.
func (f Files) With(name, text string) Files {
	out := maps.Clone(f)
	name = filepath.ToSlash(name)
	replaced := identities(name, text)
	for file, old := range f {
		if isYAML(file) {
			out[file] = without(file, old, replaced)
		}
	}
	if old, ok := out[name]; ok && strings.TrimSpace(old) != "" { // beside it, never instead of it
		name = "edited/" + name
	}
	out[name] = strings.TrimPrefix(text, byteOrderMark)
	return out
}

// identities are kind and name of the documents of a text.
func identities(name, text string) (out []string) {
	documents, _ := yamldoc.Parse(name, []byte(text)) // what is wrong is said when the files are checked
	for _, d := range documents {
		var object struct{ Kind, Name, Symbol string }
		if d.Decode(&object) != nil {
			continue
		}
		if nameKey(object.Kind) == "symbol" {
			object.Name = object.Symbol
		}
		if object.Kind == "Sandbox" {
			object.Name = "" // there is one
		}
		out = append(out, object.Kind+" "+object.Name)
	}
	return out
}

// without blanks the documents of a text that are replaced.
func without(file, text string, replaced []string) string {
	lines := strings.SplitAfter(text, "\n")
	start := 0
	for i := 0; i <= len(lines); i++ {
		if i < len(lines) && !strings.HasPrefix(lines[i], "---") {
			continue
		}
		document := strings.Join(lines[start:i], "")
		if slices.ContainsFunc(identities(file, document), func(id string) bool { return slices.Contains(replaced, id) }) {
			for j := start; j < i; j++ {
				lines[j] = "\n"
			}
		}
		start = i + 1
	}
	return strings.Join(lines, "")
}
