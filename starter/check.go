package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"prospector/internal/enforcement"
	"prospector/internal/plan"
	"prospector/internal/workspace"
)

func newCheck(s *shared) *cobra.Command {
	return &cobra.Command{
		Use:   "check [DIR]",
		Short: "Check the YAML files of a workspace; needs no server and no secrets",
		Long: `Check the YAML files of a workspace, the current folder unless said: every reference, type, rule, mapping
and policy. It needs no server and no secrets. All problems are listed, each with file and line. Activations
that policies or contracts would keep back today are named with what explains it: nothing of them will leave.`,
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
	Blocked  []plan.Flow    `json:"blocked,omitempty"` // activations that policies or contracts keep back today
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
		w.Warnings = append(w.Warnings, w.EndedSchedules(time.Now())...)
		for _, warning := range w.Warnings {
			out.Warnings = append(out.Warnings, warning.Error())
		}
		if out.Blocked, err = blocked(w, enforcement.Facts{Now: time.Now()}); err != nil {
			return err
		}
		out.Objects = map[string]int{"namespaces": len(w.Namespaces), "schemas": len(w.Schemas), "datasets": len(w.Datasets), "sources": len(w.Sources),
			"policies": len(w.Policies), "contracts": len(w.Contracts), "audiences": len(w.Audiences), "destinations": len(w.Destinations), "activations": len(w.Activations)}
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
	for _, flow := range out.Blocked {
		fmt.Fprintln(os.Stderr, "blocked: activation", flow.Activation)
		for _, line := range enforcement.Lines(flow.Violations) {
			fmt.Fprintln(os.Stderr, "  "+line)
		}
	}
	fmt.Printf("%s is valid: %d namespaces, %d schemas, %d datasets, %d sources, %d policies, %d audiences, %d destinations, %d activations\n", dir,
		len(w.Namespaces), len(w.Schemas), len(w.Datasets), len(w.Sources), len(w.Policies), len(w.Audiences), len(w.Destinations), len(w.Activations))
	return nil
}

// blocked lists the activations of a workspace that policies or contracts keep back.
func blocked(w *workspace.Workspace, facts enforcement.Facts) (out []plan.Flow, err error) {
	for _, a := range w.Activations {
		found, err := enforcement.Judge(w, a, facts)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			out = append(out, plan.Flow{Activation: a.Name, Violations: found})
		}
	}
	return out, nil
}
