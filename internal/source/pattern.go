package source

import (
	"path"
	"slices"
	"strings"
)

// Match reports whether a file's path matches a pattern: path.Match on whole path segments, with
// "**" standing for any number of segments.
func Match(pattern, filePath string) bool {
	return matchSegments(strings.Split(pattern, "/"), strings.Split(filePath, "/"))
}

func matchSegments(pattern, segments []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := 0; i <= len(segments); i++ {
				if matchSegments(pattern[1:], segments[i:]) {
					return true
				}
			}
			return false
		}
		if len(segments) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], segments[0]); err != nil || !ok {
			return false
		}
		pattern, segments = pattern[1:], segments[1:]
	}
	return len(segments) == 0
}

// Literal is the folder that every path that matches pattern is below: the pattern's first segments, as
// long as they are names. It is for drivers, like Leads.
func Literal(pattern string) string {
	segments := strings.Split(pattern, "/")
	n := 0
	for n < len(segments)-1 && !strings.ContainsAny(segments[n], `*?[\`) && segments[n] != "" && segments[n] != "." && segments[n] != ".." {
		n++
	}
	return strings.Join(segments[:n], "/")
}

// Leads reports whether a file below folder may match pattern.
func Leads(pattern, folder string) bool {
	segments, above := strings.Split(pattern, "/"), strings.Split(folder, "/")
	for i, name := range above {
		if i == len(segments) {
			return false
		}
		if segments[i] == "**" {
			return true
		}
		if ok, err := path.Match(segments[i], name); err != nil || !ok {
			return false
		}
	}
	return len(above) < len(segments)
}

// RecursivePattern is the pattern that also takes what lies deeper: the last segment of pattern is for
// the file's name, in the folder that the other segments name and in all folders below it.
func RecursivePattern(pattern string) string {
	folders, name := "", pattern
	if i := strings.LastIndexByte(pattern, '/'); i >= 0 {
		folders, name = pattern[:i+1], pattern[i+1:]
	}
	if name == "**" || folders == "**/" || strings.HasSuffix(folders, "/**/") {
		return pattern
	}
	return folders + "**/" + name
}

// Ignored reports whether a file's name says that it is still being written or is not data: dot files,
// the usual suffixes of half-written uploads, folder keys, and names that match one of the extra
// patterns (path.Match, on the name without its folders).
func Ignored(filePath string, extra []string) bool {
	name := path.Base(filePath)
	if strings.HasPrefix(name, ".") || strings.HasSuffix(filePath, "/") {
		return true
	}
	for _, suffix := range []string{".part", ".partial", ".tmp", ".filepart"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return slices.ContainsFunc(extra, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	})
}
