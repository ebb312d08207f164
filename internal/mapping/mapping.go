package mapping

import (
	"fmt"
	"strings"

	"prospector/internal/errkind"
	"prospector/internal/xdm"
)

// Target is a field and where its value comes from: exactly one of column, concat and constant.
type Target struct {
	// Field that is filled, an XDM path.
	Field string `yaml:"field" jsonschema:"required,pattern=\\S"`
	// Column that the value is taken from.
	Column string `yaml:"column"`
	// Concat joins the values of columns; those without a value are left out, and if none has one there is none.
	Concat []string `yaml:"concat" jsonschema:"minItems=1"`
	// Separator between the values that concat joins; nothing unless given.
	Separator string `yaml:"separator"`
	// Constant is the value in every record.
	Constant *string `yaml:"constant"`
	// Steps that bring the value into the field's form, in their order. No value passes them by, and what becomes empty is no value. Of a list or map each takes the elements, but for those in front of the step list, which take the text.
	Steps []Step `yaml:"steps"`
	// Container of the field, which its schema says.
	Container xdm.Container `yaml:"-" json:"-"`
}

// Columns lists the columns that the target takes values from.
func (t Target) Columns() []string {
	if t.Column != "" {
		return []string{t.Column}
	}
	return t.Concat
}

// Check says what is wrong with the target. The error is, or wraps, an *errkind.Error of kind Invalid.
func (t Target) Check() error {
	_, err := t.compile()
	return err
}

// compile prepares all of the target but the places of its columns.
func (t Target) compile() (*target, error) {
	ways := 0
	for _, given := range []bool{t.Column != "", len(t.Concat) > 0, t.Constant != nil} {
		if given {
			ways++
		}
	}
	switch {
	case t.Field == "":
		return nil, errkind.Newf(errkind.Invalid, "a target has no field").WithHint("write field: and an XDM path")
	case ways != 1:
		return nil, errkind.Newf(errkind.Invalid, "%s is filled in %d ways", t.Field, ways).WithHint("write one of column, concat and constant")
	case t.Separator != "" && len(t.Concat) == 0:
		return nil, errkind.Newf(errkind.Invalid, "%s has a separator and joins no columns", t.Field).WithHint("leave separator out, or write concat instead of column")
	}
	out := &target{separator: t.Separator}
	steps := t.Steps
	if t.Container != xdm.Single || t.splits() >= 0 {
		var err error
		if out.container, steps, err = t.compileContainer(); err != nil {
			return nil, fmt.Errorf("%s: %w", t.Field, err)
		}
	}
	var err error
	if out.steps, err = CompileSteps(steps); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Field, err)
	}
	if t.Constant == nil {
		return out, nil
	}
	value, failed := out.apply([]byte(*t.Constant), nil)
	switch {
	case failed.Shape != "":
		return nil, errkind.Newf(errkind.Invalid, "%s: the constant is no value of the field: %s", t.Field, failed.Shape).WithHint("write it as JSON")
	case failed.Step != "":
		return nil, errkind.Newf(errkind.Invalid, "%s: step %s cannot take the constant", t.Field, failed.Step).WithHint("write the constant as the field wants it, without steps")
	case value == nil:
		return nil, errkind.Newf(errkind.Invalid, "%s: the constant is empty", t.Field).WithHint("leave the target out: a field that is not filled is empty")
	}
	out.constant = value
	return out, nil
}

// target is a compiled Target.
type target struct {
	columns   []int
	separator string
	constant  []byte
	container *container // nil for a field with one value
	steps     *Chain
	buffer    []byte // of joined values
}

// Failure says why a target gets no value.
type Failure struct {
	Step  string // the step that cannot take it
	Shape string // what keeps it from being the list or map that the field wants
}

func (t *target) apply(value []byte, null func([]byte) bool) ([]byte, Failure) {
	if t.container != nil {
		return t.container.apply(value, null, t.steps)
	}
	out, failed := t.steps.Apply(value)
	return out, Failure{Step: failed}
}

// Mapping is a list of targets, compiled for the columns of a file. It holds the buffers that its values
// are written to, so it is for one goroutine.
type Mapping struct{ targets []*target }

// Compile finds the targets' columns among a file's, space around whose names does not count. What is wrong
// with the targets themselves is kind Invalid; a column that is missing or there twice is BadInput, the
// file's fault. Columns that no target names are left alone.
func Compile(targets []Target, columns []string) (*Mapping, error) {
	m := &Mapping{}
	filled := map[string]bool{}
	for _, t := range targets {
		compiled, err := t.compile()
		if err != nil {
			return nil, err
		}
		if filled[t.Field] {
			return nil, errkind.Newf(errkind.Invalid, "%s is filled twice", t.Field).WithHint("leave one target out, or join its columns with concat")
		}
		filled[t.Field] = true
		for _, name := range t.Columns() {
			at, err := find(name, columns)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.Field, err)
			}
			compiled.columns = append(compiled.columns, at)
		}
		m.targets = append(m.targets, compiled)
	}
	return m, nil
}

func find(name string, columns []string) (int, error) {
	at := -1
	for i, column := range columns {
		if strings.TrimSpace(column) != strings.TrimSpace(name) {
			continue
		}
		if at >= 0 {
			return 0, errkind.New(errkind.BadInput, "", fmt.Errorf("column %q is there twice", name), "ask the partner for the agreed layout")
		}
		at = i
	}
	if at >= 0 {
		return at, nil
	}
	hint := "ask the partner for the agreed layout, or change the mapping"
	if near := xdm.Nearest(name, columns); near != "" {
		hint = fmt.Sprintf("the nearest column is %q; %s", near, hint)
	}
	return 0, errkind.New(errkind.BadInput, "", fmt.Errorf("there is no column %q", name), hint)
}

// Apply fills out, which is as long as the list of targets and in its order, with the values of a record;
// nil is no value. fields are the record's, in the order of the columns. null says of a field's bytes, as
// they stand in the file, whether they mean no value; empty ones always do, and with a nil null no others
// (see NullMarkers). A target whose step cannot
// take the value gets none, and failed is called with the target's index and why. A list is written as a JSON list of
// texts, a map as a JSON object of texts in the order of keys; one that failed has one element, null.
// fields are not changed. What is in out holds until fields change or Apply is called again.
func (m *Mapping) Apply(fields [][]byte, null func(value []byte) bool, out [][]byte, failed func(target int, why Failure)) {
	for i, t := range m.targets {
		if t.constant != nil {
			out[i] = t.constant
			continue
		}
		if len(t.columns) == 1 && len(t.steps.functions) == 0 && t.container == nil {
			out[i] = known(fields[t.columns[0]], null)
			continue
		}
		value, why := t.apply(t.take(fields, null), null)
		if out[i] = value; why != (Failure{}) {
			failed(i, why)
		}
	}
}

// take returns the value before the steps.
func (t *target) take(fields [][]byte, null func([]byte) bool) []byte {
	if len(t.columns) == 1 {
		return known(fields[t.columns[0]], null)
	}
	t.buffer = t.buffer[:0]
	joined := false
	for _, column := range t.columns {
		value := known(fields[column], null)
		if value == nil {
			continue
		}
		if joined {
			t.buffer = append(t.buffer, t.separator...)
		}
		t.buffer, joined = append(t.buffer, value...), true
	}
	return t.buffer
}

func known(value []byte, null func([]byte) bool) []byte {
	if len(value) == 0 || null != nil && null(value) {
		return nil
	}
	return value
}

// NullMarkers returns the null of Apply for texts that mean no value; nil when the empty one is the only one.
func NullMarkers(markers []string) func(value []byte) bool {
	const longest = 63 // and all that are longer
	var lengths uint64 // most values have the length of no marker
	listed := map[string]bool{}
	for _, marker := range markers {
		if marker != "" {
			listed[marker] = true
			lengths |= 1 << min(len(marker), longest)
		}
	}
	if len(listed) == 0 {
		return nil
	}
	return func(value []byte) bool {
		return lengths>>min(len(value), longest)&1 == 1 && listed[string(value)]
	}
}
