// Package parquetfile reads the records of Parquet files, row group by row group and only the columns that are wanted,
// with values as texts in the forms that delimited files have. The footer is judged before anything is read, and each
// row group must deliver exactly the rows that it promises. It is apart from filecodec because of what it links.
package parquetfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"prospector/internal/filecodec"
)

const (
	parquetBatch = 4096    // rows that are decoded at once
	maxChunk     = 1 << 30 // bytes of one column of a row group: more cannot be read in bounded memory
)

// reader reads a Parquet file row group by row group. Fields are the leaf columns, nested ones with dots in
// their names; columns that nobody wants are not decoded. Values are texts in the forms that delimited files have.
// Line is the row's number, Raw the wanted columns as a JSON object.
type reader struct {
	file    *file.Reader
	arrow   *pqarrow.FileReader
	columns []string
	wanted  []int // leaf columns that are decoded, by their place

	group    int
	rows     pqarrow.RecordReader // of the group
	batch    arrow.RecordBatch
	values   []arrow.Array // of the batch, by the place of the leaf column; nil where it is not wanted
	parents  [][]arrow.Array
	row      int64
	ofGroup  int64 // rows of the group that have been read
	records  int64
	fields   [][]byte
	finished error
}

// New opens a Parquet file. The footer is judged before anything else is read: what it says of the
// sizes must be possible, and each row group must then deliver exactly the rows that it promises.
func New(r io.ReaderAt, size int64, wanted []string) (_ filecodec.Reader, err error) {
	defer recovered(&err)
	opened, err := file.NewParquetReader(io.NewSectionReader(r, 0, size), file.WithReadProps(parquet.NewReaderProperties(memory.DefaultAllocator)))
	if err != nil {
		return nil, fmt.Errorf("it is not a whole Parquet file: %s", reason(err))
	}
	p := &reader{file: opened, group: -1}
	if err := p.probe(size, wanted); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	p.arrow, err = pqarrow.NewFileReader(opened, pqarrow.ArrowReadProperties{BatchSize: parquetBatch}, memory.DefaultAllocator)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("its schema cannot be read: %s", reason(err)), opened.Close())
	}
	p.fields = make([][]byte, len(p.columns))
	return p, nil
}

// probe judges the footer.
func (p *reader) probe(size int64, wanted []string) error {
	schema := p.file.MetaData().Schema
	for i := range schema.NumColumns() {
		column := schema.Column(i)
		name := column.Path()
		p.columns = append(p.columns, name)
		prefix, _, nested := strings.Cut(name, ".list.")
		if nested || column.MaxRepetitionLevel() > 0 {
			if slices.ContainsFunc(wanted, func(w string) bool { return w == name || w == prefix || strings.HasPrefix(name, w+".") }) {
				return fmt.Errorf("column %q holds lists or maps, and one value is wanted", shortName(name))
			}
			continue
		}
		if slices.Contains(wanted, name) {
			p.wanted = append(p.wanted, i)
		}
	}
	var rows int64
	for g := range p.file.NumRowGroups() {
		group := p.file.MetaData().RowGroup(g)
		rows += group.NumRows()
		if group.NumRows() < 0 || group.NumColumns() != len(p.columns) {
			return fmt.Errorf("its footer cannot be true: row group %d has %d rows and %d columns", g+1, group.NumRows(), group.NumColumns())
		}
		for _, i := range p.wanted {
			chunk, err := group.ColumnChunk(i)
			if err != nil {
				return fmt.Errorf("its footer cannot be true: %s", reason(err))
			}
			switch {
			case chunk.TotalUncompressedSize() > maxChunk:
				return fmt.Errorf("column %q of row group %d has %d bytes, there may be %d; ask for smaller row groups", shortName(p.columns[i]), g+1, chunk.TotalUncompressedSize(), maxChunk)
			case chunk.NumValues() != group.NumRows(), chunk.DataPageOffset() < 4, chunk.TotalCompressedSize() < 0, chunk.DataPageOffset()+chunk.TotalCompressedSize() > size+chunk.DataPageOffset()-4:
				return fmt.Errorf("its footer cannot be true: column %q of row group %d", shortName(p.columns[i]), g+1)
			}
		}
	}
	if rows != p.file.NumRows() {
		return fmt.Errorf("its footer cannot be true: it says %d rows, and its row groups %d", p.file.NumRows(), rows)
	}
	return nil
}

func (p *reader) Columns() []string { return p.columns }
func (p *reader) Records() int64    { return p.records }

func (p *reader) Close() error {
	p.endGroup()
	return p.file.Close()
}

func (p *reader) endGroup() {
	if p.rows != nil {
		p.rows.Release()
		p.rows, p.batch = nil, nil
	}
}

// Next implements filecodec.Reader.
func (p *reader) Next() (_ filecodec.Record, err error) {
	if p.finished != nil {
		return filecodec.Record{}, p.finished
	}
	defer func() {
		if err != nil {
			p.finished = err
		}
	}()
	defer recovered(&err)
	for p.batch == nil || p.row == p.batch.NumRows() {
		if err := p.advance(); err != nil {
			return filecodec.Record{}, err
		}
	}
	record := p.record()
	p.row++
	p.ofGroup++
	p.records++
	return record, nil
}

// advance decodes the next batch, of the next row group when this one is done.
func (p *reader) advance() error {
	if p.rows != nil && p.rows.Next() {
		p.batch, p.row = p.rows.RecordBatch(), 0
		return p.bind()
	}
	if p.rows != nil {
		if err := p.rows.Err(); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("row group %d: %s", p.group+1, reason(err))
		}
	}
	if p.group >= 0 {
		if promised := p.file.MetaData().RowGroup(p.group).NumRows(); p.ofGroup != promised {
			return fmt.Errorf("row group %d delivers %d rows, its footer says %d", p.group+1, p.ofGroup, promised)
		}
	}
	p.endGroup()
	p.group, p.ofGroup = p.group+1, 0
	if p.group == p.file.NumRowGroups() {
		if p.records != p.file.NumRows() {
			return fmt.Errorf("the file delivers %d rows, its footer says %d", p.records, p.file.NumRows())
		}
		return io.EOF
	}
	if len(p.wanted) == 0 {
		return errors.New("it has none of the mapped columns")
	}
	var err error
	p.rows, err = p.arrow.GetRecordReader(context.Background(), p.wanted, []int{p.group})
	if err != nil {
		return fmt.Errorf("row group %d: %s", p.group+1, reason(err))
	}
	return nil
}

// bind finds the leaf columns of a batch.
func (p *reader) bind() error {
	p.values, p.parents = make([]arrow.Array, len(p.columns)), make([][]arrow.Array, len(p.columns))
	for i, field := range p.batch.Schema().Fields() {
		p.leaves(field, p.batch.Column(i), "", nil)
	}
	for _, i := range p.wanted {
		if p.values[i] == nil {
			return fmt.Errorf("column %q cannot be read", shortName(p.columns[i]))
		}
	}
	return nil
}

func (p *reader) leaves(field arrow.Field, values arrow.Array, prefix string, parents []arrow.Array) {
	name := prefix + field.Name
	if nested, ok := values.(*array.Struct); ok {
		for i, inner := range nested.DataType().(*arrow.StructType).Fields() {
			p.leaves(inner, nested.Field(i), name+".", append(slices.Clone(parents), nested))
		}
		return
	}
	if i := slices.Index(p.columns, name); i >= 0 {
		p.values[i], p.parents[i] = values, parents
	}
}

func (p *reader) record() filecodec.Record {
	out := filecodec.Record{Line: p.records + 1}
	raw := map[string]any{}
	for _, i := range p.wanted {
		text, fault := p.value(i)
		p.fields[i] = text
		if fault != "" {
			out.Fault = fault
		}
		raw[p.columns[i]] = nil
		if text != nil {
			raw[p.columns[i]] = strings.ToValidUTF8(string(text), "\uFFFD")
		}
	}
	out.Raw = encoded(raw)
	if len(out.Raw) > filecodec.MaxRecord {
		out.Fault, out.Raw = filecodec.FaultTooLarge, out.Raw[:filecodec.MaxRecord]
	}
	if out.Fault == "" {
		out.Fields = p.fields
	}
	return out
}

func encoded(values map[string]any) []byte {
	data, err := json.Marshal(values)
	if err != nil {
		return nil // texts and nulls always encode
	}
	return data
}

// value is the text of a leaf column in the current row, nil for null.
func (p *reader) value(i int) ([]byte, filecodec.Fault) {
	row := int(p.row)
	for _, parent := range p.parents[i] {
		if parent.IsNull(row) {
			return nil, ""
		}
	}
	if p.values[i].IsNull(row) {
		return nil, ""
	}
	text := []byte(textOf(p.values[i], row))
	switch {
	case !utf8.Valid(text):
		return text, filecodec.FaultEncoding
	case slices.Contains(text, 0):
		return text, filecodec.FaultNUL
	}
	return text, ""
}

// textOf writes a value as delimited files do. Instants without a zone have no offset, so that a date-time field
// refuses them: nobody can say which instant is meant.
func textOf(values arrow.Array, row int) string {
	switch a := values.(type) {
	case *array.String:
		return a.Value(row)
	case *array.LargeString:
		return a.Value(row)
	case *array.Binary:
		return string(a.Value(row))
	case *array.FixedSizeBinary:
		return string(a.Value(row))
	case *array.Float32:
		return strconv.FormatFloat(float64(a.Value(row)), 'g', -1, 32)
	case *array.Float64:
		return strconv.FormatFloat(a.Value(row), 'g', -1, 64)
	case *array.Date32:
		return a.Value(row).ToTime().Format("2006-01-02")
	case *array.Timestamp:
		kind := a.DataType().(*arrow.TimestampType)
		at := a.Value(row).ToTime(kind.Unit)
		if kind.TimeZone == "" {
			return at.Format("2006-01-02T15:04:05.999999999")
		}
		return at.UTC().Format("2006-01-02T15:04:05.999999999Z07:00")
	case *array.Decimal128:
		return a.Value(row).ToString(a.DataType().(*arrow.Decimal128Type).Scale)
	case *array.Decimal256:
		return a.Value(row).ToString(a.DataType().(*arrow.Decimal256Type).Scale)
	}
	return values.ValueStr(row)
}

// Keep implements filecodec.Reader.
func (p *reader) Keep(r filecodec.Record, keep func(column string) bool) []byte {
	if r.Fault != "" {
		return r.Raw
	}
	kept := map[string]any{}
	for _, i := range p.wanted {
		if !keep(p.columns[i]) {
			continue
		}
		kept[p.columns[i]] = nil
		if r.Fields[i] != nil {
			kept[p.columns[i]] = string(r.Fields[i])
		}
	}
	return encoded(kept)
}

// recovered turns a panic of the library on damaged bytes into an error.
func recovered(err *error) {
	if cause := recover(); cause != nil {
		*err = errors.New("the file is damaged")
	}
}

// reason is an error of the library without the bytes that it may quote.
func reason(err error) string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return -1
		}
		return r
	}, err.Error())
	if len(text) > 160 {
		text = text[:160] + "…"
	}
	return text
}

func shortName(name string) string {
	if len(name) > 60 {
		return name[:60] + "…"
	}
	return name
}
