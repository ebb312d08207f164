package parquetfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/thrift/lib/go/thrift"
)

// maxPageHeader bytes: a header may hold the least and the greatest value of its page.
const maxPageHeader = 1 << 20

// Page types and the fields of a page header, from Parquet's own parquet.thrift.
const (
	dataPage       = 0
	dictionaryPage = 2
	dataPageV2     = 3

	fieldType         = 1
	fieldUncompressed = 2
	fieldCompressed   = 3
	fieldChecksum     = 4
	fieldDataPage     = 5
	fieldDictionary   = 7
	fieldDataPageV2   = 8
)

// pageHeader is what is checked of a page before the library decodes it, which verifies no checksum.
type pageHeader struct {
	size                     int // of itself
	kind                     int32
	uncompressed, compressed int32
	checksum                 *int32
	details                  int16    // which field describes the page
	counts                   [4]int32 // of that: values and, in a V2 page, nulls and rows
}

// checkPages goes over all pages of a column in a row group: they must fill its bytes exactly, hold as
// many values as the column has, of rows that are no lists one each, and have the checksums that they say, if any. It returns the
// memory that reading them takes at a time.
func (r *Reader) checkPages(meta *metadata.ColumnChunkMetaData, lists bool) (memory int64, err error) {
	begin, left := meta.DataPageOffset(), meta.TotalCompressedSize()
	if meta.HasDictionaryPage() && meta.DictionaryPageOffset() > 0 && meta.DictionaryPageOffset() < begin {
		begin = meta.DictionaryPageOffset()
	}
	if begin < int64(len(magic)) || left < 0 || left > r.size || begin > r.size-left {
		return 0, fmt.Errorf("the footer places it at %d with %d bytes, outside of the file", begin, left)
	}
	r.pages.Reset(io.NewSectionReader(r.source, begin, left))
	values, largest, dictionary := int64(0), int64(0), int64(0)
	for first := true; left > 0; first = false {
		header, err := r.readPageHeader(left, lists)
		if err != nil {
			return 0, err
		}
		left -= int64(header.size) + int64(header.compressed)
		if err := r.checkBody(header); err != nil {
			return 0, err
		}
		need := int64(header.compressed) + int64(header.uncompressed)
		switch {
		case header.kind == dictionaryPage && first:
			dictionary = need
		case header.kind == dataPage || header.kind == dataPageV2:
			values += int64(header.counts[0])
			largest = max(largest, need)
		default:
			return 0, errors.New("it has a page of a type that is not expected there")
		}
	}
	if values != meta.NumValues() {
		return 0, fmt.Errorf("its pages have %d values of %d", values, meta.NumValues())
	}
	return largest + dictionary, nil
}

func (r *Reader) readPageHeader(left int64, lists bool) (pageHeader, error) {
	for window := 1 << 10; ; window *= 8 {
		window = min(window, maxPageHeader)
		text, err := r.pages.Peek(int(min(int64(window), left)))
		if err != nil {
			return pageHeader{}, fmt.Errorf("a page header is cut off: %w", err)
		}
		header, err := parsePageHeader(text)
		if err != nil && int64(window) < min(left, maxPageHeader) {
			continue
		}
		if err == nil {
			err = header.check(left-int64(header.size), lists)
		}
		if err != nil {
			return pageHeader{}, fmt.Errorf("a page header cannot be read: %w", err)
		}
		_, err = r.pages.Discard(header.size)
		return header, err
	}
}

func (h pageHeader) check(left int64, lists bool) error {
	described := map[int32]int16{dataPage: fieldDataPage, dictionaryPage: fieldDictionary, dataPageV2: fieldDataPageV2}[h.kind]
	switch {
	case described != h.details:
		return errors.New("it describes another type of page")
	case h.compressed < 0 || int64(h.compressed) > left:
		return fmt.Errorf("the page would have %d bytes, where %d are left", h.compressed, left)
	case h.uncompressed < 0 || h.compressed > maxPage || h.uncompressed > maxPage:
		return fmt.Errorf("the page has %d bytes, %d uncompressed; %d is the limit", h.compressed, h.uncompressed, maxPage)
	case h.counts[0] < 0 || h.counts[0] > maxPageValues:
		return fmt.Errorf("the page has %d values; %d is the limit", h.counts[0], maxPageValues)
	case h.kind == dataPageV2 && (h.counts[2] > h.counts[0] || h.counts[2] != h.counts[0] && !lists):
		return fmt.Errorf("the page has %d values for %d rows", h.counts[0], h.counts[2])
	}
	return nil
}

func (r *Reader) checkBody(header pageHeader) error {
	var sum hash.Hash32
	if header.checksum != nil {
		sum = crc32.NewIEEE()
	}
	for left := int(header.compressed); left > 0; {
		text, err := r.pages.Peek(min(left, 1<<16))
		if err != nil {
			return fmt.Errorf("a page is cut off: %w", err)
		}
		if sum != nil {
			_, _ = sum.Write(text)
		}
		left -= len(text)
		if _, err := r.pages.Discard(len(text)); err != nil {
			return err
		}
	}
	if sum != nil && sum.Sum32() != uint32(*header.checksum) {
		return errors.New("a page does not have its checksum")
	}
	return nil
}

// fields calls read for each field of the structure at which p stands; read says whether it has taken
// the value.
func fields(p thrift.TProtocol, read func(id int16, kind thrift.TType) (taken bool, err error)) error {
	ctx := context.Background()
	if _, err := p.ReadStructBegin(ctx); err != nil {
		return err
	}
	for {
		_, kind, id, err := p.ReadFieldBegin(ctx)
		if err != nil {
			return err
		}
		if kind == thrift.STOP {
			return p.ReadStructEnd(ctx)
		}
		taken, err := read(id, kind)
		if err == nil && !taken {
			err = thrift.SkipDefaultDepth(ctx, p, kind)
		}
		if err != nil {
			return err
		}
	}
}

func parsePageHeader(text []byte) (h pageHeader, err error) {
	buffer := &thrift.TMemoryBuffer{Buffer: bytes.NewBuffer(text)}
	p := thrift.NewTCompactProtocolConf(buffer, &thrift.TConfiguration{})
	number := func(into *int32) (bool, error) {
		v, err := p.ReadI32(context.Background())
		*into = v
		return true, err
	}
	err = fields(p, func(id int16, kind thrift.TType) (bool, error) {
		switch {
		case id == fieldType && kind == thrift.I32:
			return number(&h.kind)
		case id == fieldUncompressed && kind == thrift.I32:
			return number(&h.uncompressed)
		case id == fieldCompressed && kind == thrift.I32:
			return number(&h.compressed)
		case id == fieldChecksum && kind == thrift.I32:
			h.checksum = new(int32)
			return number(h.checksum)
		case (id == fieldDataPage || id == fieldDictionary || id == fieldDataPageV2) && kind == thrift.STRUCT:
			if h.details != 0 {
				return false, errors.New("it describes two types of page")
			}
			h.details = id
			return true, fields(p, func(id int16, kind thrift.TType) (bool, error) {
				if id < 1 || int(id) > len(h.counts) || kind != thrift.I32 {
					return false, nil
				}
				return number(&h.counts[id-1])
			})
		}
		return false, nil
	})
	h.size = len(text) - buffer.Len()
	return h, err
}

// schemaFields are the types of the fields of a schema element, from Parquet's own parquet.thrift.
var schemaFields = [...]thrift.TType{1: thrift.I32, 2: thrift.I32, 3: thrift.I32, 4: thrift.STRING, 5: thrift.I32, 6: thrift.I32, 7: thrift.I32, 8: thrift.I32, 9: thrift.I32, 10: thrift.STRUCT}

// checkSchema looks at the schema in a footer, its second field, before the library builds it: how many
// elements it has, and that each field has its type. The library passes over one that has not, and the
// column loses what the field says; a footer has no checksum that would tell.
func checkSchema(footer []byte) error {
	ctx := context.Background()
	p := thrift.NewTCompactProtocolConf(&thrift.TMemoryBuffer{Buffer: bytes.NewBuffer(footer)}, &thrift.TConfiguration{})
	found := errors.New("the schema is found")
	err := fields(p, func(id int16, kind thrift.TType) (bool, error) {
		if id != 2 || kind != thrift.LIST {
			return false, nil
		}
		element, nodes, err := p.ReadListBegin(ctx)
		switch {
		case err != nil:
			return true, err
		case element != thrift.STRUCT:
			return true, errors.New("its schema is no list of columns")
		case nodes > maxNodes:
			return true, fmt.Errorf("it has %d columns; %d is the limit", nodes, maxNodes)
		}
		for range nodes {
			err := fields(p, func(id int16, kind thrift.TType) (bool, error) {
				if id < 1 || int(id) < len(schemaFields) && schemaFields[id] != kind {
					return true, fmt.Errorf("field %d of a column in its schema is of another type", id)
				}
				return false, nil
			})
			if err != nil {
				return true, err
			}
		}
		return true, found
	})
	switch {
	case errors.Is(err, found):
		return nil
	case err == nil:
		return errors.New("the footer has no schema")
	}
	return fmt.Errorf("the footer cannot be read: %w", err)
}
