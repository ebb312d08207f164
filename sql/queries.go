// Package queries holds every SQL statement, one per file and named after it. Statements over a
// dataset's columns are templates: what is filled in are identifiers and literals that were made
// from the checked workspace and quoted here, never a partner's or a marketer's text.
package queries

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"text/template"
)

//go:embed schema ingest profiles audiences export catalog
var files embed.FS

var templates = parse()

func parse() *template.Template {
	all := template.New("").Option("missingkey=error").Funcs(template.FuncMap{"ident": Identifier, "text": Text})
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		_, err = all.New(strings.TrimSuffix(path, ".sql")).Parse(string(data))
		return err
	})
	if err != nil {
		panic(err) // embedded: the first test finds it
	}
	return all
}

// Statement renders the statement called name, such as "ingest/write_part", with data.
func Statement(name string, data any) (string, error) {
	var out strings.Builder
	if err := templates.ExecuteTemplate(&out, name, data); err != nil {
		return "", fmt.Errorf("statement %s: %w", name, err)
	}
	return out.String(), nil
}

// Names lists all statements.
func Names() []string {
	var out []string
	for _, t := range templates.Templates() {
		if t.Name() != "" {
			out = append(out, t.Name())
		}
	}
	return out
}

// Identifier quotes a name as an SQL identifier.
func Identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Text quotes a value as an SQL string literal. DuckDB and SQLite know no escapes in it but the
// doubled quote.
func Text(value string) string { return `'` + strings.ReplaceAll(value, `'`, `''`) + `'` }
