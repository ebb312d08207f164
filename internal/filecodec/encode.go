package filecodec

import (
	"bytes"
	"strconv"
)

// AppendClean appends one record in the fixed dialect that the store reads: the line number, the
// reasons for which the record is refused whatever else is found (they hold no quotes), then the chosen
// fields, comma-separated, quoted where needed. A nil field is a null and stays empty
// without quotes; an empty text is written as "".
func AppendClean(dst []byte, line int64, reasons string, fields [][]byte) []byte {
	dst = append(strconv.AppendInt(dst, line, 10), ',')
	if reasons != "" {
		dst = append(append(append(dst, '"'), reasons...), '"')
	}
	// Hardly any record needs quotes, and to look at a whole one for what does is much faster than to look at
	// each of its fields.
	begin := len(dst)
	if written, ok := appendPlain(dst, fields); ok {
		return append(written, '\n')
	}
	dst = dst[:begin]
	for _, field := range fields {
		dst = append(dst, ',')
		if field == nil {
			continue
		}
		if !needsQuotes(field) {
			dst = append(dst, field...)
			continue
		}
		dst = append(dst, '"')
		for _, b := range field {
			if b == '"' {
				dst = append(dst, '"')
			}
			dst = append(dst, b)
		}
		dst = append(dst, '"')
	}
	return append(dst, '\n')
}

// appendPlain appends a comma and a field for each, unless one of them needs quotes.
func appendPlain(dst []byte, fields [][]byte) (written []byte, ok bool) {
	begin := len(dst)
	for _, field := range fields {
		dst = append(dst, ',')
		if field == nil {
			continue
		}
		if len(field) == 0 || field[0] == ' ' || field[len(field)-1] == ' ' {
			return dst, false
		}
		dst = append(dst, field...)
	}
	text := dst[begin:]
	return dst, bytes.Count(text, []byte{','}) == len(fields) && bytes.IndexByte(text, '"') < 0 && bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0
}

// AppendRecord appends one record as the dialect writes it, without a line end. Where nothing is ever
// quoted, fields must hold neither delimiters nor line ends, and a record of one empty field cannot be told from a
// blank line.
func AppendRecord(dst []byte, fields [][]byte, d Dialect) []byte {
	if len(fields) == 1 && len(fields[0]) == 0 && d.Quote != 0 {
		return append(dst, d.Quote, d.Quote)
	}
	for i, field := range fields {
		if i > 0 {
			dst = append(dst, d.Delimiter)
		}
		if d.Quote == 0 || !bytes.ContainsAny(field, string([]byte{d.Delimiter, d.Quote, '\n', '\r'})) {
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

func needsQuotes(field []byte) bool {
	for _, b := range field {
		if b == ',' || b == '"' || b == '\n' || b == '\r' {
			return true
		}
	}
	return len(field) == 0 || field[0] == ' ' || field[len(field)-1] == ' '
}
