package mapping

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"prospector/internal/errkind"
	"prospector/internal/xdm"
)

// MostElements of a list or map.
const MostElements = 1000

// What keeps a value from being a list or map. None says anything of what is in it.
const (
	NotList      = `a JSON list is expected, such as ["a","b"], or the step list for a text with separators`
	NotMap       = `a JSON object is expected, such as {"a":"b"}`
	Nested       = "a list or object stands where an element should be one value"
	NoElement    = "an element has no value, and should be left out"
	NoKey        = "a key is empty"
	RepeatedKey  = "a key stands twice"
	NULInElement = "NUL stands in an element or key"
)

// TooMany is the Shape of a list or map with more than MostElements.
var TooMany = "more than " + strconv.Itoa(MostElements) + " elements"

// container brings a value into the form in which lists and maps go to the store.
type container struct {
	kind      xdm.Container
	separator []byte // of a text that is a list; nil when the value is JSON
	whole     *Chain // steps in front of the separator

	text    bytes.Buffer
	decoder *jsontext.Decoder
	key     []byte
	value   []byte
	pairs   []pair
	pieces  []byte // of pairs
	out     []byte
}

// pair is a key and its value, where they stand in the container's pieces.
type pair struct{ from, middle, to int }

// splits is where the step list stands; -1 when there is none.
func (t Target) splits() int {
	return slices.IndexFunc(t.Steps, func(s Step) bool { return s.List != nil })
}

// Whole reports whether the target takes lists and objects of its column as they are.
func (t Target) Whole() bool { return t.Container != xdm.Single && t.Column != "" && t.splits() < 0 }

// compileContainer returns how the target's value becomes a list or map, and the steps that take its elements.
func (t Target) compileContainer() (c *container, elements []Step, err error) {
	at := t.splits()
	switch {
	case at >= 0 && t.Container != xdm.Array:
		return nil, nil, errkind.Newf(errkind.Invalid, "the step list does not go with a field that is no list").WithHint("leave the step out, or fill a field whose container is array")
	case at < 0 && len(t.Concat) > 0:
		return nil, nil, errkind.Newf(errkind.Invalid, "joined columns are one text, and the field takes several values").WithHint(`add the step {list: "|"}, with the separator of concat, if the field is a list`)
	}
	c = &container{kind: t.Container}
	c.decoder = jsontext.NewDecoder(&c.text)
	if at < 0 {
		return c, t.Steps, nil
	}
	name, f, err := t.Steps[at].compile()
	if err != nil {
		return nil, nil, err
	}
	c.separator = f.(separator)
	if slices.ContainsFunc(t.Steps[at+1:], func(s Step) bool { return s.List != nil }) {
		return nil, nil, errkind.Newf(errkind.Invalid, "the step %s stands twice", name).WithHint("lists have no lists in them: leave one out")
	}
	c.whole, err = CompileSteps(t.Steps[:at])
	return c, t.Steps[at+1:], err
}

// separator of a text that is a list.
type separator []byte

func newSeparator(by string) (function, error) {
	if by == "" {
		return nil, errors.New("the separator is empty")
	}
	return separator(by), nil
}

// apply cannot take a value: a list is none.
func (separator) apply([]byte) ([]byte, bool) { return nil, false }

// apply returns the list or map that value is, its elements taken through steps. Of what failed it returns one that is there and
// holds nothing, so that the reason is the only one.
func (c *container) apply(value []byte, null func([]byte) bool, steps *Chain) ([]byte, Failure) {
	if c.whole != nil {
		var failed string
		if value, failed = c.whole.Apply(value); failed != "" {
			return c.none(), Failure{Step: failed}
		}
	}
	if len(value) == 0 {
		return nil, Failure{}
	}
	c.out, c.pairs, c.pieces = c.out[:0], c.pairs[:0], c.pieces[:0]
	var why Failure
	switch {
	case c.separator != nil:
		why = c.split(value, null, steps)
	case c.kind == xdm.Array:
		why = c.list(value, null, steps)
	default:
		why = c.object(value, null, steps)
	}
	if why != (Failure{}) {
		return c.none(), why
	}
	return c.out, Failure{}
}

func (c *container) none() []byte {
	if c.kind == xdm.Map {
		return []byte(`{"":null}`)
	}
	return []byte(`[null]`)
}

func (c *container) split(value []byte, null func([]byte) bool, steps *Chain) (why Failure) {
	c.out = append(c.out, '[')
	n := 0
	for part := range bytes.SplitSeq(value, c.separator) {
		if n++; n > MostElements {
			return Failure{Shape: TooMany}
		}
		if part, why = elementOf(part, null, steps); why != (Failure{}) {
			return why
		}
		c.appendElement(n, part)
	}
	c.out = append(c.out, ']')
	return Failure{}
}

func (c *container) appendElement(n int, text []byte) {
	if n > 1 {
		c.out = append(c.out, ',')
	}
	c.out, _ = jsontext.AppendQuote(c.out, text) // an error says that it replaced something, and records are text
}

// elementOf takes one element through the steps.
func elementOf(value []byte, null func([]byte) bool, steps *Chain) ([]byte, Failure) {
	value, failed := steps.Apply(known(value, null))
	switch {
	case failed != "":
		return nil, Failure{Step: failed}
	case value == nil:
		return nil, Failure{Shape: NoElement}
	}
	return value, Failure{}
}

func (c *container) list(value []byte, null func([]byte) bool, steps *Chain) Failure {
	if why := c.open(value, '[', NotList); why != (Failure{}) {
		return why
	}
	c.out = append(c.out, '[')
	for n := 1; c.decoder.PeekKind() != ']'; n++ {
		text, why := c.scalar(NotList)
		if why == (Failure{}) && n > MostElements {
			why = Failure{Shape: TooMany}
		}
		if why == (Failure{}) {
			text, why = elementOf(text, null, steps)
		}
		if why != (Failure{}) {
			return why
		}
		c.appendElement(n, text)
	}
	c.out = append(c.out, ']')
	return c.closed(NotList)
}

func (c *container) object(value []byte, null func([]byte) bool, steps *Chain) Failure {
	if why := c.open(value, '{', NotMap); why != (Failure{}) {
		return why
	}
	for c.decoder.PeekKind() != '}' {
		name, err := c.decoder.ReadValue()
		if err != nil {
			return unreadable(err, NotMap)
		}
		if c.key, err = jsontext.AppendUnquote(c.key[:0], name); err != nil {
			return Failure{Shape: NotMap}
		}
		text, why := c.scalar(NotMap)
		switch {
		case why != (Failure{}):
		case len(c.key) == 0:
			why = Failure{Shape: NoKey}
		case bytes.IndexByte(c.key, 0) >= 0:
			why = Failure{Shape: NULInElement}
		case len(c.pairs) == MostElements:
			why = Failure{Shape: TooMany}
		default:
			text, why = elementOf(text, null, steps)
		}
		if why != (Failure{}) {
			return why
		}
		from := len(c.pieces)
		c.pieces = append(c.pieces, c.key...)
		middle := len(c.pieces)
		c.pieces = append(c.pieces, text...)
		c.pairs = append(c.pairs, pair{from, middle, len(c.pieces)})
	}
	if why := c.closed(NotMap); why != (Failure{}) {
		return why
	}
	slices.SortFunc(c.pairs, func(a, b pair) int { return bytes.Compare(c.pieces[a.from:a.middle], c.pieces[b.from:b.middle]) })
	c.out = append(c.out, '{')
	for i, p := range c.pairs {
		c.appendElement(i+1, c.pieces[p.from:p.middle])
		c.out = append(c.out, ':')
		c.out, _ = jsontext.AppendQuote(c.out, c.pieces[p.middle:p.to])
	}
	c.out = append(c.out, '}')
	return Failure{}
}

// open begins to read a JSON value of the kind.
func (c *container) open(value []byte, kind jsontext.Kind, otherwise string) Failure {
	c.text = *bytes.NewBuffer(value)
	c.decoder.Reset(&c.text)
	if c.decoder.PeekKind() != kind {
		return Failure{Shape: otherwise}
	}
	_, err := c.decoder.ReadToken()
	return unreadable(err, otherwise)
}

// scalar reads one value as the text that a delimited file would hold; null is the empty one.
func (c *container) scalar(otherwise string) ([]byte, Failure) {
	kind := c.decoder.PeekKind()
	if kind == '[' || kind == '{' {
		return nil, Failure{Shape: Nested}
	}
	value, err := c.decoder.ReadValue()
	switch {
	case err != nil:
		return nil, unreadable(err, otherwise)
	case kind == 'n':
		return nil, Failure{}
	case kind != '"':
		return value, Failure{}
	}
	if c.value, err = jsontext.AppendUnquote(c.value[:0], value); err != nil {
		return nil, Failure{Shape: otherwise}
	}
	if bytes.IndexByte(c.value, 0) >= 0 {
		return nil, Failure{Shape: NULInElement}
	}
	return c.value, Failure{}
}

// closed reads the end of the value, behind which nothing else stands.
func (c *container) closed(otherwise string) Failure {
	if _, err := c.decoder.ReadToken(); err != nil {
		return unreadable(err, otherwise)
	}
	if _, err := c.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return Failure{Shape: otherwise}
	}
	return Failure{}
}

func unreadable(err error, otherwise string) Failure {
	switch {
	case err == nil:
		return Failure{}
	case errors.Is(err, jsontext.ErrDuplicateName):
		return Failure{Shape: RepeatedKey}
	}
	return Failure{Shape: otherwise}
}
