package workspace

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"prospector/internal/errkind"
)

// Reference is a value that may come from the environment or a file: "${env:NAME}" and
// "${file:/path}" may stand anywhere in it. It is resolved when a connection is opened, so that a
// workspace can be checked without the environment of production.
type Reference string

// Secret is a Reference that must be nothing but one "${…}": a secret never stands in a workspace.
type Secret = Reference

var referencePattern = regexp.MustCompile(`\$\{(env|file):([^}]+)\}`)

// IsReference reports whether the whole value is one reference.
func (r Reference) IsReference() bool {
	loc := referencePattern.FindStringIndex(string(r))
	return loc != nil && loc[0] == 0 && loc[1] == len(r)
}

// Resolve returns the value. An unset variable or unreadable file is kind Denied and names what to
// set, never a value.
func (r Reference) Resolve() (string, error) {
	var failure error
	out := referencePattern.ReplaceAllStringFunc(string(r), func(match string) string {
		parts := referencePattern.FindStringSubmatch(match)
		if parts[1] == "env" {
			value, ok := os.LookupEnv(parts[2])
			if !ok && failure == nil {
				failure = errkind.New(errkind.Denied, "", fmt.Errorf("environment variable %s is not set", parts[2]),
					"set it where the worker runs and start the worker again")
			}
			return value
		}
		data, err := os.ReadFile(parts[2])
		if err != nil && failure == nil {
			failure = errkind.New(errkind.Denied, "", fmt.Errorf("secret file: %w", err), "make the file readable for the worker")
		}
		return strings.TrimRight(string(data), "\r\n")
	})
	return out, failure
}
