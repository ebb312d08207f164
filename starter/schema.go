package main

import (
	"encoding/json"
	"os"

	"github.com/spf13/cobra"

	"prospector/internal/workspace"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [KIND]",
		Short: "Print the JSON Schema of the workspace's files, for editors",
		Long: `Print the JSON Schema of all kinds of objects, or of one kind. An editor that knows it completes and checks
workspace files: write it to a file and begin YAML files with
# yaml-language-server: $schema=workspace.schema.json`,
		Example: "  starter schema > workspace.schema.json",
		Args:    arguments(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := os.Stdout.Write(workspace.SchemaJSON)
				return err
			}
			kind, err := kindOf(args[0])
			if err != nil {
				return err
			}
			var all struct {
				Definitions map[string]json.RawMessage `json:"$defs"`
			}
			if err := json.Unmarshal(workspace.SchemaJSON, &all); err != nil {
				return err
			}
			return printJSON(os.Stdout, map[string]any{"$schema": "http://json-schema.org/draft-07/schema#", "title": kind,
				"allOf": []any{map[string]string{"$ref": "#/$defs/" + kind}}, "$defs": all.Definitions})
		},
	}
}
