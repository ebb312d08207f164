package workspace

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"prospector/internal/errkind"
)

var update = flag.Bool("update", false, "write the error texts of testdata/broken anew")

const fewestArchives = 70

// Sections of an archive are edits to the sample workspace:
//
//	-- edit FILE --    a text, a line =>, and the text that takes its first place
//	-- file FILE --    a file of the workspace, as a whole
//	-- remove FILE --  the file is not there
//	-- want --         every problem, as check prints them
const (
	arrow       = "\n=>\n"
	wantSection = "want"
)

func archives(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/broken/*.txtar")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), fewestArchives)
	return files
}

func readArchive(t *testing.T, file string) *txtar.Archive {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, bytes.Count(archive.Comment, []byte("\n")), "the comment is one line: what somebody did wrong")
	return archive
}

// broken makes the workspace that an archive describes.
func broken(t *testing.T, archive *txtar.Archive) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(sample)))
	for _, section := range archive.Files {
		if section.Name == wantSection {
			continue
		}
		verb, name, _ := strings.Cut(section.Name, " ")
		path := filepath.Join(dir, filepath.FromSlash(name))
		switch verb {
		case "edit":
			old, replacement, ok := strings.Cut(string(section.Data), arrow)
			require.True(t, ok, "%s has no line =>", section.Name)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Contains(t, string(text), old, section.Name)
			edited := strings.Replace(string(text), old, strings.TrimSuffix(replacement, "\n"), 1)
			require.NoError(t, os.WriteFile(path, []byte(edited), 0o600))
		case "file":
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			require.NoError(t, os.WriteFile(path, section.Data, 0o600))
		case "remove":
			require.NoError(t, os.Remove(path))
		default:
			t.Fatalf("unknown section %s", section.Name)
		}
	}
	return dir
}

// AS-1, AS-2, AS-4, AS-5, EC-1, EC-2, EC-9, SR-11, SC-25: whatever is wrong with a workspace, check says
// where, in which object, what, and what to do, word for word as the archives hold it.
func TestBrokenWorkspaces(t *testing.T) {
	for _, file := range archives(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive := readArchive(t, file)
			_, err := Load(broken(t, archive))
			require.Error(t, err, "the workspace is accepted")
			require.Equal(t, errkind.Invalid, errkind.Of(err))
			got := err.Error() + "\n"
			if *update {
				writeWant(t, file, archive, got)
				return
			}
			last := archive.Files[len(archive.Files)-1]
			require.Equal(t, wantSection, last.Name)
			require.Equal(t, string(last.Data), got, "when the new text is right: go test ./internal/workspace -run TestBrokenWorkspaces -update")
		})
	}
}

func writeWant(t *testing.T, file string, archive *txtar.Archive, text string) {
	t.Helper()
	if last := len(archive.Files) - 1; last >= 0 && archive.Files[last].Name == wantSection {
		archive.Files = archive.Files[:last]
	}
	archive.Files = append(archive.Files, txtar.File{Name: wantSection, Data: []byte(text)})
	require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o600))
}
