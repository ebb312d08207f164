package filecodec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxNesting of anything in a list of objects: beyond it where a record ends is not followed.
const maxNesting = 10_000

// list reads a file that is one JSON list of objects, in bounded memory. It follows strings and brackets
// to where an element ends, and reads the element only then: so one that is no object, too large or
// wrong inside is a faulty record, and the next one is read. Where a quote, a bracket or a comma is
// missing or too many, it cannot be known which records follow: that is the stream's error.
type list struct {
	window
	*objects
	state   listState
	err     error
	element []byte // its beginning, as much as a record may have
	larger  bool   // more than white space is missing in element
	structure
}

const whiteSpace = " \t\r\n"

type listState int

const (
	listBegin  listState = iota // in front of the opening bracket
	listFirst                   // behind it
	listAfter                   // behind an element
	listClosed                  // behind the closing bracket
)

func newList(w window, f Format) (Reader, error) {
	l := &list{window: w, objects: newObjects(f.Wanted, f.Whole)}
	if err := l.start(); err != nil {
		return nil, err
	}
	if first, err := l.significant(); err != nil || first != '[' {
		return nil, errors.Join(errors.New("the file is not a JSON list"), err)
	}
	l.pos++
	l.state = listFirst
	return l, nil
}

// Next returns the next element of the list.
func (l *list) Next() (Record, error) {
	if l.err != nil {
		return Record{}, l.err
	}
	err := l.seek()
	record := Record{Line: l.line + 1, Offset: l.offset()}
	if err == nil {
		err = l.follow()
	}
	if err != nil {
		if !errors.Is(err, io.EOF) {
			err = fmt.Errorf("line %d: %w", l.line+1, err)
		}
		l.err = err
		return Record{}, err
	}
	l.state = listAfter
	record.Raw = bytes.TrimRight(l.element, whiteSpace)
	if l.larger {
		record.Fault = FaultTooLarge
	} else {
		record.Fault = faultOf(record.Raw)
	}
	return l.record(record), nil
}

// seek goes to the beginning of the next element, or returns io.EOF behind the list.
func (l *list) seek() error {
	next, err := l.significant()
	switch {
	case err != nil:
		return err
	case l.state == listFirst && next == ']', l.state == listAfter && next == ']':
		return l.close()
	case l.state == listFirst:
		return nil
	case next != ',':
		return errors.New("a comma is missing in the list")
	}
	l.pos++
	_, err = l.significant()
	return err
}

func (l *list) close() error {
	l.pos++
	l.state = listClosed
	_, err := l.significant()
	if err == nil {
		return errors.New("something stands behind the list")
	}
	if errors.Is(err, errNotClosed) {
		return io.EOF
	}
	return err
}

var errNotClosed = fmt.Errorf("the list is not closed: %w", io.ErrUnexpectedEOF)

// significant passes over white space and returns the byte behind it, which is not consumed.
func (l *list) significant() (byte, error) {
	for {
		if err := l.fill(1); err != nil {
			return 0, err
		}
		for ; l.pos < l.end; l.pos++ {
			switch b := l.buffer[l.pos]; b {
			case '\n':
				l.line++
			case ' ', '\t', '\r':
			default:
				return b, nil
			}
		}
		if l.eof {
			return 0, errNotClosed
		}
	}
}

// follow takes the element that begins here, up to the comma or the bracket behind it.
func (l *list) follow() error {
	l.element, l.larger = l.element[:0], false
	s := &l.structure
	*s = structure{open: s.open[:0]}
	for {
		if err := l.fill(1); err != nil {
			return err
		}
		chunk := l.rest()
		if len(chunk) == 0 {
			if len(s.open) == 0 && s.last == '}' {
				return nil // the list is not closed, its last record is
			}
			return errNotClosed
		}
		n, end, err := s.follow(chunk)
		kept := min(n, l.maxRecord-len(l.element))
		l.element = append(l.element, chunk[:kept]...)
		l.larger = l.larger || len(bytes.TrimLeft(chunk[kept:n], whiteSpace)) > 0
		l.line += int64(bytes.Count(chunk[:n], []byte{'\n'}))
		l.pos += n
		if end || err != nil {
			return err
		}
	}
}

// structure follows the strings and brackets of one element of a list.
type structure struct {
	open     []byte // brackets that are not closed
	last     byte   // in front of this, white space aside; 0 at the beginning
	inString bool
	escaped  bool
}

var (
	errQuote   = errors.New("a quote is missing or too many: where the record ends cannot be known")
	errBracket = errors.New("a bracket is missing or too many: where the record ends cannot be known")
)

// follow reads on and returns how many bytes belong to the element, and whether it has ended.
func (s *structure) follow(text []byte) (n int, end bool, err error) {
	for i := 0; i < len(text); i++ {
		if s.inString {
			if i = s.closingQuote(text, i); i == len(text) {
				break
			}
			continue
		}
		b := text[i]
		switch b {
		case ' ', '\t', '\r', '\n':
			continue
		case ',', ']':
			if len(s.open) == 0 && s.last == 0 {
				return i, false, errors.New("a record is missing in the list")
			}
			if len(s.open) == 0 {
				return i, true, nil
			}
		}
		if err := s.step(b); err != nil {
			return i, false, err
		}
		s.last = b
	}
	return len(text), false, nil
}

// closingQuote returns where the string ends, or the end of text.
func (s *structure) closingQuote(text []byte, i int) int {
	for i < len(text) {
		if s.escaped {
			s.escaped = false
			i++
			continue
		}
		if i = specialInString(text, i); i == len(text) {
			break
		}
		switch text[i] {
		case '\\':
			s.escaped = true
		case '"':
			s.inString = false
			return i
		}
		i++
	}
	return i
}

// step judges a byte outside strings by the one in front of it. A string stands behind one of these and
// in front of one of those: if one did not, a quote in front of it would be missing or too many.
func (s *structure) step(b byte) error {
	inside := byte(0)
	if len(s.open) > 0 {
		inside = s.open[len(s.open)-1]
	}
	switch b {
	case '"':
		if s.last != 0 && s.last != ':' && s.last != ',' && s.last != '{' && s.last != '[' {
			return errQuote
		}
		s.inString = true
	case '{', '[':
		return s.openBracket(b, inside)
	case '}', ']':
		if inside != b-2 { // both pairs are two apart
			return errBracket
		}
		s.open = s.open[:len(s.open)-1]
	case ',', ':':
	default:
		if s.last == '"' {
			return errQuote
		}
	}
	return nil
}

func (s *structure) openBracket(b, inside byte) error {
	switch {
	case s.last == '"':
		return errQuote
	case inside == 0 && s.last != 0, inside == '{' && s.last != ':', inside == '[' && s.last != '[' && s.last != ',':
		return errBracket
	case len(s.open) == maxNesting:
		return fmt.Errorf("brackets are nested more than %d deep", maxNesting)
	}
	s.open = append(s.open, b)
	return nil
}
