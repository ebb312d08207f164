package source

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"prospector/internal/errkind"
)

// Obstacle is something at a drop point that keeps files from being listed: a folder that may not be read, or what
// stands where a file should and is none; the error of the latter is BadInput.
type Obstacle struct {
	Path string
	Err  error
}

// Obstacles is the error of a listing that is whole but for them, in the order of their paths.
type Obstacles []Obstacle

func (o Obstacles) Error() string {
	text := o[0].Err.Error()
	if len(o) > 1 {
		text += fmt.Sprintf("; and %d more", len(o)-1)
	}
	return text
}

// Unwrap gives the kind of the first.
func (o Obstacles) Unwrap() error { return o[0].Err }

// Err is nil without obstacles. It sorts them.
func (o Obstacles) Err() error {
	if len(o) == 0 {
		return nil
	}
	slices.SortFunc(o, func(a, b Obstacle) int { return cmp.Compare(a.Path, b.Path) })
	return o
}

// NotAFile is the obstacle of a folder, or of what is neither file nor folder.
func NotAFile(filePath string, folder bool) Obstacle {
	what := errors.New("it is neither a file nor a folder")
	if folder {
		what = errors.New("it is a folder, not a file")
	}
	return Obstacle{filePath, errkind.New(errkind.BadInput, Quote(filePath), what, "ask the partner to put the file itself there")}
}

// WrongLink is the obstacle of a link behind which there is no file to take; leads says where it leads.
func WrongLink(filePath, leads string) Obstacle {
	return Obstacle{filePath, errkind.New(errkind.BadInput, Quote(filePath), errors.New("it is a link that leads "+leads), "ask the partner to put the file itself there")}
}

// Expects reports whether what pattern matches must be a file. A pattern whose last segment is for any name, such as
// in/*, does not say so of folders.
func Expects(pattern string) bool { return strings.Trim(path.Base(pattern), "*?") != "" }
