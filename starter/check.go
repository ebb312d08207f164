package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"prospector/internal/workspace"
)

func newCheck(s *shared) *cobra.Command {
	return &cobra.Command{
		Use:   "check [DIR]",
		Short: "Check the YAML files of a workspace; needs no server and no secrets",
		Long: `Check the YAML files of a workspace, the current folder unless said: every reference, type, rule, mapping
and policy. It needs no server and no secrets. All problems are listed, each with file and line.`,
		Example: "  starter check testdata/workspace",
		Args:    arguments(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			return s.check(dir)
		},
	}
}

// checked is the result of a check.
type checked struct {
	Valid    bool           `json:"valid"`
	Objects  map[string]int `json:"objects,omitempty"`
	Warnings []string       `json:"warnings,omitempty"`
	Problems []string       `json:"problems,omitempty"`
}

func (s *shared) check(dir string) error {
	w, err := workspace.Load(dir)
	var problems workspace.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	out := checked{Valid: err == nil}
	for _, p := range problems {
		out.Problems = append(out.Problems, p.Error())
	}
	if err == nil {
		for _, warning := range w.Warnings {
			out.Warnings = append(out.Warnings, warning.Error())
		}
		out.Objects = map[string]int{"namespaces": len(w.Namespaces), "schemas": len(w.Schemas), "datasets": len(w.Datasets), "sources": len(w.Sources),
			"policies": len(w.Policies), "audiences": len(w.Audiences), "destinations": len(w.Destinations), "activations": len(w.Activations)}
	}
	if s.asJSON {
		return errors.Join(printJSON(os.Stdout, out), err)
	}
	if err != nil {
		return err
	}
	for _, warning := range w.Warnings {
		fmt.Fprintln(os.Stderr, "warning:", warning.Error())
	}
	fmt.Printf("%s is valid: %d namespaces, %d schemas, %d datasets, %d sources, %d policies, %d audiences, %d destinations, %d activations\n", dir,
		len(w.Namespaces), len(w.Schemas), len(w.Datasets), len(w.Sources), len(w.Policies), len(w.Audiences), len(w.Destinations), len(w.Activations))
	return nil
}
