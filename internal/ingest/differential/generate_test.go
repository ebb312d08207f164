package differential_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"prospector/internal/store"
	"prospector/internal/xdm"
)

// input is a file.
type input struct {
	content []byte
	date    string // business date, or empty
	force   bool   // removals are allowed
}

// example is a setting and files that come one after another.
type example struct {
	setting setting
	files   []input
}

// generator draws examples. The same seed gives the same example.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 0))} }

func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g generator, of ...T) T { return of[g.IntN(len(of))] }

func (g generator) example() example {
	s := g.setting()
	out := example{setting: s}
	dated := g.chance(40)
	for range 1 + g.IntN(6) {
		in := input{content: g.file(s), force: g.chance(20)}
		if n := len(out.files); n > 0 && g.chance(25) { // the same again, or almost
			in.content = g.changed(out.files[g.IntN(n)].content, pick(g, 0, 1, 3))
		}
		if dated && g.chance(80) {
			in.date = fmt.Sprintf("2026-11-%02d", 18+g.IntN(4))
		}
		out.files = append(out.files, in)
	}
	return out
}

func (g generator) setting() setting {
	s := setting{columns: map[string]string{}, lists: map[string]string{}, merge: pick(g, store.Replace, store.Upsert, store.Full), mostRemoved: pick(g, 0.0, 30, 50, 100, 100), lifetimeDays: pick(g, 1, 25, 400),
		threshold: pick(g, 0.0, 5, 12.5, 50, 90, 100, 100, 100, 100, 100, 100, 100), unmapped: pick(g, "fail", "ignore", "ignore", "quarantine"), missing: pick(g, "fail", "ignore", "ignore", "quarantine")}
	if g.chance(10) {
		s.recordBytes = 10 + g.IntN(60)
	}
	s.nulls = pick(g, nil, nil, []string{"NULL"}, []string{`\N`, "n/a", "0", " "})
	s.ignored = pick(g, nil, []string{"secret"}, []string{"secret", "more"})
	d := &s.dialect
	d.delimiter = pick[byte](g, ',', ',', '|', '\t', ';', ' ')
	if g.chance(85) {
		d.quote = pick[byte](g, '"', '"', '\'')
		d.keep = g.chance(25)
		if g.chance(25) {
			d.escape = '\\'
		}
	}
	names := []string{"pid"}
	for i := range g.IntN(8) {
		f := g.field(fmt.Sprintf("_luma.f%d", i))
		if f.Container == xdm.Array && g.chance(40) {
			s.lists[f.Path] = pick(g, "|", ";", ", ", "-", "ä", " ")
		}
		s.fields = append(s.fields, f)
		if f.Required || g.chance(90) {
			name := fmt.Sprintf("c%d", i)
			s.columns[name] = f.Path
			names = append(names, name)
		}
	}
	identity := xdm.Field{Path: identityPath, Type: xdm.String, Required: true}
	if g.chance(3) {
		identity.Default = new("p1")
	}
	if g.chance(15) {
		identity.Pattern, identity.MaxLength = pick(g, "", "[a-z]+[0-9]+", ".+"), pick(g, 0, 3)
	}
	s.fields = append(s.fields, identity)
	s.columns["pid"] = identityPath
	if g.chance(25) {
		d.columns = slices.Concat(names, s.ignored)
		g.Shuffle(len(d.columns), func(i, j int) { d.columns[i], d.columns[j] = d.columns[j], d.columns[i] })
	}
	return s
}

var patterns = []string{"[A-Z]{2}", `\d{5}`, "a|bc", ".*", "(?i)ab+", `\pL+`, "[^,]+", "^x.*", "x$|y", `(a*)*b?`, `\w+@\w+`, "", `\s?1`, ".{2,4}", `[\x{4e00}-\x{9fff}]`}

func (g generator) field(path string) xdm.Field {
	f := xdm.Field{Path: path, Type: pick(g, slices.Concat(xdm.Types, []xdm.Type{xdm.String})...), Required: g.chance(20)}
	switch f.Type {
	case xdm.String:
		if g.chance(20) {
			f.Enum = pick(g, []string{"Y", "N"}, []string{"a", "bc", "x", "", "25-34", "it's", "\"q\""}, []string{"NULL"})
		}
		if g.chance(25) {
			f.Pattern = pick(g, patterns...)
		}
		if g.chance(25) {
			f.Format = pick(g, xdm.Formats...)
		}
		if g.chance(20) {
			f.MinLength = g.IntN(4)
		}
		if g.chance(20) {
			f.MaxLength = max(f.MinLength, 1) + g.IntN(5)
		}
	case xdm.Integer, xdm.Number:
		if g.chance(30) {
			f.Minimum = new(pick(g, -10, 0, 0.1, 12, 12.6, -1e15, 100000000000000000, 9007199254740992))
		}
		if g.chance(30) {
			most := pick(g, 0, 0.1, 12.6, 7, 1e3, 1e15, 999999999999999999, 9007199254740993)
			if f.Minimum != nil && most < *f.Minimum {
				most = *f.Minimum
			}
			f.Maximum = &most
		}
	}
	if g.chance(30) {
		f.Container = pick(g, xdm.Array, xdm.Map)
		return f
	}
	if g.chance(15) {
		for range 20 {
			text := g.text(f)
			if _, codes := judge(f, text); text != "" && len(codes) == 0 && f.CheckText(text) == nil {
				f.Default = &text
				break
			}
		}
	}
	return f
}

var texts = map[xdm.Type][]string{
	xdm.String: {"a", "bc", "x", "Y", "N", "MA", "ab", "ABB", "02139", "0012", "it's", `"q"`, " a", "a ", "  ", "\u00a0", "ä", "äöü", "\u4e2d", "e\u0301", "\U0001f469\u200d\U0001f469\u200d\U0001f467",
		"\u0660\u0661", "a,b", "a|b", "a;b", "a\tb", `12" pipe`, `\`, `\"`, `a\`, `\\`, "NULL", "null", "n/a", `\N`, "25-34", "ann@example.com", "a@b", "a@b.c", "@b.c", "a@b..c", "a b@c.de", "a@b.c@d.e",
		"ä@exämple.de", "a@b.c.", "a\u2003@b.de", "https://example.com/a?b=c#d", "urn:isbn:1", "mailto:a@b.de", "https:", "a:#", "1a:b", "a+b-c.d:e", "https://[::1]:80/%20", "https://a/%2", "a#b#c", "#", "/a/b?c",
		"a b", "https://exämple.de", "\ufeff", "xyz", "1", "\x01", "\x7f", "\u0085", "\u200b", strings.Repeat("l", 60), "=1+1", "'", "''", `""`, "two\nlines", "a\rb", "a\r\nb", "\n"},
	xdm.Integer: {"0", "7", "-7", "+3", "007", "-0", "+0", "12", "12.6", "12.0", "1e3", "1_000", "1,000", "0x1F", "1.", "+", "-", "--1", " 12", "12 ", "\t12", "999999999999999999", "-999999999999999999", "1000000000000000000",
		"000000000000000001", "0000000000000000001", "9007199254740993", "9007199254740992", "9223372036854775808", "\u0661\u0662", "１２", "NaN", "true", "abc", "0b1", "1L", "100000000000000000", "99999999999999999999999"},
	xdm.Number: {"0", "-0", "-0.0", "12.6", "-.5", ".5", "5.", "1e3", "1E+3", "1e-3", "+.5e+003", "1e0003", "1e308", "1.8e308", "1e400", "-1e400", "1e-400", "4.9e-324", "NaN", "nan", "Infinity", "inf", "-inf", "1,5", "$5", "1_0",
		"0x1p3", "0x1F", "1e", "e1", ".", "+", "-.", "1.2.3", " 1", "1 ", "0.1", "0.10000000000000001", "123456789012345678901234567890", "9007199254740993", "1.7976931348623157e308", "1.7976931348623159e308", "007.50", "١", "1e+",
		"2.2250738585072011e-308", "100000000000000000", "0.30000000000000004", strings.Repeat("1", 50) + ".5", "0." + strings.Repeat("0", 50) + "1", "12.60", "1d", "1f"},
	xdm.Boolean: {"true", "true", "false", "false", "TRUE", "True", "t", "f", "1", "0", "yes", "no", "on", " true", "true ", "truefalse"},
	xdm.Date: {"2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "2024-04-31", "2024-12-31", "0001-01-01", "0000-01-01", "9999-12-31", "10000-01-01", "2024-13-01", "2024-00-10", "2024-01-00", "2024-01-32", "2024/2/29", "2024-2-9", "2024-02-9",
		"20240229", "1704448800123", "2024-02-29T00:00:00Z", "29.02.2024", "epoch", "infinity", "today", "-2024-01-01", "+2024-01-01", "2024-01-01 (BC)", "2024-01-01 BC", "0044-03-15", "2024-01-01 ", " 2024-01-01", "٢٠٢٤-01-01", "1582-10-10", "1500-02-29", "1969-12-31"},
	xdm.DateTime: {"2024-02-29T10:00:00Z", "2024-02-29 10:00:00.5+02:00", "2024-02-29", "2023-02-29", "2023-02-29T10:00:00Z", "1704448800123", "0704448800123", "9999999999999", "1000000000000", "170444880012", "17044488001234", "-1704448800123",
		"2024-02-29T10:00:00", "2024-02-29T24:00:00Z", "2024-02-29T23:59:60Z", "2024-02-29T23:59:59.999999999Z", "2024-02-29T23:59:59.9999995Z", "2024-02-29T10:00:00.1234567Z", "2024-02-29T10:00:00.0000001Z", "1969-12-31T23:59:59.9999999Z", "2024-02-29T10:00:00.1234567890Z", "2024-02-29T10:00:00.Z", "2024-02-29T10:00Z",
		"2024-02-29T10:00:00z", "2024-02-29t10:00:00Z", "2024-02-29T10:00:00+05", "2024-02-29T10:00:00+0500", "2024-02-29T10:00:00-23:59", "2024-02-29T10:00:00+14:00", "2024-02-29T10:00:00+15:59", "2024-02-29T10:00:00+16:00", "2024-02-29T10:00:00+24:00", "2024-02-29T10:00:00-00:00", "2024-02-29T10:00:00+05:60",
		"0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:59.9999999Z", "0000-01-01T00:00:00Z", "2024-02-29T10:00:00 Z", "2024-02-29  10:00:00Z", "2024-02-29T10:00:00 UTC", "2024-02-29T1:00:00Z",
		"2024-02-29T10:00:00Europe/Berlin", "1969-12-31T23:59:59.25Z", "1900-01-01T00:00:00+01:30", "epoch", "infinity", "1704448800", "0", "20240229T100000Z", "2024-02-29T10:00:00,5Z", "1500-02-29T00:00:00Z", "1883-11-18T12:00:00-04:56"},
}

// text is a value for a field, good or bad, or of another type, or changed a little.
func (g generator) text(f xdm.Field) string {
	of := f.Type
	if g.chance(4) {
		of = pick(g, xdm.Types...)
	}
	if len(f.Enum) > 0 && g.chance(60) {
		return pick(g, f.Enum...)
	}
	text := pick(g, texts[of]...)
	switch {
	case g.chance(15):
		text = g.fresh(of)
	case g.chance(6):
		text = g.bend(text)
	}
	return text
}

// fresh is a value that no list holds; most are good.
func (g generator) fresh(of xdm.Type) string {
	switch of {
	case xdm.Integer:
		return pick(g, "", "-", "+", "0") + strconv.FormatInt(g.Int64N(pick[int64](g, 10, 1e5, 1e18)), 10)
	case xdm.Number:
		return strconv.FormatFloat((g.Float64()-0.5)*pick(g, 1, 1e5, 1e20, 1e-20), pick[byte](g, 'f', 'e', 'G'), pick(g, -1, 2, 20), 64)
	case xdm.Date:
		return fmt.Sprintf("%04d-%02d-%02d", g.IntN(10050), g.IntN(14), g.IntN(33))
	case xdm.DateTime:
		return fmt.Sprintf("%04d-%02d-%02d%c%02d:%02d:%02d%s%s", 1+g.IntN(9999), 1+g.IntN(12), 1+g.IntN(29), pick(g, 'T', ' '), g.IntN(24), g.IntN(60), g.IntN(61),
			pick(g, "", ".5", fmt.Sprintf(".%0*d", 1+g.IntN(9), g.IntN(10))), pick(g, "Z", "Z", fmt.Sprintf("%c%02d:%02d", pick(g, '+', '-'), g.IntN(25), g.IntN(60))))
	}
	var out strings.Builder
	for range g.IntN(6) {
		out.WriteString(pick(g, "a", "b", "Z", "0", "9", "ä", "@", ".", ":", "/", "#", "%", "%41", "-", "_", " ", "[", "\u4e2d", "\U0001f600", "\u0301", "x", "'", "<", "`"))
	}
	return out.String()
}

// bend changes a text at one place.
func (g generator) bend(text string) string {
	i := g.IntN(len(text) + 1)
	rest := text[i:]
	if g.chance(40) && rest != "" {
		rest = rest[1:] // perhaps within a character
	}
	return text[:i] + pick(g, "", "", " ", "0", "1", "-", "+", ".", ":", "e", "Z", "\u00a0", "\u0661", "_", "x", "\x00", "\xff", "\r", "\n", "\x1f", `"`) + rest
}

func (g generator) id(wrong int) string {
	if !g.chance(wrong) {
		return fmt.Sprintf("p%d", g.IntN(14))
	}
	return pick(g, "", " ", "\t", " p1", "p1 ", "p\x01", "\u00a0p1", "p1\u2003", "p 1", "007", "7", "1e5", "P1", "p1\u0085", "\u200bp1", "NULL", "0", "ä1", "a\u03081", "p1\n", "p1\r", "\u2028", "\u3000", "\ufeffp1", strings.Repeat("i", 1000), strings.Repeat("i", 1001), strings.Repeat("ä", 501), `\N`, "p\u00ad1", "p\u007f", "\u180ep1")
}

// file writes one file, with or without what breaks files.
func (g generator) file(s setting) []byte {
	d := s.dialect
	var out strings.Builder
	if g.chance(10) {
		out.WriteString(mark)
	}
	end := pick(g, "\n", "\n", "\r\n", "\r")
	mixed := g.chance(10)
	lineEnd := func() string {
		if mixed && end != "\r" {
			return pick(g, "\n", "\r\n")
		}
		return end
	}
	header := d.columns
	if header == nil {
		header = g.header(s)
		if g.chance(3) {
			out.WriteString(lineEnd())
		}
		for i, name := range header {
			if i > 0 {
				out.WriteByte(d.delimiter)
			}
			if g.chance(2) && d.delimiter != ' ' {
				name = pick(g, " ", "\u00a0", "\t") + name + " "
			}
			out.WriteString(g.quoted(name, d, 10))
		}
		out.WriteString(lineEnd())
	}
	dirty := pick(g, 0, 0, 3, 20)
	wrong := pick(g, 0, 0, 3, 10, 50) // percent of values that are as they come
	rows := pick(g, 0, 1, 3, 8, 12, 20, 40)
	for n := range rows {
		for i, name := range header {
			if i > 0 {
				out.WriteByte(d.delimiter)
			}
			out.WriteString(g.quoted(g.cell(s, name, wrong), d, pick(g, 10, 10, 60)))
		}
		if g.chance(dirty) {
			out.WriteString(g.dirt(d))
		}
		if g.chance(dirty) {
			out.WriteString(lineEnd()) // a blank line, if nothing else comes
		}
		if n < rows-1 || g.chance(85) {
			out.WriteString(lineEnd())
		}
	}
	content := []byte(out.String())
	if g.chance(8) {
		content = g.changed(content, 1)
	}
	return content
}

// changed puts so many bytes anywhere.
func (g generator) changed(content []byte, bytes int) []byte {
	for range bytes {
		if len(content) > 0 {
			i := g.IntN(len(content))
			content = slices.Concat(content[:i], []byte(pick(g, "\x00", "\xff", "\xc3", "\xed\xa0\x80", `"`, "'", "\n", "\r", "\\", " ", ",", "|", "x", "1")), content[i+g.IntN(2):])
		}
	}
	return content
}

func (g generator) header(s setting) []string {
	var names []string
	for name := range s.columns {
		names = append(names, name)
	}
	slices.Sort(names)
	names = append(names, s.ignored...)
	g.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	if s.missing == "ignore" && g.chance(30) || g.chance(2) {
		names = names[:1+g.IntN(len(names))]
		if s.missing == "ignore" && !slices.Contains(names, "pid") && g.chance(90) {
			names[0] = "pid"
		}
	}
	if s.unmapped == "ignore" && g.chance(20) || g.chance(2) {
		names = slices.Insert(names, g.IntN(len(names)+1), pick(g, "extra", "", "PID", "ä"))
	}
	if g.chance(1) {
		names = slices.Insert(names, g.IntN(len(names)+1), pick(g, "identityMap", "person.identityMap", "pid", "identityMaps"))
	}
	return names
}

func (g generator) cell(s setting, column string, wrong int) string {
	path := s.columns[column]
	if path == identityPath {
		return g.id(max(wrong, 2))
	}
	for _, f := range s.fields {
		if f.Path != path {
			continue
		}
		if !f.Required && g.chance(10) {
			return pick(g, "", "NULL", "")
		}
		for range 12 {
			text := g.text(f)
			var codes []string
			if f.Container != xdm.Single {
				text = g.container(f, s.lists[path], wrong)
				_, codes = newOracle(s).judgeContainer(f, text)
			} else {
				_, codes = judge(f, text)
			}
			if len(codes) == 0 || g.chance(wrong) {
				return text
			}
		}
	}
	return pick(g, "", "s", "secret, \"really\"", "1")
}

// quoted writes a value as the dialect has it, mostly with quotes where they are needed.
func (g generator) quoted(text string, d dialect, percent int) string {
	if d.quote == 0 {
		if g.chance(97) {
			text = strings.Map(func(r rune) rune {
				if r == rune(d.delimiter) || r == '\n' || r == '\r' {
					return '_'
				}
				return r
			}, text)
		}
		return text
	}
	quote := string(d.quote)
	needed := strings.ContainsAny(text, "\r\n"+quote+string(d.delimiter))
	if needed && g.chance(3) || !needed && !g.chance(percent) {
		return text
	}
	if d.escape != 0 {
		escape := string(d.escape)
		text = strings.ReplaceAll(text, escape, escape+escape)
		return quote + strings.ReplaceAll(text, quote, escape+quote) + quote
	}
	return quote + strings.ReplaceAll(text, quote, quote+quote) + quote
}

// dirt is what a row may end with that breaks it.
func (g generator) dirt(d dialect) string {
	return pick(g, string(d.delimiter), string(d.delimiter)+"more", `"`, "'", "x", "\x00", "\xff", "\xc3", "\r", " ", `\`, string(d.delimiter)+`"`, string(d.delimiter)+`"a`+"\n"+`b"`, `""`)
}
