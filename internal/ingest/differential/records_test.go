package differential_test

import (
	"bytes"
	"unicode/utf8"
)

// dialect is how a file is written, as docs/workspace.md#format says it.
type dialect struct {
	delimiter byte
	quote     byte // 0: fields are never quoted
	escape    byte // 0: quotes are doubled
	keep      bool // a quote inside a field that does not begin with one is a character
	columns   []string
}

// record is one record of a file: its fields, or that it cannot be read.
type record struct {
	line   int64
	raw    []byte
	fields []string
	broken bool
}

const (
	mark        = "\ufeff"
	longestSpan = 100 * 1024 // bytes within which a record of several lines ends, or its first line has a stray quote
)

// split takes a whole file apart, a byte at a time and without a buffer: the slow way.
func split(content []byte, d dialect) (out []record) {
	content = bytes.TrimPrefix(content, []byte(mark))
	end := byte('\n')
	if bytes.IndexByte(content, '\n') < 0 {
		end = '\r'
	}
	columns := len(d.columns)
	for at, line := 0, int64(1); at < len(content); {
		length, behind, readable := recordAt(content[at:], d, end)
		if readable && columns > 0 && bytes.IndexByte(content[at:at+length], end) >= 0 && len(fieldsOf(content[at:at+length], d)) != columns {
			length, behind, readable = firstLine(content[at:], end)
		}
		raw := content[at : at+length]
		r := record{line: line, raw: raw, broken: !readable}
		line += int64(bytes.Count(content[at:at+behind], []byte{end}))
		at += behind
		if length == 0 {
			continue // a blank line is no record
		}
		if readable {
			r.fields = fieldsOf(raw, d)
			if columns == 0 {
				columns = len(r.fields)
			}
		}
		r.broken = r.broken || !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0
		out = append(out, r)
	}
	return out
}

// recordAt returns how long the record is that content begins with, and where the next one begins. One with a quote that
// is out of place is its first line. A carriage return that ends the file ends its line.
func recordAt(content []byte, d dialect, end byte) (length, next int, readable bool) {
	const (
		begins  = iota // of a field
		inside         // a field without quotes
		quoted         // between quotes
		escaped        // behind an escape, between quotes
		closed         // behind the closing quote
	)
	state := begins
	for i := 0; i < len(content); i++ {
		c := content[i]
		lineEnds := c == end || c == '\r' && (i+1 == len(content) || content[i+1] == '\n')
		switch state {
		case quoted:
			switch {
			case d.escape != 0 && c == d.escape && i+1 < len(content) && (content[i+1] == d.quote || content[i+1] == d.escape):
				state = escaped
			case d.escape == 0 && c == d.quote && i+1 < len(content) && content[i+1] == d.quote:
				state = escaped
			case c == d.quote:
				state = closed
			}
			continue
		case escaped:
			state = quoted
			continue
		}
		switch {
		case lineEnds:
			length, next = i, i+1
			if c == '\r' && next < len(content) && content[next] == '\n' {
				next++
			}
			if length > longestSpan && bytes.IndexByte(content[:length], end) >= 0 {
				return firstLine(content, end)
			}
			return length, next, true
		case c == d.delimiter:
			state = begins
		case state == closed:
			return firstLine(content, end)
		case d.quote != 0 && c == d.quote && state == begins:
			state = quoted
		case d.quote != 0 && c == d.quote && !d.keep:
			return firstLine(content, end)
		default:
			state = inside
		}
	}
	if state == quoted || state == escaped {
		return firstLine(content, end)
	}
	return len(content), len(content), true
}

func firstLine(content []byte, end byte) (length, next int, readable bool) {
	i := bytes.IndexByte(content, end)
	if i < 0 {
		i = len(content)
	}
	length, next = i, min(i+1, len(content))
	if end == '\n' && length > 0 && content[length-1] == '\r' {
		length--
	}
	return length, next, false
}

// fieldsOf are the values of a readable record.
func fieldsOf(raw []byte, d dialect) (out []string) {
	for at := 0; ; {
		var value []byte
		if d.quote != 0 && at < len(raw) && raw[at] == d.quote {
			at++
			for {
				if d.escape == 0 && raw[at] == d.quote && at+1 < len(raw) && raw[at+1] == d.quote ||
					d.escape != 0 && raw[at] == d.escape && at+1 < len(raw) && (raw[at+1] == d.quote || raw[at+1] == d.escape) {
					value = append(value, raw[at+1])
					at += 2
					continue
				}
				if raw[at] == d.quote {
					at++
					break
				}
				value = append(value, raw[at])
				at++
			}
		}
		for at < len(raw) && raw[at] != d.delimiter {
			value = append(value, raw[at])
			at++
		}
		out = append(out, string(value))
		if at == len(raw) {
			return out
		}
		at++
	}
}
