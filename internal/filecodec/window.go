package filecodec

import (
	"bytes"
	"errors"
	"io"
)

const (
	lookAhead  = MaxRecord + 2 // a record and its line end
	bufferSize = 1 << 20
)

// window is the part of a text that is in memory, and counts the physical lines in front of it.
type window struct {
	source   io.Reader
	buffer   []byte
	pos, end int
	eof      bool
	newline  byte  // ends a line; a carriage return before a line feed belongs to it
	line     int64 // physical lines consumed
}

func newWindow(r io.Reader) window {
	return window{source: r, buffer: make([]byte, bufferSize), newline: '\n'}
}

var utf8BOM = []byte{0xEF, 0xBB, 0xBF}

// start looks at the beginning of the text and passes over a byte-order mark.
func (w *window) start() error {
	if err := w.fill(lookAhead); err != nil {
		return err
	}
	head := w.rest()
	switch {
	case len(head) == 0:
		return ErrEmpty
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return errors.New("the file is UTF-16; it must be UTF-8")
	case bytes.HasPrefix(head, utf8BOM):
		w.pos += len(utf8BOM)
	}
	return nil
}

// findLineEnd takes carriage returns for line ends when the first bufferSize bytes hold some and no
// line feed: no record that may pass is as long. One line feed makes them part of values, as ever.
func (w *window) findLineEnd() error {
	for bytes.IndexByte(w.rest(), '\n') < 0 {
		if w.eof || len(w.rest()) == bufferSize {
			if bytes.IndexByte(w.rest(), '\r') >= 0 {
				w.newline = '\r'
			}
			return nil
		}
		if err := w.fill(bufferSize); err != nil {
			return err
		}
	}
	return nil
}

// rest is what is in memory and not consumed.
func (w *window) rest() []byte { return w.buffer[w.pos:w.end] }

func (w *window) trimLineEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte{w.newline})
	if w.newline == '\n' {
		line = bytes.TrimSuffix(line, []byte{'\r'})
	}
	return line
}

// physicalLine returns the length of the next physical line with its line end.
func (w *window) physicalLine() (length int, tooLong bool, err error) {
	for searched := 0; ; {
		window := w.rest()
		if i := bytes.IndexByte(window[searched:], w.newline); i >= 0 {
			return searched + i + 1, false, nil
		}
		searched = len(window)
		if w.eof {
			return len(window), false, nil
		}
		if len(window) >= bufferSize {
			return 0, true, nil
		}
		if err := w.fill(len(window) + 1); err != nil {
			return 0, false, err
		}
	}
}

// skipLongLine passes over a line that does not fit the buffer and returns it as a faulty record.
func (w *window) skipLongLine() (Record, error) {
	record := Record{Line: w.line + 1, Fault: FaultTooLarge, Raw: bytes.Clone(w.buffer[w.pos : w.pos+MaxRecord])}
	for {
		window := w.rest()
		if i := bytes.IndexByte(window, w.newline); i >= 0 {
			w.pos += i + 1
			break
		}
		w.pos = w.end
		if w.eof {
			break
		}
		if err := w.fill(1); err != nil {
			return Record{}, err
		}
	}
	w.line++
	return record, nil
}

// advance consumes n bytes, which end where a line does.
func (w *window) advance(n int) {
	w.line += int64(bytes.Count(w.buffer[w.pos:w.pos+n], []byte{w.newline}))
	if n > 0 && w.buffer[w.pos+n-1] != w.newline {
		w.line++ // the last line of a file without a line end
	}
	w.pos += n
}

// fill makes at least n bytes available, or all that are left.
func (w *window) fill(n int) error {
	if w.end-w.pos >= n || w.eof {
		return nil
	}
	copy(w.buffer, w.buffer[w.pos:w.end])
	w.pos, w.end = 0, w.end-w.pos
	for w.end < n && w.end < len(w.buffer) {
		read, err := w.source.Read(w.buffer[w.end:])
		w.end += read
		if err == io.EOF { //nolint:errorlint // an error that wraps it is a failure, not the end of the file
			w.eof = true
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
