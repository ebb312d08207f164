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
	cem, err := rules.Principal("cem", at)
	require.NoError(t, err)
	require.True(t, cem.SeesAll())
	dan, err := rules.Principal("dan", at)
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
	_, err = rules.Principal("eve", at)
	require.Equal(t, errkind.Denied, errkind.Of(err))
}

// What is wrong in the file is said with its place, and nothing of it holds.
func TestBrokenFiles(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "access.yaml: it has 0 documents",
		"roles: [":                  "access.yaml:1",
		"rules: {}":                 `access.yaml:1:1: unknown field "rules"`,
		"roles: {a: {label: [C1]}}": `unknown field "label"`,
		"roles: {a: {permissions: [View Profile]}}":                                       `access.yaml:1:27: there is no permission "View Profile"; did you mean "View Profiles"?`,
		"roles: {production-all-access: {}}":                                              "role production-all-access is there without being declared",
		"principals: {ann: {roles: [a]}}":                                                 `access.yaml:1:28: there is no role "a"; known are production-all-access, sandbox-administrators`,
		"principals: {ann: {tokenSHA256: abc}}":                                           "access.yaml:1:33: it is no SHA-256 in hexadecimal",
		"principals: {ann: {expires: tomorrow}}":                                          "access.yaml:1",
		"principals:\n  a: {tokenSHA256: &t " + digest("x") + "}\n  b: {tokenSHA256: *t}": "it is the token of a, too",
	} {
		_, err := access.Parse("access.yaml", []byte(text))
		require.Equal(t, errkind.Invalid, errkind.Of(err), text)
		require.ErrorContains(t, err, want)
	}
}
