package readiness

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/source"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern   string
		recursive bool
		path      string
		match     bool
		date      string
	}{
		{"in/*.csv", false, "in/a.csv", true, ""},
		{"in/*.csv", false, "in/x/a.csv", false, ""},
		{"in/*.tsv.gz", true, "in/2024/05/y.tsv.gz", true, ""}, // SR-13
		{"in/{yyyy}/{MM}/{dd}/*.csv", false, "in/2026/11/24/a.csv", true, "2026-11-24"},
		{"in/{yyyy-MM-dd}_*.csv", false, "in/2026-11-24_a.csv", true, "2026-11-24"},
		{"**/acme_{yyyyMMdd}{HH}.csv", false, "a/b/acme_2026112407.csv", true, "2026-11-24"},
		{"in/{yyyy}{MM}{dd}[ab]?.csv", false, "in/20261124a1.csv", true, "2026-11-24"},
		{"in/{yyyy}.{MM}.{dd}.csv", false, "in/2026x11x24.csv", false, ""},
	} {
		p, err := ParsePattern(c.pattern, c.recursive)
		require.NoError(t, err, c.pattern)
		require.Equal(t, c.match, source.Match(p.Glob(), c.path), "%s for %s", p.Glob(), c.path)
		if !c.match {
			continue
		}
		date, err := p.BusinessDate(c.path)
		require.NoError(t, err)
		require.Equal(t, c.date, date)
	}
	p, err := ParsePattern("{yyyy}-{MM}-{dd}.csv", false)
	require.NoError(t, err)
	_, err = p.BusinessDate("2026-02-30.csv")
	require.ErrorContains(t, err, "no day")
	for pattern, text := range map[string]string{"{yyyy}/*.csv": "no {MM}", "{yyyy": "not closed", "{year}": "unknown {year}", "{}": "nothing in it", "{yyyy}{yyyy}{MM}{dd}": "twice", "[a": "bracket"} {
		_, err := ParsePattern(pattern, false)
		require.ErrorContains(t, err, text, pattern)
	}
}

func TestCompanions(t *testing.T) {
	p, err := ParsePattern("in/*/{yyyy-MM-dd}.csv", false)
	require.NoError(t, err)
	suffix, name := Rule{Kind: Marker, Suffix: ".done"}, Rule{Kind: Manifested, Name: "manifest.json"}
	require.Equal(t, "in/a/x.csv.done", suffix.Companion("in/a/x.csv"))
	require.True(t, source.Match(p.Companions(suffix), "in/a/2026-11-24.csv.done"))
	require.Equal(t, "in/a/manifest.json", name.Companion("in/a/x.csv"))
	require.True(t, source.Match(p.Companions(name), "in/a/manifest.json"))
}

// EC-14: neither our clock alone nor the server's says that a file is whole; one that is ahead of ours says nothing.
func TestStable(t *testing.T) {
	rule, now := Rule{Kind: Stable, Quiet: time.Minute}, time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		seen, modified time.Duration // ago
		waits          bool
	}{{0, time.Hour, true}, {time.Hour, 30 * time.Second, true}, {2 * time.Minute, 2 * time.Minute, false}, {30 * time.Second, -time.Hour, true}, {2 * time.Minute, -time.Hour, false}} {
		reason, after := rule.Waits(source.File{Modified: now.Add(-c.modified)}, now.Add(-c.seen), now, nil)
		require.Equal(t, c.waits, reason != "", "%v", c)
		require.Equal(t, c.waits, after > 0)
		require.LessOrEqual(t, after, time.Minute)
	}
}

func TestParseManifest(t *testing.T) {
	sum := strings.Repeat("AB", 32)
	for _, c := range []struct{ text, of string }{
		{`{"files": [{"name": "a.csv", "sha256": "` + sum + `", "size": 3, "rows": 2}]}`, ""},
		{sum + "  a.csv\n", ""}, {sum + " *a.csv\r\n\r\n", ""}, {sum, "in/a.csv"},
	} {
		m, err := ParseManifest("in/manifest", []byte(c.text), c.of)
		require.NoError(t, err)
		require.Equal(t, strings.ToLower(sum), m["in/a.csv"].SHA256, "%v", m)
	}
	for text, want := range map[string]string{"": "empty", "{": "no JSON", `{"files": []}`: "lists no files", `{"files": [{"size": 1}]}`: "no name", "hello": "neither", sum: "neither",
		`{"files": [{"name": "a", "md5": "x"}]}`: "checksum", sum + "  a\n" + sum + "  a\n": "twice"} {
		_, err := ParseManifest("in/manifest", []byte(text), "")
		require.ErrorContains(t, err, want, text)
	}
}
