package filecodec

import (
	"bytes"
	"strconv"
)

// The clean dialect has one record a line and no quotes, so that where a line ends a record does, whatever its values
// hold: the store may begin to read anywhere. Fields are separated by unit separators, which hardly any text holds.
const (
	cleanSeparator = 0x1f
	cleanEscape    = 0x1a // in front of the digit of what it stands for, in a record that says so; see cleanDigits
)

// cleanDigits are the digits of what cannot stand in a field: an empty text, which is no null, has 0.
var cleanDigits = [256]byte{'\n': '1', '\r': '2', cleanSeparator: '3', cleanEscape: '4'}

// AppendClean appends one record in the fixed dialect that the store reads: the line number, the reasons for which the
// record is refused whatever else is found, whether it has escapes, then the chosen fields. A nil field is a null.
func AppendClean(dst []byte, line int64, reasons string, fields [][]byte) []byte {
	begin := len(dst)
	dst = append(append(append(strconv.AppendInt(dst, line, 10), cleanSeparator), reasons...), cleanSeparator)
	text := len(dst)
	empty := false
	for _, field := range fields {
		dst = append(append(dst, cleanSeparator), field...)
		empty = empty || field != nil && len(field) == 0
	}
	// Hardly any record needs escapes, and to look at a whole one for what does is much faster than to look at
	// each of its fields.
	if !empty && bytes.Count(dst[text:], []byte{cleanSeparator}) == len(fields) && !needsEscapes(dst[text:]) && reasons == "" {
		return append(dst, '\n')
	}
	dst = append(strconv.AppendInt(dst[:begin], line, 10), cleanSeparator)
	if reasons != "" {
		dst = appendEscaped(dst, []byte(reasons))
	}
	dst = append(append(dst, cleanSeparator), "true"...)
	for _, field := range fields {
		if dst = append(dst, cleanSeparator); field != nil {
			dst = appendEscaped(dst, field)
		}
	}
	return append(dst, '\n')
}

// needsEscapes reports whether text holds what cannot stand in a field, separators apart.
func needsEscapes(text []byte) bool {
	return bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, cleanEscape) >= 0
}

func appendEscaped(dst, field []byte) []byte {
	if len(field) == 0 {
		return append(dst, cleanEscape, '0')
	}
	for _, b := range field {
		if digit := cleanDigits[b]; digit != 0 {
			dst = append(dst, cleanEscape, digit)
		} else {
			dst = append(dst, b)
		}
	}
	return dst
}

// AppendRecord appends one record as the dialect writes it, without a line end. Where nothing is ever
// quoted, fields must hold neither delimiters nor line ends, and a record of one empty field cannot be told from a
// blank line.
func AppendRecord(dst []byte, fields [][]byte, d Dialect) []byte {
	if len(fields) == 1 && len(fields[0]) == 0 && d.Quote != 0 {
		return append(dst, d.Quote, d.Quote)
	}
	delimiter := []byte(d.Wide)
	if d.Wide == "" {
		delimiter = []byte{d.Delimiter}
	}
	for i, field := range fields {
		if i > 0 {
			dst = append(dst, delimiter...)
		}
		if d.Quote == 0 || !bytes.ContainsAny(field, string([]byte{d.Quote, '\n', '\r'})) && !bytes.Contains(field, delimiter) {
			dst = append(dst, field...)
			continue
		}
		dst = append(dst, d.Quote)
		for _, b := range field {
			switch {
			case d.Escape != 0 && (b == d.Quote || b == d.Escape):
				dst = append(dst, d.Escape)
			case b == d.Quote:
				dst = append(dst, d.Quote)
			}
			dst = append(dst, b)
		}
		dst = append(dst, d.Quote)
	}
	return dst
}
