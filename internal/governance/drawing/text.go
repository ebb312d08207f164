package drawing

import (
	"strings"
	"unicode"
)

// Styles of text, as classes.
const (
	plain  = "plain"
	strong = "strong"
	faint  = "faint"
	mark   = "mark"
)

// text is one line.
type text struct{ words, style string }

// Sizes in pixels. Letters are of one width, so that what fits is known without a font.
const (
	letter     = 7.3
	lineHeight = 17
)

const (
	mostLetters = 28 // of a line in a box
	mostLines   = 4  // of one name
)

// cells is how many letters wide a text is: those of East Asian scripts and pictures count twice.
func cells(words string) (n int) {
	for _, r := range words {
		n++
		if r >= 0x1100 {
			n++
		}
	}
	return n
}

func width(words string) int { return int(float64(cells(words))*letter + 0.5) }

// printable takes out of a text what would reorder or hide others.
func printable(words string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, words)
}

// wrapped breaks a text into lines of a box, behind a separator where there is one, and cuts what is still too long.
func wrapped(words, style string) []text { return broken(words, style, mostLetters, mostLines) }

func broken(words, style string, letters, lines int) (out []text) {
	rest := []rune(printable(words))
	for len(rest) > 0 {
		end, space, good, used := 0, 0, 0, 0
		for end < len(rest) && used+cells(string(rest[end])) <= letters {
			used += cells(string(rest[end]))
			end++
			switch {
			case rest[end-1] == ' ':
				space = end
			case strings.ContainsRune(".-_/,;:", rest[end-1]):
				good = end
			}
		}
		switch {
		case end == len(rest):
		case len(out) == lines-1:
			return append(out, text{string(rest[:end-1]) + "…", style})
		case space > end/3:
			end = space
		case good > end/3:
			end = good
		}
		out = append(out, text{strings.TrimRight(string(rest[:end]), " "), style})
		rest = rest[end:]
	}
	return out
}
