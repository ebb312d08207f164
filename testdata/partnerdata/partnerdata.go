// Package partnerdata writes the files that two invented data partners deliver: Acme a CSV file on
// outdoor interests, Merk a pipe-delimited file on households. The people are made up, from common
// American names and the population of the states. Like real files these hold some broken records,
// ids that come again with new values, odd names and mixed line ends. The same number of rows and
// the same seed give the same bytes on any machine: only whole numbers are calculated with.
package partnerdata

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
)

// Truth says what was put into a file.
type Truth struct {
	Rows     int            `json:"rows"`     // data records, without the header
	Broken   int            `json:"broken"`   // records that must be refused
	ByWay    map[string]int `json:"by_way"`   // the broken ones by what is wrong with them
	Repeated int            `json:"repeated"` // records with the id of an earlier good one and other values
}

// The shares of a file. From minimumRows on every way of being broken occurs.
const (
	brokenEvery   = 100
	repeatedEvery = 200
	minimumRows   = 200
	largeFrom     = 5000 // rows from which on a file holds one record above 100 KB
)

// record is one person of a partner's file.
type record interface {
	fields() []string
	changed(g *generator) record // the same id with other values
}

// way is one way in which a record is broken: it returns its bytes, without the line end.
type way struct {
	name string
	line func(g *generator, r record) []byte
}

// layout is what sets one partner's file apart.
type layout struct {
	start     string // what stands before the header
	header    []string
	delimiter byte
	name      int // the column that holds a name, which is where odd text goes
	ways      []way
	large     bool // one record is above 100 KB
	crlf      bool // a stretch in the middle has CRLF line ends
	next      func(g *generator, index int) record
}

type generator struct {
	layout
	*rand.Rand
	salt     uint32
	earlier  []record // a sample of the good records so far, each to be repeated at most once
	good     int
	previous household
}

const sampleSize = 1024

// write writes rows records. In every block of rows one, at a random place, is broken; in every
// other block one comes again.
func write(w io.Writer, l layout, rows int, seed uint64) (Truth, error) {
	truth := Truth{Rows: rows, ByWay: map[string]int{}}
	if rows < 0 {
		return truth, fmt.Errorf("%d rows cannot be written", rows)
	}
	g := &generator{layout: l, Rand: rand.New(rand.NewPCG(seed, uint64(l.delimiter)))}
	g.salt = g.Uint32()
	out := bufio.NewWriterSize(w, 1<<16)
	out.WriteString(l.start)
	out.Write(join(l.header, l.delimiter))
	out.WriteByte('\n')

	broken := rows / brokenEvery
	if rows >= minimumRows {
		broken = max(broken, len(l.ways))
	}
	breaks, repeats := newSlots(rows, broken), newSlots(rows, rows/repeatedEvery)
	spans := newSlots(rows, (rows+1999)/2000)
	due, multiline, turn := 0, 0, 0
	for i := range rows {
		if repeats.hit(g, i) {
			due++
		}
		if spans.hit(g, i) {
			multiline++
		}
		var line []byte
		isBreak := breaks.hit(g, i)
		r := l.next(g, i)
		switch {
		case l.large && rows >= largeFrom && i == rows*2/3 && !isBreak:
			line = g.oversized(r)
			truth.Broken++
			truth.ByWay["record too large"]++
		case isBreak:
			way := l.ways[turn%len(l.ways)]
			turn++
			line = way.line(g, r)
			truth.Broken++
			truth.ByWay[way.name]++
		case due > 0 && i >= rows/10 && len(g.earlier) > 0:
			due--
			line = join(g.take().changed(g).fields(), l.delimiter)
			truth.Repeated++
		default:
			g.remember(r)
			fields := r.fields()
			if multiline > 0 { // nobody reads the names, so a line end in one must do no harm
				multiline--
				fields[l.name] += "\nc/o " + fields[l.name]
			}
			line = join(fields, l.delimiter)
		}
		out.Write(line)
		if l.crlf && i >= rows*2/5 && i < rows/2 {
			out.WriteByte('\r')
		}
		out.WriteByte('\n')
	}
	return truth, out.Flush()
}

// slots spreads count events over rows, one at a random place of each block.
type slots struct{ size, count, done, next int }

func newSlots(rows, count int) *slots {
	s := &slots{count: count, next: -1}
	if count > 0 {
		s.size = rows / count
	}
	return s
}

func (s *slots) hit(g *generator, row int) bool {
	if s.done >= s.count {
		return false
	}
	if s.next < 0 {
		s.next = s.done*s.size + g.below(s.size)
	}
	if row < s.next {
		return false
	}
	s.done, s.next = s.done+1, -1
	return true
}

// remember keeps a sample in which every good record so far is equally likely.
func (g *generator) remember(r record) {
	g.good++
	if len(g.earlier) < sampleSize {
		g.earlier = append(g.earlier, r)
	} else if i := g.below(g.good); i < sampleSize {
		g.earlier[i] = r
	}
}

// take removes a record from the sample.
func (g *generator) take() record {
	i, last := g.below(len(g.earlier)), len(g.earlier)-1
	r := g.earlier[i]
	g.earlier[i] = g.earlier[last]
	g.earlier = g.earlier[:last]
	return r
}

// below returns a number from 0 to n-1. Its width does not depend on the machine's.
func (g *generator) below(n int) int { return int(g.Uint64N(uint64(n))) }

// chance is true in perMille of 1000 cases.
func (g *generator) chance(perMille int) bool { return g.below(1000) < perMille }

// number turns an index into one that looks arbitrary; no two indexes give the same.
func (g *generator) number(index int) uint32 { return uint32(index)*2654435761 ^ g.salt }

// join writes fields with the delimiter between them, quoted where they must be.
func join(fields []string, delimiter byte) []byte {
	var out []byte
	for i, field := range fields {
		if i > 0 {
			out = append(out, delimiter)
		}
		if !bytes.ContainsAny([]byte(field), "\"\n\r"+string(delimiter)) {
			out = append(out, field...)
			continue
		}
		out = append(out, '"')
		for _, b := range []byte(field) {
			if b == '"' {
				out = append(out, '"')
			}
			out = append(out, b)
		}
		out = append(out, '"')
	}
	return out
}
