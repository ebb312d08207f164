// Command worker carries out Prospector's workflows and activities: `worker run` beside a Temporal
// service, `worker dev` with everything it needs in one process, `worker demo` the whole chain once.
// It is the only command that links the store and the drivers.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"prospector/internal/errkind"
	"prospector/workflows"
)

func main() {
	syscall.Umask(0o077) // what partners send is for nobody else on this machine
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", workflows.MessageOf(err))
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

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "worker",
		Short: "Carry out Prospector's workflows",
		Long: `Carry out Prospector's workflows: fetch partners' files, validate and load prospects, evaluate
audiences, check usage policies, deliver to destinations.

Exit codes: 0 done, 1 failed, 2 wrong usage or workspace, 3 refused by policy, 4 bad partner data.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          asUsage(cobra.NoArgs),
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	root.AddCommand(newRun())
	root.AddCommand(devCommands()...)
	root.RunE = help
	for _, c := range root.Commands() {
		c.Args = asUsage(c.Args)
	}
	return root
}

// help is what a command without a subcommand does.
func help(c *cobra.Command, _ []string) error { return c.Help() }

// asUsage makes wrong positional arguments count as wrong usage.
func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
		}
		return nil
	}
}

// newLogger writes to standard error, so that reports on standard output stay whole.
func newLogger(level slog.Leveler, json bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if json {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}
