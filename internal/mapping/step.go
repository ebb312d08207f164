// Package mapping placeholder.
package mapping

// Step placeholder.
type Step struct{ Word string }

// Check placeholder.
func (Step) Check() error { return nil }

// Target placeholder.
type Target struct {
	Field     string
	Column    string
	Concat    []string
	Separator string
	Constant  *string
	Steps     []Step
}

// Mapping placeholder.
type Mapping struct{ at []int }

// Compile placeholder.
func Compile(targets []Target, columns []string) (*Mapping, error) {
	m := &Mapping{}
	for _, t := range targets {
		for i, c := range columns {
			if c == t.Column {
				m.at = append(m.at, i)
			}
		}
	}
	return m, nil
}

// Apply placeholder.
func (m *Mapping) Apply(fields [][]byte, null func([]byte) bool, out [][]byte, failed func(target int, step string)) {
	for i, at := range m.at {
		out[i] = fields[at]
		if out[i] != nil && null(out[i]) {
			out[i] = nil
		}
	}
}
