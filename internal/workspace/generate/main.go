// Command generate writes what is derived from the workspace's types: the JSON Schema that editors and
// check use, and the reference page. A test sees to it that they are current.
package main

import (
	"fmt"
	"os"
)

func main() {
	files, err := generate()
	for name, data := range files {
		if err == nil {
			err = os.WriteFile(name, data, 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// generate returns the derived files by path. It must run in the repository's folder.
func generate() (map[string][]byte, error) {
	shapes, err := schema()
	if err != nil {
		return nil, err
	}
	shapes = append(shapes, '\n')
	page, err := reference(shapes)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"internal/workspace/workspace.schema.json": shapes, "docs/workspace.md": page}, nil
}
