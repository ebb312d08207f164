package filecodec

import (
	"fmt"
	"strings"
)

// contentError says that an archive holds something else than one data file.
type contentError struct{ message string }

func (e *contentError) Error() string { return e.message }

// census counts the data files of an archive.
type census struct {
	files int
	names []string // of the first two
}

func (c *census) add(name string) {
	c.files++
	if len(c.names) < 2 {
		c.names = append(c.names, bounded(name))
	}
}

// judge returns an error unless there is exactly one.
func (c *census) judge(archive string) error {
	switch {
	case c.files == 0:
		return &contentError{fmt.Sprintf("the %s archive holds no data file, one is expected", archive)}
	case c.files > 1:
		return &contentError{fmt.Sprintf("the %s archive holds %d data files (%s), one is expected", archive, c.files, strings.Join(c.names, ", "))}
	}
	return nil
}

// special is an error that names an entry which cannot be read as a data file.
func special(archive, name, what string) error {
	return &contentError{fmt.Sprintf("%s in the %s archive %s", bounded(name), archive, what)}
}

// isData reports whether an entry counts: folders, what macOS adds and dot files do not.
func isData(name string) bool {
	if strings.HasSuffix(name, "/") || strings.HasSuffix(name, `\`) {
		return false
	}
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "__MACOSX" || strings.HasPrefix(part, ".") && part != "." && part != ".." {
			return false
		}
	}
	return true
}

// bounded quotes a partner's name for a message: on one line and not long.
func bounded(name string) string {
	const most = 80
	if len(name) > most {
		return fmt.Sprintf("%q…", name[:most])
	}
	return fmt.Sprintf("%q", name)
}
