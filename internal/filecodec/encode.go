package filecodec

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"github.com/klauspost/compress/gzip"
)

// Decompress undoes a source's compression ("none" or "gzip", also of several members). A file that
// is cut short ends with io.ErrUnexpectedEOF, never with io.EOF.
func Decompress(r io.Reader, compression string) (io.Reader, error) {
	switch compression {
	case "none":
		return r, nil
	case "gzip":
		return gzip.NewReader(r)
	}
	return nil, fmt.Errorf("unknown compression %q", compression)
}

// AppendClean appends one record in the fixed dialect that the store reads: the line number, then
// the chosen fields, comma-separated, quoted where needed. A nil field is a null and stays empty
// without quotes; an empty text is written as "".
func AppendClean(dst []byte, line int64, fields [][]byte) []byte {
	dst = strconv.AppendInt(dst, line, 10)
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

// AppendRecord appends one record as the dialect writes it, without a line end. Where nothing is ever
// quoted, fields must hold neither delimiters nor line ends.
func AppendRecord(dst []byte, fields [][]byte, d Dialect) []byte {
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
