//go:build !release

package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/workflows"
)

// holding are the files below a folder that hold a text.
func holding(t *testing.T, folder, text string) (out []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			out = append(out, path)
		}
		return err
	}))
	return out
}

// PL-25: whoever is on a suppression list, by partner id or by an attribute, is neither loaded nor delivered: nothing of their rows is on disk
// once they are ingested. Who comes onto a list later is left out of the next delivery, and nothing is delivered while a list is empty.
func TestSuppressionLists(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	folder := d.folderSource("path: in/*.csv\nreadiness: {rule: immediate}\n", "errorThreshold: 5\n", "errorThreshold: 50\n")
	var declared string
	for name, field := range map[string]string{"ids": "", "households": "field: partner.householdID\n"} {
		declared += "kind: Dataset\nname: stop-" + name + "\nschema: acme-prospects\nlifetimeDays: 1\n---\nkind: SuppressionList\nname: " + name + "\ndataset: stop-" + name + "\n" + field +
			"---\nkind: Source\nname: stop-" + name + "\ndataset: stop-" + name + "\nfolder: {path: " + folder + "}\npath: " + name + "/*.csv\nreadiness: {rule: immediate}\nmapping: {value: partnerID}\n---\n"
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "workspace", "suppression.yaml"), []byte(strings.TrimSuffix(declared, "---\n")), 0o600))
	require.NoError(t, d.applyEdited("activations.yaml", "[outdoor-families, coastal-sailors]", "[coastal-sailors]"))
	at := time.Now().Add(-time.Hour)
	load := func(source, file, content string) (out workflows.SyncSourceResult) {
		at = at.Add(time.Minute)
		drop(t, folder, file, content, at)
		require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: source}, &out))
		return out
	}
	receipts := map[string]catalog.Receipt{} // of all deliveries
	deliver := func() (ids []string, excluded int64, err error) {
		var out workflows.ActivateAudiencesResult
		if err := d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media"}, &out); err != nil {
			return nil, 0, err
		}
		for _, receipt := range out.Files {
			require.NotContains(t, receipts, receipt.File, "of another delivery")
			receipts[receipt.File] = receipt
		}
		file, err := os.ReadFile(filepath.Join(dir, "s3", "buckets", "media-drop", "prospects", out.Files[0].File))
		require.NoError(t, err)
		unzipped, err := gzip.NewReader(bytes.NewReader(file))
		require.NoError(t, err)
		content, err := io.ReadAll(unzipped)
		for line := range strings.Lines(string(content)) {
			id, _, _ := strings.Cut(line, ",")
			ids = append(ids, id)
		}
		return ids[1:], out.Excluded, err
	}
	row := func(id, state, household string) string {
		return id + ",A,B,25-34,02139," + state + ",Y,N,,Y,,3,2,," + household + "\n"
	}

	load("stop-ids", "ids/1.csv", "value\nlisted-pid\n")
	synced := load("acme", "in/1.csv", acmeHeader+row("free-pid-1", "MA", "h1")+row("free-pid-2", "MA", "h2")+row("free-pid-3", "MA", "h3")+row("listed-pid", "MA", "household-of-listed")+
		row("refused-pid", "XX", "h5"))
	outcome := synced.Files[0].Outcome
	require.Equal(t, []int64{5, 3, 2}, []int64{outcome.Read, outcome.Accepted, outcome.Rejected})
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil))
	_, _, err := deliver()
	require.Equal(t, errkind.Missing, workflows.KindOf(err))
	require.ErrorContains(t, err, "suppression list households: nobody is in dataset stop-households, so that everybody would leave")

	load("stop-households", "households/1.csv", "value\nquiet-household\nh3\n")
	ids, excluded, err := deliver()
	require.NoError(t, err)
	require.Equal(t, []string{"free-pid-1", "free-pid-2"}, ids)
	require.EqualValues(t, 1, excluded, "free-pid-3 was loaded before its household came onto the list")

	synced = load("acme", "in/2.csv", acmeHeader+row("free-pid-4", "MA", "h4")+row("quiet-pid", "MA", "quiet-household")+row("quiet-pid-too", "XX", "quiet-household")+row("refused-pid-2", "XX", "h6"))
	outcome = synced.Files[0].Outcome
	require.Equal(t, []int64{4, 1, 3}, []int64{outcome.Read, outcome.Accepted, outcome.Rejected}, "three of four are rejected, of which two do not count towards the threshold")
	load("stop-ids", "ids/2.csv", "value\nfree-pid-2\n")
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil))
	ids, excluded, err = deliver()
	require.NoError(t, err)
	require.Equal(t, []string{"free-pid-1", "free-pid-4"}, ids)
	require.EqualValues(t, 2, excluded)

	// DE-21: what is delivered of the same evaluation once more leaves the files alone that were delivered before.
	load("stop-ids", "ids/3.csv", "value\nfree-pid-4\n")
	ids, _, err = deliver()
	require.NoError(t, err)
	require.Equal(t, []string{"free-pid-1"}, ids)
	for name, receipt := range receipts {
		file, err := os.ReadFile(filepath.Join(dir, "s3", "buckets", "media-drop", "prospects", name))
		require.NoError(t, err)
		require.Equal(t, receipt.SHA256, fmt.Sprintf("%x", sha256.Sum256(file)), name)
	}

	d.stop()
	for _, kept := range []string{"free-pid-4", "refused-pid-2", "listed-pid"} {
		require.True(t, slices.ContainsFunc(holding(t, dir, kept), func(path string) bool { return strings.Contains(path, "store") }), "%s is not found where it is", kept)
	}
	for _, gone := range []string{"quiet-pid", "household-of-listed"} {
		require.Empty(t, holding(t, dir, gone))
	}
}
