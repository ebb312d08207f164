package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"prospector/internal/errkind"
	"prospector/internal/identity"
	"prospector/internal/workspace"
	"prospector/internal/xdm"
)

func newGet(s *shared) *cobra.Command {
	var dir string
	var hideInherited bool
	c := &cobra.Command{
		Use:   "get [KIND [NAME]]",
		Short: "List the objects of a workspace, or show one",
		Long: `List the objects of the workspace in the current folder, or of one kind, or show one object. Kinds are those
of the workspace's files (namespace, schema, dataset …), and union: the union schema of all schemas that are
enabled for Profile. Standard namespaces and core labels are listed with the custom ones. It needs no server.`,
		Example: `  starter get -w testdata/workspace schema
  starter get -w testdata/workspace schema acme-prospects
  starter get -w testdata/workspace schema acme-prospects --hide-inherited
  starter get -w testdata/workspace label
  starter get -w testdata/workspace union`,
		Args: arguments(cobra.MaximumNArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			w, err := workspace.Load(dir)
			if err != nil {
				return err
			}
			kind, name := "", ""
			if len(args) > 0 {
				if kind, err = kindOf(args[0]); err != nil {
					return err
				}
			}
			if len(args) == 2 {
				name = args[1]
			}
			switch {
			case kind == union:
				return s.printFields(unionRows(w), unionViews(w))
			case kind == "Label": // the core ones are in no file
				labels, err := labelViews(w, name)
				if err != nil {
					return err
				}
				return s.printFields(labelRows(labels), labels)
			case name != "":
				return s.getOne(w, kind, name, hideInherited)
			case kind == "Sandbox":
				declared, err := w.Sandbox.Declared()
				return errors.Join(err, printJSON(os.Stdout, declared))
			case kind == "Namespace":
				return s.namespaces(w)
			}
			return s.list(w, kind)
		},
	}
	c.Flags().StringVarP(&dir, "workspace", "w", ".", "folder of the workspace")
	c.Flags().BoolVar(&hideInherited, "hide-inherited", false, "of a schema, show only the labels that are written in it for the field")
	return c
}

const union = "Union"

// kindOf finds a kind as people type it: any case, singular or plural.
func kindOf(text string) (string, error) {
	all := append([]string{union}, workspace.Kinds...)
	var names []string
	for _, kind := range all {
		spoken := strings.ToLower(kind)
		plural := spoken + "s"
		if strings.HasSuffix(spoken, "y") {
			plural = strings.TrimSuffix(spoken, "y") + "ies"
		}
		if asked := strings.ToLower(strings.ReplaceAll(text, "-", "")); asked == spoken || asked == plural {
			return kind, nil
		}
		names = append(names, spoken)
	}
	return "", usageError{fmt.Errorf("unknown kind %q; known are %s", text, strings.Join(names, ", "))}
}

// listed is one line of a list.
type listed struct {
	Kind        string `json:"kind"`
	Name        string `json:"name"`
	At          string `json:"at"`
	Description string `json:"description,omitempty"`
}

func (s *shared) list(w *workspace.Workspace, kind string) error {
	var out []listed
	for _, o := range w.Objects() {
		if kind == "" || o.Kind == kind {
			declared, _ := o.Declared.(map[string]any)
			out = append(out, listed{o.Kind, o.Name, o.At.String(), text(declared["description"])})
		}
	}
	if s.asJSON {
		return printJSON(os.Stdout, out)
	}
	rows := [][]string{{"kind", "name", "at", "description"}}
	for _, o := range out {
		rows = append(rows, []string{strings.ToLower(o.Kind), o.Name, o.At, o.Description})
	}
	return table(os.Stdout, rows)
}

// namespaceView is a namespace as people look for it (ID-6, ID-14).
type namespaceView struct {
	Symbol      string        `json:"symbol"`
	Name        string        `json:"name"`
	Type        identity.Type `json:"type"`
	ForProspect bool          `json:"forProspects"`
	At          string        `json:"at,omitempty"` // empty for a standard one
	Description string        `json:"description,omitempty"`
}

// namespaces lists the custom namespaces, then the standard ones (ID-13).
func (s *shared) namespaces(w *workspace.Workspace) error {
	var out []namespaceView
	for _, n := range w.Namespaces {
		out = append(out, namespaceView{n.Symbol, n.Name, n.Type, n.Type.AllowedForProspects(), n.At().String(), n.Description})
	}
	for _, n := range identity.Standard {
		out = append(out, namespaceView{Symbol: n.Symbol, Name: n.Name, Type: n.Type, ForProspect: n.Type.AllowedForProspects(), Description: n.Description})
	}
	if s.asJSON {
		return printJSON(os.Stdout, out)
	}
	rows := [][]string{{"symbol", "name", "type", "for prospects", "at", "description"}}
	for _, n := range out {
		at := n.At
		if at == "" {
			at = "standard"
		}
		rows = append(rows, []string{n.Symbol, n.Name, string(n.Type), map[bool]string{true: "yes", false: "no"}[n.ForProspect], at, n.Description})
	}
	return table(os.Stdout, rows)
}

func text(v any) string {
	t, _ := v.(string)
	return t
}

func (s *shared) getOne(w *workspace.Workspace, kind, name string, hideInherited bool) error {
	var known []string
	for _, o := range w.Objects() {
		if o.Kind != kind {
			continue
		}
		known = append(known, o.Name)
		if o.Name != name {
			continue
		}
		if schema, ok := o.Value.(*workspace.Schema); ok {
			fields := fieldViews(w, schema, hideInherited)
			return s.printFields(schemaRows(fields), fields)
		}
		if s.asJSON {
			return printJSON(os.Stdout, o.Declared)
		}
		fmt.Printf("%s %s, at %s\n", strings.ToLower(kind), name, o.At)
		return printJSON(os.Stdout, o.Declared)
	}
	return notCalled(kind, name, known)
}

func notCalled(kind, name string, known []string) error {
	hint := "there is none"
	if near := xdm.Nearest(name, known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if len(known) > 0 {
		hint = "known are " + strings.Join(known, ", ")
	}
	return errkind.New(errkind.Invalid, "", fmt.Errorf("no %s is called %q", strings.ToLower(kind), name), hint)
}

// fieldView is a field of a schema with its labels.
type fieldView struct {
	Path      string   `json:"path"`
	Type      string   `json:"type"`
	Group     string   `json:"group"`
	Title     string   `json:"title,omitempty"`
	Required  bool     `json:"required,omitempty"`
	Labels    []string `json:"labels"`
	Inherited []string `json:"inherited,omitempty"` // labels that are written elsewhere
}

func fieldViews(w *workspace.Workspace, schema *workspace.Schema, hideInherited bool) []fieldView {
	out := make([]fieldView, 0, len(schema.Composed.Fields))
	for _, f := range schema.Composed.Fields {
		v := fieldView{Path: f.Path, Type: f.TypeText(), Group: f.Group, Title: f.Title, Required: f.Required, Labels: []string{}}
		seen := map[string]bool{}
		for _, origin := range w.LabelOrigins(schema, f.Path) {
			if seen[origin.Label] || hideInherited && origin.Inherited {
				continue
			}
			seen[origin.Label] = true
			v.Labels = append(v.Labels, origin.Label)
			if origin.Inherited {
				v.Inherited = append(v.Inherited, origin.Label)
			}
		}
		out = append(out, v)
	}
	return out
}

func schemaRows(fields []fieldView) [][]string {
	rows := [][]string{{"field", "type", "required", "labels", "from"}}
	for _, v := range fields {
		labels := strings.Join(v.Labels, ", ")
		if len(v.Inherited) > 0 {
			labels += " (inherited: " + strings.Join(v.Inherited, ", ") + ")"
		}
		rows = append(rows, []string{v.Path, v.Type, map[bool]string{true: "required"}[v.Required], labels, v.Group})
	}
	return rows
}

// unionView is a field of the union schema.
type unionView struct {
	Path    string   `json:"path"`
	Type    string   `json:"type"`
	Schemas []string `json:"schemas"`
}

func unionViews(w *workspace.Workspace) []unionView {
	var out []unionView
	for _, f := range w.Union() {
		out = append(out, unionView{f.Path, f.TypeText(), f.Schemas})
	}
	return out
}

func unionRows(w *workspace.Workspace) [][]string {
	rows := [][]string{{"field", "type", "schemas"}}
	for _, f := range w.Union() {
		rows = append(rows, []string{f.Path, f.TypeText(), strings.Join(f.Schemas, ", ")})
	}
	return rows
}

func (s *shared) printFields(rows [][]string, value any) error {
	if s.asJSON {
		return printJSON(os.Stdout, value)
	}
	return errors.Join(table(os.Stdout, rows))
}
