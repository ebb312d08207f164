// Command starter is Prospector's command line: it starts runs, follows them, checks a workspace and reads what is stored. It
// talks to Temporal, and to a worker on this machine for rows; it needs neither the store nor cgo.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"prospector/internal/errkind"
	"prospector/internal/temporalclient"
	"prospector/workflows"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", visibleLines(workflows.MessageOf(err)))
		os.Exit(exitCode(err))
	}
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func exitCode(err error) int {
	var usage usageError
	if errors.As(err, &usage) {
		return errkind.Invalid.ExitCode()
	}
	return workflows.KindOf(err).ExitCode()
}

// shared is what every command takes.
type shared struct {
	temporal temporalclient.Settings
	asJSON   bool
}

func (s *shared) dial(ctx context.Context) (*temporalclient.Client, error) {
	return temporalclient.Dial(ctx, s.temporal, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
}

func newRoot() *cobra.Command {
	var s shared
	root := &cobra.Command{
		Use:   "starter",
		Short: "Start Prospector's runs, follow them, and check a workspace",
		Long: `Start Prospector's runs, follow them, and check a workspace.

Exit codes: 0 done, 1 failed, 2 wrong usage or workspace, 3 refused by policy, 4 bad partner data.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          arguments(cobra.NoArgs),
		RunE:          help,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	s.temporal.AddFlags(root.PersistentFlags())
	root.PersistentFlags().BoolVar(&s.asJSON, "json", false, "print the result as JSON")
	root.AddCommand(newRun(&s), newAddData(&s), newStatus(&s), newFiles(&s), newSchedules(&s), newCheck(&s), newInfer(&s), newPlan(&s), newApply(&s), newGet(&s), newExplain(&s), newProfiles(&s), newAudiences(&s), newQuarantine(&s), newBatches(&s), newPolicy(&s), newAudit(&s), newAccess(&s), newSchema(), newInit())
	return root
}

// help is what a command without a subcommand does.
func help(c *cobra.Command, _ []string) error { return c.Help() }

// arguments wraps cobra's checks of positional arguments, so that they count as wrong usage.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
		}
		return nil
	}
}

func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
