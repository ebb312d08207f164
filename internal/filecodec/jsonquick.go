package filecodec

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/go-json-experiment/json/jsontext"
)

// shape remembers the names of an object's members, in the order in which they first came. Most objects of
// a file have the names of the one before, which makes it quick to find where values go and that no name
// comes twice.
type shape struct {
	members []*member
	byName  map[string]int // by literal
}

type member struct {
	literal string // its name in quotes; it has no escapes
	path    string
	field   int     // that its value goes to; -1 when it is not wanted
	whole   bool    // so is its value if that is a list or an object
	inList  bool    // it has no path and only has to be right
	seen    uint64  // the last object that had it
	object  shape   // of its value
	element *member // of the list that is its value, or its value as a whole
}

// quickly reads an object several times faster than the decoder does. It takes what is plainly right and
// gives up on all else: then the decoder says what is wrong with it, or reads what is only unusual. What
// it has taken until then does not count. raw is text.
func (o *objects) quickly(raw []byte) bool {
	end, _, ok := o.quickObject(raw, skipSpace(raw, 0), nil, 1)
	return ok && skipSpace(raw, end) == len(raw)
}

// quickObject reads the object that begins at i, the value of m or, when there is none, the record. It returns
// where it ends and whether it is empty.
func (o *objects) quickObject(text []byte, i int, m *member, depth int) (end int, empty, ok bool) {
	if at(text, i) != '{' || depth > MaxDepth {
		return 0, false, false
	}
	s := &o.shape
	if m != nil {
		s = &m.object
	}
	o.opened++
	opened := o.opened
	if i = skipSpace(text, i+1); at(text, i) == '}' {
		return i + 1, true, true
	}
	for expected := 0; ; {
		var found *member
		if found, i, expected = o.quickName(text, i, s, m, expected); found == nil || found.seen == opened {
			return 0, false, false
		}
		found.seen = opened
		if i = skipSpace(text, i); at(text, i) != ':' {
			return 0, false, false
		}
		if i, ok = o.quickValue(text, skipSpace(text, i+1), found, depth); !ok {
			return 0, false, false
		}
		i = skipSpace(text, i)
		switch at(text, i) {
		case ',':
			i = skipSpace(text, i+1)
		case '}':
			return i + 1, false, true
		default:
			return 0, false, false
		}
	}
}

// quickName reads a name. expected is the place in the shape of the one that probably comes, and then of
// the next one.
func (o *objects) quickName(text []byte, i int, s *shape, of *member, expected int) (found *member, end, next int) {
	if expected < len(s.members) {
		m := s.members[expected]
		if end := i + len(m.literal); end <= len(text) && string(text[i:end]) == m.literal {
			return m, end, expected + 1
		}
	}
	end, escaped, ok := stringEnd(text, i)
	if !ok || escaped {
		return nil, 0, 0
	}
	place, known := s.byName[string(text[i:end])]
	if !known {
		if o.remembered == rememberedNames {
			return nil, 0, 0
		}
		o.remembered++
		place = len(s.members)
		s.add(o.newMember(string(text[i:end]), of))
	}
	return s.members[place], end, place + 1
}

func (s *shape) add(m *member) {
	if s.byName == nil {
		s.byName = map[string]int{}
	}
	s.byName[m.literal] = len(s.members)
	s.members = append(s.members, m)
}

func (o *objects) newMember(literal string, of *member) *member {
	m := &member{literal: literal, path: literal[1 : len(literal)-1], field: -1}
	switch {
	case of != nil && of.inList:
		m.inList, m.path = true, ""
		return m
	case of != nil:
		m.path = of.path + "." + m.path
	}
	if field, wanted := o.wanted[m.path]; wanted {
		m.field, m.whole = field, o.whole[field]
	}
	return m
}

// quickValue reads the value that begins at i and takes it, or notes that nobody wants it.
func (o *objects) quickValue(text []byte, i int, m *member, depth int) (end int, ok bool) {
	var value []byte
	switch c := at(text, i); c {
	case '{':
		of := m
		if m.whole {
			of = m.anything()
		}
		var empty bool
		if end, empty, ok = o.quickObject(text, i, of, depth+1); !ok || !empty && !m.whole {
			return end, ok && m.field < 0
		}
		value = text[i:end]
	case '[':
		if end, ok = o.quickList(text, i, m, depth+1); !ok {
			return 0, false
		}
		value = text[i:end]
	case '"':
		var escaped bool
		if end, escaped, ok = stringEnd(text, i); !ok {
			return 0, false
		}
		value = text[i+1 : end-1]
		if escaped {
			if value, ok = o.quickUnquote(text[i:end]); !ok {
				return 0, false
			}
		}
	case 'n', 't', 'f':
		word := words[c]
		if end = i + len(word); end > len(text) || string(text[i:end]) != word {
			return 0, false
		}
		if c != 'n' {
			value = text[i:end]
		}
	default:
		if end, ok = numberEnd(text, i); !ok {
			return 0, false
		}
		value = text[i:end]
	}
	return end, o.quickTake(m, at(text, i), value)
}

var words = [...]string{'n': "null", 't': "true", 'f': "false"}

func (o *objects) quickTake(m *member, kind byte, value []byte) bool {
	switch {
	case m.inList:
		return true
	case m.field < 0:
		o.noteExtra(m.path)
		return true
	case o.found[m.field], (kind == '{' || kind == '[') && !m.whole:
		return false
	}
	o.found[m.field], o.fields[m.field] = true, value
	return true
}

// quickUnquote returns the text of a string literal with escapes.
func (o *objects) quickUnquote(literal []byte) ([]byte, bool) {
	from := len(o.unquoted)
	var err error
	o.unquoted, err = jsontext.AppendUnquote(o.unquoted, literal)
	value := o.unquoted[from:len(o.unquoted):len(o.unquoted)]
	return value, err == nil && bytes.IndexByte(value, 0) < 0
}

// anything is what stands in m's value where only that it is right counts.
func (m *member) anything() *member {
	if m.element == nil {
		m.element = &member{field: -1, inList: true}
	}
	return m.element
}

// quickList passes over a list, whose values only have to be right.
func (o *objects) quickList(text []byte, i int, m *member, depth int) (end int, ok bool) {
	if depth > MaxDepth {
		return 0, false
	}
	element := m.anything()
	if i = skipSpace(text, i+1); at(text, i) == ']' {
		return i + 1, true
	}
	for {
		if i, ok = o.quickValue(text, i, element, depth); !ok {
			return 0, false
		}
		i = skipSpace(text, i)
		switch at(text, i) {
		case ',':
			i = skipSpace(text, i+1)
		case ']':
			return i + 1, true
		default:
			return 0, false
		}
	}
}

// at is the byte at i; 0, which is in no text, behind the end.
func at(text []byte, i int) byte {
	if i < len(text) {
		return text[i]
	}
	return 0
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && text[i] <= ' ' && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	return i
}

// stringEnd returns where the string ends that begins at i, and whether escapes are in it, which it does
// not judge.
func stringEnd(text []byte, i int) (end int, escaped, ok bool) {
	if at(text, i) != '"' {
		return 0, false, false
	}
	for i++; ; {
		i = specialInString(text, i)
		switch at(text, i) {
		case '"':
			return i + 1, escaped, true
		case '\\':
			escaped = true
			i += 2
		default:
			return 0, false, false
		}
	}
}

// specialInString returns where the next byte stands that is a quote, an escape or below a space, or the end.
func specialInString(text []byte, i int) int {
	const every = 0x0101_0101_0101_0101
	for ; i+8 <= len(text); i += 8 {
		eight := binary.LittleEndian.Uint64(text[i:])
		special := zeroBytes(eight^'"'*every) | zeroBytes(eight^'\\'*every) | zeroBytes(eight&(0xE0*every))
		if special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
	}
	for ; i < len(text); i++ {
		if b := text[i]; b == '"' || b == '\\' || b < ' ' {
			return i
		}
	}
	return len(text)
}

// numberEnd returns where the number ends that begins at i.
func numberEnd(text []byte, i int) (end int, ok bool) {
	if at(text, i) == '-' {
		i++
	}
	if at(text, i) == '0' {
		i++
	} else if i, ok = digitsEnd(text, i); !ok {
		return 0, false
	}
	if at(text, i) == '.' {
		if i, ok = digitsEnd(text, i+1); !ok {
			return 0, false
		}
	}
	if c := at(text, i); c == 'e' || c == 'E' {
		i++
		if c := at(text, i); c == '+' || c == '-' {
			i++
		}
		if i, ok = digitsEnd(text, i); !ok {
			return 0, false
		}
	}
	return i, true
}

// digitsEnd returns where the digits end that begin at i; not ok when there are none.
func digitsEnd(text []byte, i int) (end int, ok bool) {
	for end = i; end < len(text) && text[end] >= '0' && text[end] <= '9'; {
		end++
	}
	return end, end > i
}

// zeroBytes sets the highest bit of every byte of eight that is 0, and no others. Only 0 leaves that bit unset
// by the sum and by itself, and no sum carries into the next byte.
func zeroBytes(eight uint64) uint64 {
	const low = 0x7F7F_7F7F_7F7F_7F7F
	return ^(eight&low + low | eight | low)
}
