package main

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// visible keeps a text on one line and shows what else it would do to a terminal: control characters, those that turn the
// direction of text, and bytes that are no text, are written as %q writes them.
func visible(text string) string {
	var out strings.Builder
	for rest := text; rest != ""; {
		r, n := utf8.DecodeRuneInString(rest)
		switch quoted := strconv.Quote(rest[:n]); {
		case r == utf8.RuneError && n == 1, !strconv.IsPrint(r):
			out.WriteString(quoted[1 : len(quoted)-1])
		default:
			out.WriteString(rest[:n])
		}
		rest = rest[n:]
	}
	return out.String()
}

// visibleLines is visible for a text whose lines are meant.
func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = visible(line)
	}
	return strings.Join(lines, "\n")
}

// printable keeps a partner's odd names on one line.
func printable(path string) string {
	quoted := strconv.Quote(path)
	if quoted == `"`+path+`"` {
		return path
	}
	return quoted
}

// written is the name that somebody gives as printable shows it, or as it is.
func written(path string) string {
	if name, err := strconv.Unquote(path); err == nil && strings.HasPrefix(path, `"`) {
		return name
	}
	return path
}

// shorten leaves out the middle of a text, so that its beginning and its end are seen.
func shorten(text string, most int) string {
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	head := (most - 1) / 2
	return string(letters[:head]) + "…" + string(letters[len(letters)-(most-1-head):])
}
