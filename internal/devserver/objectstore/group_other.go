//go:build !release && !unix

package objectstore

import "os/exec"

func ownGroup(*exec.Cmd) {}
