package readiness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// MaxManifest is how many bytes a manifest may have.
const MaxManifest = 1 << 20

// Promise is what a manifest says of a file. Nil and empty values say nothing.
type Promise struct {
	Name   string `json:"name"` // path from the manifest's folder on
	Size   *int64 `json:"size"` // bytes
	SHA256 string `json:"sha256"`
	MD5    string `json:"md5"`
	Rows   *int64 `json:"rows"` // records, without the header
}

// Manifest is what a partner promises, by path at the drop point.
type Manifest map[string]Promise

var (
	hexSHA256    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	hexMD5       = regexp.MustCompile(`^[0-9a-f]{32}$`)
	checksumLine = regexp.MustCompile(`^([0-9A-Fa-f]{32}|[0-9A-Fa-f]{64})(?:[ \t]+\*?(\S.*))?$`)
)

// ParseManifest reads a manifest: JSON, {"files": [{"name", "size", "sha256", "md5", "rows"}]}, or lines as
// sha256sum and md5sum write them. of is the file to which a manifest with one bare checksum belongs, if any.
func ParseManifest(manifestPath string, data []byte, of string) (Manifest, error) {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")))
	var promises []Promise
	var err error
	if bytes.HasPrefix(data, []byte("{")) {
		promises, err = parseJSON(data)
	} else {
		promises, err = parseChecksums(data, of)
	}
	if err != nil {
		return nil, err
	}
	out := Manifest{}
	for i, p := range promises {
		p.SHA256, p.MD5 = strings.ToLower(p.SHA256), strings.ToLower(p.MD5)
		switch {
		case p.Name == "":
			return nil, fmt.Errorf("file %d of it has no name", i+1)
		case p.SHA256 != "" && !hexSHA256.MatchString(p.SHA256), p.MD5 != "" && !hexMD5.MatchString(p.MD5):
			return nil, fmt.Errorf("file %d of it has a checksum that is none", i+1)
		}
		at := path.Join(path.Dir(manifestPath), p.Name)
		if p.Name == of {
			at = of
		}
		if _, twice := out[at]; twice {
			return nil, fmt.Errorf("file %d of it is there twice", i+1)
		}
		out[at] = p
	}
	return out, nil
}

func parseJSON(data []byte) ([]Promise, error) {
	var manifest struct {
		Files []Promise `json:"files"`
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		return nil, errors.New("it is no JSON of the form {\"files\": [{\"name\": …, \"size\": …}]}, or not whole yet")
	}
	if len(manifest.Files) == 0 {
		return nil, errors.New("it lists no files")
	}
	return manifest.Files, nil
}

func parseChecksums(data []byte, of string) (out []Promise, err error) {
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		parts := checksumLine.FindStringSubmatch(line)
		if parts == nil || parts[2] == "" && of == "" {
			return nil, errors.New("it is neither JSON nor lines of a checksum and a name")
		}
		p := Promise{Name: parts[2]}
		if p.Name == "" {
			p.Name = of
		}
		if len(parts[1]) == 64 {
			p.SHA256 = parts[1]
		} else {
			p.MD5 = parts[1]
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, errors.New("it is empty")
	}
	return out, nil
}
