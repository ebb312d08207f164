package ingest

import (
	"io"
	"os"
	"sync/atomic"
)

// Progress is how far a pass over a file is.
type Progress struct {
	Part    string // of validation; empty for the pass over all rows
	Records int64
	Total   int64 // records; 0 when only reading tells
	Read    int64 // bytes of the staged file, of Size
	Size    int64
}

// counted is a file that knows how much of it was read.
type counted struct {
	*os.File
	size int64
	read atomic.Int64
}

var _ io.ReaderAt = (*counted)(nil)

func (c *counted) ReadAt(p []byte, offset int64) (int, error) {
	n, err := c.File.ReadAt(p, offset)
	c.read.Add(int64(n))
	return n, err
}

// progress is how far the reader is. What is read ahead of it, or twice, is little.
func (r *reading) progress() Progress {
	p := Progress{Part: r.part, Records: r.reader.Records()}
	if known, ok := r.reader.(interface{ Rows() int64 }); ok { // the footer of a Parquet file says it, of which only some columns are read
		p.Total = known.Rows()
	} else {
		p.Read, p.Size = min(r.file.read.Load(), r.file.size), r.file.size
	}
	return p
}
