package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"golang.org/x/term"

	"prospector/activities"
	"prospector/internal/api"
	"prospector/internal/enforcement"
	"prospector/internal/errkind"
	"prospector/internal/plan"
	"prospector/internal/workspace"
	"prospector/workflows"
)

func newPlan(s *shared) *cobra.Command {
	var graph *string
	c := &cobra.Command{
		Use:   "plan [DIR]",
		Short: "Show what applying a workspace would change, and what is refused",
		Long: `Compare the workspace in DIR, the current folder unless said, with the one that was applied last: what
would be added, changed and removed, what that means, and what is refused because it cannot be undone or
contradicts data that is loaded. Nothing is changed. Exit code 2 when something is refused.`,
		Example: "  starter plan testdata/workspace",
		Args:    arguments(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return s.withPlan(c, args, false, func(_ client.Client, _ activities.WorkspaceInput, planned workflows.ApplyWorkspaceResult) error {
				show := printPlan
				if s.asJSON {
					show = func(out io.Writer, p workflows.ApplyWorkspaceResult) error { return printJSON(out, p) }
				}
				return errors.Join(show(os.Stdout, planned), writeGraph(*graph, drawnPlan(planned.Plan)), refused(planned.Plan))
			})
		},
	}
	graph = graphFlag(c)
	return c
}

func newApply(s *shared) *cobra.Command {
	var yes, stopAffected bool
	c := &cobra.Command{
		Use:   "apply [DIR]",
		Short: "Make a workspace the one that runs use",
		Long: `Check the workspace in DIR, the current folder unless said, show what it changes, and make it the one that
runs use from their next step on, with its schedules. While something is refused nothing is applied.
Applying again what was applied changes nothing. Changes that cannot be undone are asked about.
A change by which policies or contracts would block an activation that delivers today is refused, with the
lineage and the ways out; --stop-affected applies it all the same, and those activations stop.`,
		Example: `  starter apply testdata/workspace
  starter apply --yes .    # without questions, for scripts
  starter apply --stop-affected .`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return s.withPlan(c, args, stopAffected, func(connection client.Client, in activities.WorkspaceInput, planned workflows.ApplyWorkspaceResult) error {
				return s.apply(c, connection, in, planned, yes)
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask, also about what cannot be undone")
	c.Flags().BoolVar(&stopAffected, "stop-affected", false, "apply also what blocks activations that deliver today; they stop")
	return c
}

// withPlan plans the workspace that arguments name and goes on with the plan.
func (s *shared) withPlan(c *cobra.Command, args []string, stopAffected bool, do func(client.Client, activities.WorkspaceInput, workflows.ApplyWorkspaceResult) error) error {
	in, err := workspaceInput(c.Context(), args)
	if err != nil {
		return err
	}
	in.StopAffected = stopAffected
	connection, err := s.dial(c.Context())
	if err != nil {
		return err
	}
	defer connection.Close()
	planned, err := s.plan(c, connection, in)
	if err != nil {
		return err
	}
	return do(connection, in, planned)
}

// apply makes the planned workspace the one that holds.
func (s *shared) apply(c *cobra.Command, connection client.Client, in activities.WorkspaceInput, planned workflows.ApplyWorkspaceResult, yes bool) error {
	if !s.asJSON {
		if err := printPlan(os.Stdout, planned); err != nil {
			return err
		}
	}
	if len(planned.Plan.Refused) == 0 && !yes { // else applying records the refusal
		if err := confirm(os.Stdin, os.Stderr, planned.Plan); err != nil {
			return err
		}
	}
	var applied workflows.ApplyWorkspaceResult
	input := workflows.ApplyWorkspaceInput(in)
	if err := execute(c.Context(), connection, input.WorkflowID(), workflows.ApplyWorkspace, input, &applied); err != nil {
		return err
	}
	if s.asJSON {
		return printJSON(os.Stdout, applied)
	}
	for _, flow := range applied.Plan.Stopped {
		fmt.Println("stopped: activation", flow.Activation)
	}
	for _, change := range applied.Schedules {
		fmt.Println("schedule", change)
	}
	fmt.Println("applied:", applied.Version)
	return nil
}

// workspaceInput packs the workspace of the folder that arguments name. It is checked here first, so that
// what is wrong is said without a server.
func workspaceInput(ctx context.Context, args []string) (in activities.WorkspaceInput, err error) {
	dir := "."
	if len(args) == 1 {
		dir = args[0]
	}
	w, err := workspace.Load(dir)
	if err != nil {
		return in, err
	}
	if in.RequestedBy, err = requestedBy(ctx); err != nil {
		return in, err
	}
	in.Bundle, err = activities.BundleWorkspace(w.Files)
	return in, err
}

// requestedBy is for whom a run is started: whom the worker knows by the token of this command, or without one the operating system's
// user. What the input of a run says is a claim; the worker holds it against its access file.
func requestedBy(ctx context.Context) (string, error) {
	if os.Getenv(api.TokenVariable) == "" {
		return whoami(), nil
	}
	client, err := api.Connect("")
	if err != nil {
		return "", err
	}
	who, err := client.SignIn(ctx)
	if err != nil {
		return "", fmt.Errorf("ask the worker whose the token in %s is, before a run is started for you: %w", api.TokenVariable, err)
	}
	return who.Principal, nil
}

func whoami() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}

func (s *shared) plan(c *cobra.Command, connection client.Client, in activities.WorkspaceInput) (out workflows.ApplyWorkspaceResult, err error) {
	planned := workflows.PlanWorkspaceInput(in)
	id := planned.WorkflowID() + "/" + rand.Text() // several people may plan at once
	err = execute(c.Context(), connection, id, workflows.PlanWorkspace, planned, &out)
	return out, err
}

func refused(p plan.Plan) error {
	if len(p.Refused) == 0 {
		return nil
	}
	return errkind.Newf(errkind.Invalid, "refused changes: %d; nothing can be applied before they are taken back", len(p.Refused))
}

var marks = map[string]string{plan.Add: "+", plan.Edit: "~", plan.Remove: "-"}

func printPlan(out io.Writer, p workflows.ApplyWorkspaceResult) error {
	for _, w := range p.Warnings {
		fmt.Fprintln(os.Stderr, "warning:", w)
	}
	if p.Plan.Empty() {
		_, err := fmt.Fprintln(out, "no differences")
		return err
	}
	var rows [][]string
	for _, c := range p.Plan.Changes {
		text := strings.Join(c.Effects, "; ")
		if len(c.Keys) > 0 {
			text = strings.TrimSuffix(strings.Join(c.Keys, ", ")+": "+text, ": ")
		}
		rows = append(rows, []string{marks[c.Action] + " " + strings.ToLower(c.Kind), c.Name, text})
	}
	if err := table(out, rows); err != nil {
		return err
	}
	for _, e := range p.Plan.Effects {
		fmt.Fprintln(out, "*", e)
	}
	for _, r := range p.Plan.Refused {
		fmt.Fprintln(out, "refused:", strings.Join(r.Lines(), "\n"))
	}
	for _, flow := range p.Plan.Stopped {
		fmt.Fprintln(out, "stops: activation", flow.Activation)
		for _, line := range enforcement.Lines(flow.Violations) {
			fmt.Fprintln(out, "  "+line)
		}
	}
	counts := map[string]int{}
	for _, c := range p.Plan.Changes {
		counts[c.Action]++
	}
	_, err := fmt.Fprintf(out, "%d to add, %d to change, %d to remove, %d refused\n", counts[plan.Add], counts[plan.Edit], counts[plan.Remove], len(p.Plan.Refused))
	return err
}

// confirm asks about what cannot be undone (SC-30).
func confirm(in *os.File, out io.Writer, p plan.Plan) error {
	var permanent []string
	for _, c := range p.Changes {
		if c.Permanent != "" {
			permanent = append(permanent, c.Permanent)
		}
	}
	if len(permanent) == 0 {
		return nil
	}
	fmt.Fprintln(out, "This cannot be undone:")
	for _, text := range permanent {
		fmt.Fprintln(out, "  "+text)
	}
	if !term.IsTerminal(int(in.Fd())) {
		return usageError{errors.New("there is nobody to ask; apply with --yes")}
	}
	fmt.Fprint(out, "Apply? [y/N] ")
	var answer string
	_, _ = fmt.Fscanln(in, &answer) // no answer is no
	if a := strings.ToLower(answer); a != "y" && a != "yes" {
		return usageError{errors.New("not applied")}
	}
	return nil
}
