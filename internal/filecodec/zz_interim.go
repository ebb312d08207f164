package filecodec

import (
	"io"
)

// Format interim.
type Format struct {
	Records, Encoding string
	Dialect           Dialect
	Wanted            []string
}

// Reader interim.
type Reader interface {
	Columns() []string
	Next() (Record, error)
	Records() int64
	Keep(r Record, keep func(column string) bool) []byte
	Close() error
}

type interim struct {
	*Framer
	columns []string
}

func (i *interim) Columns() []string { return i.columns }
func (i *interim) Close() error      { return nil }
func (i *interim) Keep(r Record, keep func(string) bool) []byte {
	if r.Fault != "" {
		return r.Raw
	}
	all := true
	for n, c := range i.columns {
		if !keep(c) {
			r.Fields[n] = nil
			all = false
		}
	}
	if all {
		return r.Raw
	}
	return AppendRecord(nil, r.Fields, i.dialect)
}

// NewReader interim.
func NewReader(r io.Reader, f Format) (Reader, error) {
	framer := NewFramer(r, f.Dialect)
	header, err := framer.Header()
	return &interim{framer, header}, err
}

