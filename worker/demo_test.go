//go:build !release

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func requireTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("PROSPECTOR_REQUIRE_TOOLS") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

func runDemoCommand(t *testing.T, dir string) report {
	t.Helper()
	c := command(t, dir, nil, "demo", "--json")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	require.NoError(t, c.Run(), "%s", &errs)
	var r report
	require.NoError(t, json.Unmarshal(out.Bytes(), &r), "%s", &out)
	return r
}

// judge lets a program that shares no code with this one recompute the audiences from the partners'
// files and read what was delivered.
func judge(t *testing.T, dir string, r report) {
	t.Helper()
	requireTool(t, "python3")
	folders := map[string]string{"media-drop": t.TempDir(), "liveramp": t.TempDir()}
	held := map[string]string{"media-drop": filepath.Join(dir, "s3", "buckets", "media-drop", "prospects"), "liveramp": filepath.Join(dir, "sftp", "liveramp", "uploads")}
	for _, d := range r.Deliveries {
		for _, f := range d.Files {
			content, err := os.ReadFile(filepath.Join(held[d.Destination], f.File))
			require.NoError(t, err)
			sum := sha256.Sum256(content)
			require.Equal(t, f.SHA256, hex.EncodeToString(sum[:]), "the receipt of %s", f.File)
			require.NoError(t, os.WriteFile(filepath.Join(folders[d.Destination], f.File), content, 0o600))
		}
	}
	out, err := exec.Command("python3", filepath.Join("..", "testdata", "judge", "recompute.py"),
		"--acme", filepath.Join(dir, "s3", "buckets", "acme-drop", "in", "acme_prospects.csv.gz"),
		"--merk", filepath.Join(dir, "sftp", "merk", "outgoing", "merk_prospects.psv"),
		"--media", folders["media-drop"], "--liveramp", folders["liveramp"]).CombinedOutput()
	require.NoError(t, err, "%s", out)
	var counts map[string]map[string]int64
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	t.Log(lines[len(lines)-1])
	_ = json.Unmarshal([]byte(lines[len(lines)-1]), &counts)
}

// The whole chain in one command, twice: the second run loads nothing again, and both deliver exactly
// what a plain recomputation gives.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := runDemoCommand(t, dir)

	type counts struct{ Read, Accepted, Rejected, Created, Superseded int64 }
	got := map[string]counts{}
	for _, s := range first.Sources {
		require.Len(t, s.Files, 1)
		o := s.Files[0].Outcome
		require.Equal(t, o.Read, o.Accepted+o.Rejected)
		got[s.Source] = counts{o.Read, o.Accepted, o.Rejected, o.Created, o.Superseded}
		require.NotEmpty(t, s.Files[0].Reasons)
	}
	require.Equal(t, map[string]counts{"acme": {20000, 19799, 201, 19699, 100}, "merk": {5000, 4950, 50, 4925, 25}}, got)
	require.Equal(t, map[string]int64{"outdoor-families": 4551, "coastal-sailors": 799, "established-households": 844}, sizes(first))
	require.Equal(t, []namespaceProfiles{{"acme_pid", "acme_2026", 19699}, {"merk_pid", "merk_2026", 4925}}, first.Profiles)
	require.Len(t, first.Deliveries, 2)
	require.Len(t, first.Blocked, 1)
	violation := first.Blocked[0].Violations[0]
	require.Equal(t, "No e-mail with vendor data", violation.Policy)
	require.Equal(t, "Email Targeting", violation.MarketingAction)
	require.Equal(t, []string{"Third-Party"}, violation.Labels)
	empty, err := os.ReadDir(filepath.Join(dir, "s3", "buckets", "newsletter"))
	require.NoError(t, err)
	require.Empty(t, empty, "the blocked activation left something")
	require.Equal(t, []string{"sync-source/acme"}, first.Schedules)
	judge(t, dir, first)

	second := runDemoCommand(t, dir)
	for _, s := range second.Sources {
		require.Empty(t, s.Files, "source %s was loaded twice", s.Source)
		require.Equal(t, 1, s.AlreadyLoaded)
	}
	require.Equal(t, first.Profiles, second.Profiles)
	require.Equal(t, sizes(first), sizes(second))
	judge(t, dir, second)

	var text bytes.Buffer
	require.NoError(t, printDemo(t, dir, &text))
	require.Contains(t, text.String(), "nothing was loaded twice")
	for _, want := range []string{"No e-mail with vendor data", "Email Targeting", "dataset acme_2026", "audience outdoor-families → destination newsletter", "go run ./worker dev"} {
		require.Contains(t, text.String(), want)
	}
	left, err := filepath.Glob(filepath.Join(dir, "staging", "*"))
	require.NoError(t, err)
	require.Empty(t, left, "partner data was left in staging")
}

func printDemo(t *testing.T, dir string, out io.Writer) error {
	c := command(t, dir, nil, "demo")
	c.Stdout = out
	return c.Run()
}
