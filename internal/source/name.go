package source

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"prospector/internal/errkind"
)

const (
	maxNameCharacters   = 255
	forbiddenCharacters = `"\:|<>*?`
	shownCharacters     = 60 // of a name, in a message
)

// forbiddenNames stand for devices or folders on some systems. LPT and COM with a digit are, too.
var forbiddenNames = map[string]bool{"PRN": true, "AUX": true, "NUL": true, "CON": true, "CLOCK$": true, ".": true, "..": true}

// CheckName holds a file's path against what partners were told about names: at most 255 characters in
// a component, none of " \ : | < > * ? nor control characters, and no device name. A slash at the end
// does not count. The error is BadInput.
func CheckName(filePath string) error {
	for component := range strings.SplitSeq(strings.TrimSuffix(filePath, "/"), "/") {
		if why := wrongName(component); why != nil {
			return errkind.New(errkind.BadInput, "check the name "+Quote(filePath), why, "ask the partner to rename the file")
		}
	}
	return nil
}

func wrongName(component string) error {
	if n := utf8.RuneCountInString(component); n > maxNameCharacters {
		return fmt.Errorf("%s has %d characters, more than %d", Quote(component), n, maxNameCharacters)
	}
	if !utf8.ValidString(component) {
		return errors.New("it is not UTF-8")
	}
	for _, c := range component {
		if strings.ContainsRune(forbiddenCharacters, c) || unicode.IsControl(c) {
			return fmt.Errorf("it must not contain %q", c)
		}
	}
	if upper := strings.ToUpper(component); forbiddenNames[upper] || isPort(upper) {
		return fmt.Errorf("%s is no name for a file or a folder", Quote(component))
	}
	return nil
}

// isPort is true for LPT1 to LPT9 and COM1 to COM9.
func isPort(name string) bool {
	return len(name) == 4 && (name[:3] == "LPT" || name[:3] == "COM") && '1' <= name[3] && name[3] <= '9'
}

// Quote shows a name that somebody else has chosen: on one line, without control characters, and not
// at any length.
func Quote(name string) string {
	shown, more := name, ""
	if utf8.RuneCountInString(name) > shownCharacters {
		shown, more = string([]rune(name)[:shownCharacters]), "…"
	}
	return fmt.Sprintf("%q", shown) + more
}
