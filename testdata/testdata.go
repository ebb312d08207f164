// Package testdata carries the sample workspace, which `worker dev` and `worker demo` start with and
// tests use.
package testdata

import "embed"

// Workspace holds the sample workspace in the folder "workspace".
//
//go:embed workspace/*.yaml
var Workspace embed.FS

// Benchmark holds the script that the product is measured against, in the folder "benchmark".
//
//go:embed benchmark/*.py
var Benchmark embed.FS
