package ingest

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"prospector/internal/prospect"
)

// shortest is the least that a member of an object takes, as in "":1, and bounds their number by a record's size.
const shortest = 5

// members counts the members of a JSON object and of all objects in it. It does not look where there cannot be more
// than most.
func members(raw []byte, most int) int {
	if len(raw)/shortest < most {
		return 0
	}
	count, inString := 0, false
	for i := 0; i < len(raw); i++ {
		switch {
		case inString && raw[i] == '\\':
			i++
		case raw[i] == '"':
			inString = !inString
		case raw[i] == ':' && !inString:
			count++
		}
	}
	return count
}

// holdsIdentityMap reports whether a key of a JSON object is an identity map, however deep it lies, in lists too, and
// however it is written. Values are not looked at.
func holdsIdentityMap(raw []byte) bool {
	if !bytes.Contains(raw, []byte("identityMap")) && !bytes.Contains(raw, []byte(`\u00`)) {
		return false
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := decoder.ReadToken()
		if err != nil {
			return false // the end: the reader has read the record
		}
		if token.Kind() != '"' {
			continue
		}
		within, length := decoder.StackIndex(decoder.StackDepth())
		if within == '{' && length%2 == 1 && prospect.IsIdentityMap(token.String()) {
			return true
		}
	}
}
