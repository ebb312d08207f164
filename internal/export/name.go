// Package export gives audience files their names, header, splits, compression, checksums and
// manifest. It turns one stream of rows into files without knowing where rows come from or where
// files go; the same rows and names give the same bytes.
package export

import (
	"fmt"
	"strings"
	"time"
)

// AudienceFile is the default name of a file with one audience (FX-1, FX-6), of a delivery that began at a time: part is counted
// from 1.
func AudienceFile(destination, audience string, at time.Time, part int, compression string) string {
	return fmt.Sprintf("%s_segment%s_%s%s.csv%s", destination, audience, at.UTC().Format("20060102150405"), suffix(part), extension(compression))
}

// LiveRampFile is the fixed name of LiveRamp's one file for all audiences (DE-21).
func LiveRampFile(organization, destination, instance string, at time.Time, part int) string {
	return fmt.Sprintf("%s_%s_%s_%s%s.csv", organization, destination, instance, at.UTC().Format("20060102_150405"), suffix(part))
}

// ManifestFile is the name of a delivery's manifest (FX-14).
func ManifestFile(destination, delivery string) string {
	return fmt.Sprintf("manifest-%s-%s.json", destination, delivery)
}

func suffix(part int) string {
	if part <= 1 {
		return ""
	}
	return fmt.Sprintf("_%d", part)
}

func extension(compression string) string {
	if compression == "gzip" {
		return ".gz"
	}
	return ""
}

// Header is the first line of every file, quoted where needed.
func Header(names []string, delimiter string) string {
	out := make([]string, len(names))
	for i, name := range names {
		if strings.ContainsAny(name, delimiter+"\"\r\n") {
			name = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
		out[i] = name
	}
	return strings.Join(out, delimiter) + "\n"
}
