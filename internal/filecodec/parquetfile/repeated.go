package parquetfile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/go-json-experiment/json/jsontext"

	"prospector/internal/filecodec"
)

// repeated is what a column has to remember whose rows are lists.
type repeated struct {
	defined int16   // the definition level of an element; one below it the list is empty, and below that there is none
	keys    *column // of a map; nil of a list

	repeats []int16 // of the entries that are read, as the column's levels are
	entry   int     // the next one
	read    int     // entries
	value   int     // of the next entry that has one
	left    int64   // entries of the row group that are not read

	elements []extent // of the batch
	rows     []extent // in elements; to is -1 where there is no list
	counts   []int    // elements of each row, those too that were not taken
	json     []byte
}

// extent is a span in less memory: a batch may have millions of elements.
type extent struct{ from, to int32 }

// elementMemory is counted for each element besides its text.
const elementMemory = 8

// bindRepeated makes a column of the leaves of the list or map called name, which is wanted whole.
func bindRepeated(s *schema.Schema, leaves []int, position int, name string) (*column, error) {
	var columns []*column
	for _, leaf := range leaves {
		c := &column{leaf: leaf, position: position, name: name, of: s.Column(leaf), levels: make([]int16, batchRows)}
		defined, ok := elementLevel(c.of)
		if !ok || len(leaves) > 2 || len(leaves) == 2 && !isMap(c.of) {
			return nil, fmt.Errorf("column %q has lists or groups within its list; a list of single values, or a map to them, is expected", name)
		}
		c.repeated = &repeated{defined: defined, repeats: make([]int16, batchRows)}
		if err := c.bindType(); err != nil {
			return nil, fmt.Errorf("column %q: %w", name, err)
		}
		columns = append(columns, c)
	}
	c := columns[len(columns)-1]
	switch {
	case len(columns) == 2 && !columns[0].textual:
		return nil, fmt.Errorf("column %q is a map whose keys are no texts", name)
	case len(columns) == 2:
		c.repeated.keys = columns[0]
	case isMap(c.of):
		return nil, fmt.Errorf("column %q is a map without values", name)
	}
	var err error
	c.label, err = label(name)
	return c, err
}

// elementLevel is the definition level of the elements of the list in which the leaf is; not ok when they are no single values.
func elementLevel(leaf *schema.Column) (level int16, ok bool) {
	if leaf.MaxRepetitionLevel() != 1 {
		return 0, false
	}
	path := pathTo(leaf)
	for i, n := range path {
		if n.RepetitionType() != parquet.Repetitions.Required {
			level++
		}
		if n.RepetitionType() == parquet.Repetitions.Repeated {
			return level, len(path)-i <= 2
		}
	}
	return 0, false
}

func isMap(leaf *schema.Column) bool {
	for _, n := range pathTo(leaf) {
		if kind := n.ConvertedType(); kind == schema.ConvertedTypes.Map || kind == schema.ConvertedTypes.MapKeyValue {
			return true
		}
	}
	return false
}

// pathTo are the nodes on the way to a leaf, itself the last.
func pathTo(leaf *schema.Column) (path []schema.Node) {
	for n := leaf.SchemaNode(); n.Parent() != nil; n = n.Parent() {
		path = append(path, n)
	}
	slices.Reverse(path)
	return path
}

// begin makes the column ready for a row group with so many entries.
func (l *repeated) begin(entries int64) { l.entry, l.read, l.left = 0, 0, entries }

// next makes sure that there is an entry, and says whether there is one. A row may go on behind a page.
func (l *repeated) next(c *column, read func(most int64) (total int64, values int, err error)) (bool, error) {
	if l.entry < l.read || l.left == 0 {
		return l.entry < l.read, nil
	}
	total, values, err := read(min(l.left, batchRows))
	if err != nil {
		return false, err
	}
	if total <= 0 || total > min(l.left, batchRows) || values > int(total) {
		return false, errors.Join(errors.New("it has fewer values than it says"), c.chunk.Err())
	}
	whole, defined := c.of.MaxDefinitionLevel(), 0
	for _, level := range c.levels[:total] {
		if level == whole {
			defined++
		}
	}
	if defined != values {
		return false, errors.New("it has not as many values as its levels say")
	}
	l.entry, l.read, l.value, l.left = 0, int(total), 0, l.left-total
	return true, nil
}

// take reads the lists of so many rows. A row that is too large already gets no more elements.
func (l *repeated) take(c *column, sizes []int, read func(most int64) (int64, int, error), text func(dst []byte, i int) []byte) error {
	l.elements, l.rows, l.counts = l.elements[:0], l.rows[:0], l.counts[:0]
	for row := range sizes {
		if some, err := l.next(c, read); err != nil {
			return err
		} else if !some || l.repeats[l.entry] != 0 {
			return errors.New("it has fewer lists than rows")
		}
		here := extent{int32(len(l.elements)), -1}
		count := 0
		for first := true; ; first = false {
			some, err := l.next(c, read)
			if err != nil {
				return err
			}
			if !some || !first && l.repeats[l.entry] == 0 {
				break
			}
			level := c.levels[l.entry]
			if level < l.defined && !first {
				return errors.New("it has an element that is none")
			}
			if level >= l.defined {
				count++
				l.element(c, level == c.of.MaxDefinitionLevel(), &sizes[row], text)
			}
			if level >= l.defined-1 {
				here.to = int32(len(l.elements))
			}
			l.entry++
		}
		l.rows, l.counts = append(l.rows, here), append(l.counts, count)
	}
	return nil
}

func (l *repeated) element(c *column, present bool, size *int, text func(dst []byte, i int) []byte) {
	from := len(c.text)
	if fits := *size <= filecodec.MaxRecord; fits && present {
		c.text = text(c.text, l.value)
		l.elements = append(l.elements, extent{int32(from), int32(len(c.text))})
	} else if fits {
		l.elements = append(l.elements, extent{0, -1})
	}
	*size += len(c.text) - from + elementMemory
	if present {
		l.value++
	}
}

// texts are the elements of a row, nil for one without a value; none is false where there is a list.
func (c *column) texts(row int) (texts [][]byte, none bool) {
	at := c.repeated.rows[row]
	if at.to < 0 {
		return nil, true
	}
	for _, e := range c.repeated.elements[at.from:at.to] {
		var text []byte
		if e.to >= 0 {
			text = c.text[e.from:e.to:e.to]
		}
		texts = append(texts, text)
	}
	return texts, false
}

// list returns the row's list or map as JSON, nil where there is none, and what is wrong with its texts. What is not UTF-8 in them is
// replaced.
func (c *column) list(row int) (value []byte, fault filecodec.Fault) {
	texts, none := c.texts(row)
	if none {
		return nil, ""
	}
	var keys [][]byte
	begin, end := byte('['), byte(']')
	if c.repeated.keys != nil {
		begin, end = '{', '}'
		if keys, none = c.repeated.keys.texts(row); none {
			return nil, ""
		}
	}
	out := c.repeated.json[:0]
	out = append(out, begin)
	for i, text := range texts {
		if i > 0 {
			out = append(out, ',')
		}
		if begin == '{' {
			if i == len(keys) {
				break // the record is too large
			}
			out, _ = jsontext.AppendQuote(out, keys[i])
			out = append(out, ':')
			fault = cmp.Or(fault, judge(keys[i]))
		}
		if c.textual {
			fault = cmp.Or(fault, judge(text))
		}
		out = c.appendJSON(out, text)
	}
	out = append(out, end)
	c.repeated.json = out
	return out, fault
}

// checkPairs holds that every key has a value.
func (c *column) checkPairs() error {
	if c.repeated != nil && c.repeated.keys != nil && !slices.Equal(c.repeated.counts, c.repeated.keys.repeated.counts) {
		return errors.New("it has not as many keys as values")
	}
	return nil
}
