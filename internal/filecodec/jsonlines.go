package filecodec

import (
	"bytes"
	"io"
)

// lines reads JSON Lines: one object a line. A line that holds none is a faulty record; a blank one is
// no record.
type lines struct {
	window
	*objects
}

func newLines(w window, f Format) (Reader, error) {
	l := &lines{window: w, objects: newObjects(f.Wanted, f.Whole)}
	if err := l.start(); err != nil {
		return nil, err
	}
	return l, nil
}

// Next returns the record of the next line that is not blank.
func (l *lines) Next() (Record, error) {
	for {
		if err := l.fill(l.lookAhead()); err != nil {
			return Record{}, err
		}
		if len(l.rest()) == 0 {
			return Record{}, io.EOF
		}
		length, tooLong, err := l.physicalLine()
		if err != nil {
			return Record{}, err
		}
		if tooLong {
			record, err := l.skipLongLine()
			if err == nil {
				l.records++
			}
			return record, err
		}
		line := l.trimLineEnd(l.rest()[:length])
		record := Record{Line: l.line + 1, Offset: l.offset(), Raw: line}
		blank := len(bytes.Trim(line, " \t\r")) == 0
		if len(line) > l.maxRecord {
			record.Fault = FaultTooLarge
		} else if !blank {
			record.Fault = l.faultOf(length)
		}
		l.advance(length, 1)
		if !blank {
			return l.record(record), nil
		}
	}
}
