package filecodec

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// objects reads the wanted values of JSON objects, one object after the other. A member of an object
// within an object is named by all names on the way to it, joined by dots. Lists have no members, nor have objects that
// are wanted whole.
// Strings lose their quotes and escapes; numbers keep their digits as they are written.
type objects struct {
	columns []string
	wanted  map[string]int // and where its value stands in fields
	whole   []bool         // whether it may be a list or an object, which then is one value
	records int64

	text     bytes.Buffer
	decoder  *jsontext.Decoder
	path     []byte // of the member that is read
	unquoted []byte // values that do not stand in the record as they are
	fields   [][]byte
	found    []bool
	extra    []string
	names    map[string]string // of members that are not wanted

	shape      shape  // of records, for reading them quickly
	remembered int    // names in it
	opened     uint64 // objects that were read with it
}

const rememberedNames = 1000

func newObjects(columns, whole []string) *objects {
	o := &objects{columns: columns, wanted: map[string]int{}, names: map[string]string{}, whole: make([]bool, len(columns)), fields: make([][]byte, len(columns)),
		found: make([]bool, len(columns))}
	for i, name := range columns {
		o.wanted[name], o.whole[i] = i, slices.Contains(whole, name)
	}
	o.decoder = jsontext.NewDecoder(&o.text)
	return o
}

// Columns are the wanted names.
func (o *objects) Columns() []string { return o.columns }

// Records is the number of records returned so far.
func (o *objects) Records() int64 { return o.records }

// Close has nothing to let go of.
func (o *objects) Close() error { return nil }

// record reads the object that the record's bytes should be, unless it is faulty already.
func (o *objects) record(record Record) Record {
	o.records++
	if record.Fault == "" {
		record.Fault = o.read(record.Raw)
	}
	if record.Fault == "" {
		record.Fields, record.Extra = o.fields, o.extra
	}
	return record
}

// read takes the values out of an object, which is text.
func (o *objects) read(raw []byte) Fault {
	if o.reset(); o.quickly(raw) {
		return ""
	}
	o.reset()
	return o.walk(raw, o.take)
}

func (o *objects) reset() {
	clear(o.fields)
	clear(o.found)
	o.extra, o.unquoted = o.extra[:0], o.unquoted[:0]
}

// take is called for every value of a record.
func (o *objects) take(kind jsontext.Kind, value []byte) Fault {
	if bytes.IndexByte(o.path, 0) >= 0 {
		return FaultNUL
	}
	i, wanted := o.wanted[string(o.path)]
	switch {
	case !wanted:
		o.noteExtra(o.name())
		return ""
	case (kind == '{' || kind == '[') && !o.whole[i]:
		return FaultNested
	case o.found[i]:
		return FaultRepeated
	}
	o.found[i] = true
	switch kind {
	case 'n':
		return ""
	case '"':
		value = o.unquote(value)
	}
	if bytes.IndexByte(value, 0) >= 0 {
		return FaultNUL
	}
	o.fields[i] = value
	return ""
}

// name is the path as a text that lasts.
func (o *objects) name() string {
	name, known := o.names[string(o.path)]
	if !known {
		name = string(o.path)
		if len(o.names) < rememberedNames {
			o.names[name] = name
		}
	}
	return name
}

func (o *objects) noteExtra(name string) {
	if len(o.extra) < MaxExtra && !slices.Contains(o.extra, name) {
		o.extra = append(o.extra, name)
	}
}

// unquote returns the text of a string literal that the decoder has read, and so is valid.
func (o *objects) unquote(literal []byte) []byte {
	if bytes.IndexByte(literal, '\\') < 0 {
		return literal[1 : len(literal)-1]
	}
	from := len(o.unquoted)
	o.unquoted, _ = jsontext.AppendUnquote(o.unquoted, literal)
	return o.unquoted[from:len(o.unquoted):len(o.unquoted)]
}

// walk calls leaf for every value of the object raw that is no object, and for objects that are empty
// or wanted as they are; o.path says which. value lies in raw. It ends at the first fault.
func (o *objects) walk(raw []byte, leaf func(kind jsontext.Kind, value []byte) Fault) Fault {
	o.text = *bytes.NewBuffer(raw)
	o.decoder.Reset(&o.text)
	o.path = o.path[:0]
	if o.decoder.PeekKind() != '{' {
		return FaultSyntax
	}
	fault := o.members(raw, 1, leaf)
	if fault == "" {
		if _, err := o.decoder.ReadToken(); !errors.Is(err, io.EOF) {
			return FaultSyntax
		}
	}
	if fault == FaultSyntax && jsontext.Value(raw).IsValid(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)) {
		return FaultEncoding // all that is wrong is an escape that makes half a surrogate pair
	}
	return fault
}

func (o *objects) members(raw []byte, depth int, leaf func(jsontext.Kind, []byte) Fault) Fault {
	if depth > MaxDepth {
		return FaultDepth
	}
	if _, err := o.decoder.ReadToken(); err != nil {
		return syntaxFault(err)
	}
	parent := len(o.path)
	for count := 0; o.decoder.PeekKind() != '}'; count++ {
		name, err := o.decoder.ReadValue()
		if err != nil {
			return syntaxFault(err)
		}
		if o.path = o.path[:parent]; depth > 1 {
			o.path = append(o.path, '.')
		}
		if o.path, err = jsontext.AppendUnquote(o.path, name); err != nil {
			return FaultSyntax
		}
		if fault := o.member(raw, depth, leaf); fault != "" {
			return fault
		}
	}
	o.path = o.path[:parent]
	_, err := o.decoder.ReadToken()
	return syntaxFault(err)
}

func (o *objects) member(raw []byte, depth int, leaf func(jsontext.Kind, []byte) Fault) Fault {
	kind := o.decoder.PeekKind()
	field, wanted := o.wanted[string(o.path)]
	if kind == '{' && (!wanted || !o.whole[field]) {
		begin := o.decoder.InputOffset()
		if fault := o.members(raw, depth+1, leaf); fault != "" {
			return fault
		}
		if wanted || isEmptyObject(raw[begin:o.decoder.InputOffset()]) {
			return leaf(kind, nil)
		}
		return ""
	}
	value, err := o.decoder.ReadValue()
	if err != nil {
		return syntaxFault(err)
	}
	end := o.decoder.InputOffset()
	return leaf(kind, raw[end-int64(len(value)):end])
}

// isEmptyObject looks at an object with what stands in front of it: a colon and white space.
func isEmptyObject(text []byte) bool {
	inner := text[bytes.IndexByte(text, '{')+1 : len(text)-1]
	return len(bytes.TrimLeft(inner, whiteSpace)) == 0
}

func syntaxFault(err error) Fault {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, jsontext.ErrDuplicateName):
		return FaultRepeated
	}
	return FaultSyntax
}

// Keep returns a good record with null in place of the values that keep refuses. Columns are named as
// in the records, wanted or not; a list is one value.
func (o *objects) Keep(r Record, keep func(column string) bool) []byte {
	if r.Fault != "" {
		return r.Raw
	}
	var kept []byte
	copied := 0
	fault := o.walk(r.Raw, func(_ jsontext.Kind, value []byte) Fault {
		if value != nil && !keep(string(o.path)) {
			end := int(o.decoder.InputOffset())
			kept = append(append(kept, r.Raw[copied:end-len(value)]...), "null"...)
			copied = end
		}
		return ""
	})
	if copied == 0 || fault != "" {
		return r.Raw
	}
	return append(kept, r.Raw[copied:]...)
}
