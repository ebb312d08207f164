package filecodec

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/transform"
)

// Encodings of text files.
const (
	UTF8   = "utf-8"   // may begin with a byte-order mark
	UTF16  = "utf-16"  // in the order that its byte-order mark says, else little endian
	Latin1 = "latin-1" // ISO-8859-1 itself: 0x80 to 0x9F, where Windows-1252 has characters, is no text

	Windows1252 = "windows-1252" // what is often called Latin-1: with €, quotation marks and dashes
)

// FaultIn is the record's fault for people, who know the encoding of the file.
func (r Record) FaultIn(encoding string) string {
	if r.Fault != FaultEncoding || utf8.Valid(r.Raw) { // an escape in JSON may be no text, too
		return string(r.Fault)
	}
	switch encoding {
	case Latin1:
		return "control characters of Latin-1, bytes 0x80 to 0x9F: is it windows-1252?"
	case Windows1252:
		return "not Windows-1252"
	case UTF16:
		return "not UTF-16"
	}
	return string(r.Fault)
}

// decode returns the text of r as UTF-8. Its own byte-order mark decides against an encoding that it
// is not in. What is no text in the encoding becomes bytes that are not UTF-8, never a replacement
// character, so that it costs the record in which it stands and nothing else.
func decode(r io.Reader, encoding string) (io.Reader, error) {
	if encoding == UTF8 {
		return r, nil // the reader looks at its mark
	}
	buffered := bufio.NewReaderSize(r, 1<<16)
	head, err := buffered.Peek(len(utf8BOM))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	littleEndian, bigEndian := bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{0xFE, 0xFF})
	switch {
	case encoding != UTF16 && encoding != Latin1 && encoding != Windows1252:
		return nil, fmt.Errorf("unknown encoding %q", encoding)
	case bytes.HasPrefix(head, utf8BOM):
		return nil, fmt.Errorf("the file is UTF-8; its format says %s", encoding)
	case encoding != UTF16 && (littleEndian || bigEndian):
		return nil, fmt.Errorf("the file is UTF-16; its format says %s", encoding)
	case encoding == Latin1:
		return transform.NewReader(buffered, &single{}), nil
	case encoding == Windows1252:
		return transform.NewReader(buffered, &single{c1: windows1252()}), nil
	case littleEndian || bigEndian:
		if _, err := buffered.Discard(2); err != nil {
			return nil, err
		}
	}
	return transform.NewReader(buffered, wide{bigEndian: bigEndian}), nil
}

// single transforms ISO-8859-1 and what differs from it between 0x80 and 0x9F only. What is no text there keeps its byte.
type single struct {
	transform.NopResetter
	c1 [32]rune // characters from 0x80 on; 0: none
}

func windows1252() (out [32]rune) {
	for i := range out {
		if r := charmap.Windows1252.DecodeByte(byte(0x80 + i)); !unicode.IsControl(r) && r != utf8.RuneError {
			out[i] = r
		}
	}
	return out
}

func (s *single) Transform(dst, src []byte, _ bool) (written, read int, err error) {
	for read < len(src) {
		if written+utf8.UTFMax > len(dst) {
			return written, read, transform.ErrShortDst
		}
		switch b := src[read]; {
		case b >= 0x80 && b < 0xA0 && s.c1[b-0x80] != 0:
			written += utf8.EncodeRune(dst[written:], s.c1[b-0x80])
		case b < 0xA0:
			dst[written] = b
			written++
		default:
			written += utf8.EncodeRune(dst[written:], rune(b))
		}
		read++
	}
	return written, read, nil
}

// wide transforms UTF-16. Half a surrogate pair is written in three bytes as other units are, which is
// not UTF-8. Where bytes are missing, what follows has no line ends any more and would pass for one
// broken record: half a unit at the end, and a swapped line feed, which is no character, are errors.
type wide struct {
	transform.NopResetter
	bigEndian bool
}

func (w wide) unit(src []byte) rune {
	if w.bigEndian {
		return rune(binary.BigEndian.Uint16(src))
	}
	return rune(binary.LittleEndian.Uint16(src))
}

func (w wide) Transform(dst, src []byte, last bool) (written, read int, err error) {
	for len(src)-read >= 2 {
		if written+utf8.UTFMax > len(dst) {
			return written, read, transform.ErrShortDst
		}
		r := w.unit(src[read:])
		if r == '\n'<<8 {
			return written, read, errors.New("the file holds a line feed with its bytes swapped: bytes are missing in it, or it has the other byte order and no byte-order mark")
		}
		if !utf16.IsSurrogate(r) {
			written += utf8.EncodeRune(dst[written:], r)
			read += 2
			continue
		}
		if len(src)-read < 4 && !last {
			return written, read, transform.ErrShortSrc
		}
		if len(src)-read >= 4 {
			if pair := utf16.DecodeRune(r, w.unit(src[read+2:])); pair != utf8.RuneError {
				written += utf8.EncodeRune(dst[written:], pair)
				read += 4
				continue
			}
		}
		written += copy(dst[written:], []byte{0xE0 | byte(r>>12), 0x80 | byte(r>>6)&0x3F, 0x80 | byte(r)&0x3F})
		read += 2
	}
	switch {
	case read == len(src):
		return written, read, nil
	case !last:
		return written, read, transform.ErrShortSrc
	}
	return written, read, fmt.Errorf("the file ends within a UTF-16 character: %w", io.ErrUnexpectedEOF)
}
