package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"prospector/internal/errkind"
	"prospector/internal/infer"
)

func newInfer(s *shared) *cobra.Command {
	var o infer.Options
	c := &cobra.Command{
		Use:   "infer FILE",
		Short: "Propose a draft of a workspace from a partner's file; needs no server and applies nothing",
		Long: `Propose a draft of a workspace from a partner's delimited file, plain or gzipped, for you to review: namespace,
field group, schema, dataset, source with mapping. It samples the first records and writes YAML with comments
to standard output; it needs no server and applies nothing. Columns that look like direct identifiers (names,
e-mail addresses, telephone numbers, …) are ignored unless you take them.`,
		Example: `  starter infer testdata/partner/acme_200.csv --tenant _luma
  starter infer prospects.psv.gz --name merk > .prospector/workspace/merk.yaml`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error { return s.infer(args[0], o) },
	}
	c.Flags().StringVar(&o.Name, "name", "", "the partner's name; by default made of the file's name")
	c.Flags().StringVar(&o.Tenant, "tenant", "_tenant", "tenant id below which own fields stand, such as _luma")
	c.Flags().StringVar(&o.Delimiter, "delimiter", "", "character between fields, or tab; by default found out")
	c.Flags().StringVar(&o.Quote, "quote", `"`, "character around fields")
	c.Flags().IntVar(&o.Rows, "rows", infer.DefaultRows, "how many records to sample")
	return c
}

func (s *shared) infer(name string, o infer.Options) error {
	file, err := os.Open(name)
	if err != nil {
		return errkind.New(errkind.Invalid, "", err, "name the partner's file")
	}
	defer func() { _ = file.Close() }() // read only
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return errkind.New(errkind.Invalid, "", errors.New(name+" is a folder"), "name the partner's file")
	}
	o.File = filepath.Base(name)
	proposal, err := infer.Propose(file, o)
	if err != nil {
		return err
	}
	if s.asJSON {
		return printJSON(os.Stdout, proposal)
	}
	return proposal.WriteYAML(os.Stdout)
}
