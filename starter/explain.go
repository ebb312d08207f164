package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"prospector/internal/errkind"
	"prospector/internal/workspace"
	"prospector/internal/xdm"
)

func newExplain(s *shared) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "explain FIELD",
		Short: "Say where a field is defined, its labels and where they come from, and who uses it",
		Long: `Say of a field in the workspace of the current folder: which class or field group defines it, in which
schemas and datasets it is, which labels it carries and where each is written, which columns fill it, and
which audiences and activations use it. It needs no server.`,
		Example: "  starter explain -w testdata/workspace partner.hiking",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			w, err := workspace.Load(dir)
			if err != nil {
				return err
			}
			e, err := explain(w, args[0])
			if err != nil {
				return err
			}
			if s.asJSON {
				return printJSON(os.Stdout, e)
			}
			return e.print()
		},
	}
	c.Flags().StringVarP(&dir, "workspace", "w", ".", "folder of the workspace")
	return c
}

// explanation is what there is to know of a field.
type explanation struct {
	Field       string        `json:"field"`
	Type        string        `json:"type"`
	Title       string        `json:"title,omitempty"`
	Group       string        `json:"group"`
	Schemas     []schemaUse   `json:"schemas"`
	Datasets    []string      `json:"datasets,omitempty"`
	Labels      []labelOrigin `json:"labels,omitempty"`
	Columns     []string      `json:"columns,omitempty"`
	Audiences   []string      `json:"audiences,omitempty"`
	Activations []string      `json:"activations,omitempty"`
}

type schemaUse struct {
	Schema string   `json:"schema"`
	Rules  []string `json:"rules,omitempty"` // required, enum …
}

type labelOrigin struct {
	Label     string `json:"label"`
	From      string `json:"from"`
	At        string `json:"at"`
	On        string `json:"on"` // schema or dataset
	Inherited bool   `json:"inherited,omitempty"`
}

func explain(w *workspace.Workspace, path string) (explanation, error) {
	out := explanation{Field: path}
	for _, schema := range w.Schemas {
		f, ok := schema.Composed.Field(path)
		if !ok {
			continue
		}
		out.Type, out.Title, out.Group = f.TypeText(), f.Title, f.Group
		out.Schemas = append(out.Schemas, schemaUse{schema.Name, rules(f)})
		for _, o := range w.LabelOrigins(schema, path) {
			out.Labels = append(out.Labels, labelOrigin{o.Label, o.Source, o.At.String(), "schema " + schema.Name, o.Inherited})
		}
		for _, d := range w.Datasets {
			if d.Schema != schema.Name {
				continue
			}
			out.Datasets = append(out.Datasets, d.Name)
			for _, o := range w.DatasetLabelOrigins(d, path) {
				out.Labels = append(out.Labels, labelOrigin{o.Label, o.Source, o.At.String(), "dataset " + d.Name, true})
			}
		}
	}
	if len(out.Schemas) == 0 {
		return out, unknownField(w, path)
	}
	for _, source := range w.Sources {
		for column, target := range source.Mapping {
			if target == path {
				out.Columns = append(out.Columns, fmt.Sprintf("%s of source %s", column, source.Name))
			}
		}
	}
	for _, a := range w.Audiences {
		if slices.Contains(a.Parsed.Columns, path) {
			out.Audiences = append(out.Audiences, a.Name)
		}
	}
	for _, a := range w.Activations {
		mapped := slices.ContainsFunc(a.Mapping, func(m workspace.MappedTo) bool { return m.Field == path })
		through := slices.DeleteFunc(slices.Clone(a.Audiences), func(name string) bool { return !slices.Contains(out.Audiences, name) })
		switch {
		case mapped:
			out.Activations = append(out.Activations, fmt.Sprintf("%s exports it to %s", a.Name, a.Destination))
		case len(through) > 0:
			out.Activations = append(out.Activations, fmt.Sprintf("%s, through audience %s, to %s", a.Name, strings.Join(through, ", "), a.Destination))
		}
	}
	return out, nil
}

func rules(f xdm.Field) []string {
	var out []string
	if f.Required {
		out = append(out, "required")
	}
	if len(f.Enum) > 0 {
		out = append(out, "one of "+strings.Join(f.Enum, ", "))
	}
	if f.Pattern != "" {
		out = append(out, "matches "+f.Pattern)
	}
	if f.Format != "" {
		out = append(out, "format "+f.Format)
	}
	if f.MinLength > 0 {
		out = append(out, fmt.Sprintf("at least %d characters", f.MinLength))
	}
	if f.MaxLength > 0 {
		out = append(out, fmt.Sprintf("at most %d characters", f.MaxLength))
	}
	if f.Minimum != nil {
		out = append(out, fmt.Sprintf("at least %g", *f.Minimum))
	}
	if f.Maximum != nil {
		out = append(out, fmt.Sprintf("at most %g", *f.Maximum))
	}
	if f.Default != nil {
		out = append(out, "default "+*f.Default)
	}
	return out
}

func unknownField(w *workspace.Workspace, path string) error {
	var known []string
	for _, schema := range w.Schemas {
		for _, f := range schema.Composed.Fields {
			known = append(known, f.Path)
		}
	}
	hint := "list fields with: starter get schema NAME"
	if near := xdm.Nearest(path, known); near != "" {
		hint = fmt.Sprintf("did you mean %s?", near)
	}
	return errkind.New(errkind.Invalid, "", fmt.Errorf("no schema has the field %s", path), hint)
}

func (e explanation) print() error {
	fmt.Printf("%s  %s  (%s)\ndefined by %s\n", e.Field, e.Type, e.Title, e.Group)
	for _, s := range e.Schemas {
		text := "in schema " + s.Schema
		if len(s.Rules) > 0 {
			text += ": " + strings.Join(s.Rules, ", ")
		}
		fmt.Println(text)
	}
	var rows [][]string
	for _, l := range e.Labels {
		inherited := ""
		if l.Inherited {
			inherited = "inherited"
		}
		rows = append(rows, []string{"label " + l.Label, "on " + l.On, "from " + l.From, "at " + l.At, inherited})
	}
	if len(e.Labels) == 0 {
		fmt.Println("no label: no policy can protect it")
	}
	if err := table(os.Stdout, rows); err != nil {
		return err
	}
	for _, list := range []struct {
		title string
		names []string
	}{{"datasets", e.Datasets}, {"filled by", e.Columns}, {"audiences", e.Audiences}, {"activations", e.Activations}} {
		names := "none"
		if len(list.names) > 0 {
			names = strings.Join(list.names, "; ")
		}
		fmt.Printf("%s: %s\n", list.title, names)
	}
	return nil
}
