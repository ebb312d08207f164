package filecodec

import (
	"archive/tar"
	"errors"
	"io"
)

// tarEnd is how many zero bytes end a tar archive, at least.
const tarEnd = 1024

func openTar(file io.ReaderAt, size int64, limits Limits) (*decoded, error) {
	return openTarStream(buffered(file, size), size, limits)
}

func openTarGzip(file io.ReaderAt, size int64, limits Limits) (*decoded, error) {
	r, err := gunzip(buffered(file, size))
	if err != nil {
		return nil, err
	}
	// Also what is passed over counts, which no one else would see.
	return openTarStream(&guard{reader: r, in: size, limits: limits}, size, limits)
}

func openTarStream(r io.Reader, size int64, limits Limits) (*decoded, error) {
	bytes := &tarBytes{reader: r}
	t := &tarFile{bytes: bytes, archive: tar.NewReader(bytes)}
	err := t.next()
	if errors.Is(err, io.EOF) {
		err = t.finish()
	}
	if err != nil {
		return nil, err
	}
	return &decoded{reader: &guard{reader: t, in: size, limits: limits}}, nil // sparse files grow
}

// tarFile reads the first data file of a tar archive, and then the rest of the archive for another one.
type tarFile struct {
	archive *tar.Reader
	bytes   *tarBytes
	found   census
}

// next goes to the next data file. Its error is io.EOF when there is none.
func (t *tarFile) next() error {
	for {
		entry, err := t.archive.Next()
		if err != nil {
			return err
		}
		if entry.Typeflag == tar.TypeDir || entry.Typeflag == tar.TypeXGlobalHeader || !isData(entry.Name) {
			continue
		}
		if entry.Typeflag != tar.TypeReg && entry.Typeflag != tar.TypeGNUSparse {
			return special("tar", entry.Name, "is a link or a device, not a file")
		}
		t.found.add(entry.Name)
		return nil
	}
}

func (t *tarFile) Read(p []byte) (int, error) {
	n, err := t.archive.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	for err = t.next(); err == nil; {
		err = t.next()
	}
	if errors.Is(err, io.EOF) {
		err = t.finish()
	}
	if err == nil {
		err = io.EOF
	}
	return n, err
}

// finish judges the archive when its last entry has been read: it must have its end, nothing but zero bytes
// may follow, and it must hold one data file.
func (t *tarFile) finish() error {
	if t.bytes.zeros < tarEnd {
		return io.ErrUnexpectedEOF
	}
	buffer := make([]byte, 1<<12)
	for {
		n, err := t.bytes.Read(buffer)
		if trailingZeros(buffer[:n]) < n {
			return errFollowed
		}
		if errors.Is(err, io.EOF) {
			return t.found.judge("tar")
		}
		if err != nil {
			return err
		}
	}
}

// tarBytes are the bytes of a tar archive, with the number of zero bytes that were read last. The archive's
// reader takes an archive without an end for a complete one.
type tarBytes struct {
	reader io.Reader
	zeros  int64
}

func (t *tarBytes) Read(p []byte) (int, error) {
	n, err := t.reader.Read(p)
	if last := trailingZeros(p[:n]); last < n {
		t.zeros = int64(last)
	} else {
		t.zeros += int64(n)
	}
	return n, err
}
