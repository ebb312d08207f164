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

// Secret is nothing but one reference: a secret never stands in a workspace.
type Secret string

// SecretPattern is the form of a Secret.
const SecretPattern = `^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\}$`

var referencePattern = regexp.MustCompile(`\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\}`)

// Resolve returns the value behind a secret.
func (s Secret) Resolve() (string, error) { return Reference(s).Resolve() }

// malformed returns what looks like a reference and is none.
func (r Reference) malformed() string {
	rest := referencePattern.ReplaceAllString(string(r), "")
	start := strings.Index(rest, "${")
	if start < 0 {
		return ""
	}
	if end := strings.IndexByte(rest[start:], '}'); end >= 0 {
		return rest[start : start+end+1]
	}
	return rest[start:]
}

// Resolve returns the value. An unset variable or unreadable file is kind Denied and names what to
// set, never a value.
func (r Reference) Resolve() (string, error) {
	var failure error
	out := referencePattern.ReplaceAllStringFunc(string(r), func(match string) string {
		source, name, _ := strings.Cut(strings.Trim(match, "${}"), ":")
		if source == "env" {
			value, ok := os.LookupEnv(name)
			if !ok && failure == nil {
				failure = errkind.New(errkind.Denied, "", fmt.Errorf("environment variable %s is not set", name),
					"set it where the worker runs and start the worker again")
			}
			return value
		}
		data, err := os.ReadFile(name)
		if err != nil && failure == nil {
			failure = errkind.New(errkind.Denied, "", fmt.Errorf("secret file: %w", err), "make the file readable for the worker")
		}
		return strings.TrimRight(string(data), "\r\n")
	})
	return out, failure
}
