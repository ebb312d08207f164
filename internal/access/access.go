// Package access says who may do what, and who may see which labelled attributes: roles with permissions and labels, and principals
// that hold roles. It reads the file that declares them and judges; it does no input or output itself. Who may see data is apart from
// how data may be used (package governance), with the same labels (AC-9).
package access

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"prospector/internal/errkind"
	"prospector/internal/xdm"
	"prospector/internal/yamldoc"
)

// Roles that need no declaration (AC-10).
const (
	AllAccess             = "production-all-access"  // everything but sandboxes, with all labels
	SandboxAdministrators = "sandbox-administrators" // sandboxes only
)

// AllLabels in a role's labels stands for each label.
const AllLabels = "*"

// Worker is what a worker calls itself that applies its first workspace.
const Worker = "worker start"

// Machine is the principal of the token that a worker makes for its own machine.
const Machine = "machine"

// Rules are the declared roles and principals.
type Rules struct {
	roles      map[string]role
	principals map[string]principal
}

type role struct {
	Permissions []Permission `json:"permissions"`
	Labels      []string     `json:"labels"`
}

type principal struct {
	Roles       []string   `json:"roles"`
	TokenSHA256 string     `json:"tokenSHA256"`
	Expires     *time.Time `json:"expires"`
	hash        []byte
}

// Parse reads the file of roles and principals; name is what errors call it.
func Parse(name string, text []byte) (Rules, error) {
	var out Rules
	invalid := func(at yamldoc.Position, hint, format string, args ...any) (Rules, error) {
		return Rules{}, errkind.New(errkind.Invalid, at.String(), fmt.Errorf(format, args...), hint)
	}
	documents, problems := yamldoc.Parse(name, text)
	switch {
	case len(problems) > 0:
		return invalid(problems[0].Position, "", "%s", problems[0].Message)
	case len(documents) != 1:
		return invalid(yamldoc.Position{File: name}, "write roles: and principals: in one document", "it has %d documents", len(documents))
	}
	d := documents[0]
	declared, err := d.Declared()
	if err != nil {
		return Rules{}, errkind.New(errkind.Invalid, name, err, "")
	}
	var file struct {
		Roles      map[string]role      `json:"roles"`
		Principals map[string]principal `json:"principals"`
	}
	asJSON, err := json.Marshal(declared)
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(asJSON))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(&file)
	}
	if err != nil {
		return invalid(d.At(), "docs/access.md shows the form", "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	out.roles = map[string]role{SandboxAdministrators: {Permissions: []Permission{ManageSandboxes, "View Sandboxes"}}}
	out.roles[AllAccess] = role{Labels: []string{AllLabels}, Permissions: slices.DeleteFunc(slices.Clone(Permissions), func(p Permission) bool {
		return slices.Contains(out.roles[SandboxAdministrators].Permissions, p)
	})}
	for _, roleName := range slices.Sorted(maps.Keys(file.Roles)) {
		r := file.Roles[roleName]
		if _, builtIn := out.roles[roleName]; builtIn {
			return invalid(d.KeyAt("roles", roleName), "choose another name", "role %s is there without being declared", roleName)
		}
		for i, p := range r.Permissions {
			if !slices.Contains(Permissions, p) {
				return invalid(d.At("roles", roleName, "permissions", fmt.Sprint(i)), nearest(string(p)), "there is no permission %q", p)
			}
		}
		out.roles[roleName] = r
	}
	out.principals = map[string]principal{}
	hashes := map[string]string{}
	for _, who := range slices.Sorted(maps.Keys(file.Principals)) {
		p := file.Principals[who]
		for i, roleName := range p.Roles {
			if _, ok := out.roles[roleName]; !ok {
				return invalid(d.At("principals", who, "roles", fmt.Sprint(i)), "known are "+strings.Join(slices.Sorted(maps.Keys(out.roles)), ", "), "there is no role %q", roleName)
			}
		}
		if p.TokenSHA256 != "" {
			hash, err := hex.DecodeString(p.TokenSHA256)
			if err != nil || len(hash) != sha256.Size {
				return invalid(d.At("principals", who, "tokenSHA256"), "make a token and its digest with: starter access token", "it is no SHA-256 in hexadecimal")
			}
			p.hash = hash
			if other := hashes[string(hash)]; other != "" {
				return invalid(d.At("principals", who, "tokenSHA256"), "give each principal a token of its own", "it is the token of %s, too", other)
			}
			hashes[string(hash)] = who
		}
		out.principals[who] = p
	}
	return out, nil
}

func nearest(text string) string {
	known := make([]string, len(Permissions))
	for i, p := range Permissions {
		known[i] = string(p)
	}
	if near := xdm.Nearest(text, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "docs/access.md lists them"
}

// Authenticate finds who has a token. Denied when nobody has, or it has expired; the principal is then named where it is known.
func (r Rules) Authenticate(token string, at time.Time) (Principal, error) {
	sum := sha256.Sum256([]byte(token))
	for name, p := range r.principals {
		if len(p.hash) > 0 && subtle.ConstantTimeCompare(p.hash, sum[:]) == 1 {
			return r.Principal(name, at)
		}
	}
	return Principal{}, errkind.New(errkind.Denied, "", errors.New("the request carries no valid token"), "ask who keeps the worker's access file for one")
}

// Principal finds a principal by name. Denied when there is none, or it has expired.
func (r Rules) Principal(name string, at time.Time) (Principal, error) {
	p, ok := r.principals[name]
	out := Principal{Name: name, permissions: map[Permission]bool{}, labels: map[string]bool{}}
	switch {
	case !ok:
		return out, errkind.New(errkind.Denied, "", fmt.Errorf("the access file names no principal %q", name), "ask who keeps it to add one")
	case p.Expires != nil && !at.Before(*p.Expires):
		return out, errkind.New(errkind.Denied, "", fmt.Errorf("the access of %s has expired", name), "ask who keeps the worker's access file for a new token")
	}
	for _, roleName := range p.Roles { // AC-6: the union
		for _, permission := range r.roles[roleName].Permissions {
			out.permissions[permission] = true
		}
		for _, label := range r.roles[roleName].Labels {
			out.labels[label] = true
		}
	}
	return out, nil
}

// Principal is somebody with what the roles give.
type Principal struct {
	Name        string
	everything  bool
	permissions map[Permission]bool
	labels      map[string]bool
}

// Unrestricted is a principal that may do and see everything: where no access file is.
func Unrestricted(name string) Principal { return Principal{Name: name, everything: true} }

// Has reports whether the principal has a permission.
func (p Principal) Has(permission Permission) bool { return p.everything || p.permissions[permission] }

// Needs is Denied unless the principal has all of the permissions.
func (p Principal) Needs(permissions ...Permission) error {
	var lacking []string
	for _, permission := range permissions {
		if !p.Has(permission) {
			lacking = append(lacking, string(permission))
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return errkind.New(errkind.Denied, "", fmt.Errorf("the roles of %s lack %s", p.Name, strings.Join(lacking, ", ")), "ask who keeps the worker's access file for a role with it")
}

// Sees reports whether the roles hold all of the labels: what carries none is seen by everybody (AC-7).
func (p Principal) Sees(labels []string) bool {
	return p.SeesAll() || !slices.ContainsFunc(labels, func(label string) bool { return !p.labels[label] })
}

// SeesAll reports whether the principal sees whatever its labels are.
func (p Principal) SeesAll() bool { return p.everything || p.labels[AllLabels] }
