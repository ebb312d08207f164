package filecodec

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zip"
)

// maxDirectory bounds the memory that the list of a zip archive's entries may take, in bytes of the file: some
// 50,000 entries, where one data file is expected.
const maxDirectory = 4 << 20

// openZip reads the data file of a zip archive. The archive's directory says at once what it holds.
func openZip(file io.ReaderAt, size int64, limits Limits) (*decoded, error) {
	if err := judgeZipEnd(file, size); err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, err
	}
	archive.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser {
		return flate.NewReader(bufio.NewReaderSize(r, int(min(size, 1<<18))))
	})
	var found census
	var data *zip.File
	for _, entry := range archive.File {
		if isData(entry.Name) {
			found.add(entry.Name)
			data = entry
		}
	}
	if err := found.judge("zip"); err != nil {
		return nil, err
	}
	if err := judgeEntry(data); err != nil {
		return nil, err
	}
	if err := limits.judgeDeclared(data.CompressedSize64, data.UncompressedSize64); err != nil {
		return nil, err
	}
	r, err := data.Open()
	if err != nil {
		return nil, err
	}
	return &decoded{
		reader:  &guard{reader: r, in: int64(data.CompressedSize64), limits: limits},
		release: func() { _ = r.Close() }, // it reads only
	}, nil
}

// judgeEntry refuses what is no plain file or cannot be read.
func judgeEntry(entry *zip.File) error {
	const encrypted, hidden = 1 << 0, 1 << 13
	switch {
	case entry.Flags&(encrypted|hidden) != 0:
		return special("zip", entry.Name, "is encrypted with a password; zip passwords are not supported, use PGP")
	case !entry.Mode().IsRegular():
		return special("zip", entry.Name, "is a link or a device, not a file")
	case entry.Method != zip.Store && entry.Method != zip.Deflate:
		return special("zip", entry.Name, fmt.Sprintf("is compressed with method %d; only deflate (8) and stored (0) are supported", entry.Method))
	case entry.CRC32 == 0 && entry.UncompressedSize64 > 0:
		return special("zip", entry.Name, "has no checksum")
	}
	return nil
}

// judgeZipEnd holds the end of a zip archive against the file: it must be the end of the file, so that no
// bytes follow, and its directory must lie directly before it, so that no other archive precedes it, of
// which a reader would not see anything.
func judgeZipEnd(file io.ReaderAt, size int64) error {
	const fixed, locator, record = 22, 20, 56
	tail := make([]byte, min(size, locator+fixed+1<<16-1))
	if _, err := file.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || len(tail)-at < fixed {
		return fmt.Errorf("it has no end: %w", io.ErrUnexpectedEOF)
	}
	end := tail[at:]
	if comment := int(binary.LittleEndian.Uint16(end[20:])); comment > len(end)-fixed {
		return fmt.Errorf("its end is not complete: %w", io.ErrUnexpectedEOF)
	} else if comment < len(end)-fixed {
		return errFollowed
	}
	if binary.LittleEndian.Uint32(end[4:]) != 0 {
		return errors.New("it is one part of several")
	}
	directory, offset := int64(binary.LittleEndian.Uint32(end[12:])), int64(binary.LittleEndian.Uint32(end[16:]))
	endAt := size - int64(len(end))
	if at >= locator && bytes.HasPrefix(tail[at-locator:], []byte("PK\x06\x07")) { // zip64
		endAt = int64(binary.LittleEndian.Uint64(tail[at-locator+8:]))
		large := make([]byte, record)
		if endAt < 0 || endAt > size-record {
			return zip.ErrFormat
		}
		if _, err := file.ReadAt(large, endAt); err != nil {
			return err
		}
		directory, offset = int64(binary.LittleEndian.Uint64(large[40:])), int64(binary.LittleEndian.Uint64(large[48:]))
	}
	switch {
	case directory < 0 || offset < 0 || offset > size || directory > size || offset+directory > endAt:
		return zip.ErrFormat
	case offset+directory < endAt:
		return fmt.Errorf("%d bytes precede it, or another archive", endAt-offset-directory)
	case directory > maxDirectory:
		return &contentError{fmt.Sprintf("the list of files in the zip archive takes %d bytes; an archive with one data file is expected", directory)}
	}
	return nil
}
