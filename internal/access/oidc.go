package access

import (
	"errors"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"prospector/internal/errkind"
)

// oidc is the file's section on an OpenID Connect issuer: it lets in who has one of its tokens.
type oidc struct {
	Issuer   string `json:"issuer"`
	Audience string `json:"audience"`
	Claim    string `json:"claim"` // that names the principal
	Groups   *struct {
		Claim string              `json:"claim"`
		Roles map[string][]string `json:"roles"` // by group
	} `json:"groups"`
}

// Issuer is whose tokens are taken, and which of their claims are read.
type Issuer struct {
	URL         string
	Audience    string
	NameClaim   string
	GroupsClaim string // none: groups give nothing
}

// Identity is what a token that was verified says of who has it.
type Identity struct {
	Name    string    `json:"name"` // as the issuer has it
	Groups  []string  `json:"groups"`
	Expires time.Time `json:"-"`
}

// byIssuer is what the names of principals begin with that only the issuer names, so that none of them passes for one of the file.
const byIssuer = "oidc:"

// SignIn is how long runs are started by the groups of a principal's latest sign-in.
const SignIn = 12 * time.Hour

func (f file) checkOIDC(known map[string]role) error {
	o := f.OIDC
	if o == nil {
		for _, who := range slices.Sorted(maps.Keys(f.Principals)) {
			if f.Principals[who].OIDC != "" {
				return invalid(f.KeyAt("principals", who, "oidc"), "declare the issuer in oidc:", "there is no issuer that names %s", who)
			}
		}
		return nil
	}
	switch address, err := url.Parse(o.Issuer); {
	case o.Issuer == "":
		return invalid(f.KeyAt("oidc"), "write issuer: https://…, as its tokens have it in iss", "oidc has no issuer")
	case err != nil || address.Host == "" || address.User != nil || address.RawQuery != "" || address.Fragment != "":
		return invalid(f.At("oidc", "issuer"), "write it as the issuer's tokens have it in iss, such as https://login.example.com/luma", "it is no address of an issuer")
	case !Protected(address):
		return invalid(f.At("oidc", "issuer"), "write https://…", "keys that arrive by %s could be anybody's", address.Scheme)
	case o.Audience == "":
		return invalid(f.KeyAt("oidc"), "write audience: and the client id, or the API's name, that tokens have in aud", "oidc has no audience: tokens that the issuer makes for others would do")
	}
	if o.Claim == "" {
		o.Claim = "sub"
	}
	if o.Groups != nil {
		if o.Groups.Claim == "" {
			return invalid(f.KeyAt("oidc", "groups"), "write claim: groups, or what the issuer calls it", "groups has no claim")
		}
		for _, group := range slices.Sorted(maps.Keys(o.Groups.Roles)) {
			if strings.TrimSpace(group) == "" {
				return invalid(f.KeyAt("oidc", "groups", "roles", group), "name it as the issuer's tokens do", "a group has no name")
			}
			if err := f.checkRoles(known, o.Groups.Roles[group], "oidc", "groups", "roles", group); err != nil {
				return err
			}
		}
	}
	named := map[string]string{}
	for _, who := range slices.Sorted(maps.Keys(f.Principals)) {
		name := f.Principals[who].OIDC
		if other := named[name]; name != "" && other != "" {
			return invalid(f.At("principals", who, "oidc"), "name each of them once", "it is %s, too", other)
		}
		named[name] = who
	}
	return nil
}

// Protected reports whether nobody on the way can change what is read from an address: it is https, or on this machine.
func Protected(address *url.URL) bool {
	ip, err := netip.ParseAddr(address.Hostname())
	return address.Scheme == "https" || address.Scheme == "http" && (address.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}

// Issuer is whose tokens are taken, if any's are.
func (r Rules) Issuer() (i Issuer, declared bool) {
	if r.oidc == nil {
		return i, false
	}
	i = Issuer{URL: r.oidc.Issuer, Audience: r.oidc.Audience, NameClaim: r.oidc.Claim}
	if r.oidc.Groups != nil {
		i.GroupsClaim = r.oidc.Groups.Claim
	}
	return i, true
}

// Identified is the principal of a verified token: the roles are those that the file gives it, and those of its groups. Denied when
// there are none.
func (r Rules) Identified(id Identity, at time.Time) (Principal, error) {
	if id.Name == "" || r.oidc == nil {
		return Principal{}, errkind.New(errkind.Denied, "", errors.New("the token names nobody"), "")
	}
	return r.Principal(r.called(id.Name), id.Groups, at)
}

// called is the name of the principal that the issuer calls otherwise.
func (r Rules) called(claim string) string {
	for name, p := range r.principals {
		if p.OIDC == claim {
			return name
		}
	}
	return byIssuer + claim
}

// IssuersOwn reports whether an issuer's tokens may name a principal. Whom the file names has that name and no other.
func (r Rules) IssuersOwn(name string) bool {
	claim, unnamed := strings.CutPrefix(name, byIssuer)
	return r.oidc != nil && (r.principals[name].OIDC != "" || unnamed && claim != "" && r.called(claim) == name)
}

// GroupsWithRoles are those of some groups that give roles.
func (r Rules) GroupsWithRoles(groups []string) []string {
	return slices.DeleteFunc(slices.Clone(groups), func(group string) bool { return len(r.rolesOf([]string{group})) == 0 })
}

// rolesOf are the roles that groups give.
func (r Rules) rolesOf(groups []string) (out []string) {
	if r.oidc == nil || r.oidc.Groups == nil {
		return nil
	}
	for _, group := range groups {
		out = append(out, r.oidc.Groups.Roles[group]...)
	}
	return out
}
