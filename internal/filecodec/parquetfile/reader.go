// Package parquetfile reads the rows of a partner's Parquet file as records. What its footer says is
// held against the file before and while rows are read: a reader delivers as many rows as the footer
// announced, or an error. It takes memory for some pages of each wanted column, never for a whole row
// group, and verifies the checksums of pages that have them.
package parquetfile

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/go-json-experiment/json/jsontext"

	"prospector/internal/filecodec"
)

// Limits. What a file says about itself is believed up to these.
const (
	maxFooter     = 16 << 20 // bytes
	maxNodes      = 20_000   // of the schema
	maxRows       = 1 << 32  // of a file
	maxChunk      = 1 << 30  // bytes of one column in one row group, uncompressed
	maxPage       = 128 << 20
	maxPageValues = 1 << 26
	maxOpenPages  = 1 << 30 // bytes of the largest pages of all wanted columns together
	batchRows     = 1024
)

var magic = []byte("PAR1")

// Reader is a filecodec.Reader of one file.
type Reader struct {
	source  io.ReaderAt
	size    int64
	file    *file.Reader
	names   []string
	columns []*column // wanted, in the order of names
	leaves  []*column // the same, with those of keys
	pages   *bufio.Reader

	group   int   // row groups begun
	left    int64 // rows of the last one that are in no batch yet
	sizes   []int // bytes of values of each row of the batch
	next    int   // row of the batch
	records int64
	fields  [][]byte
	raw     []byte
	err     error
}

// Open reads the footer of the file of size bytes. Columns are all leaf columns of the file, nested ones
// with the names on the way to them joined by dots; a list or map is one column, which can only be
// wanted whole: whole names those of wanted that may be. Values of wanted columns come as the text that a delimited file would
// hold, see bindType, lists and maps as JSON; fields of other columns are nil. A row is a JSON object of the wanted columns where it
// must be shown.
func Open(r io.ReaderAt, size int64, wanted, whole []string) (reader *Reader, err error) {
	defer recovered(&err)
	if err := checkEnds(r, size); err != nil {
		return nil, err
	}
	properties := parquet.NewReaderProperties(nil)
	properties.BufferedStreamEnabled = true
	properties.MaxCompressedPageSize, properties.MaxUncompressedPageSize = maxPage, maxPage
	f, err := file.NewParquetReader(io.NewSectionReader(r, 0, size), file.WithReadProps(properties))
	if err != nil {
		return nil, err
	}
	if err := checkGroups(f); err != nil {
		return nil, err
	}
	names, columns, err := bind(f.MetaData().Schema, wanted, whole)
	if err != nil {
		return nil, err
	}
	leaves := slices.Clone(columns)
	for _, c := range columns {
		if c.repeated != nil && c.repeated.keys != nil {
			leaves = append(leaves, c.repeated.keys)
		}
	}
	return &Reader{source: r, size: size, file: f, names: names, columns: columns, leaves: leaves, pages: bufio.NewReaderSize(nil, maxPageHeader),
		fields: make([][]byte, len(names))}, nil
}

// recovered turns a panic of the library, which decodes in the caller's goroutine, into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the file is damaged: %v", p)
	}
}

// checkEnds looks at what stands around the footer, and at how much it will unfold to.
func checkEnds(r io.ReaderAt, size int64) error {
	if size == 0 {
		return filecodec.ErrEmpty
	}
	ends := make([]byte, 12)
	if size < int64(len(ends)) {
		return errors.New("the file is not Parquet")
	}
	if _, err := r.ReadAt(ends[:4], 0); err != nil {
		return err
	}
	if _, err := r.ReadAt(ends[4:], size-8); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	length := int64(binary.LittleEndian.Uint32(ends[4:8]))
	switch {
	case bytes.Equal(ends[8:], []byte("PARE")):
		return errors.New("the footer of the Parquet file is encrypted")
	case !bytes.Equal(ends[:4], magic):
		return errors.New("the file is not Parquet")
	case !bytes.Equal(ends[8:], magic):
		return errors.New("the Parquet file is cut off: it does not end with a footer")
	case length > size-12:
		return fmt.Errorf("the Parquet file is damaged: its footer would have %d bytes", length)
	case length > maxFooter:
		return fmt.Errorf("the footer of the Parquet file has %d bytes; %d is the limit", length, maxFooter)
	}
	footer := make([]byte, length)
	if _, err := r.ReadAt(footer, size-8-length); err != nil {
		return err
	}
	return checkSchema(footer)
}

func checkGroups(f *file.Reader) error {
	meta := f.MetaData()
	if meta.GetNumRows() < 0 || meta.GetNumRows() > maxRows {
		return fmt.Errorf("the footer announces %d rows; %d is the limit", meta.GetNumRows(), int64(maxRows))
	}
	sum := int64(0)
	for i, group := range meta.GetRowGroups() {
		if group.GetNumRows() < 0 || group.GetNumRows() > maxRows {
			return fmt.Errorf("the footer announces %d rows in row group %d", group.GetNumRows(), i+1)
		}
		if len(group.GetColumns()) != meta.Schema.NumColumns() {
			return fmt.Errorf("row group %d has %d columns; the schema has %d", i+1, len(group.GetColumns()), meta.Schema.NumColumns())
		}
		if sum += group.GetNumRows(); sum > maxRows {
			break
		}
	}
	if sum != meta.GetNumRows() {
		return fmt.Errorf("the footer announces %d rows, its row groups have %d", meta.GetNumRows(), sum)
	}
	return nil
}

// Columns are the names of all leaf columns of the file.
func (r *Reader) Columns() []string { return r.names }

// Records is the number of rows returned so far.
func (r *Reader) Records() int64 { return r.records }

// Rows is the number of rows that the footer announces, and that Next returns if it ends with io.EOF.
func (r *Reader) Rows() int64 { return r.file.NumRows() }

// Next returns the next row. Its fields are those of all columns, with values of the wanted ones.
func (r *Reader) Next() (filecodec.Record, error) {
	if r.err == nil && r.next == len(r.sizes) {
		r.err = r.advance()
	}
	if r.err != nil {
		return filecodec.Record{}, r.err
	}
	row := r.next
	r.next++
	r.records++
	record := filecodec.Record{Line: r.records}
	for _, c := range r.columns {
		if c.repeated != nil {
			var fault filecodec.Fault
			r.fields[c.position], fault = c.list(row)
			record.Fault = cmp.Or(record.Fault, fault)
			continue
		}
		r.fields[c.position] = c.value(row)
		if record.Fault == "" && c.textual {
			record.Fault = judge(r.fields[c.position])
		}
	}
	if r.sizes[row] > filecodec.MaxRecord { // some values were not taken
		record.Fault = filecodec.FaultTooLarge
	}
	if record.Fault == "" {
		record.Fields = r.fields
	}
	r.raw = r.object(r.raw[:0], func(*column) bool { return true })
	record.Raw = r.raw[:min(len(r.raw), filecodec.MaxRecord)]
	return record, nil
}

func judge(text []byte) filecodec.Fault {
	switch {
	case bytes.IndexByte(text, 0) >= 0:
		return filecodec.FaultNUL
	case !utf8.Valid(text):
		return filecodec.FaultEncoding
	}
	return ""
}

// Keep returns the row as a JSON object with null in place of values that keep refuses.
func (r *Reader) Keep(record filecodec.Record, keep func(column string) bool) []byte {
	if record.Fault != "" {
		return record.Raw
	}
	copy(r.fields, record.Fields)
	return r.object(nil, func(c *column) bool { return keep(c.name) })
}

// object appends the fields of the wanted columns. What is not UTF-8 in them is replaced.
func (r *Reader) object(dst []byte, keep func(*column) bool) []byte {
	dst = append(dst, '{')
	for i, c := range r.columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, c.label...)
		text := r.fields[c.position]
		switch {
		case !keep(c):
			dst = append(dst, "null"...)
		case c.repeated != nil && text != nil:
			dst = append(dst, text...)
		default:
			dst = c.appendJSON(dst, text)
		}
	}
	return append(dst, '}')
}

// appendJSON appends one value.
func (c *column) appendJSON(dst, text []byte) []byte {
	switch {
	case text == nil:
		return append(dst, "null"...)
	case c.isBare(text):
		return append(dst, text...)
	}
	dst, _ = jsontext.AppendQuote(dst, text) // an error says that it replaced something
	return dst
}

// Close lets go of the pages that are open. The file stays open.
func (r *Reader) Close() error {
	r.err = errors.New("the reader is closed")
	return r.closeGroup()
}

func (r *Reader) closeGroup() error {
	var errs []error
	for _, c := range r.leaves {
		if c.chunk != nil {
			errs = append(errs, c.chunk.Close())
			c.chunk = nil
		}
	}
	return errors.Join(errs...)
}

// advance reads the next batch. It returns io.EOF only behind the last of the rows that the footer
// announces: the library also says so of a page that ends too early, which must not pass for the end.
func (r *Reader) advance() error {
	err := r.load()
	switch {
	case err == nil || !errors.Is(err, io.EOF):
		return err
	case r.records != r.Rows() || r.group != r.file.NumRowGroups() || r.left != 0:
		return fmt.Errorf("after %d of %d rows: %s: %w", r.records, r.Rows(), err.Error(), io.ErrUnexpectedEOF)
	}
	return io.EOF
}

// load reads the next batch, or returns io.EOF behind the last one.
func (r *Reader) load() (err error) {
	defer recovered(&err)
	for r.left == 0 {
		if err := r.finishGroup(); err != nil {
			return err
		}
		if r.group == r.file.NumRowGroups() {
			return io.EOF
		}
		if err := r.beginGroup(); err != nil {
			return fmt.Errorf("row group %d: %w", r.group+1, err)
		}
		r.group++
	}
	rows := int(min(r.left, batchRows))
	r.left -= int64(rows)
	r.sizes = slices.Grow(r.sizes[:0], rows)[:rows]
	clear(r.sizes)
	r.next = 0
	for _, c := range r.leaves {
		c.text, c.spans = c.text[:0], c.spans[:0]
		if err := c.read(c, r.sizes); err != nil {
			return fmt.Errorf("row group %d, column %q: %w", r.group, c.name, err)
		}
	}
	for _, c := range r.columns {
		if err := c.checkPairs(); err != nil {
			return fmt.Errorf("row group %d, column %q: %w", r.group, c.name, err)
		}
	}
	return nil
}

// beginGroup checks and opens the wanted columns of the next row group.
func (r *Reader) beginGroup() error {
	if len(r.columns) == 0 {
		return errors.New("none of the mapped columns is in the file")
	}
	group := r.file.RowGroup(r.group)
	if group.NumRows() == 0 {
		return nil // some writers place its columns nowhere
	}
	openPages := int64(0)
	for _, c := range r.leaves {
		meta, err := group.MetaData().ColumnChunk(c.leaf)
		if err == nil {
			err = c.checkChunk(meta, group.NumRows())
		}
		if err != nil {
			return fmt.Errorf("column %q: %w", c.name, err)
		}
		memory, err := r.checkPages(meta, c.repeated != nil)
		if err != nil {
			return fmt.Errorf("column %q: %w", c.name, err)
		}
		openPages += memory
		if c.repeated != nil {
			c.repeated.begin(meta.NumValues())
		}
	}
	if openPages > maxOpenPages {
		return fmt.Errorf("its pages take %d bytes of memory at a time; %d is the limit", openPages, maxOpenPages)
	}
	for _, c := range r.leaves {
		var err error
		if c.chunk, err = group.Column(c.leaf); err != nil {
			return fmt.Errorf("column %q: %w", c.name, err)
		}
	}
	r.left = group.NumRows()
	return nil
}

// finishGroup makes sure that nothing is left of the row group that was read.
func (r *Reader) finishGroup() error {
	for _, c := range r.leaves {
		if c.chunk != nil && (c.chunk.HasNext() || c.chunk.Err() != nil || c.repeated != nil && c.repeated.entry < c.repeated.read) {
			return errors.Join(fmt.Errorf("row group %d, column %q: it has more values than rows", r.group, c.name), c.chunk.Err())
		}
	}
	return r.closeGroup()
}
