package workspace

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A suppression list counts for its own namespace by partner id, and by an attribute for all whose prospects have it; at both ends unless
// it says where. Rows of a list itself are held against none.
func TestSuppressionLists(t *testing.T) {
	const dataset = "kind: Dataset\nname: stop\nschema: acme-prospects\n"
	list := func(lines string) *Workspace {
		return accepted(t, edit{"stop.yaml", "", dataset + "---\nkind: SuppressionList\nname: stop\ndataset: stop\n" + lines})
	}
	counts := func(w *Workspace) (out []string) {
		for _, d := range w.Datasets {
			if len(w.LoadingLists(d)) > 0 {
				out = append(out, "into "+d.Name)
			}
		}
		for _, n := range []string{"acme_pid", "merk_pid"} {
			if len(w.LeavingLists(n)) > 0 {
				out = append(out, "from "+n)
			}
		}
		return out
	}
	require.Equal(t, []string{"into acme_2026", "from acme_pid"}, counts(list("")))
	require.Equal(t, []string{"into merk_2026", "from merk_pid"}, counts(list("namespaces: [merk_pid]\n")))
	require.Equal(t, []string{"into acme_2026", "into merk_2026", "from acme_pid", "from merk_pid"}, counts(list("field: partnerID\n")))
	require.Equal(t, []string{"into acme_2026", "from acme_pid"}, counts(list("field: partner.hiking\n")))
	require.Equal(t, []string{"into acme_2026"}, counts(list("at: [ingest]\n")))
	require.Equal(t, []string{"from acme_pid"}, counts(list("at: [export]\n")))
	const unloaded = "stop.yaml:7:1: suppression list stop: no source loads dataset stop, and while it is empty nothing leaves that it counts for; declare a source for it"
	require.Contains(t, list("").Warnings.Error(), unloaded)
	require.Contains(t, list("at: [ingest]\n").Warnings.Error(), "so that no row is refused")
	files, err := Read(sample)
	require.NoError(t, err)
	delete(files, "audiences.yaml")
	delete(files, "activations.yaml")
	files["datasets.yaml"] = strings.ReplaceAll(files["datasets.yaml"], "profile: true", "profile: false")
	files["stop.yaml"] = dataset + "---\nkind: SuppressionList\nname: stop\ndataset: stop\nfield: partner.hiking\n"
	nobody, err := Parse(files)
	require.NoError(t, err)
	require.Contains(t, nobody.Warnings.Error(), "no dataset is enabled for Profile, so nobody is held against the list")
}
