//go:build !release

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
	"prospector/internal/export"
	"prospector/internal/store"
	"prospector/workflows"
)

// Of a hundred random activations to real S3 and SFTP servers, those that a policy or the contract forbids, about half, leave not one byte, and each
// delivery's receipts are those of a decision that allowed it. What is forbidden is told by PL-3, PL-4, PL-17 and PL-21, written
// down a second time here.
func TestForbiddenActivationsLeaveNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	d.putAcme("in/acme_prospects.csv.gz", acmeFile(t, 5))
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, nil))

	random := rand.New(rand.NewPCG(7, 7))
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	labels := []string{"L1", "L2", "L3", "L4"}
	carried := map[string][]string{"partner.hiking": {"L1"}, "partner.sailing": {"L2"}, "partner.tennis": {"L3"}, "_luma.prospect.state": {"L2", "L4"}, "partner.skiing": nil, "partnerID": nil}
	fields := slices.DeleteFunc(slices.Sorted(maps.Keys(carried)), func(path string) bool { return path == "partnerID" })
	actions := []string{"Analytics", "Onsite Personalization", "Onsite Advertising", "Cross Site Targeting"}

	var documents strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&documents, format+"\n---\n", args...) }
	for _, label := range labels {
		add("kind: Label\nname: %s", label)
	}
	type policy struct {
		actions []string
		and     [][]string // any of these groups, all of its labels
	}
	var policies []policy
	for i := range 5 {
		p := policy{actions: []string{pick(actions), pick(actions)}, and: [][]string{{pick(labels), pick(labels)}}}
		if random.IntN(2) == 0 {
			p.and = append(p.and, []string{pick(labels)})
		}
		var groups []string
		for _, group := range p.and {
			groups = append(groups, "{operator: AND, operands: [{label: "+strings.Join(group, "}, {label: ")+"}]}")
		}
		status := "ENABLED"
		if i == 4 {
			status = "DRAFT"
		} else {
			policies = append(policies, p)
		}
		add("kind: Policy\nname: p%d\nstatus: %s\nmarketingActions: [%s]\ndeny: {operator: OR, operands: [%s]}", i, status, strings.Join(slices.Compact(p.actions), ", "), strings.Join(append(groups, groups[0]), ", "))
	}
	for _, path := range fields {
		add("kind: Audience\nname: by-%s\nnamespaces: [acme_pid]\nrule: %s IS NOT NULL", strings.NewReplacer(".", "-", "_", "").Replace(path), path)
	}
	// The contract allows all actions but one.
	add("kind: Contract\nname: acme\nsources: [acme]\npurposes: [%s]", strings.Join(append(slices.Clone(actions[:2]), actions[3]), ", "))
	forbidden := map[string]bool{}
	for i := range 100 {
		ruled, mapped, action := pick(fields), pick(fields), pick(actions)
		forbidden[fmt.Sprint(i)] = action == actions[2]
		used := slices.Concat(carried[ruled], carried[mapped])
		for _, p := range policies {
			for _, group := range p.and {
				denied := slices.Contains(p.actions, action)
				for _, label := range group {
					denied = denied && slices.Contains(used, label)
				}
				forbidden[fmt.Sprint(i)] = forbidden[fmt.Sprint(i)] || denied
			}
		}
		connection := "type: s3\ns3: {endpoint: \"${env:PROSPECTOR_S3_ENDPOINT}\", region: us-east-1, bucket: media-drop, prefix: out" + fmt.Sprint(i) +
			", accessKey: \"${env:PROSPECTOR_S3_ACCESS_KEY}\", secretKey: \"${env:PROSPECTOR_S3_SECRET_KEY}\", pathStyle: true}"
		if i%2 == 1 {
			connection = "type: sftp\nsftp: {address: \"${env:PROSPECTOR_SFTP_ADDRESS}\", user: \"${env:PROSPECTOR_SFTP_USER}\", password: \"${env:PROSPECTOR_SFTP_PASSWORD}\", hostKey: \"${env:PROSPECTOR_SFTP_HOST_KEY}\", folder: out" + fmt.Sprint(i) + "}"
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "sftp", "out"+fmt.Sprint(i)), 0o700))
		}
		add("kind: Destination\nname: d%d\n%s\nmarketingActions: [%s]\nplanning: {identities: [acme_pid]}", i, connection, action)
		add("kind: Activation\nname: a%d\ndestination: d%d\naudiences: [by-%s]\nnamespace: acme_pid\nmapping: [{field: partnerID, header: pid}, {field: %s, header: value}]",
			i, i, strings.NewReplacer(".", "-", "_", "").Replace(ruled), mapped)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "workspace", "more.yaml"), []byte(strings.TrimSuffix(documents.String(), "---\n")), 0o600))
	// The schema's fields carry these labels instead of the vendor's on all, so that not everything is forbidden or nothing.
	var labelled []string
	for _, path := range fields {
		if len(carried[path]) > 0 {
			labelled = append(labelled, path+": ["+strings.Join(carried[path], ", ")+"]")
		}
	}
	require.NoError(t, d.applyEdited("schemas.yaml", "labels: {all: [Third-Party]}\nconstraints:\n  partner.hiking", "labels: {fields: {"+strings.Join(labelled, ", ")+"}}\nconstraints:\n  partner.hiking"))
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil))

	delivered := map[string]workflows.ActivateAudiencesResult{}
	for i := range 100 {
		var out workflows.ActivateAudiencesResult
		err := d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: fmt.Sprintf("a%d", i)}, &out)
		if forbidden[fmt.Sprint(i)] {
			require.Equal(t, errkind.Refused, workflows.KindOf(err), "a%d: %v", i, err)
			continue
		}
		require.NoError(t, err)
		delivered[fmt.Sprint(i)] = out
	}
	t.Logf("%d of 100 were delivered", len(delivered))
	require.InDelta(t, 50, len(delivered), 10)
	d.stop()

	left := map[string]bool{}
	for _, root := range []string{filepath.Join(dir, "s3", "buckets", "media-drop"), filepath.Join(dir, "sftp")} {
		require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if relative, _ := filepath.Rel(root, path); err == nil && !entry.IsDir() && strings.HasPrefix(relative, "out") {
				left[strings.TrimPrefix(strings.Split(filepath.ToSlash(relative), "/")[0], "out")] = true
			}
			return err
		}))
	}
	require.Equal(t, slices.Sorted(maps.Keys(delivered)), slices.Sorted(maps.Keys(left)))
	record, err := sqlite.Open(t.Context(), filepath.Join(dir, "catalog.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, record.Close()) }()
	for _, out := range delivered {
		decision, err := record.Decision(t.Context(), out.Decision)
		require.NoError(t, err)
		require.True(t, decision.Allowed)
		require.Equal(t, out.Delivery, decision.Delivery)
		receipts, err := record.Receipts(t.Context(), out.Delivery)
		require.NoError(t, err)
		require.Equal(t, len(out.Files), len(receipts))
		require.NotEmpty(t, receipts)
	}
}

// PL-15, PL-25, DS-6: a consent policy leaves out those whose attributes do not say that they may go, and blocks nothing; the delivery counts
// them. As a draft it leaves out nobody. Each delivery and its manifest say of which states of datasets it was made, and whoever would
// undo a batch is told which deliveries have gone out with it.
func TestConsentFiltersProspects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	d.putAcme("in/acme_prospects.csv.gz", acmeLines(t, "a1,A,B,25-34,02139,MA,Y,N,,Y,,3,2,,h1", "a2,A,B,25-34,02139,MA,N,Y,,Y,,3,2,,h2", "a3,A,B,25-34,02139,MA,,Y,,Y,,3,2,,h3"))
	var synced workflows.SyncSourceResult
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &synced))
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, nil))
	deliver := func(status string) (out workflows.ActivateAudiencesResult) {
		policy := "kind: ConsentPolicy\nname: Hikers have agreed\nstatus: " + status + "\nmarketingActions: [Cross Site Targeting]\nrequire: partner.hiking = 'Y'\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, "workspace", "consent.yaml"), []byte(policy), 0o600))
		require.NoError(t, d.applyEdited("activations.yaml"))
		require.NoError(t, d.run(workflows.ActivateAudiences, workflows.ActivateAudiencesInput{Activation: "acme-to-media"}, &out))
		return out
	}
	state := store.Derivation{Dataset: "acme_2026", FirstVersion: 1, Version: 1, Batches: 1, Latest: synced.Files[0].Batch}
	rows := func(out workflows.ActivateAudiencesResult) (n int64) {
		for _, file := range out.Files {
			if !strings.HasSuffix(file.File, ".json") {
				n += file.Rows
			}
		}
		return n
	}
	all := deliver("DRAFT")
	require.Zero(t, all.Excluded)
	require.EqualValues(t, 6, rows(all), "three in each of two audiences")
	some := deliver("ENABLED")
	require.EqualValues(t, 4, some.Excluded, "a2, who says no, and a3, who says nothing, of both audiences")
	require.EqualValues(t, 2, rows(some))

	require.Equal(t, []store.Derivation{state}, all.DerivedFrom)
	manifest, err := os.ReadFile(filepath.Join(dir, "s3", "buckets", "media-drop", "prospects", all.Files[len(all.Files)-1].File))
	require.NoError(t, err)
	var told export.Manifest
	require.NoError(t, json.Unmarshal(manifest, &told))
	require.Equal(t, []export.ManifestDataset{export.ManifestDataset(state)}, told.DerivedFrom)
	var deletion store.Deletion
	require.NoError(t, d.run(workflows.DeleteBatch, workflows.DeleteBatchInput{Dataset: "acme_2026", Batch: state.Latest, Preview: true}, &deletion))
	require.EqualValues(t, 2, deletion.Delivered)
	require.Equal(t, []string{some.Delivery, all.Delivery}, []string{deletion.Deliveries[0].Delivery, deletion.Deliveries[1].Delivery})
	require.Equal(t, catalog.Delivered, deletion.Deliveries[0].Status)
}
