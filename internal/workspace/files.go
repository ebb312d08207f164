package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/yamldoc"
)

// Files are the texts of a workspace by path, relative to its folder and with slashes. They are all that
// a workspace is: whoever has them can check it anywhere.
type Files map[string]string

// MaxBytes bounds a workspace's files together. They travel as one input of a Temporal workflow, compressed.
const MaxBytes = 8 << 20

// Read reads the files of the workspace in dir, and what its sandbox includes. When only includes are not
// there the error wraps Problems, and the other files are returned with it.
func Read(dir string) (Files, error) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		if err == nil {
			err = fmt.Errorf("%s is not a folder", dir)
		}
		return nil, errkind.New(errkind.Invalid, "read workspace", err, "name the folder that holds prospector.yaml")
	}
	files := Files{}
	if err := files.add(dir, "."); err != nil {
		return nil, errkind.New(errkind.Invalid, "read workspace", err, "")
	}
	var problems Problems
	for _, included := range files.includes() {
		if message := files.include(dir, included.text); message != "" {
			problems = append(problems, Problem{Position: included.at, Object: "sandbox", Message: message,
				Hint: "name a folder, or a YAML or JSON file, relative to this folder"})
		}
	}
	total := 0
	for _, text := range files {
		total += len(text)
	}
	if total > MaxBytes {
		return nil, errkind.New(errkind.Invalid, "read workspace", fmt.Errorf("its files have %d bytes, there may be %d", total, MaxBytes),
			"keep data out of the workspace's folder")
	}
	if len(problems) > 0 {
		return files, errkind.New(errkind.Invalid, "", problems, "")
	}
	return files, nil
}

// include adds what a sandbox includes, or says why it cannot.
func (f Files) include(dir, at string) (message string) {
	err := f.add(dir, at)
	var failure *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("there is no folder or file %q to include", at)
	case errors.As(err, &failure):
		return fmt.Sprintf("%q cannot be included: %v", at, failure.Err)
	case err != nil:
		return fmt.Sprintf("%q cannot be included: %v", at, err)
	}
	info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(at)))
	if err == nil && !info.IsDir() && !isYAML(at) && !isJSON(at) {
		return fmt.Sprintf("%q is neither YAML nor JSON by its name", at)
	}
	return ""
}

// Digest is equal for equal files.
func (f Files) Digest() string {
	data, _ := json.Marshal(f) // keys in order; texts cannot fail
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

const byteOrderMark = "\ufeff" // which Windows editors put first

// add reads a file, or a folder with all below it. Names that begin with a dot are passed over.
func (f Files) add(dir, at string) error {
	root := filepath.Join(dir, filepath.FromSlash(at))
	if _, err := os.Stat(root); err != nil {
		return err
	}
	return filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case file != root && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case entry.IsDir() || !isYAML(file) && !isJSON(file):
			return nil
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		f[filepath.ToSlash(name)] = strings.TrimPrefix(string(data), byteOrderMark)
		return nil
	})
}

func isYAML(file string) bool { return slices.Contains([]string{".yaml", ".yml"}, path.Ext(file)) }
func isJSON(file string) bool { return path.Ext(file) == ".json" }

// names lists the files in order, those of the folder itself before those below it.
func (f Files) names() []string { return slices.Sorted(maps.Keys(f)) }

type included struct {
	text string
	at   yamldoc.Position
}

// includes are what the documents of kind Sandbox include. What is wrong with them is said later.
func (f Files) includes() []included {
	var out []included
	for _, name := range f.names() {
		if !isYAML(name) {
			continue
		}
		documents, _ := yamldoc.Parse(name, []byte(f[name]))
		for _, d := range documents {
			var sandbox struct {
				Kind    string   `yaml:"kind"`
				Include []string `yaml:"include"`
			}
			if d.Decode(&sandbox) != nil || sandbox.Kind != "Sandbox" {
				continue
			}
			for i, text := range sandbox.Include {
				out = append(out, included{text, d.At("include", index(i))})
			}
		}
	}
	return out
}
