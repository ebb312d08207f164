package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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

// Read reads the files of the workspace in dir, and what its sandbox includes.
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
	for _, included := range files.includes() {
		if err := files.add(dir, included.text); err != nil {
			return nil, errkind.New(errkind.Invalid, "", Problems{{Position: included.at, Object: "sandbox", Message: "include: " + err.Error(),
				Hint: "name a folder or file, relative to the workspace"}}, "")
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
	return files, nil
}

// Digest is equal for equal files.
func (f Files) Digest() string {
	data, _ := json.Marshal(f) // keys in order; texts cannot fail
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

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
		f[filepath.ToSlash(name)] = string(data)
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
