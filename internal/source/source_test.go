package source_test

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/source"
)

// AS-12: with recursive, the wildcard is a pattern for the file's name at any depth.
func TestRecursivePattern(t *testing.T) {
	for pattern, want := range map[string]string{
		"in/*.tsv.gz":    "in/**/*.tsv.gz",
		"*.csv":          "**/*.csv",
		"**/*.csv":       "**/*.csv",
		"in/**":          "in/**",
		"**":             "**",
		"in/**/*.csv":    "in/**/*.csv",
		"in/*/a.csv":     "in/*/**/a.csv",
		"in/x**/a.csv":   "in/x**/**/a.csv",
		`in/a\*.csv`:     `in/**/a\*.csv`,
		"in/**/eu/*.csv": "in/**/eu/**/*.csv",
	} {
		require.Equal(t, want, source.RecursivePattern(pattern), pattern)
	}
	pattern := source.RecursivePattern("in/*.tsv.gz")
	for filePath, want := range map[string]bool{
		"in/2024/x.tsv.gz": true, "in/2024/05/y.tsv.gz": true, "in/z.tsv.gz": true, "in/readme.txt": false, "in/2024/readme.txt": false, "out/x.tsv.gz": false,
	} {
		require.Equal(t, want, source.Match(pattern, filePath), filePath)
	}
	require.False(t, source.Match("in/*.tsv.gz", "in/2024/x.tsv.gz"), "without recursive")
}

func TestIgnored(t *testing.T) {
	for _, name := range []string{".a.csv", "in/.a.csv", "in/a.csv.part", "a.partial", "a.tmp", "a.filepart", "in/"} {
		require.True(t, source.Ignored(name, nil), name)
	}
	require.False(t, source.Ignored("in/a.csv", nil))
	extra := []string{"[", "*.done", "readme.*"}
	require.True(t, source.Ignored("in/a.csv.done", extra))
	require.True(t, source.Ignored("readme.txt", extra))
	require.False(t, source.Ignored("in.done/a.csv", extra), "a pattern is for the name only")
}

// SR-5.
func TestCheckName(t *testing.T) {
	for _, name := range []string{
		"a.csv", "in/2024/a b.csv", "in/", "!'();@&=+$,%#[].csv", "grüße-日本.csv", strings.Repeat("ü", 255), "LPT0", "COM10", "CON.csv", "console", "..a", "clock",
	} {
		require.NoError(t, source.CheckName(name), name)
	}
	for name, text := range map[string]string{
		`a".csv`: `'"'`, `a\b.csv`: `'\\'`, "a:b": "':'", "a|b": "'|'", "in<1>/a.csv": "'<'", "a>b": "'>'", "*.csv": "'*'", "why?.csv": "'?'",
		"new\nline.csv": `'\n'`, "bell\a.csv": `'\a'`, "delete\x7f": `'\x7f'`, "next\u0085line": `'\u0085'`, "broken\xff.csv": "UTF-8",
		"LPT1": "LPT1", "in/com9/a.csv": "com9", "prn": "prn", "AUX": "AUX", "Nul": "Nul", "con/a.csv": "con", "clock$": "clock$", ".": `"."`, "../a.csv": `".."`, "in/..": `".."`,
		"in/" + strings.Repeat("ü", 256): "256 characters, more than 255",
	} {
		err := source.CheckName(name)
		require.ErrorContains(t, err, text, "%q", name)
		require.ErrorContains(t, err, "ask the partner to rename the file")
		require.Equal(t, errkind.BadInput, errkind.Of(err))
		require.NotContains(t, err.Error(), "\n")
		require.Less(t, len(err.Error()), 700)
	}
}

func TestChecksums(t *testing.T) {
	for algorithm, want := range map[string]string{ // of the usual check string
		"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888", "md5": "25f9e794323b453885f5181f1b624d0b",
		"sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441", "sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	} {
		h, ok := source.NewChecksum(algorithm)
		require.True(t, ok, algorithm)
		_, err := h.Write([]byte("123456789"))
		require.NoError(t, err)
		require.Equal(t, want, hex.EncodeToString(h.Sum(nil)), algorithm)
	}
	_, ok := source.NewChecksum("xxh3")
	require.False(t, ok)
}

// Ledgers hold versions: their form stays.
func TestVersion(t *testing.T) {
	f := source.File{Path: "a.csv", Size: 5, Modified: time.Date(2024, 5, 6, 7, 8, 9, 10, time.UTC)}
	require.Equal(t, "20240506T070809Z-5", f.Version())
	f.Checksum = "md5:25f9e794323b453885f5181f1b624d0b"
	require.Equal(t, "20240506T070809Z-5", f.Version())
	f.ETag = "v1"
	require.Equal(t, "v1", f.Version())
	text, err := json.Marshal(source.File{Path: "a.csv"})
	require.NoError(t, err)
	require.JSONEq(t, `{"path":"a.csv","size":0,"modified":"0001-01-01T00:00:00Z"}`, string(text))
}

func TestLeads(t *testing.T) {
	for _, test := range []struct {
		pattern, folder string
		want            bool
	}{
		{"*.csv", "in", false}, {"in/*.csv", "in", true}, {"in/*.csv", "in/eu", false}, {"*/*.csv", "in", true}, {"in/*.csv", "out", false},
		{"**", "a/b/c", true}, {"in/**", "in/a/b", true}, {"in/**", "out", false}, {"a/**/b.csv", "a/x/y", true}, {"[", "in", false},
	} {
		require.Equal(t, test.want, source.Leads(test.pattern, test.folder), "%s below %s", test.folder, test.pattern)
	}
}

func TestLiteral(t *testing.T) {
	for pattern, want := range map[string]string{
		"a.csv": "", "*.csv": "", "in/*.csv": "in", "in/eu/a.csv": "in/eu", "in/*/eu/a.csv": "in", "in/**": "in", "../x/*": "", `i\n/*`: "",
	} {
		require.Equal(t, want, source.Literal(pattern), pattern)
	}
}
