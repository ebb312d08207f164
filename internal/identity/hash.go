package identity

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Algorithm names a hash under which partners and destinations hold identifiers. None of them hides an
// address or a number from someone who tries them all: a hashed identifier is still personal data.
type Algorithm string

// The algorithms.
const (
	SHA256 Algorithm = "sha256"
	SHA1   Algorithm = "sha1"
	MD5    Algorithm = "md5"
)

// Algorithms lists them, the one to prefer first.
var Algorithms = []Algorithm{SHA256, SHA1, MD5}

// Valid reports whether a is one of Algorithms.
func (a Algorithm) Valid() bool { return slices.Contains(Algorithms, a) }

// length is how many hexadecimal digits a hash has.
func (a Algorithm) length() int {
	switch a {
	case SHA256:
		return 2 * sha256.Size
	case SHA1:
		return 2 * sha1.Size
	case MD5:
		return 2 * md5.Size
	}
	return 0
}

// Hash returns the hash of the text's bytes in lower-case hexadecimal digits, as partners write it. An
// algorithm that is not valid is a mistake of the caller's, and panics.
func Hash(a Algorithm, text string) string { return string(AppendHash(nil, a, []byte(text))) }

// AppendHash is Hash without an allocation.
func AppendHash(into []byte, a Algorithm, text []byte) []byte {
	switch a {
	case SHA256:
		sum := sha256.Sum256(text)
		return hex.AppendEncode(into, sum[:])
	case SHA1:
		sum := sha1.Sum(text)
		return hex.AppendEncode(into, sum[:])
	case MD5:
		sum := md5.Sum(text)
		return hex.AppendEncode(into, sum[:])
	}
	panic("identity: no hash is called " + string(a))
}

// AppendHashed appends a text that is such a hash already, in lower case. It is false, and appends
// nothing, when the text is none: another length, or other characters.
func AppendHashed(into []byte, a Algorithm, text []byte) ([]byte, bool) {
	if len(text) == 0 || len(text) != a.length() {
		return into, false
	}
	start := len(into)
	for _, c := range text {
		switch {
		case c >= 'A' && c <= 'F':
			c += 'a' - 'A'
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return into[:start], false
		}
		into = append(into, c)
	}
	return into, true
}
