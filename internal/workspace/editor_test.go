package workspace

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/yamldoc"
)

const judgeFile = "../../testdata/judge/editor.py"

// needJudge skips a test where the outside judge cannot run, unless everything must.
func needJudge(t *testing.T) {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import jsonschema, yaml").CombinedOutput()
	switch {
	case err == nil:
	case os.Getenv("PROSPECTOR_REQUIRE_TOOLS") != "":
		t.Fatalf("python3 with the packages jsonschema and pyyaml is needed: %v %s", err, out)
	default:
		t.Skip("the outside judge needs python3 with the packages jsonschema and pyyaml")
	}
}

// judged returns the judge's lines about files, and those files in which it finds something invalid.
func judged(t *testing.T, files ...string) (lines []string, invalid map[string]bool) {
	t.Helper()
	out, err := exec.Command("python3", append([]string{judgeFile, "workspace.schema.json"}, files...)...).Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Fatalf("judge: %v", err)
	}
	lines, invalid = strings.Split(strings.TrimSpace(string(out)), "\n"), map[string]bool{}
	for _, line := range lines {
		if file, _, ok := strings.Cut(line, " invalid: "); ok {
			invalid[file[:strings.LastIndexByte(file, ':')]] = true
		}
	}
	require.Equal(t, err != nil, len(invalid) > 0, "the exit code says what the lines say")
	return lines, invalid
}

// What an editor shows while people type is what check says about shape: an independent JSON Schema
// validator accepts the sample, and of the broken workspaces it rejects those whose shape check rejects.
func TestEditorsAgreeWithCheck(t *testing.T) {
	needJudge(t)
	files, err := filepath.Glob(filepath.Join(sample, "*.yaml"))
	require.NoError(t, err)
	lines, invalid := judged(t, files...)
	require.Empty(t, invalid)
	w, err := Load(sample)
	require.NoError(t, err)
	require.Len(t, lines, len(w.Objects())+1, "one line for each object and the sandbox")

	files = nil
	archiveOf, misshapen := map[string]string{}, map[string]bool{}
	for _, file := range archives(t) {
		archive := readArchive(t, file)
		dir := broken(t, archive)
		for _, section := range archive.Files {
			verb, name, _ := strings.Cut(section.Name, " ")
			path := filepath.Join(dir, filepath.FromSlash(name))
			if verb == "remove" || !isYAML(name) || archiveOf[path] != "" {
				continue
			}
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			documents, syntax := yamldoc.Parse(name, text)
			misshapen[file] = misshapen[file] || len(syntax) > 0
			for _, d := range documents {
				_, ok := newLoader(nil).judge(d)
				misshapen[file] = misshapen[file] || !ok
			}
			archiveOf[path] = file
			files = append(files, path)
		}
	}
	_, invalid = judged(t, files...)
	rejected := map[string]bool{}
	for path := range invalid {
		rejected[archiveOf[path]] = true
	}
	for _, file := range archives(t) {
		require.Equal(t, misshapen[file], rejected[file], "%s: check finds a problem of shape: %v, the judge: %v", file, misshapen[file], rejected[file])
	}
}
