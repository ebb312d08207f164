package access_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/access"
	"prospector/internal/errkind"
)

var at = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

var file = `
roles:
  analyst: {permissions: [View Profiles, View Segments], labels: [C2]}
  sender: {permissions: [View Segments, Activate Destinations], labels: [I1]}
principals:
  ann: {roles: [analyst, sender], tokenSHA256: ` + digest("ann's") + `, expires: 2026-12-01T00:00:00Z}
  ben: {roles: [analyst], tokenSHA256: ` + digest("ben's") + `}
  cem: {roles: [production-all-access]}
  dan: {roles: [sandbox-administrators]}
`

// AC-2, AC-6, AC-7, AC-10: who has several roles has what each of them gives; what carries no label is seen by all.
func TestRoles(t *testing.T) {
	rules, err := access.Parse("access.yaml", []byte(file))
	require.NoError(t, err)
	ann, err := rules.Authenticate("ann's", at)
	require.NoError(t, err)
	require.Equal(t, "ann", ann.Name)
	require.NoError(t, ann.Needs(access.ViewProfiles, access.ViewSegments, access.Activate))
	err = ann.Needs(access.ViewProfiles, access.ManageDestinations, access.ViewDatasets)
	require.Equal(t, errkind.Denied, errkind.Of(err))
	require.ErrorContains(t, err, "the roles of ann lack Manage Destinations, View Datasets")
	require.True(t, ann.Sees([]string{"C2", "I1"}))
	require.True(t, ann.Sees(nil))
	require.False(t, ann.Sees([]string{"C2", "S1"}))

	ben, err := rules.Authenticate("ben's", at)
	require.NoError(t, err)
	require.False(t, ben.Has(access.Activate))
	require.False(t, ben.Sees([]string{"I1"}))
	cem, err := rules.Principal("cem", nil, at)
	require.NoError(t, err)
	require.True(t, cem.SeesAll())
	dan, err := rules.Principal("dan", nil, at)
	require.NoError(t, err)
	for _, p := range access.Permissions {
		sandboxes := p == access.ManageSandboxes || p == "View Sandboxes"
		require.Equal(t, !sandboxes, cem.Has(p), p)
		require.Equal(t, sandboxes, dan.Has(p), p)
	}
	require.True(t, access.Unrestricted("x").Has(access.ManageSandboxes))
}

// A token that nobody has, that has expired, or of a principal that has none, is worth nothing.
func TestTokens(t *testing.T) {
	rules, err := access.Parse("access.yaml", []byte(file))
	require.NoError(t, err)
	for _, token := range []string{"", "ann", "ann's ", digest("ann's"), "cem"} {
		_, err := rules.Authenticate(token, at)
		require.Equal(t, errkind.Denied, errkind.Of(err))
		require.ErrorContains(t, err, "no valid token")
	}
	end := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	_, err = rules.Authenticate("ann's", end.Add(-time.Second))
	require.NoError(t, err)
	expired, err := rules.Authenticate("ann's", end)
	require.Equal(t, errkind.Denied, errkind.Of(err))
	require.ErrorContains(t, err, "the access of ann has expired")
	require.Equal(t, "ann", expired.Name)
	require.False(t, expired.Has(access.ViewProfiles))
	_, err = rules.Principal("eve", nil, at)
	require.Equal(t, errkind.Denied, errkind.Of(err))
}

const federated = `
roles:
  analyst: {permissions: [View Profiles], labels: [C2]}
  sender: {permissions: [Activate Destinations], labels: [I1]}
principals:
  ann: {roles: [analyst], oidc: ann@example.com}
  ben: {oidc: ben@example.com, expires: 2026-11-01T00:00:00Z}
  machine: {roles: [production-all-access]}
oidc:
  issuer: https://login.example.com/luma
  audience: prospector
  claim: email
  groups: {claim: groups, roles: {marketing: [analyst], ops: [sender, analyst]}}
`

// AC-6: who is let in by an issuer's token has the roles of the file and those of the groups. Whom the file does not name has a name that
// nobody in the file can have, so that no claim passes for somebody else.
func TestIdentified(t *testing.T) {
	rules, err := access.Parse("access.yaml", []byte(federated))
	require.NoError(t, err)
	issuer, declared := rules.Issuer()
	require.True(t, declared)
	require.Equal(t, access.Issuer{URL: "https://login.example.com/luma", Audience: "prospector", NameClaim: "email", GroupsClaim: "groups"}, issuer)
	for name, c := range map[string]struct {
		id          access.Identity
		name        string
		permissions []access.Permission
		labels      []string
		refused     string
	}{
		"by the file":            {access.Identity{Name: "ann@example.com"}, "ann", []access.Permission{access.ViewProfiles}, []string{"C2"}, ""},
		"by the file and groups": {access.Identity{Name: "ann@example.com", Groups: []string{"ops"}}, "ann", []access.Permission{access.Activate, access.ViewProfiles}, []string{"C2", "I1"}, ""},
		"by groups":              {access.Identity{Name: "cem", Groups: []string{"all", "marketing"}}, "oidc:cem", []access.Permission{access.ViewProfiles}, []string{"C2"}, ""},
		"by no group":            {access.Identity{Name: "cem", Groups: []string{"all", "Marketing"}}, "oidc:cem", nil, nil, "no group of oidc:cem has a role"},
		"by a name of the file":  {access.Identity{Name: "machine", Groups: nil}, "oidc:machine", nil, nil, "no group of oidc:machine has a role"},
		"ann's other name":       {access.Identity{Name: "ann"}, "oidc:ann", nil, nil, "no group of oidc:ann has a role"},
		"expired in the file":    {access.Identity{Name: "ben@example.com", Groups: []string{"ops"}}, "ben", nil, nil, "the access of ben has expired"},
		"nobody":                 {access.Identity{Groups: []string{"ops"}}, "", nil, nil, "names nobody"},
	} {
		who, err := rules.Identified(c.id, at)
		require.Equal(t, c.name, who.Name, name)
		require.Equal(t, c.permissions, who.Permissions(), name)
		require.Equal(t, c.labels, who.Labels(), name)
		if c.refused == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, errkind.Denied, errkind.Of(err), name)
		require.ErrorContains(t, err, c.refused)
	}
	require.Equal(t, []string{"ops"}, rules.GroupsWithRoles([]string{"all", "ops"}))

	_, err = rules.Principal("oidc:ben@example.com", []string{"ops"}, at)
	require.ErrorContains(t, err, `names no principal "oidc:ben@example.com"`, "whom the file names has that name only, with its end")
	who, err := rules.Principal("machine", []string{"ops"}, at)
	require.NoError(t, err)
	require.NotContains(t, who.Labels(), "I1", "groups give nothing to whom the issuer does not name")
	without, err := access.Parse("access.yaml", []byte(file))
	require.NoError(t, err)
	_, err = without.Principal("oidc:cem", []string{"ops"}, at)
	require.ErrorContains(t, err, `names no principal "oidc:cem"`)
	_, err = without.Identified(access.Identity{Name: "ann"}, at)
	require.Equal(t, errkind.Denied, errkind.Of(err))
}

// What is wrong in the file is said with its place, and nothing of it holds.
func TestBrokenFiles(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "access.yaml: it has 0 documents",
		"roles: [":                  "access.yaml:1",
		"rules: {}":                 `access.yaml:1:1: unknown field "rules"`,
		"roles: {a: {label: [C1]}}": `unknown field "label"`,
		"roles: {a: {permissions: [View Profile]}}":                                                         `access.yaml:1:27: there is no permission "View Profile"; did you mean "View Profiles"?`,
		"roles: {production-all-access: {}}":                                                                "role production-all-access is there without being declared",
		"principals: {ann: {roles: [a]}}":                                                                   `access.yaml:1:28: there is no role "a"; known are production-all-access, sandbox-administrators`,
		"principals: {ann: {tokenSHA256: abc}}":                                                             "access.yaml:1:33: it is no SHA-256 in hexadecimal",
		"principals: {ann: {expires: tomorrow}}":                                                            "access.yaml:1",
		"principals:\n  a: {tokenSHA256: &t " + digest("x") + "}\n  b: {tokenSHA256: *t}":                   "it is the token of a, too",
		"principals: {'oidc:ann': {}}":                                                                      `access.yaml:1:14: oidc: are principals that the file does not name`,
		"principals: {worker start: {roles: [sandbox-administrators]}}":                                     `access.yaml:1:14: "worker start" is a name of the worker's own`,
		"principals: {Worker demo: {}}":                                                                     `"Worker demo" is a name of the worker's own`,
		"principals: {'': {}}":                                                                              `access.yaml:1:14: "" is no name of a principal`,
		"principals: {' ann': {}}":                                                                          `" ann" is no name of a principal`,
		"principals: {\"ann\\nallowed\": {}}":                                                               `"ann\nallowed" is no name of a principal`,
		"principals: {ann: {oidc: ann}}":                                                                    `access.yaml:1:20: there is no issuer that names ann`,
		"oidc: {}":                                                                                          `access.yaml:1:1: oidc has no issuer`,
		"oidc: {issuer: login.example.com}":                                                                 `access.yaml:1:16: it is no address of an issuer`,
		"oidc: {issuer: 'https://a.example.com?x=1'}":                                                       `access.yaml:1:16: it is no address of an issuer`,
		"oidc: {issuer: 'https://u:p@a.example.com'}":                                                       `access.yaml:1:16: it is no address of an issuer`,
		"oidc: {issuer: 'http://login.example.com'}":                                                        `access.yaml:1:16: keys that arrive by http could be anybody's; write https://…`,
		"oidc: {issuer: 'http://127.0.0.1.example.com'}":                                                    `keys that arrive by http could be anybody's`,
		"oidc: {issuer: 'https://a.example.com'}":                                                           `access.yaml:1:1: oidc has no audience`,
		"oidc: {issuer: 'http://127.0.0.1:5', audience: a, groups: {}}":                                     `access.yaml:1:51: groups has no claim`,
		"oidc: {issuer: 'http://localhost', audience: a, groups: {claim: g, roles: {'': []}}}":              `access.yaml:1:76: a group has no name`,
		"oidc: {issuer: 'http://[::1]:5', audience: a, group: {}}":                                          `unknown field "group"`,
		"oidc: {issuer: 'http://localhost', audience: a, groups: {claim: g, roles: {x: [y]}}}":              `access.yaml:1:80: there is no role "y"`,
		"oidc: {issuer: 'https://a.example.com', audience: a}\nprincipals:\n  a: {oidc: x}\n  b: {oidc: x}": `access.yaml:4:13: it is a, too`,
	} {
		_, err := access.Parse("access.yaml", []byte(text))
		require.Equal(t, errkind.Invalid, errkind.Of(err), text)
		require.ErrorContains(t, err, want)
	}
}
