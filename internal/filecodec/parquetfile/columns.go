package parquetfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/go-json-experiment/json/jsontext"

	"prospector/internal/filecodec"
)

// column is a leaf of the schema that is read.
type column struct {
	leaf     int // among all leaves of the schema
	position int // among the reader's columns
	name     string
	label    []byte // in front of its value in a JSON object
	textual  bool   // values may be no text
	bare     bool   // values are numbers or booleans
	of       *schema.Column
	read     func(c *column, sizes []int) error
	repeated *repeated // nil for a column with one value in each row

	chunk  file.ColumnChunkReader
	levels []int16
	text   []byte // of all values of the batch
	spans  []span
}

type span struct{ from, to int } // in text; to is -1 for null

func (c *column) value(row int) []byte {
	s := c.spans[row]
	if s.to < 0 {
		return nil
	}
	return c.text[s.from:s.to:s.to]
}

// isBare tells numbers from the words for what is none.
func (c *column) isBare(text []byte) bool {
	last := len(text) - 1
	return c.bare && text[last] != 'N' && text[last] != 'f' // NaN, +Inf
}

// bind returns the names of all columns and those of them that are wanted, of which those in whole may be lists and maps. A
// wanted name that the file does not have is the caller's business.
func bind(s *schema.Schema, wanted, whole []string) (names []string, columns []*column, err error) {
	for i := 0; i < s.NumColumns(); i++ {
		name, node, repeated := nameOf(s.Column(i))
		leaves := []int{i}
		for repeated && i+1 < s.NumColumns() {
			if _, next, _ := nameOf(s.Column(i + 1)); next != node {
				break
			}
			i++ // another leaf of the same list
			leaves = append(leaves, i)
		}
		if repeated && slices.Contains(whole, name) {
			c, err := bindRepeated(s, leaves, len(names), name)
			if err != nil {
				return nil, nil, err
			}
			columns, names = append(columns, c), append(names, name)
			continue
		}
		for _, w := range wanted {
			switch {
			case repeated && (w == name || strings.HasPrefix(w, name+".")):
				return nil, nil, fmt.Errorf("column %q is a list; one value is expected, unless it fills a field that is a list or map", name)
			case strings.HasPrefix(name, w+"."):
				return nil, nil, fmt.Errorf("column %q is a group of columns; name one of them, such as %q", w, name)
			}
		}
		if slices.Contains(wanted, name) {
			c := &column{leaf: i, position: len(names), name: name, of: s.Column(i), levels: make([]int16, batchRows)}
			if c.label, err = label(name); err != nil {
				return nil, nil, err
			}
			if err := c.bindType(); err != nil {
				return nil, nil, fmt.Errorf("column %q: %w", name, err)
			}
			columns = append(columns, c)
		}
		names = append(names, name)
	}
	return names, columns, nil
}

func label(name string) ([]byte, error) {
	out, err := jsontext.AppendQuote(nil, name)
	if err != nil {
		return nil, errors.New("the name of a column is not UTF-8")
	}
	return append(out, ':'), nil
}

// nameOf returns the dotted name of a leaf, or of the outermost list or map in which it is.
func nameOf(leaf *schema.Column) (name string, node schema.Node, repeated bool) {
	path := pathTo(leaf)
	for i, n := range path {
		if n.RepetitionType() != parquet.Repetitions.Repeated {
			continue
		}
		if repeated = true; i > 0 && isListOrMap(path[i-1]) {
			i--
		}
		path = path[:i+1]
		break
	}
	names := make([]string, len(path))
	for i, n := range path {
		names[i] = n.Name()
	}
	return strings.Join(names, "."), path[len(path)-1], repeated
}

func isListOrMap(n schema.Node) bool {
	switch n.ConvertedType() {
	case schema.ConvertedTypes.List, schema.ConvertedTypes.Map, schema.ConvertedTypes.MapKeyValue:
		return true
	}
	return false
}

// checkChunk holds what the footer says of a column in a row group against the schema and the rows.
func (c *column) checkChunk(meta *metadata.ColumnChunkMetaData, rows int64) error {
	switch {
	case meta.FilePath() != "":
		return errors.New("its values are in another file")
	case meta.CryptoMetadata() != nil:
		return errors.New("it is encrypted")
	case meta.Type() != c.of.PhysicalType() || !slices.Equal(meta.PathInSchema(), c.of.ColumnPath()):
		return errors.New("the footer describes another column in its place")
	case c.repeated != nil && (meta.NumValues() < rows || meta.NumValues() > maxRows):
		return fmt.Errorf("it has %d values for the lists of %d rows", meta.NumValues(), rows)
	case c.repeated == nil && meta.NumValues() != rows:
		return fmt.Errorf("it has %d values for %d rows", meta.NumValues(), rows)
	case meta.TotalUncompressedSize() < 0 || meta.TotalUncompressedSize() > maxChunk:
		return fmt.Errorf("it has %d bytes uncompressed in one row group; %d is the limit: write smaller row groups", meta.TotalUncompressedSize(), maxChunk)
	}
	return nil
}

// batchReader is what the library's readers of all types have.
type batchReader[T any] interface {
	ReadBatchInPage(batchSize int64, values []T, levels, repetitions []int16) (total int64, read int, err error)
}

// reading returns how a column of values of one type is read: each value becomes text at once, since
// the next page overwrites it.
func reading[T any](form func(dst []byte, value T) []byte) func(*column, []int) error {
	values := make([]T, batchRows)
	return func(c *column, sizes []int) error {
		reader, ok := c.chunk.(batchReader[T])
		if !ok {
			return errors.New("it has values of another type")
		}
		if l := c.repeated; l != nil {
			return l.take(c, sizes, func(most int64) (int64, int, error) { return reader.ReadBatchInPage(most, values, c.levels, l.repeats) },
				func(dst []byte, i int) []byte { return form(dst, values[i]) })
		}
		for row := 0; row < len(sizes); {
			total, read, err := reader.ReadBatchInPage(int64(len(sizes)-row), values, c.levels, nil)
			if err != nil {
				return err
			}
			if total <= 0 || int(total) > len(sizes)-row || read > int(total) {
				return errors.Join(errors.New("it has fewer values than rows"), c.chunk.Err())
			}
			taken, err := c.take(total, read, sizes[row:], func(dst []byte, i int) []byte { return form(dst, values[i]) })
			if err != nil {
				return err
			}
			row += taken
		}
		return nil
	}
}

// take appends the text of total rows, of which read have values. A row that is too large already gets
// no more of them.
func (c *column) take(total int64, read int, sizes []int, text func(dst []byte, i int) []byte) (int, error) {
	i, whole := 0, c.of.MaxDefinitionLevel()
	for row := range int(total) {
		if whole > 0 && c.levels[row] < whole {
			c.spans = append(c.spans, span{to: -1})
			continue
		}
		if i == read {
			return 0, errors.New("it has fewer values than its levels say")
		}
		from := len(c.text)
		if sizes[row] <= filecodec.MaxRecord {
			c.text = text(c.text, i)
		}
		sizes[row] += len(c.text) - from
		c.spans = append(c.spans, span{from, len(c.text)})
		i++
	}
	if i != read {
		return 0, errors.New("it has more values than its levels say")
	}
	return int(total), nil
}
