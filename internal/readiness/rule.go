package readiness

import (
	"fmt"
	"path"
	"time"

	"prospector/internal/source"
)

// The rules.
const (
	Immediate  = "immediate" // a file is whole as soon as it is listed, as in S3
	Stable     = "stable"    // it has not changed for a while
	Marker     = "marker"    // the partner has written a marker after it
	Manifested = "manifest"  // a manifest lists it, with its size
)

// Rule is how a source tells whole files from half-written ones.
type Rule struct {
	Kind   string
	Quiet  time.Duration // Stable: how long
	Suffix string        // Marker, Manifested: added to the name of the file
	Name   string        // Marker, Manifested: the one of a folder
}

// Companion is the path of the marker or manifest of a file.
func (r Rule) Companion(filePath string) string {
	if r.Suffix != "" {
		return filePath + r.Suffix
	}
	return path.Join(path.Dir(filePath), r.Name)
}

// Needs reports whether the rule looks at companions.
func (r Rule) Needs() bool { return r.Kind == Marker || r.Kind == Manifested }

// Waits says why a file may not be taken yet; empty when it may. after, when not 0, is how long from now it can
// be asked again with another answer, without the partner doing anything. firstSeen is when this very version was
// first listed; companion is the file's marker or manifest, if there is one.
func (r Rule) Waits(f source.File, firstSeen, now time.Time, companion *source.File) (reason string, after time.Duration) {
	switch r.Kind {
	case Stable:
		// Two listings of our own, because the server's clock may differ; its time too, unless that is ahead of our own.
		left := r.Quiet - now.Sub(firstSeen)
		if !f.Modified.After(now) {
			left = max(left, r.Quiet-now.Sub(f.Modified))
		}
		if left > 0 {
			return fmt.Sprintf("it must not change for %s", r.Quiet), min(left, r.Quiet)
		}
	case Marker, Manifested:
		switch {
		case companion == nil:
			return fmt.Sprintf("its %s %q is not there", r.Kind, bounded(path.Base(r.Companion(f.Path)))), 0
		case r.Kind == Marker && companion.Modified.Before(f.Modified):
			return fmt.Sprintf("its marker %q is older than it", bounded(path.Base(companion.Path))), 0
		}
	}
	return "", 0
}

// bounded keeps a partner's name short in a message.
func bounded(name string) string {
	if len(name) > 60 {
		return name[:60] + "…"
	}
	return name
}
