package duckdb

import (
	"encoding/json"
	"fmt"
)

// texts is a column of type VARCHAR[]. Its elements may hold any character.
type texts []string

// Scan reads what the driver gives.
func (t *texts) Scan(value any) error {
	*t = nil
	list, ok := value.([]any)
	if !ok && value != nil {
		return fmt.Errorf("a list of texts was expected, not %T", value)
	}
	for _, each := range list {
		text, ok := each.(string)
		if !ok {
			return fmt.Errorf("a text was expected, not %T", each)
		}
		*t = append(*t, text)
	}
	return nil
}

// parameter is the list as statements take it, JSON; null when it is empty.
func (t texts) parameter() (any, error) {
	if len(t) == 0 {
		return nil, nil
	}
	data, err := json.Marshal([]string(t))
	return string(data), err
}
