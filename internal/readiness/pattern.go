// Package readiness decides what of a listing may be taken: which files a source's path pattern means, which
// business date their paths say, and whether they are whole by the source's rule (immediate, stable, marker or
// manifest). It is pure: who calls it lists drop points and reads manifests.
package readiness

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"prospector/internal/source"
)

// Pattern is a source's path pattern: a glob of path.Match with "**" for any folders, in which {yyyy}, {MM},
// {dd} and {HH}, also as one {yyyy-MM-dd}, stand for the parts of a file's business date.
type Pattern struct {
	glob  string
	dated *regexp.Regexp // nil without a date
}

// Tokens of a date, longest first.
var dateTokens = []struct{ token, glob, form string }{
	{"yyyy", "[0-9][0-9][0-9][0-9]", `(?P<yyyy>[0-9]{4})`},
	{"MM", "[0-9][0-9]", `(?P<MM>[0-9]{2})`},
	{"dd", "[0-9][0-9]", `(?P<dd>[0-9]{2})`},
	{"HH", "[0-9][0-9]", `(?P<HH>[0-9]{2})`},
}

// ParsePattern reads a pattern. With recursive, the file names count at any depth below its folder (SR-13).
func ParsePattern(text string, recursive bool) (Pattern, error) {
	if recursive {
		text = source.RecursivePattern(text)
	}
	var glob, form strings.Builder
	found := map[string]int{}
	for text != "" {
		before, rest, opens := strings.Cut(text, "{")
		glob.WriteString(before)
		if err := writeForm(&form, before); err != nil {
			return Pattern{}, err
		}
		if !opens {
			break
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			return Pattern{}, errors.New("has a { that is not closed")
		}
		if err := writeDate(&glob, &form, inside, found); err != nil {
			return Pattern{}, err
		}
		text = after
	}
	p := Pattern{glob: glob.String()}
	if _, err := path.Match(p.glob, ""); err != nil {
		return Pattern{}, errors.New("has a bracket that is not closed, or a \\ at its end")
	}
	if len(found) == 0 {
		return p, nil
	}
	for _, token := range []string{"yyyy", "MM", "dd"} {
		if found[token] == 0 {
			return Pattern{}, fmt.Errorf("has no {%s}, without which there is no business date", token)
		}
	}
	var err error
	p.dated, err = regexp.Compile("^" + form.String() + "$")
	return p, err
}

func writeDate(glob, form *strings.Builder, inside string, found map[string]int) error {
	rest := inside
next:
	for rest != "" {
		for _, t := range dateTokens {
			if after, ok := strings.CutPrefix(rest, t.token); ok {
				if found[t.token]++; found[t.token] > 1 {
					return fmt.Errorf("has {%s} twice", t.token)
				}
				glob.WriteString(t.glob)
				form.WriteString(t.form)
				rest = after
				continue next
			}
		}
		if !strings.ContainsRune("-_.", rune(rest[0])) {
			return fmt.Errorf("has the unknown {%s}; known are {yyyy}, {MM}, {dd} and {HH}, also as {yyyy-MM-dd}", inside)
		}
		glob.WriteByte(rest[0])
		form.WriteString(regexp.QuoteMeta(rest[:1]))
		rest = rest[1:]
	}
	if inside == "" {
		return errors.New("has {} with nothing in it")
	}
	return nil
}

// writeForm writes the regular expression of a piece of glob.
func writeForm(form *strings.Builder, glob string) error {
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; {
		case strings.HasPrefix(glob[i:], "**/"):
			form.WriteString("(?:[^/]+/)*")
			i += 2
		case strings.HasPrefix(glob[i:], "**"):
			form.WriteString(".*")
			i++
		case c == '*':
			form.WriteString("[^/]*")
		case c == '?':
			form.WriteString("[^/]")
		case c == '[':
			end := strings.IndexByte(glob[i+1:], ']')
			if end < 0 {
				return errors.New("has a bracket that is not closed, or a \\ at its end")
			}
			form.WriteString(glob[i : i+end+2])
			i += end + 1
		case c == '\\' && i+1 < len(glob):
			i++
			form.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		default:
			form.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	return nil
}

// Glob is the pattern as source.Match takes it.
func (p Pattern) Glob() string { return p.glob }

// BusinessDate is the day that a file's path says, as 2006-01-02; empty when the pattern has no date. A day that
// does not exist is an error.
func (p Pattern) BusinessDate(filePath string) (string, error) {
	if p.dated == nil {
		return "", nil
	}
	parts := p.dated.FindStringSubmatch(filePath)
	if parts == nil {
		return "", errors.New("its path does not say a business date as the pattern does")
	}
	date := parts[p.dated.SubexpIndex("yyyy")] + "-" + parts[p.dated.SubexpIndex("MM")] + "-" + parts[p.dated.SubexpIndex("dd")]
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return "", fmt.Errorf("its path says %s, which is no day", date)
	}
	return date, nil
}

// Companions is the pattern of the markers or manifests that belong to the pattern's files.
func (p Pattern) Companions(r Rule) string {
	if r.Suffix != "" {
		return p.glob + r.Suffix
	}
	segments := strings.Split(p.glob, "/")
	return strings.Join(append(slices.Clone(segments[:len(segments)-1]), r.Name), "/")
}
