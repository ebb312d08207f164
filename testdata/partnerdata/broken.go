package partnerdata

import (
	"bytes"
	"strings"
)

// with returns a way that replaces the value of one column.
func with(name string, column int, values ...string) way {
	return way{name, func(g *generator, r record) []byte {
		fields := r.fields()
		fields[column] = values[g.below(len(values))]
		return join(fields, g.delimiter)
	}}
}

// again is with, for a record that has the id of an earlier good one: a record that is refused
// must not replace it.
func again(name string, column int, values ...string) way {
	return way{name, func(g *generator, r record) []byte {
		fields := r.fields()
		if len(g.earlier) > 0 {
			fields[0] = g.earlier[g.below(len(g.earlier))].fields()[0]
		}
		fields[column] = values[g.below(len(values))]
		return join(fields, g.delimiter)
	}}
}

// structural are the ways in which any delimited file is broken.
func structural() []way {
	return []way{
		with("id missing", 0, ""),
		{"too few columns", func(g *generator, r record) []byte { // the line was cut
			fields := r.fields()
			return join(fields[:len(fields)-1-g.below(4)], g.delimiter)
		}},
		{"too many columns", func(g *generator, r record) []byte { // a delimiter in a name, without quotes
			fields := r.fields()
			fields[g.name] = "Davis\x00 Jr."
			return bytes.ReplaceAll(join(fields, g.delimiter), []byte{0}, []byte{g.delimiter})
		}},
		{"quote not closed", func(g *generator, r record) []byte {
			// Behind the next quote, wherever that is, always stands text, because no quoted field of
			// these files begins with a delimiter or a line end. So no reader takes this quote for the
			// beginning of a field that ends there, and only this record is broken.
			fields := r.fields()
			fields[g.name] = "\x00Miller"
			if g.chance(500) {
				fields[g.name] = "Mill\x00er"
			}
			return bytes.ReplaceAll(join(fields, g.delimiter), []byte{0}, []byte{'"'})
		}},
		{"not UTF-8", func(g *generator, r record) []byte { // exported in the old one-byte encoding
			fields := r.fields()
			fields[g.name] = []string{"Mu\xf1oz", "Garc\xeda", "Nu\xf1ez", "Andr\xe9"}[g.below(4)]
			return join(fields, g.delimiter)
		}},
		{"NUL byte", func(g *generator, r record) []byte {
			fields := r.fields()
			fields[g.name] = "Mar\x00tin"
			return join(fields, g.delimiter)
		}},
	}
}

// headerAgain is what is left when two files were appended.
var headerAgain = way{"header repeated", func(g *generator, _ record) []byte {
	return join(g.header, g.delimiter)
}}

// oversized is above 100 KB: a name that ran away.
func (g *generator) oversized(r record) []byte {
	fields := r.fields()
	fields[g.name] = strings.Repeat("Ha", 52*1024)
	return join(fields, g.delimiter)
}
