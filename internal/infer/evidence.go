package infer

import (
	"hash/maphash"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"prospector/internal/xdm"
)

const (
	manyDistinct = 1000 // distinct values are counted up to here, of a possible identity up to the end
	maxCodes     = 20   // values of an enum
	codeRows     = 200  // rows that an enum needs
	codeLength   = 16   // bytes of a value that may be a code
	codeRepeats  = 10   // values per distinct one that an enum needs
	patternRows  = 20   // values that a pattern needs
	minorShare   = 20   // at most one value in so many may fail: under 5 %
	repeatedRows = 50   // one identifier in so many may be repeated: under 2 %
)

// few reports whether n of all are under 5 %.
func few(n, all int) bool { return n*minorShare < all }

// fewer reports whether n of all are under 2 %, as many as may repeat an identifier.
func fewer(n, all int) bool { return n == 0 || n*repeatedRows < all }

// evidence is what the sample shows of one column.
type evidence struct {
	name  string
	limit int // rows that may come

	values, empty, blank    int
	fits                    map[xdm.Type]int
	leadingZero, plus, long int         // what would be lost in a number
	digits                  map[int]int // values of nothing but digits, by length
	shortest, longest       int
	withDigit, withSpace    int
	contacts, otherDates    int
	markers                 map[string]int // texts that often stand for no value

	seed    maphash.Seed
	seen    map[uint64]struct{}
	stopped bool           // distinct values are no longer counted
	codes   map[string]int // nil when there are too many, or they are too long
}

func newEvidence(name string, limit int) *evidence {
	return &evidence{name: name, limit: limit, fits: map[xdm.Type]int{}, digits: map[int]int{}, markers: map[string]int{},
		seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}, codes: map[string]int{}}
}

var (
	integerForm  = whole(xdm.IntegerForm)
	numberForm   = whole(xdm.NumberForm)
	booleanForm  = whole(xdm.BooleanForm)
	dateForm     = whole(xdm.DateForm)
	dateTimeForm = whole(xdm.DateTimeForm)
	zeroForm     = regexp.MustCompile(`^[+-]?0[0-9]`)
	contactForm  = whole(xdm.FormatForms[xdm.Email] + `|[+][0-9][0-9 ().-]{6,18}[0-9]|[(]?[0-9]{3}[)]?[-. ][0-9]{3}[-. ][0-9]{4}|[0-9]{3}-[0-9]{2}-[0-9]{4}`)
	otherDate    = whole(`[0-9]{1,2}([/.-])[0-9]{1,2}[/.-]([0-9]{2}|[0-9]{4})|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}|(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])`)
)

func whole(form string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + form + `)$`) }

// nullMarkers are common ways to write that there is no value.
var nullMarkers = map[string]bool{"NULL": true, "null": true, "Null": true, "N/A": true, "n/a": true, "NA": true, "#N/A": true, `\N`: true, "None": true,
	"none": true, "nil": true, "NaN": true, "nan": true, "-": true, "--": true, "?": true}

// take looks at one value.
func (e *evidence) take(raw []byte) {
	if len(raw) == 0 { // the one text that always stands for no value
		e.empty++
		return
	}
	text := string(raw)
	e.values++
	if strings.TrimSpace(text) == "" {
		e.blank++
	}
	length := utf8.RuneCountInString(text)
	if e.longest = max(e.longest, length); e.values == 1 || length < e.shortest {
		e.shortest = length
	}
	if nullMarkers[text] {
		e.markers[text]++
	}
	for _, t := range typesOf(text) {
		e.fits[t]++
	}
	e.look(text)
	e.count(raw)
}

// typesOf lists the types under which a store takes the text.
func typesOf(text string) []xdm.Type {
	var out []xdm.Type
	switch first := text[0]; {
	case len(text) <= 5 && booleanForm.MatchString(text):
		return []xdm.Type{xdm.Boolean}
	case first != '+' && first != '-' && first != '.' && (first < '0' || first > '9'):
		return nil // a regular expression costs more
	}
	if integerForm.MatchString(text) {
		out = append(out, xdm.Integer)
	}
	if numberForm.MatchString(text) {
		if _, err := strconv.ParseFloat(text, 64); err == nil { // otherwise it is infinite
			out = append(out, xdm.Number)
		}
	}
	if dateTimeForm.MatchString(text) {
		_, err := time.Parse(time.DateOnly, text)
		if err == nil && dateForm.MatchString(text) {
			out = append(out, xdm.Date, xdm.DateTime)
		} else if xdm.InYears(time.Parse(time.RFC3339, strings.Replace(text, " ", "T", 1))) {
			out = append(out, xdm.DateTime)
		}
	}
	return out
}

// look notes what speaks for a code, a direct identifier, or another form of a date.
func (e *evidence) look(text string) {
	digits := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }) < 0
	if digits {
		e.digits[min(len(text), 64)]++
	}
	if digits && len(text) > 18 {
		e.long++
	}
	if text[0] == '+' {
		e.plus++
	}
	if zeroForm.MatchString(text) {
		e.leadingZero++
	}
	hasDigit := digits || strings.ContainsAny(text, "0123456789")
	if hasDigit {
		e.withDigit++
	}
	if strings.ContainsAny(text, " \t\n") {
		e.withSpace++
	}
	if (hasDigit || strings.Contains(text, "@")) && contactForm.MatchString(text) {
		e.contacts++
	}
	if hasDigit && len(text) <= 10 && otherDate.MatchString(text) {
		e.otherDates++
	}
}

// count keeps the distinct values, as hashes, as long as that can tell something.
func (e *evidence) count(raw []byte) {
	if e.codes != nil {
		if e.codes[string(raw)]++; len(raw) > codeLength || len(e.codes) > maxCodes {
			e.codes = nil
		}
	}
	if e.stopped {
		return
	}
	e.seen[maphash.Bytes(e.seed, raw)] = struct{}{}
	hopeless := !few(e.missing(), e.limit) || !fewer(e.values-len(e.seen), e.limit)
	if len(e.seen) > manyDistinct && hopeless {
		e.stopped, e.seen = true, nil
	}
}

func (e *evidence) distinct() int {
	if e.stopped {
		return manyDistinct
	}
	return len(e.seen)
}

// missing counts rows without an identifier, if the column is one.
func (e *evidence) missing() int { return e.empty + e.blank }

// numeric reports whether values can be numbers without losing anything.
func (e *evidence) numeric() bool { return e.leadingZero == 0 && e.long == 0 }

// infer returns the first type that all values have, or nearly all.
func (e *evidence) infer() xdm.Type {
	best := xdm.String
	if e.values == 0 {
		return best
	}
	fewest := e.values
	for _, t := range []xdm.Type{xdm.Integer, xdm.Number, xdm.Boolean, xdm.Date, xdm.DateTime} {
		if (t == xdm.Integer || t == xdm.Number) && (!e.numeric() || e.plus > 0 || codeName(e.name)) {
			continue
		}
		if failed := e.values - e.fits[t]; failed < fewest && (failed == 0 || few(failed, e.values)) {
			best, fewest = t, failed
		}
	}
	return best
}

// refused is how many values are not of the type.
func (e *evidence) refused(t xdm.Type) int {
	if t == xdm.String {
		return 0
	}
	return e.values - e.fits[t]
}

// suits reports whether a field of the type can take the column.
func (e *evidence) suits(t xdm.Type) bool {
	if (t == xdm.Integer || t == xdm.Number) && !e.numeric() {
		return false
	}
	failed := e.refused(t)
	return failed == 0 || few(failed, e.values)
}

func (e *evidence) column() Column {
	return Column{Name: e.name, Use: UseField, Type: e.infer(), Values: e.values, Empty: e.empty, Blank: e.blank, Distinct: e.distinct(), MoreThan: e.stopped,
		Fits: e.fits, LeadingZero: e.leadingZero}
}

// rules proposes what a text may be.
func (e *evidence) rules(c *Column, rows int) {
	if length, matching := e.commonLength(); e.values >= patternRows && (e.leadingZero > 0 || zipName(e.name)) && few(e.values-matching, e.values) {
		c.Pattern = "[0-9]{" + strconv.Itoa(length) + "}"
		if failed := e.values - matching; failed > 0 {
			c.Refused += failed
			c.note("%d of %d values do not match the pattern and would be refused", failed, e.values)
		}
		return
	}
	if rows < codeRows || len(e.codes) == 0 || len(e.codes)*codeRepeats > e.values || e.withSpace > 0 {
		return
	}
	c.Enum = sortedCodes(e.codes)
	for _, code := range c.Enum {
		if n := e.codes[code]; n*100 < e.values {
			c.note("%q was seen in %d of %d values only: is it a value?", code, n, e.values)
		}
	}
}

// commonLength is the length that most values of nothing but digits have.
func (e *evidence) commonLength() (length, values int) {
	for n, count := range e.digits {
		if count > values || count == values && n < length {
			length, values = n, count
		}
	}
	return length, values
}

// remark says what a person should know of a column.
func (e *evidence) remark(c *Column) {
	switch {
	case e.values == 0:
		c.note("empty in the sample: nothing is known of its type")
	case c.Type == xdm.String && e.fits[xdm.Number] == e.values && c.Group == "":
		why := "it is a code by its name"
		switch {
		case e.leadingZero > 0:
			why = "some have leading zeroes"
		case e.long > 0:
			why = "some are too long for a number"
		case e.plus > 0:
			why = "some begin with +"
		}
		c.note("digits, kept as text: %s", why)
	case (c.Type == xdm.String || c.Type == xdm.Integer) && few(e.values-e.otherDates, e.values):
		c.note("looks like dates in another form; only 2026-01-31 is taken as a date")
	}
	if e.blank > 0 {
		c.note("%d values are nothing but white space", e.blank)
	}
	for _, marker := range sortedCodes(e.markers) {
		c.note("%q stands in %d values: if it means no value, add it to nullMarkers of the source", marker, e.markers[marker])
	}
}
