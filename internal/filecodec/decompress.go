package filecodec

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// Compressions are the values a source may declare as format.compression.
var Compressions = []string{"none", "gzip", "zstd", "bzip2", "deflate", "zip", "tar", "tar.gz"}

// zstdWindow bounds the memory that a zstd file may ask for, in bytes. It is the bound of the zstd command,
// above which a file needs --long=28 or more to be made and to be read.
const zstdWindow = 128 << 20

// Decompress returns the bytes of the one data file in a staged file of size bytes. Reading ends with io.EOF
// only when the whole file has been read, it was complete, all its checksums hold, and the archive, if it is
// one, holds no second data file; whatever was read before an error is not to be used. A file that is cut
// short gives an error that wraps io.ErrUnexpectedEOF, one beyond the limits a *BombError. Errors name no
// content; names of files in archives are quoted and bounded. Close releases everything but file.
func Decompress(file io.ReaderAt, size int64, compression string, limits Limits) (io.ReadCloser, error) {
	if compression == "none" {
		return io.NopCloser(&whole{io.NewSectionReader(file, 0, size), size}), nil
	}
	open, ok := map[string]func(io.ReaderAt, int64, Limits) (*decoded, error){
		"gzip": openGzip, "zstd": openZstd, "bzip2": openBzip2, "deflate": openDeflate,
		"zip": openZip, "tar": openTar, "tar.gz": openTarGzip,
	}[compression]
	if !ok {
		return nil, fmt.Errorf("unknown compression %q", compression)
	}
	if size == 0 {
		return nil, fmt.Errorf("%w: %w", ErrEmpty, io.ErrUnexpectedEOF)
	}
	d, err := open(file, size, limits.orDefaults())
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // a file that ends where its data should begin
	}
	if err != nil {
		return nil, explain(compression, err)
	}
	d.compression = compression
	return d, nil
}

// decoded is a data file as it is read.
type decoded struct {
	reader      io.Reader
	release     func() // nil when there is nothing to release
	compression string
	err         error // of the last Read, which all later ones return
}

func (d *decoded) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = explain(d.compression, err)
	}
	d.err = err
	return n, err
}

// Close ends reading and releases what it held. It may be called at any time and more than once.
func (d *decoded) Close() error {
	d.err = fs.ErrClosed
	if d.release != nil {
		d.release()
		d.release = nil
	}
	return nil
}

// explain says what is wrong with the partner's file. Errors of our own disk and of the limits stay as they are.
func explain(compression string, err error) error {
	var disk *fs.PathError
	var bomb *BombError
	var content *contentError
	switch {
	case errors.As(err, &disk) || errors.As(err, &bomb) || errors.As(err, &content):
		return err
	case errors.Is(err, errFollowed):
		return fmt.Errorf("something else follows the %s data, or it is damaged", compression)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the %s data is cut short: %w", compression, err)
	case errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded): // of frames that state no window
		return fmt.Errorf("the zstd data needs more than %d MiB of memory to be read, it was made with --long or --ultra: %w", zstdWindow>>20, err)
	}
	return fmt.Errorf("the %s data is damaged, or it is something else: %w", compression, err)
}

// whole reads a file from its beginning to its end. A file that has become shorter ends with io.ErrUnexpectedEOF.
type whole struct {
	file io.Reader
	left int64
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.file.Read(p)
	w.left -= int64(n)
	if errors.Is(err, io.EOF) && w.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func buffered(file io.ReaderAt, size int64) *bufio.Reader {
	return bufio.NewReaderSize(&whole{io.NewSectionReader(file, 0, size), size}, int(min(size, 1<<18)))
}

func openGzip(file io.ReaderAt, size int64, limits Limits) (*decoded, error) {
	r, err := gunzip(buffered(file, size))
	if err != nil {
		return nil, err
	}
	return &decoded{reader: &guard{reader: r, in: size, limits: limits}}, nil
}

// gunzip reads all members of a gzip file.
func gunzip(file *bufio.Reader) (io.Reader, error) {
	member, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	member.Multistream(false)
	return &members{file, member}, nil
}

// members are the parts of a gzip file. What is behind one and does not begin like another is something else, however
// short; the decoder alone would take a few such bytes for one that is cut short.
type members struct {
	file   *bufio.Reader
	member *gzip.Reader
}

var gzipMagic = []byte{0x1f, 0x8b}

func (m *members) Read(p []byte) (int, error) {
	n, err := m.member.Read(p)
	if err != io.EOF { //nolint:errorlint // what wraps it is a failure
		return n, err
	}
	head, err := m.file.Peek(len(gzipMagic))
	switch {
	case len(head) == 0:
		return n, err
	case !bytes.HasPrefix(gzipMagic, head):
		return n, errFollowed
	}
	err = m.member.Reset(m.file)
	m.member.Multistream(false)
	switch {
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	case errors.Is(err, gzip.ErrHeader):
		err = errFollowed
	}
	return n, err
}

// errFollowed says that a file goes on where its data ends.
var errFollowed = errors.New("something else follows it")

// parts are what a decoder reads that takes several compressed files for one. Its error for a beginning that
// is none, behind a good part, means that something else follows.
type parts struct {
	reader      io.Reader
	noBeginning error
	some        bool // came out
}

func (r *parts) Read(p []byte) (int, error) {
	n, err := r.reader.Read(p)
	r.some = r.some || n > 0
	if r.some && errors.Is(err, r.noBeginning) {
		err = errFollowed
	}
	return n, err
}

func openZstd(file io.ReaderAt, size int64, limits Limits) (*decoded, error) {
	frames, err := zstd.NewReader(buffered(file, size),
		zstd.WithDecoderMaxWindow(zstdWindow),
		zstd.WithDecoderMaxMemory(math.MaxInt64), // of content; the guard counts that
		zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return &decoded{reader: &guard{reader: &parts{reader: frames, noBeginning: zstd.ErrMagicMismatch}, in: size, limits: limits}, release: frames.Close}, nil
}

func openBzip2(file io.ReaderAt, size int64, limits Limits) (*decoded, error) {
	streams := &parts{reader: bzip2.NewReader(buffered(file, size)), noBeginning: bzip2.StructuralError("bad magic value in continuation file")}
	return &decoded{reader: &guard{reader: streams, in: size, limits: limits}}, nil
}

// openDeflate reads deflate data with zlib's header and checksum (RFC 1950) or without (RFC 1951). Data without
// never begins like such a header: the first block would be a stored one with padding that is not zero.
func openDeflate(file io.ReaderAt, size int64, limits Limits) (*decoded, error) {
	in := buffered(file, size)
	head, err := in.Peek(2)
	if err != nil {
		return nil, err
	}
	var r io.Reader = flate.NewReader(in)
	if head[0]&0x0f == 8 && head[0]>>4 <= 7 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		if r, err = zlib.NewReader(in); err != nil {
			return nil, err
		}
	}
	return &decoded{reader: &guard{reader: &alone{r, in}, in: size, limits: limits}}, nil
}

// alone ends with an error when bytes are left in the file that the decoder did not read.
type alone struct {
	reader io.Reader
	file   *bufio.Reader
}

func (a *alone) Read(p []byte) (int, error) {
	n, err := a.reader.Read(p)
	if errors.Is(err, io.EOF) {
		if _, following := a.file.ReadByte(); following == nil {
			err = errFollowed
		} else {
			err = following
		}
	}
	return n, err
}

// zeros is all zero bytes.
var zeros [4096]byte

// trailingZeros returns how many zero bytes p ends with.
func trailingZeros(p []byte) int {
	n := 0
	for len(p)-n >= len(zeros) && bytes.Equal(p[len(p)-n-len(zeros):len(p)-n], zeros[:]) {
		n += len(zeros)
	}
	for n < len(p) && p[len(p)-n-1] == 0 {
		n++
	}
	return n
}
