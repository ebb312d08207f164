//go:build !release

package main

import (
	"os"
	"syscall"
)

// stopAt ends this process, as a crash would, when the named step is under way: fetch, validate, load,
// evaluate, export or deliver. It is for tests of crash safety.
func stopAt(step string) func(string) {
	if step == "" {
		return nil
	}
	return func(reached string) {
		if reached == step {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // does not return
		}
	}
}
