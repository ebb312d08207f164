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
	"unicode"

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

// Worker is what a worker calls itself that applies its first workspace. No principal's name begins as the worker's names do.
const (
	Worker   = reserved + "start"
	reserved = "worker "
)

// Machine is the principal of the token that a worker makes for its own machine.
const Machine = "machine"

// Rules are the declared roles and principals, and the issuer whose tokens are taken.
type Rules struct {
	roles      map[string]role
	principals map[string]principal
	oidc       *oidc
}

type role struct {
	Permissions []Permission `json:"permissions"`
	Labels      []string     `json:"labels"`
}

type principal struct {
	Roles       []string   `json:"roles"`
	TokenSHA256 string     `json:"tokenSHA256"`
	OIDC        string     `json:"oidc"` // what the issuer's tokens call the principal
	Expires     *time.Time `json:"expires"`
	hash        []byte
}

// file is the access file as it is written.
type file struct {
	yamldoc.Document `json:"-"`
	Roles            map[string]role      `json:"roles"`
	Principals       map[string]principal `json:"principals"`
	OIDC             *oidc                `json:"oidc"`
}

// Parse reads the file of roles and principals; name is what errors call it.
func Parse(name string, text []byte) (Rules, error) {
	f, err := decode(name, text)
	if err != nil {
		return Rules{}, err
	}
	out := Rules{principals: f.Principals, oidc: f.OIDC}
	if out.roles, err = f.roles(); err != nil {
		return Rules{}, err
	}
	if err := errors.Join(f.checkPrincipals(out.roles), f.checkOIDC(out.roles)); err != nil {
		return Rules{}, err
	}
	return out, nil
}

func decode(name string, text []byte) (f file, err error) {
	documents, problems := yamldoc.Parse(name, text)
	switch {
	case len(problems) > 0:
		return f, invalid(problems[0].Position, "", "%s", problems[0].Message)
	case len(documents) != 1:
		return f, invalid(yamldoc.Position{File: name}, "write roles: and principals: in one document", "it has %d documents", len(documents))
	}
	declared, err := documents[0].Declared()
	if err != nil {
		return f, errkind.New(errkind.Invalid, name, err, "")
	}
	asJSON, err := json.Marshal(declared)
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(asJSON))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(&f)
	}
	if err != nil {
		return f, invalid(documents[0].At(), "docs/access.md shows the form", "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	f.Document = documents[0]
	return f, nil
}

func invalid(at yamldoc.Position, hint, format string, args ...any) error {
	return errkind.New(errkind.Invalid, at.String(), fmt.Errorf(format, args...), hint)
}

// roles are the declared ones and those that need no declaration.
func (f file) roles() (map[string]role, error) {
	out := map[string]role{SandboxAdministrators: {Permissions: []Permission{ManageSandboxes, "View Sandboxes"}}}
	out[AllAccess] = role{Labels: []string{AllLabels}, Permissions: slices.DeleteFunc(slices.Clone(Permissions), func(p Permission) bool {
		return slices.Contains(out[SandboxAdministrators].Permissions, p)
	})}
	for _, name := range slices.Sorted(maps.Keys(f.Roles)) {
		r := f.Roles[name]
		if _, builtIn := out[name]; builtIn {
			return nil, invalid(f.KeyAt("roles", name), "choose another name", "role %s is there without being declared", name)
		}
		for i, p := range r.Permissions {
			if !slices.Contains(Permissions, p) {
				return nil, invalid(f.At("roles", name, "permissions", fmt.Sprint(i)), nearest(string(p)), "there is no permission %q", p)
			}
		}
		out[name] = r
	}
	return out, nil
}

// checkRoles is Invalid when one of the named roles, which stand at a place of the file, is not there.
func (f file) checkRoles(known map[string]role, named []string, at ...string) error {
	for i, name := range named {
		if _, ok := known[name]; !ok {
			return invalid(f.At(append(at, fmt.Sprint(i))...), "known are "+strings.Join(slices.Sorted(maps.Keys(known)), ", "), "there is no role %q", name)
		}
	}
	return nil
}

func (f file) checkPrincipals(known map[string]role) error {
	hashes := map[string]string{}
	for _, who := range slices.Sorted(maps.Keys(f.Principals)) {
		p := f.Principals[who]
		if strings.TrimSpace(who) != who || who == "" || strings.ContainsFunc(who, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return invalid(f.KeyAt("principals", who), "begin and end it with a letter, and write it in one line", "%q is no name of a principal", who)
		}
		if strings.HasPrefix(strings.ToLower(who), reserved) {
			return invalid(f.KeyAt("principals", who), "choose another name", "%q is a name of the worker's own", who)
		}
		if strings.HasPrefix(who, byIssuer) {
			return invalid(f.KeyAt("principals", who), "give a name of your own, and oidc: "+strings.TrimPrefix(who, byIssuer), "%s are principals that the file does not name", byIssuer)
		}
		if err := f.checkRoles(known, p.Roles, "principals", who, "roles"); err != nil {
			return err
		}
		if p.TokenSHA256 == "" {
			continue
		}
		hash, err := hex.DecodeString(p.TokenSHA256)
		if err != nil || len(hash) != sha256.Size {
			return invalid(f.At("principals", who, "tokenSHA256"), "make a token and its digest with: starter access token", "it is no SHA-256 in hexadecimal")
		}
		p.hash = hash
		if other := hashes[string(hash)]; other != "" {
			return invalid(f.At("principals", who, "tokenSHA256"), "give each principal a token of its own", "it is the token of %s, too", other)
		}
		hashes[string(hash)] = who
		f.Principals[who] = p
	}
	return nil
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

// Authenticate finds who has a token of the file. Denied when nobody has, or it has expired; the principal is then named where it is
// known.
func (r Rules) Authenticate(token string, at time.Time) (Principal, error) {
	if name, ok := r.holder(token); ok {
		return r.Principal(name, nil, at)
	}
	return Principal{}, errkind.New(errkind.Denied, "", errors.New("the request carries no valid token"), "ask who keeps the worker's access file for one")
}

// Holds reports whether a token is one of the file's.
func (r Rules) Holds(token string) bool {
	_, ok := r.holder(token)
	return ok
}

func (r Rules) holder(token string) (name string, found bool) {
	sum := sha256.Sum256([]byte(token))
	for name, p := range r.principals {
		if len(p.hash) > 0 && subtle.ConstantTimeCompare(p.hash, sum[:]) == 1 {
			return name, true
		}
	}
	return "", false
}

// Principal finds a principal by name: one of the file, or one that an issuer's groups give roles. groups are those of the principal's
// latest sign-in. Denied when there is no such principal, or it has expired.
func (r Rules) Principal(name string, groups []string, at time.Time) (Principal, error) {
	p, named := r.principals[name]
	out := Principal{Name: name, permissions: map[Permission]bool{}, labels: map[string]bool{}}
	roles := p.Roles
	if r.IssuersOwn(name) {
		roles = slices.Concat(roles, r.rolesOf(groups))
	}
	switch {
	case !named && !r.IssuersOwn(name):
		return out, errkind.New(errkind.Denied, "", fmt.Errorf("the access file names no principal %q", name), "ask who keeps it to add one")
	case !named && len(roles) == 0:
		return out, errkind.New(errkind.Denied, "", fmt.Errorf("no group of %s has a role, as far as is known here", name), "sign in anew: starter access whoami, with a token of the issuer; or ask who keeps the worker's access file")
	case p.Expires != nil && !at.Before(*p.Expires):
		return out, errkind.New(errkind.Denied, "", fmt.Errorf("the access of %s has expired", name), "ask who keeps the worker's access file for a new token")
	}
	for _, roleName := range roles { // AC-6: the union
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

// Permissions are what the roles give, in order.
func (p Principal) Permissions() []Permission {
	if p.everything {
		return Permissions
	}
	return slices.Sorted(maps.Keys(p.permissions))
}

// Labels are those that the roles hold, in order.
func (p Principal) Labels() []string {
	if p.everything {
		return []string{AllLabels}
	}
	return slices.Sorted(maps.Keys(p.labels))
}

// SeesAll reports whether the principal sees whatever its labels are.
func (p Principal) SeesAll() bool { return p.everything || p.labels[AllLabels] }
