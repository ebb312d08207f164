package mapping

import (
	"errors"
	"fmt"
)

// Lookup replaces a value by the one that is listed for it. Upper and lower case are different values.
type Lookup struct {
	// Values from the partner's code to the field's value.
	Values map[string]string `yaml:"values" jsonschema:"required,minProperties=1"`
	// Otherwise says what happens to a value that is not listed: refuse its row, as it does unless given, keep the value, or, as "null" in quotes, take it for none.
	Otherwise string `yaml:"otherwise" jsonschema:"enum=refuse,enum=keep,enum=null"`
}

type lookup struct {
	values    map[string][]byte
	otherwise string
}

func newLookup(l Lookup) (function, error) {
	if len(l.Values) == 0 {
		return nil, errors.New("no values are listed")
	}
	switch l.Otherwise {
	case "", "refuse", "keep", "null":
	default:
		return nil, fmt.Errorf("otherwise cannot be %q, but refuse, keep or null", l.Otherwise)
	}
	out := lookup{values: make(map[string][]byte, len(l.Values)), otherwise: l.Otherwise}
	for code, value := range l.Values {
		if code == "" {
			return nil, errors.New("an empty value is null and cannot be listed")
		}
		out.values[code] = []byte(value)
	}
	return out, nil
}

func (s lookup) apply(value []byte) ([]byte, bool) {
	if listed, ok := s.values[string(value)]; ok {
		return listed, true
	}
	switch s.otherwise {
	case "keep":
		return value, true
	case "null":
		return nil, true
	}
	return nil, false
}
