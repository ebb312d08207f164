//go:build !release

package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"

	"prospector/internal/api"
	"prospector/internal/store"
	"prospector/workflows"
)

func acmeLines(t *testing.T, rows ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	_, err := zipped.Write([]byte("pid,first_name,last_name,age_range,zip,state,hiking,bicycling,skiing,sailing,tennis,buyer_rating,donor_rating,spending_volume,household_id\n" + strings.Join(rows, "\n") + "\n"))
	require.NoError(t, err)
	require.NoError(t, zipped.Close())
	return out.Bytes()
}

// What is in the store is seen from the command line, through the worker that owns it.
//
// AS-8, PF-2, PF-3: an empty store says so; rows show as soon as their batch is loaded. AS-9, PF-4, PF-11, EC-3: one value at two
// partners is two prospects, each found by its namespace. PF-10, PF-13: a profile with its audiences. DS-17, BI-11: batches and
// what was rejected of them.
func TestReads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDev(t, dir, nil)
	starter := starterCommand(t)
	run := func(wantExit int, arguments ...string) string {
		t.Helper()
		text, code := starter(d.client.Address, arguments...)
		require.Equal(t, wantExit, code, text)
		return text
	}
	read := func(wantExit int, arguments ...string) string {
		t.Helper()
		return run(wantExit, append(arguments, "--data-dir", dir)...)
	}
	f := folder{t, filepath.Join(dir, "workspace")}
	f.replace("schemas.yaml", "fieldGroups: [Merkle Prospect Details (Core)]", "fieldGroups: [Merkle Prospect Details (Core), Partner Prospect Details (Sample)]")
	f.replace("sources.yaml", "  household_count: merkle.demographics.householdComposition.individualCount\nignoreColumns: [full_name, state]",
		"  household_count: merkle.demographics.householdComposition.individualCount\n  state: partner.hiking\nignoreColumns: [full_name]")
	f.replace("sources.yaml", "errorThreshold: 5", "errorThreshold: 60")
	f.replace("datasets.yaml", "schema: acme-prospects\nprofile: true", "schema: acme-prospects\nprofile: true\nhistory: true")
	run(0, "apply", "--yes", f.dir)

	empty := read(0, "profiles", "browse")
	first, advice, _ := strings.Cut(empty, "\n")
	require.Equal(t, "There are no prospect profiles to browse right now", first)
	require.Contains(t, advice, "Try again later")
	require.JSONEq(t, `[]`, field(t, read(0, "profiles", "browse", "--json"), "profiles"))

	d.putAcme("in/acme.csv.gz", acmeLines(t, `P0001,Ann,O'Neil,25-34,02139,MA,Y,N,,Y,,3,,,h1`, `P0002,Bob,Ray,25-34,02139,MA,N,N,,N,,,,,h2`, `P0003,Cy,Day,25-34,2139,XX,N,N,,N,,,,,h3`))
	d.putMerk(hostKey(t, d), "outgoing/merk.psv", []byte("merk_id|full_name|birthdate|age|gender|education|marital_status|occupation|household_count|state\nP0001|A B|||||||2|N\n"))
	var synced workflows.SyncSourceResult
	for _, source := range []string{"acme", "merk"} {
		require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: source}, &synced))
	}
	browsed := read(0, "profiles", "browse", "--columns", "partner.hiking")
	require.Regexp(t, `(?m)^acme_pid +P0001 +Y `, browsed)
	require.Regexp(t, `(?m)^merk_pid +P0001 +N `, browsed)
	require.Regexp(t, `(?m)^acme_pid +P0002 +N `, browsed)
	require.NotContains(t, browsed, "P0003")
	browsed = read(0, "profiles", "browse", "--where", "partner.hiking = 'N' AND _luma.prospect.state = 'MA'")
	require.Contains(t, browsed, "P0002")
	require.NotContains(t, browsed, "P0001")
	browsed = read(0, "profiles", "browse", "--limit", "1")
	_, after, ok := strings.Cut(strings.TrimSpace(browsed), "go on with: --after ")
	require.True(t, ok, browsed)
	require.Contains(t, read(0, "profiles", "browse", "--limit", "1", "--after", after), "P0002")
	require.Equal(t, "no profile matches\n", read(0, "profiles", "browse", "--where", "partner.hiking = 'nobody'"))
	require.Contains(t, read(2, "profiles", "browse", "--where", "partner.hikking = 'N'"), "did you mean partner.hiking?")

	var evaluated workflows.EvaluateAudiencesResult
	require.NoError(t, d.run(workflows.EvaluateAudiences, workflows.EvaluateAudiencesInput{}, &evaluated))
	var profile api.ProfileView
	require.NoError(t, json.Unmarshal([]byte(read(0, "profiles", "get", "acme_pid", "P0001", "--json")), &profile))
	require.Equal(t, "Y", profile.Attributes["partner.hiking"])
	var in []string
	for _, a := range profile.Audiences {
		in = append(in, a.Audience)
		require.Equal(t, evaluated.Evaluation, a.Evaluation)
		require.Equal(t, "realized", a.Status)
	}
	require.Equal(t, []string{"coastal-sailors", "outdoor-families"}, in)
	require.Regexp(t, `partner.hiking +N\n`, read(0, "profiles", "get", "merk_pid", "P0001"))
	text := read(1, "profiles", "get", "merk_pid", "P0002")
	require.Contains(t, text, "namespace merk_pid: it holds no profile with this id")
	require.NotContains(t, text, "P0002")

	var counts store.Counts
	require.NoError(t, json.Unmarshal([]byte(read(0, "profiles", "count", "--json")), &counts))
	require.Equal(t, []store.NamespaceCount{{Namespace: "acme_pid", Profiles: 2}, {Namespace: "merk_pid", Profiles: 1}}, counts.Namespaces)
	require.EqualValues(t, 1, counts.Datasets[0].Quarantine)

	d.putAcme("in/acme2.csv.gz", acmeLines(t, `P0001,Ann,O'Neil,25-34,02139,MA,N,N,,Y,,5,,,h1`))
	require.NoError(t, d.run(workflows.SyncSource, workflows.SyncSourceInput{Source: "acme"}, &synced))
	why := read(0, "profiles", "why", "acme_pid", "P0001")
	require.Regexp(t, `(?m)^partner.hiking +N +acme_2026 +`+synced.Files[0].Batch+` +in/acme2.csv.gz +2 `, why)
	require.Regexp(t, `(?m)in/acme.csv.gz +2 +created +.*partner.hiking=Y`, why)
	require.Regexp(t, `(?m)in/acme2.csv.gz +2 +updated +.*partner.hiking=N`, why)
	require.Contains(t, read(0, "profiles", "why", "merk_pid", "P0001"), "no history of merk_2026: write history: true in the dataset and apply it")

	listed := read(0, "batches", "list", "acme_2026")
	require.Less(t, strings.Index(listed, "in/acme2.csv.gz"), strings.Index(listed, "in/acme.csv.gz"), "the newest first")
	var batches api.BatchPage
	require.NoError(t, json.Unmarshal([]byte(read(0, "batches", "list", "acme_2026", "--json")), &batches))
	require.Equal(t, store.Outcome{Status: store.Loaded, Read: 3, Accepted: 2, Rejected: 1, Created: 2}, batches.Batches[1].Outcome)
	require.Contains(t, read(0, "batches", "show", "acme_2026", batches.Batches[1].ID), "PROSPECT-PATTERN")

	listed = read(0, "quarantine", "list", "acme_2026")
	require.Contains(t, listed, "_luma.prospect.state: the value is not one of those that are allowed")
	require.Contains(t, listed, "P0003,,,25-34,2139,XX", "names are not kept")
	out := filepath.Join(t.TempDir(), "rejected.jsonl")
	read(0, "quarantine", "export", "acme_2026", "--out", out)
	exported, err := os.ReadFile(out)
	require.NoError(t, err)
	var rejected store.QuarantinedRow
	require.NoError(t, json.Unmarshal(exported, &rejected))
	require.Len(t, rejected.Reasons, 2)
	require.Equal(t, string(exported), read(0, "quarantine", "export", "acme_2026"))

	// Other tools read with the token, and nobody without.
	e, err := api.Find(dir)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.Address+"/api/v1/counts", nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusUnauthorized, answer.StatusCode)

	d.stop()
	require.NoFileExists(t, filepath.Join(dir, "api.json"))
	require.Contains(t, read(1, "profiles", "browse"), "start one: worker dev, or worker run")
	require.Empty(t, d.stderr.String()[:max(0, strings.Index(d.stderr.String(), "\nstopping"))], "nothing is logged")
}

// field is one field of a JSON object.
func field(t *testing.T, text, name string) string {
	t.Helper()
	var out map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(text), &out), text)
	return string(out[name])
}
