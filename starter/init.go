package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"prospector/internal/errkind"
)

//go:embed template/*.yaml
var template embed.FS

func newInit() *cobra.Command {
	return &cobra.Command{
		Use:   "init DIR",
		Short: "Write an annotated workspace to start from",
		Long: `Write an annotated workspace to DIR: one partner, a policy, an audience and a destination, with comments that
say what each is for. Files that are there are never overwritten.`,
		Example: "  starter init my-workspace && starter check my-workspace",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			return writeTemplate(args[0])
		},
	}
}

// writeTemplate writes all files or none.
func writeTemplate(dir string) error {
	files, err := fs.Sub(template, "template")
	if err != nil {
		return err
	}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return errkind.New(errkind.Conflict, "", fmt.Errorf("%s is there already, nothing was written", filepath.Join(dir, name)), "name an empty or a new folder")
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
		fmt.Println(filepath.Join(dir, name))
	}
	fmt.Fprintf(os.Stderr, "next: edit it, then starter check %s\n", dir)
	return nil
}
