package workspace

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Format says how files are written.
type Format struct {
	// Records of a file: delimited lines (unless given), JSON lines, one JSON array of objects, or Parquet.
	Records string `yaml:"records" jsonschema:"enum=delimited,enum=jsonl,enum=json,enum=parquet"`
	// Delimiter between fields, one character, ASCII or not; a comma unless given.
	Delimiter string `yaml:"delimiter"`
	// Quote around fields, one ASCII character, or none; a double quote unless given.
	Quote string `yaml:"quote"`
	// Escape of a quote within quotes, one ASCII character; unless given, such quotes are doubled.
	Escape string `yaml:"escape"`
	// QuoteInField says what a quote means in a field that does not begin with one, as in 12" pipe: refuse its record, as it does unless given, or keep it as a character. Fields that begin with a quote are quoted either way.
	QuoteInField string `yaml:"quoteInField" jsonschema:"enum=refuse,enum=keep"`
	// Columns of files without a header line, in order. Unless given, the first record is the header.
	Columns []string `yaml:"columns" jsonschema:"minItems=1"`
	// Encoding of the text; utf-8 unless given, with or without a byte-order mark. Files of Windows programs that are called Latin-1 are mostly windows-1252, which has € and quotation marks where latin-1 has control characters.
	Encoding string `yaml:"encoding" jsonschema:"enum=utf-8,enum=utf-16,enum=latin-1,enum=windows-1252"`
	// Compression of the whole file, or the archive that holds it and nothing else.
	Compression string `yaml:"compression" jsonschema:"enum=none,enum=gzip,enum=zstd,enum=bzip2,enum=deflate,enum=zip,enum=tar,enum=tar.gz"`
	// MaxBytes that a file may have when it is unpacked; 200 GB unless given.
	MaxBytes int64 `yaml:"maxBytes" jsonschema:"minimum=1"`
	// MaxRatio of a file's unpacked size to its packed one; 300 unless given. Small files are not judged by it.
	MaxRatio float64 `yaml:"maxRatio" jsonschema:"minimum=1"`
}

func (l *loader) checkFormat(s *Source) {
	f := s.Format
	at := l.at(s, "format")
	if f.Records != "delimited" {
		for _, key := range []struct{ name, text string }{{"escape", f.Escape}, {"quoteInField", f.QuoteInField}, {"columns", strings.Join(f.Columns, ",")}} {
			if key.text != "" {
				at.in(key.name).keyProblem("leave it out", "%s goes with delimited records only, and these are %s", key.name, f.Records)
			}
		}
		if f.Records == "parquet" && f.Compression != "none" { // SR-12
			at.in("compression").problem("leave it out", "a Parquet file is compressed within, and cannot be read from %s", f.Compression)
		}
		return
	}
	if f.QuoteInField != "" && f.Quote == QuoteNone {
		at.in("quoteInField").keyProblem("leave it out", "where fields are never quoted, quotes are characters as others")
	}
	texts := []struct{ name, text string }{{"delimiter", f.Delimiter}}
	if f.Quote != QuoteNone {
		texts = append(texts, struct{ name, text string }{"quote", f.Quote})
	}
	if f.Escape != "" {
		texts = append(texts, struct{ name, text string }{"escape", f.Escape})
	}
	for i, key := range texts { // SR-11
		switch one := utf8.RuneCountInString(key.text) == 1 && utf8.ValidString(key.text) && !strings.ContainsAny(key.text, "\r\n\x00\x7f\uFEFF"); {
		case key.name == "delimiter" && !one:
			at.in(key.name).problem("write one character, such as \",\" or \"|\"", "the %s cannot be %q", key.name, key.text)
		case key.name != "delimiter" && (!one || len(key.text) > 1):
			at.in(key.name).problem("write one ASCII character, such as \",\" or \"|\"", "the %s cannot be %q", key.name, key.text)
		}
		for _, other := range texts[:i] {
			if other.text == key.text {
				at.in(key.name).problem("choose another "+key.name, "%s and %s are both %q", other.name, key.name, key.text)
			}
		}
	}
	for i, name := range f.Columns {
		if strings.TrimSpace(name) == "" || slices.Index(f.Columns, name) < i {
			at.in("columns", index(i)).problem("give each column a name of its own", "column %d has no name of its own", i+1)
		}
	}
}

// QuoteNone is the quote of files that quote nothing.
const QuoteNone = "none"

// QuoteKeep is the meaning of quotes inside fields that are kept.
const QuoteKeep = "keep"
