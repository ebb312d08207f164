package main

import (
	"os"

	"github.com/spf13/cobra"

	"prospector/internal/enforcement"
	"prospector/internal/governance/drawing"
	"prospector/internal/plan"
)

// graphFlag asks for a drawing of what is denied.
func graphFlag(c *cobra.Command) *string {
	return c.Flags().String("graph", "", "draw the lineage of what is denied into this file, as SVG")
}

// drawn are an activation's violations with a title each.
func drawn(activation string, violations []enforcement.Violation) (out []drawing.Violation) {
	for _, v := range violations {
		out = append(out, drawing.Violation{Title: "activation " + activation + ", " + v.Headline(), Violation: v.Violation})
	}
	return out
}

// drawnPlan are the violations in which flows would be.
func drawnPlan(p plan.Plan) (out []drawing.Violation) {
	for _, r := range p.Refused {
		out = append(out, drawn(r.Name, r.Violations)...)
	}
	for _, f := range p.Stopped {
		out = append(out, drawn(f.Activation, f.Violations)...)
	}
	return out
}

// writeGraph draws violations into a file, if one is asked for.
func writeGraph(file string, violations []drawing.Violation) error {
	if file == "" {
		return nil
	}
	return os.WriteFile(file, []byte(drawing.SVG(violations)), 0o600)
}
