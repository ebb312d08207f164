package infer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"prospector/internal/filecodec"
)

// delimiters that are looked for, the likelier first.
const delimiters = ",|;\t:"

const (
	headBytes     = 1 << 18 // of the file, to find the delimiter in
	headRecords   = 200
	consistent    = 0.9 // share of records with the header's column count that is taken for certain
	barelyLikely  = 0.5 // and below which a delimiter is none
	resendHint    = "ask the partner to send the file again"
	headerHint    = "the first line must name every column: ask the partner for a file with a header line, or add one"
	utf16Hint     = "ask the partner for UTF-8, or convert a copy: iconv -f UTF-16 -t UTF-8"
	delimiterHint = "look at the file and say which: --delimiter"
)

// sampling is a file whose header has been read.
type sampling struct {
	file   string
	format Format
	header []string
	framer *filecodec.Framer
}

// openSample undoes compression, finds the delimiter and reads the header.
func openSample(r io.Reader, o Options) (*sampling, error) {
	in := &sampling{file: o.File, format: Format{Delimiter: o.Delimiter, Quote: o.Quote, Compression: "none"}}
	compressed := bufio.NewReader(r)
	magic, err := compressed.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(in.file, err, resendHint)
	}
	if strings.HasSuffix(strings.ToLower(o.File), ".gz") && len(magic) > 0 || bytes.HasPrefix(magic, []byte{0x1f, 0x8b}) {
		in.format.Compression = "gzip"
	}
	var stream io.Reader = compressed
	if in.format.Compression == "gzip" {
		if stream, err = gzip.NewReader(compressed); err != nil {
			return nil, unreadable(in.file, fmt.Errorf("it is no gzip file: %w", err), resendHint+"; a file that is not compressed must not be named .gz")
		}
	}
	text := bufio.NewReaderSize(stream, headBytes)
	head, err := text.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(in.file, err, resendHint)
	}
	if err := judgeHead(head); err != nil {
		return nil, unreadable(in.file, err, err.hint)
	}
	if in.format.Delimiter == "" {
		if errors.Is(err, io.EOF) || bytes.IndexByte(head, '\n') < 0 {
			in.format.Delimiter = findDelimiter(head, o.Quote[0])
		} else { // the last line is cut
			in.format.Delimiter = findDelimiter(head[:bytes.LastIndexByte(head, '\n')+1], o.Quote[0])
		}
		if in.format.Delimiter == "" {
			return nil, unreadable(in.file, errors.New("it is not clear what separates its columns"), delimiterHint)
		}
	}
	in.framer = filecodec.NewFramer(text, filecodec.Dialect{Delimiter: in.format.Delimiter[0], Quote: in.format.Quote[0]})
	if in.header, err = in.framer.Header(); err != nil {
		return nil, unreadable(in.file, err, headerHint)
	}
	for i, name := range in.header {
		in.header[i] = strings.TrimSpace(name) // as the loader does
	}
	if err := judgeHeader(in.header); err != nil {
		return nil, unreadable(in.file, err, headerHint)
	}
	return in, nil
}

// isLocal reports an error of this machine's files, which is not the partner's fault.
func isLocal(err error) bool {
	var disk *fs.PathError
	return errors.As(err, &disk)
}

// headError is what the first bytes of a file say against it.
type headError struct{ message, hint string }

func (e *headError) Error() string { return e.message }

func judgeHead(head []byte) *headError {
	starts := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return bytes.HasPrefix(head, []byte(p)) })
	}
	first := head[:min(len(head), 200)]
	switch {
	case len(head) == 0:
		return &headError{"the file is empty", resendHint}
	case starts("\xff\xfe", "\xfe\xff") || len(first) >= 8 && bytes.Count(first, []byte{0})*3 > len(first):
		return &headError{"the file is UTF-16; it must be UTF-8", utf16Hint}
	case starts("PK\x03\x04", "PAR1", "%PDF", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zXZ"):
		return &headError{"the file is no text: an archive, a workbook or another binary format", "ask the partner for delimited text, plain or compressed with gzip"}
	case len(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))) == 0:
		return &headError{"the file has no header line", headerHint}
	}
	return nil
}

var (
	namelike = regexp.MustCompile(`^[\p{L}_#@*"'(\[]`)
	address  = regexp.MustCompile(`^[^@\s]+@[^@\s.]+([.][^@\s.]+)+$`)
)

// judgeHeader refuses a first line that holds data. It names positions, never names: these may be values.
func judgeHeader(names []string) error {
	first := map[string]int{}
	unlike := 0
	for i, name := range names {
		if other, ok := first[name]; ok {
			return fmt.Errorf("columns %d and %d of its first line are the same; names of columns are unique, so this is no header line or a broken one", other+1, i+1)
		}
		first[name] = i
		if address.MatchString(name) {
			return fmt.Errorf("it has no header line: column %d of its first line holds a value", i+1)
		}
		if !namelike.MatchString(name) {
			unlike++
		}
	}
	if unlike*10 >= len(names)*3 {
		return fmt.Errorf("it has no header line: %d of %d columns of its first line look like values", unlike, len(names))
	}
	return nil
}

// findDelimiter returns the delimiter under which the records have the header's column count most
// consistently, among equals the one that makes most columns; empty when none does.
func findDelimiter(head []byte, quote byte) string {
	best, bestShare, bestColumns := "", 0.0, 0
	for _, delimiter := range []byte(delimiters) {
		if delimiter == quote {
			continue
		}
		framer := filecodec.NewFramer(bytes.NewReader(head), filecodec.Dialect{Delimiter: delimiter, Quote: quote})
		header, err := framer.Header()
		if err != nil || len(header) < 2 {
			continue
		}
		good, all := 0, 0
		for all < headRecords {
			record, err := framer.Next()
			if err != nil {
				break
			}
			all++
			if record.Fault == "" {
				good++
			}
		}
		share := 1.0
		if all > 0 {
			share = float64(good) / float64(all)
		}
		if share = min(share, consistent); share < barelyLikely {
			continue
		}
		if share > bestShare || share == bestShare && len(header) > bestColumns {
			best, bestShare, bestColumns = string(delimiter), share, len(header)
		}
	}
	return best
}

// read takes records into the evidence of each column, up to limit.
func (in *sampling) read(limit int, sample *Sample) ([]*evidence, error) {
	columns := make([]*evidence, len(in.header))
	for i, name := range in.header {
		columns[i] = newEvidence(name, limit)
	}
	sample.Faults = map[filecodec.Fault]int{}
	for {
		full := in.framer.Records() == int64(limit)
		record, err := in.framer.Next()
		if full && !errors.Is(err, io.EOF) {
			return columns, nil
		}
		if errors.Is(err, io.EOF) {
			sample.Whole = true
			return columns, nil
		}
		if err != nil {
			return nil, unreadable(in.file, fmt.Errorf("after %d records: %w", in.framer.Records(), err), resendHint)
		}
		switch {
		case record.Fault != "":
			sample.Rejected++
			sample.Faults[record.Fault]++
		case in.repeatsHeader(record.Fields):
			sample.Headers++
		default:
			sample.Rows++
			for i, value := range record.Fields {
				columns[i].take(value)
			}
		}
	}
}

// repeatsHeader finds what is left when files were appended: such a line is no evidence of values.
func (in *sampling) repeatsHeader(fields [][]byte) bool {
	for i, field := range fields {
		if string(bytes.TrimSpace(field)) != in.header[i] {
			return false
		}
	}
	return true
}
