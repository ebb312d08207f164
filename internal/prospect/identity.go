package prospect

import "strings"

// MaxIdentity is the most bytes that the value of a primary identity has.
const MaxIdentity = 1000

// IdentityForm is what such a value looks like, as RE2: without control characters, and without white space at
// its ends. Bytes are as the partner writes them: nothing is trimmed or folded unless a step says so.
const IdentityForm = `[^\pZ\p{Cc}]([^\p{Cc}]*[^\pZ\p{Cc}])?`

// IsIdentityMap reports whether a column or key is an identity map, or inside one. It would take precedence over
// the primary identity, and let in identities of other types than Partner ID (EC-1).
func IsIdentityMap(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		part, _, _ = strings.Cut(part, "[")
		if strings.TrimPrefix(strings.TrimSpace(part), "xdm:") == "identityMap" {
			return true
		}
	}
	return false
}
