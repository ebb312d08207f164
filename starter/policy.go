package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"prospector/internal/api"
	"prospector/internal/enforcement"
	"prospector/internal/errkind"
	"prospector/internal/governance/drawing"
	"prospector/internal/plan"
	"prospector/internal/workspace"
)

func newPolicy(s *shared) *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Policies: list, evaluate, impact; needs no server and no secrets",
		Long:  "List the policies of a workspace folder, ask what they allow, and see what an edited policy would stop.",
		Args:  arguments(cobra.NoArgs),
		RunE:  help,
	}
	c.AddCommand(newPolicyList(s), newPolicyEvaluate(s), newPolicyImpact(s))
	return c
}

// workspaceFlag is the folder of a workspace that may also be an argument; folder is either of them, else the current one.
func workspaceFlag(c *cobra.Command) *string {
	return c.Flags().String("workspace", "", "folder of the workspace, instead of DIR; the current one unless said")
}

func folder(args []string, flag string) (string, error) {
	switch {
	case len(args) > 0 && flag != "":
		return "", usageError{errors.New("give DIR or --workspace, one of them")}
	case len(args) > 0:
		return args[0], nil
	}
	return cmp.Or(flag, "."), nil
}

func newPolicyList(s *shared) *cobra.Command {
	var applied bool
	var dataDir, dir *string
	c := &cobra.Command{
		Use:   "list [DIR]",
		Short: "List all policies with owner, status, marketing actions and label expression, the built-in ones too",
		Long: `List all policies of the workspace in DIR, the current folder unless said, the built-in ones too. With --applied, those of
the workspace that was applied last, with who declared them: the worker that runs on the data directory answers.`,
		Example: "  starter policy list testdata/workspace\n  starter policy list --applied",
		Args:    arguments(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if applied {
				if len(args) > 0 || *dir != "" {
					return usageError{errors.New("give a folder or --applied, one of them")}
				}
				return s.appliedPolicies(c.Context(), *dataDir)
			}
			named, err := folder(args, *dir)
			if err != nil {
				return err
			}
			w, err := workspace.Load(named)
			if err != nil {
				return err
			}
			policies := w.GovernancePolicies()
			if s.asJSON {
				return printJSON(os.Stdout, policies)
			}
			rows := [][]string{{"POLICY", "STATUS", "TYPE", "OWNER", "DENIES", "FOR", "WHERE"}}
			for _, p := range policies {
				kind := p.Type
				if p.Basis != "" {
					kind += ", " + p.Basis
				}
				rows = append(rows, []string{p.Name, string(p.Status), kind, p.Owner, strings.Join(p.MarketingActions, ", "), p.Deny.String(), p.At})
			}
			return table(os.Stdout, rows)
		},
	}
	dir = workspaceFlag(c)
	c.Flags().BoolVar(&applied, "applied", false, "those that hold, with who declared them")
	dataDir = dataDirFlag(c.Flags())
	return c
}

// appliedPolicies lists the policies that hold (PL-11).
func (s *shared) appliedPolicies(ctx context.Context, dataDir string) error {
	client, err := api.Connect(dataDir)
	if err != nil {
		return err
	}
	list, err := client.Policies(ctx)
	if err != nil {
		return err
	}
	if s.asJSON {
		return printJSON(os.Stdout, list)
	}
	rows := [][]string{{"POLICY", "STATUS", "TYPE", "OWNER", "DENIES", "FOR", "CREATED", "BY", "UPDATED", "BY"}}
	for _, p := range list.Policies {
		rows = append(rows, []string{p.Name, p.Status, p.Type, p.Owner, strings.Join(p.MarketingActions, ", "), p.Deny, dateOf(p.Created), p.CreatedBy, dateOf(p.Updated), p.UpdatedBy})
	}
	return table(os.Stdout, rows)
}

func newPolicyEvaluate(s *shared) *cobra.Command {
	q := enforcement.Question{User: whoami()}
	var dir *string
	c := &cobra.Command{
		Use:   "evaluate [DIR] --action ACTION --labels LABELS | --dataset DATASETS [--fields FIELDS]",
		Short: "Ask whether policies allow a marketing action for labels, datasets, or fields of datasets",
		Long: `Ask whether the policies of the workspace in DIR, the current folder unless said, allow a marketing action for
labels, for datasets, or for some fields of them. Exit code 3 when a policy denies it.`,
		Example: `  starter policy evaluate --action "Email Targeting" --labels Third-Party,C2
  starter policy evaluate --action "Data Science" --dataset acme_2026 --fields partner.hiking --include-draft`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			named, err := folder(args, *dir)
			if err != nil {
				return err
			}
			w, err := workspace.Load(named)
			if err != nil {
				return err
			}
			q.Now = time.Now().UTC().Truncate(time.Second)
			answer, err := enforcement.Evaluate(w, q)
			if err != nil {
				return err
			}
			show := printAnswer
			if s.asJSON {
				show = func(a enforcement.Answer) error { return printJSON(os.Stdout, a) }
			}
			return errors.Join(show(answer), denied(answer))
		},
	}
	dir = workspaceFlag(c)
	c.Flags().StringSliceVar(&q.MarketingActions, "action", nil, "marketing action")
	c.Flags().StringSliceVar(&q.Labels, "labels", nil, "labels, case-sensitive")
	c.Flags().StringSliceVar(&q.Datasets, "dataset", nil, "datasets")
	c.Flags().StringSliceVar(&q.Fields, "fields", nil, "fields of the datasets, XDM paths; all unless said")
	c.Flags().BoolVar(&q.IncludeDraft, "include-draft", false, "policies in draft count too")
	return c
}

func denied(a enforcement.Answer) error {
	if len(a.Violated) == 0 {
		return nil
	}
	names := make([]string, len(a.Violated))
	for i, p := range a.Violated {
		names[i] = p.Name
	}
	return errkind.Newf(errkind.Refused, "denied by %s", strings.Join(names, ", "))
}

func printAnswer(a enforcement.Answer) error {
	fmt.Printf("%s for %s, asked by %s\n", strings.Join(a.MarketingActions, ", "), a.Timestamp.Format(time.RFC3339), a.User)
	fmt.Println("labels:", strings.Join(a.Labels, ", "))
	for _, d := range a.Discovered {
		for _, c := range d.Connections {
			fmt.Printf("dataset %s: from source %s, %s\n", d.Dataset, c.Source, c.Type)
		}
		fields := map[string][]string{}
		var order []string
		for _, f := range d.Fields {
			labels := strings.Join(f.Labels, ", ")
			if fields[labels] == nil {
				order = append(order, labels)
			}
			fields[labels] = append(fields[labels], f.Path)
		}
		for _, labels := range order {
			fmt.Printf("  %s in dataset %s: %s\n", labels, d.Dataset, strings.Join(fields[labels], ", "))
		}
	}
	if len(a.Violated) == 0 {
		fmt.Println("allowed: no policy is violated")
	}
	for _, p := range a.Violated {
		fmt.Printf("denied: policy %q%s, %s, for %s\n", p.Name, inBrackets(p.At), p.Status, p.Deny)
	}
	return nil
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func newPolicyImpact(s *shared) *cobra.Command {
	var dir, graph *string
	c := &cobra.Command{
		Use:   "impact FILE|EDITED [DIR]",
		Short: "Show which activations an edited policy, contract or anything else would stop",
		Long: `Show what would happen to the activations of the workspace in DIR, the current folder unless said, if the objects in FILE
took the place of those of the same kind and name, or if the edited workspace in the folder EDITED did. Licences are judged as
of now. Nothing is changed.`,
		Example: `  starter policy impact new-policy.yaml testdata/workspace
  starter policy impact new-policy.yaml --graph lineage.svg`,
		Args: arguments(cobra.RangeArgs(1, 2)),
		RunE: func(_ *cobra.Command, args []string) error {
			named, err := folder(args[1:], *dir)
			if err != nil {
				return err
			}
			impacts, err := impact(named, args[0])
			if err != nil {
				return err
			}
			var denied []drawing.Violation
			for _, i := range impacts {
				denied = append(denied, drawn(i.Activation, i.After)...)
			}
			if err := writeGraph(*graph, denied); err != nil {
				return err
			}
			if s.asJSON {
				return printJSON(os.Stdout, impacts)
			}
			for _, i := range impacts {
				fmt.Printf("activation %s %s\n", i.Activation, i.Outcome)
				for _, line := range enforcement.Lines(i.After) {
					fmt.Println("  " + line)
				}
			}
			return nil
		},
	}
	dir = workspaceFlag(c)
	graph = graphFlag(c)
	return c
}

func impact(dir, edited string) ([]plan.Impact, error) {
	from, err := workspace.Load(dir)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(edited)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "", err, "name a file with the edited objects, or an edited workspace")
	}
	var to *workspace.Workspace
	if info.IsDir() {
		to, err = workspace.Load(edited)
	} else {
		var text []byte
		if text, err = os.ReadFile(edited); err != nil {
			return nil, err
		}
		to, err = workspace.Parse(from.Files.With(filepath.Base(edited), string(text)))
	}
	if err != nil {
		return nil, err
	}
	return plan.Impacts(from, to, plan.Facts{Now: time.Now()}), nil
}
