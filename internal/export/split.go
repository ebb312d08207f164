package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/gzip"
)

// File is one finished file.
type File struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`   // without the header
	Bytes  int64  `json:"bytes"`  // as stored, compressed if so
	SHA256 string `json:"sha256"` // of the stored bytes
}

// Layout says how rows become files.
type Layout struct {
	Name        func(part int) string // part is counted from 1
	Header      string
	RowsPerFile int64
	Compression string // none or gzip
}

// Split copies CSV rows into files of at most RowsPerFile rows, each with the header. Without a row
// there is one file with the header alone. A line end inside quotes does not end a row. create opens
// a file's storage; progress is called with the rows written so far.
func Split(rows io.Reader, l Layout, create func(name string) (io.WriteCloser, error), progress func(rows int64)) ([]File, error) {
	s := splitter{layout: l, create: create}
	if err := s.open(); err != nil {
		return nil, err
	}
	err := s.copy(rows, progress)
	if closing := s.close(); err == nil {
		err = closing
	}
	return s.files, err
}

type splitter struct {
	layout Layout
	create func(name string) (io.WriteCloser, error)
	files  []File
	total  int64

	storage  io.WriteCloser
	measured *measure
	gzip     *gzip.Writer
	out      io.Writer
}

// measure counts and hashes what goes to storage.
type measure struct {
	io.Writer
	hash hash.Hash
	n    int64
}

func (m *measure) Write(p []byte) (int, error) {
	n, err := m.Writer.Write(p)
	m.hash.Write(p[:n])
	m.n += int64(n)
	return n, err
}

func (s *splitter) open() error {
	name := s.layout.Name(len(s.files) + 1)
	storage, err := s.create(name)
	if err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	s.files = append(s.files, File{Name: name})
	s.storage, s.measured = storage, &measure{Writer: storage, hash: sha256.New()}
	s.out, s.gzip = s.measured, nil
	if s.layout.Compression == "gzip" {
		// Level 1 without a time in its header: five times faster, and repeatable.
		if s.gzip, err = gzip.NewWriterLevel(s.measured, gzip.BestSpeed); err != nil {
			return errors.Join(err, storage.Close())
		}
		s.out = s.gzip
	}
	if _, err := io.WriteString(s.out, s.layout.Header); err != nil {
		return errors.Join(err, storage.Close())
	}
	return nil
}

func (s *splitter) close() error {
	if s.storage == nil {
		return nil
	}
	var err error
	if s.gzip != nil {
		err = s.gzip.Close()
	}
	err = errors.Join(err, s.storage.Close())
	f := &s.files[len(s.files)-1]
	f.Bytes, f.SHA256 = s.measured.n, hex.EncodeToString(s.measured.hash.Sum(nil))
	s.storage = nil
	return err
}

func (s *splitter) copy(rows io.Reader, progress func(int64)) error {
	buffer := make([]byte, 1<<18)
	quoted, inRow := false, false
	for {
		n, err := rows.Read(buffer)
		for chunk := buffer[:n]; len(chunk) > 0; {
			if !inRow { // a new file begins only when there is a row for it
				if f := &s.files[len(s.files)-1]; f.Rows == s.layout.RowsPerFile {
					if err := s.close(); err != nil {
						return err
					}
					if err := s.open(); err != nil {
						return err
					}
				}
			}
			end := rowsEnd(chunk, &quoted, s.layout.RowsPerFile-s.files[len(s.files)-1].Rows, &s.files[len(s.files)-1].Rows, &s.total)
			if _, err := s.out.Write(chunk[:end]); err != nil {
				return err
			}
			inRow = chunk[end-1] != '\n' || quoted
			chunk = chunk[end:]
		}
		progress(s.total)
		if errors.Is(err, io.EOF) {
			if inRow {
				return errors.New("the rows end in the middle of one")
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// rowsEnd returns how much of chunk belongs to the next limit rows and counts those that end in it.
func rowsEnd(chunk []byte, quoted *bool, limit int64, counts ...*int64) int {
	ended := int64(0)
	for pos := 0; pos < len(chunk); {
		i := bytes.IndexAny(chunk[pos:], "\"\n")
		if i < 0 {
			return len(chunk)
		}
		pos += i + 1
		if chunk[pos-1] == '"' {
			*quoted = !*quoted // a doubled quote flips twice
			continue
		}
		if *quoted {
			continue
		}
		for _, c := range counts {
			*c++
		}
		if ended++; ended == limit {
			return pos
		}
	}
	return len(chunk)
}

// Whole writes data as one file that is no table, such as a manifest.
func Whole(name string, data []byte, create func(name string) (io.WriteCloser, error)) (File, error) {
	s := splitter{layout: Layout{Name: func(int) string { return name }}, create: create}
	if err := s.open(); err != nil {
		return File{}, err
	}
	_, err := s.out.Write(data)
	if err := errors.Join(err, s.close()); err != nil {
		return File{}, fmt.Errorf("write %s: %w", name, err)
	}
	return s.files[0], nil
}
