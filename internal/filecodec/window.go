package filecodec

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

const (
	bufferSize = 1 << 20
	// maxEmptyReads is how often a stream may give neither bytes nor an error before it counts as broken.
	maxEmptyReads = 100
	judgedSize    = 1 << 16 // is judged at once: what stays in the processor's cache
)

// window is the part of a text that is in memory, and counts the bytes and physical lines in front of it.
type window struct {
	source    io.Reader
	buffer    []byte
	pos, end  int
	eof       bool
	newline   byte  // ends a line; a carriage return before a line feed belongs to it
	line      int64 // physical lines consumed
	passed    int64 // bytes of the text in front of the buffer
	maxRecord int

	sound    int // in the buffer, up to here all is text
	doubtful int // up to here something is not
}

func newWindow(r io.Reader) window { return newWindowOf(r, bufferSize, MaxRecord) }

// newWindowOf has a buffer of size bytes, which is more than lookAhead and two.
func newWindowOf(r io.Reader, size, maxRecord int) window {
	return window{source: r, buffer: make([]byte, size), newline: '\n', maxRecord: maxRecord}
}

// lookAhead is the size of a record and its line end.
func (w *window) lookAhead() int { return w.maxRecord + 2 }

// offset is where in the text the bytes stand that come next.
func (w *window) offset() int64 { return w.passed + int64(w.pos) }

var utf8BOM = []byte{0xEF, 0xBB, 0xBF}

// start looks at the beginning of the text and passes over a byte-order mark.
func (w *window) start() error {
	if err := w.fill(w.lookAhead()); err != nil {
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

// findLineEnd takes carriage returns for line ends when the first buffer holds some and no
// line feed: no record that may pass is as long. One line feed makes them part of values, as ever.
func (w *window) findLineEnd() error {
	for bytes.IndexByte(w.rest(), '\n') < 0 {
		if w.eof || len(w.rest()) == len(w.buffer) {
			if bytes.IndexByte(w.rest(), '\r') >= 0 {
				w.newline = '\r'
			}
			return nil
		}
		if err := w.fill(len(w.buffer)); err != nil {
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
		if len(window) == len(w.buffer) { // whether the file ends here may not be known, and must not matter
			return 0, true, nil
		}
		if w.eof {
			return len(window), false, nil
		}
		if err := w.fill(len(window) + 1); err != nil {
			return 0, false, err
		}
	}
}

// skipLongLine passes over a line that does not fit the buffer and returns it as a faulty record.
func (w *window) skipLongLine() (Record, error) {
	record := Record{Line: w.line + 1, Offset: w.offset(), Fault: FaultTooLarge, Raw: bytes.Clone(w.buffer[w.pos : w.pos+w.maxRecord])}
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

// advance consumes n bytes, which are whole lines.
func (w *window) advance(n, lines int) {
	w.line += int64(lines)
	w.pos += n
}

// lines counts the lines of a text that ends where a line does.
func (w *window) lines(text []byte) int {
	count := bytes.Count(text, []byte{w.newline})
	if len(text) > 0 && text[len(text)-1] != w.newline {
		count++ // the last line of a file without a line end
	}
	return count
}

// faultOf says whether the next n bytes are text. Records are judged many at once; only near one that is
// no text, each by itself.
func (w *window) faultOf(n int) Fault {
	switch end := w.pos + n; {
	case end <= w.sound:
		return ""
	case w.pos >= w.doubtful:
		// A line end is where no character is cut.
		chunk := w.buffer[w.pos:min(w.end, w.pos+max(n, judgedSize))]
		chunk = chunk[:max(n, bytes.LastIndexByte(chunk, w.newline)+1)]
		if faultOf(chunk) == "" {
			w.sound = w.pos + len(chunk)
			return ""
		}
		w.doubtful = w.pos + len(chunk)
	}
	return faultOf(w.buffer[w.pos : w.pos+n])
}

// faultOf says whether bytes are text.
func faultOf(raw []byte) Fault {
	switch {
	case bytes.IndexByte(raw, 0) >= 0:
		return FaultNUL
	case !utf8.Valid(raw):
		return FaultEncoding
	}
	return ""
}

// fill makes at least n bytes available, or all that are left.
func (w *window) fill(n int) error {
	if w.end-w.pos >= n || w.eof {
		return nil
	}
	if w.pos+n > len(w.buffer) {
		copy(w.buffer, w.buffer[w.pos:w.end])
		w.passed += int64(w.pos)
		w.sound, w.doubtful = w.sound-w.pos, w.doubtful-w.pos
		w.pos, w.end = 0, w.end-w.pos
	}
	for reads := 0; w.end-w.pos < n && w.end < len(w.buffer); reads++ {
		read, err := w.source.Read(w.buffer[w.end:])
		w.end += read
		if read > 0 {
			reads = 0
		} else if err == nil && reads == maxEmptyReads {
			return io.ErrNoProgress
		}
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
