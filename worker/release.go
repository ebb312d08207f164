//go:build release

package main

import "github.com/spf13/cobra"

// devCommands are left out of a release: it links no embedded server.
func devCommands() []*cobra.Command { return nil }
