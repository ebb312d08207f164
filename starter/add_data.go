package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"prospector/workflows"
)

func newAddData(s *shared) *cobra.Command {
	o := runOptions{shared: s}
	var in workflows.IngestFileInput
	c := &cobra.Command{
		Use:   "add-data DATASET FILE …",
		Short: "Load local files into a dataset, each once",
		Long: `Load local files into a dataset, each once, as the dataset's source says that files are written and mapped.

The worker reads the files itself: they must be on its machine, in a folder that it was started with
(worker run --add-data-from FOLDER; worker dev allows the folder in which it was started).`,
		Example: `  starter add-data acme_2026 prospects.csv.gz`,
		Args:    arguments(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			who, err := requestedBy(c.Context())
			if err != nil {
				return err
			}
			var files []workflows.IngestFileResult
			var failed []error
			for _, file := range args[1:] {
				path, err := filepath.Abs(file)
				if err != nil {
					return err
				}
				if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
					failed = append(failed, usageError{fmt.Errorf("%s is not a file", file)})
					continue
				}
				in.Dataset, in.Path, in.RequestedBy = args[0], "local:"+path, who
				err = o.run(c.Context(), workflows.IngestFile, in, func(result json.RawMessage) error {
					loaded, err := decoded[workflows.IngestFileResult](result)
					files = append(files, loaded)
					return err
				})
				if err != nil {
					failed = append(failed, fmt.Errorf("%s: %w", file, err))
				}
			}
			if len(files) > 0 {
				failed = append(failed, printFiles(files))
			}
			return errors.Join(failed...)
		},
	}
	c.Flags().StringVar(&in.Source, "source", "", "the source whose format and mapping hold, when the dataset has several")
	allowRemovals(c, &in.AllowRemovals)
	again(c, &in.Again)
	return c
}
