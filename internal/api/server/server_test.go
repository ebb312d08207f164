package server_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/access/oidc"
	"prospector/internal/api"
	"prospector/internal/api/server"
	"prospector/internal/catalog"
	"prospector/internal/catalog/sqlite"
	"prospector/internal/errkind"
	"prospector/internal/ingest"
	"prospector/internal/store"
	"prospector/internal/store/duckdb"
	"prospector/internal/workspace"
)

// fixture is a store with two partners' people, and an API on it.
type fixture struct {
	*testing.T
	dir       string
	store     *duckdb.Store
	catalog   *catalog.Catalog
	workspace *workspace.Workspace
	log       *bytes.Buffer
	server    *server.Server
	client    *api.Client
}

func stored(w *workspace.Workspace, d *workspace.Dataset) store.Dataset {
	return store.Dataset{Name: d.Name, Schema: w.Schema(d).Composed, Identity: w.Schema(d).PrimaryIdentity.Field}
}

func (f *fixture) options() server.Options {
	return server.Options{Store: f.store, Memberships: f.catalog, Lineage: f.catalog, Audit: f.catalog, Dataset: stored, OIDC: new(oidc.Verifier).Verify, Log: slog.New(slog.NewTextHandler(f.log, nil)),
		Workspace: func(context.Context) (*workspace.Workspace, error) { return f.workspace, nil }}
}

func newFixture(t *testing.T) *fixture {
	w, err := workspace.Load("../../../testdata/workspace")
	require.NoError(t, err)
	f := &fixture{T: t, dir: t.TempDir(), workspace: w, log: &bytes.Buffer{}}
	f.store, err = duckdb.Open(t.Context(), f.dir, duckdb.Options{MemoryLimit: "512MB"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.store.Close()) })
	f.catalog, err = sqlite.Open(t.Context(), filepath.Join(f.dir, "catalog.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.catalog.Close()) })
	f.server, err = server.Start(f.dir, "127.0.0.1:0", false, f.options())
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.server.Stop() })
	f.client, err = api.Connect(f.dir)
	require.NoError(t, err)
	return f
}

const header = "pid,first_name,last_name,age_range,zip,state,hiking,bicycling,skiing,sailing,tennis,buyer_rating,donor_rating,spending_volume,household_id\n"

func row(id, state, hiking string) string {
	return id + `,Ann,"O'Neil, Sr",25-34,02139,` + state + "," + hiking + ",N,,Y,,3,,,h1\n"
}

// load takes rows into acme_2026 as one batch.
func (f *fixture) load(batch, rows string) {
	f.Helper()
	f.loadFrom("acme", batch, header+rows)
}

// loadFrom takes a source's file as one batch.
func (f *fixture) loadFrom(from, batch, text string) {
	f.Helper()
	declared, err := f.workspace.Source(from)
	require.NoError(f, err)
	d, err := f.workspace.Dataset(declared.Dataset)
	require.NoError(f, err)
	source := *declared
	source.Format.Compression = "none"
	folder := filepath.Join(f.dir, "staging", batch)
	require.NoError(f, os.MkdirAll(folder, 0o700))
	file := ingest.File{Path: filepath.Join(folder, "raw"), Batch: batch, Source: &source, Dataset: stored(f.workspace, d), Identity: "partnerID", Rejections: filepath.Join(folder, "rejections")}
	require.NoError(f, os.WriteFile(file.Path, []byte(text), 0o600))
	counts, err := ingest.Validate(f.Context(), f.store, file, func(ingest.Progress) {})
	require.NoError(f, err)
	columns, err := file.Columns()
	require.NoError(f, err)
	_, err = f.store.Load(f.Context(), store.Load{Dataset: file.Dataset, Batch: store.Batch{ID: batch, Source: from, File: batch + ".csv", Header: strings.Split(text[:strings.IndexByte(text, '\n')], source.Format.Delimiter)}, Columns: columns, Labels: f.workspace.FieldLabels(d),
		Quarantine: file.Rejections, Read: counts.Read, Accepted: counts.Accepted, Rejected: counts.Rejected, Status: store.Loaded, At: time.Now().UTC()}, nil)
	require.NoError(f, err)
}

// get asks as anybody may, with any token.
func (f *fixture) get(path, authorization string) (status int, contentType, body string) {
	f.Helper()
	request, err := http.NewRequestWithContext(f.Context(), http.MethodGet, f.server.Address()+path, nil)
	require.NoError(f, err)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	answer, err := http.DefaultClient.Do(request)
	require.NoError(f, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(f, err)
	require.NoError(f, answer.Body.Close())
	return answer.StatusCode, answer.Header.Get("Content-Type"), string(text)
}

// Rejected records are a partner's text: none is a formula for whoever opens an export in a spreadsheet, and JSON Lines keep them as
// they came.
func TestExportsHoldNoFormulas(t *testing.T) {
	f := newFixture(t)
	formulas := []string{"=1+1", "+1", "-1", "@SUM(1)", "\t=1"}
	f.load("batch_1", strings.Join(formulas, ",too,few\n")+",too,few\nplain,too,few\n")
	var table, exact bytes.Buffer
	require.NoError(t, f.client.ExportQuarantine(t.Context(), "acme_2026", url.Values{"format": {"csv"}}, &table))
	records, err := csv.NewReader(&table).ReadAll()
	require.NoError(t, err)
	require.Len(t, records, 1+len(formulas)+1)
	for i, record := range records[1:] {
		for _, cell := range record {
			require.False(t, cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])), cell)
		}
		require.Equal(t, i < len(formulas), strings.HasPrefix(record[7], "'"), record[7])
	}
	require.NoError(t, f.client.ExportQuarantine(t.Context(), "acme_2026", nil, &exact))
	require.Contains(t, exact.String(), `"raw":"+1,too,few"`)
}

// Only who may read the data directory may read profiles: each address wants the token that is in a file of mode 0600 there,
// made anew at each start and gone afterwards.
func TestToken(t *testing.T) {
	f := newFixture(t)
	f.load("batch_1", row("P0001", "MA", "Y"))
	info, err := os.Stat(filepath.Join(f.dir, "api.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	e, err := api.Find(f.dir)
	require.NoError(t, err)
	require.Equal(t, f.server.Address(), e.Address)
	for _, path := range []string{"/api/v1/profiles", "/api/v1/counts", "/api/v1/datasets/acme_2026/quarantine/export", "/api/v1/openapi.json", "/"} {
		for _, given := range []string{"", "Bearer", "Bearer " + e.Token[1:], "Bearer " + e.Token + "x", "Basic " + e.Token} {
			status, contentType, body := f.get(path, given)
			require.Equal(t, http.StatusUnauthorized, status, path)
			require.Equal(t, "application/problem+json", contentType)
			require.Contains(t, body, "no valid token")
			require.NotContains(t, body, "P0001")
		}
	}
	status, _, body := f.get("/api/v1/profiles", "Bearer "+e.Token)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "P0001")

	require.NoError(t, f.server.Stop())
	_, err = f.client.Counts(t.Context())
	require.Equal(t, errkind.Missing, errkind.Of(err))
	require.ErrorContains(t, err, "no worker runs on the data directory "+f.dir)
	require.ErrorContains(t, err, "start one: worker dev, or worker run")
	_, err = api.Connect(f.dir)
	require.ErrorContains(t, err, "no worker runs on the data directory")
	again, err := server.Start(f.dir, "127.0.0.1:0", false, f.options())
	require.NoError(t, err)
	defer func() { require.NoError(t, again.Stop()) }()
	renewed, err := api.Find(f.dir)
	require.NoError(t, err)
	require.NotEqual(t, e.Token, renewed.Token)
}

// The API is for this machine: no other address is listened on. A port that is taken is an error, or replaced where that is wanted.
func TestListens(t *testing.T) {
	f := newFixture(t)
	for _, address := range []string{"0.0.0.0:0", ":7080", "example.org:80", "192.0.2.1:80", "127.0.0.1", ""} {
		_, err := server.Start(f.dir, address, true, f.options())
		require.Equal(t, errkind.Invalid, errkind.Of(err), address)
	}
	taken := strings.TrimPrefix(f.server.Address(), "http://")
	dir := t.TempDir()
	_, err := server.Start(dir, taken, false, f.options())
	require.Equal(t, errkind.Conflict, errkind.Of(err))
	other, err := server.Start(dir, taken, true, f.options())
	require.NoError(t, err)
	require.NotEqual(t, f.server.Address(), other.Address())
	require.NoError(t, other.Stop())
}

// PF-4, PF-11, AS-8: an empty store is an empty list; what was loaded is there at once, page by page, with its namespace; a rule,
// columns, a dataset narrow it.
func TestProfiles(t *testing.T) {
	f := newFixture(t)
	page, err := f.client.Profiles(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, page.Profiles)
	require.Empty(t, page.Next)
	var rows strings.Builder
	for i := range 25 {
		rows.WriteString(row(fmt.Sprintf("P%04d", i), []string{"MA", "CA"}[i%2], "Y"))
	}
	f.load("batch_1", rows.String())
	page, err = f.client.Profiles(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, page.Profiles, 20, "PF-12, GR-33")
	require.Equal(t, "acme_pid", page.Profiles[0].Namespace)
	require.Equal(t, "MA", page.Profiles[0].Attributes["_luma.prospect.state"])
	page, err = f.client.Profiles(t.Context(), url.Values{"after": {page.Next}, "columns": {"partner.hiking,_luma.prospect.state"}, "dataset": {"acme_2026"}})
	require.NoError(t, err)
	require.Len(t, page.Profiles, 5)
	require.Len(t, page.Profiles[0].Attributes, 2)
	require.Empty(t, page.Next)
	page, err = f.client.Profiles(t.Context(), url.Values{"where": {"_luma.prospect.state = 'CA'"}, "limit": {"1000"}, "namespace": {"acme_pid,merk_pid"}})
	require.NoError(t, err)
	require.Len(t, page.Profiles, 12)

	p, err := f.client.Profile(t.Context(), "acme_pid", "P0001")
	require.NoError(t, err)
	require.Equal(t, "CA", p.Attributes["_luma.prospect.state"])
	require.Equal(t, "batch_1", p.Fragments[0].CreatedBatch)
	why, err := f.client.Provenance(t.Context(), "acme_pid", "P0001")
	require.NoError(t, err)
	require.Equal(t, "batch_1.csv", why.Attributes["partner.hiking"].File)
	require.EqualValues(t, 3, why.Attributes["partner.hiking"].Line)
	require.Equal(t, []string{"acme_2026"}, why.WithoutHistory)
	counts, err := f.client.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []store.NamespaceCount{{Namespace: "acme_pid", Profiles: 25}, {Namespace: "merk_pid"}}, counts.Namespaces)
	require.Empty(t, f.log.String())
}

// Errors are problems (RFC 9457) with who can fix them and what to do next; nothing of what was asked for is logged.
func TestProblems(t *testing.T) {
	f := newFixture(t)
	f.load("batch_1", row("P0001", "MA", "Y"))
	e, err := api.Find(f.dir)
	require.NoError(t, err)
	for path, want := range map[string]api.Problem{
		"/api/v1/profile?namespace=acme_pid&id=P4711":                              {Status: 404, Kind: errkind.Missing, Detail: "namespace acme_pid: it holds no profile with this id"},
		"/api/v1/profile?namespace=acme_pib&id=P0001":                              {Status: 422, Kind: errkind.Invalid, Detail: `no namespace has the symbol "acme_pib"`, Hint: "did you mean acme_pid?"},
		"/api/v1/profile?namespace=acme_pid":                                       {Status: 422, Kind: errkind.Invalid, Detail: "query.id: required query parameter is missing"},
		"/api/v1/profiles?limit=1001":                                              {Status: 422, Kind: errkind.Invalid, Detail: "query.limit: expected number <= 1000"},
		"/api/v1/profiles?limits=10":                                               {Status: 422, Kind: errkind.Invalid, Detail: "query.limits: unknown query parameter"},
		"/api/v1/profiles?after=P0001":                                             {Status: 422, Kind: errkind.Invalid, Detail: "after is not what a page has given as next"},
		"/api/v1/profiles?columns=partner.hikking":                                 {Status: 422, Kind: errkind.Invalid, Detail: `columns: no prospect schema has an attribute "partner.hikking"`, Hint: "did you mean partner.hiking?"},
		"/api/v1/profiles?where=" + url.QueryEscape("partner.hiking = (SELECT 1)"): {Status: 422, Kind: errkind.Invalid, Detail: "where: column 18: subqueries are not allowed in a rule"},
		"/api/v1/profiles?dataset=acme_2026&namespace=merk_pid":                    {Status: 422, Kind: errkind.Invalid, Detail: "dataset acme_2026 holds prospects of namespace acme_pid"},
		"/api/v1/datasets/acme_2025/batches":                                       {Status: 422, Kind: errkind.Invalid, Detail: `no dataset is called "acme_2025"`},
		"/api/v1/datasets/acme_2026/batches/batch_9":                               {Status: 404, Kind: errkind.Missing, Detail: "dataset acme_2026: it knows no such batch"},
		"/api/v1/datasets/acme_2026/quarantine/export?format=xlsx":                 {Status: 422, Kind: errkind.Invalid, Detail: `query.format: expected value to be one of "jsonl, csv"`},
		"/api/v1/datasets/acme_2025/quarantine/export":                             {Status: 422, Kind: errkind.Invalid, Detail: `no dataset is called "acme_2025"`},
		"/api/v2": {Status: 404, Kind: errkind.Missing, Detail: "there is nothing at this address"},
	} {
		status, contentType, body := f.get(path, "Bearer "+e.Token)
		var got api.Problem
		require.NoError(t, json.Unmarshal([]byte(body), &got), body)
		require.Equal(t, "application/problem+json", contentType)
		require.Equal(t, want.Status, status, path)
		require.Equal(t, want.Status, got.Status, path)
		require.Equal(t, want.Kind, got.Kind, path)
		require.Contains(t, got.Detail, want.Detail, path)
		require.Equal(t, http.StatusText(want.Status), got.Title)
		if want.Hint != "" {
			require.Equal(t, want.Hint, got.Hint)
			require.NotContains(t, got.Detail, want.Hint)
		}
		require.NotContains(t, body, "4711")
	}
	require.Empty(t, f.log.String())

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.server.Address()+"/api/v1/profiles?where="+strings.Repeat("x", 80<<10), nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+e.Token)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, answer.StatusCode)
}

// BI-11, BI-12: quarantine as a list and as an export, with all reasons of a row together. The JSON Lines form is documented.
func TestQuarantine(t *testing.T) {
	f := newFixture(t)
	f.load("batch_1", row("P0001", "MA", "Y")+row("P0002", "XX", "yes")+"b\xff,\"<x>\"\n"+row("P0003", "MA", "=1+1"))
	page, err := f.client.Quarantine(t.Context(), "acme_2026", url.Values{"limit": {"2"}})
	require.NoError(t, err)
	require.Len(t, page.Rows, 2)
	require.Len(t, page.Rows[0].Reasons, 2)
	page, err = f.client.Quarantine(t.Context(), "acme_2026", url.Values{"after": {page.Next}})
	require.NoError(t, err)
	require.Len(t, page.Rows, 1)
	require.Empty(t, page.Next)

	var out bytes.Buffer
	require.NoError(t, f.client.ExportQuarantine(t.Context(), "acme_2026", url.Values{"field": {"_luma.prospect.state"}}, &out))
	require.JSONEq(t, `{"batch": "batch_1", "source": "acme", "file": "batch_1.csv", "line": 3, "offset": 192, "raw": "P0002,,,25-34,02139,XX,yes,N,,Y,,3,,,h1",
		"reasons": [{"code": "PROSPECT-ENUM", "field": "_luma.prospect.state", "message": "_luma.prospect.state: the value is not one of those that are allowed"},
			{"code": "PROSPECT-ENUM", "field": "partner.hiking", "message": "partner.hiking: the value is not one of those that are allowed"}],
		"header": ["pid","first_name","last_name","age_range","zip","state","hiking","bicycling","skiing","sailing","tennis","buyer_rating","donor_rating","spending_volume","household_id"]}`, out.String())
	out.Reset()
	require.NoError(t, f.client.ExportQuarantine(t.Context(), "acme_2026", url.Values{"code": {"INGEST-1401-400"}}, &out))
	require.Contains(t, out.String(), `"rawBase64":"Yv8s`)
	require.NotContains(t, out.String(), `"raw":`)
	out.Reset()
	require.NoError(t, f.client.ExportQuarantine(t.Context(), "acme_2026", url.Values{"format": {"csv"}}, &out))
	lines := strings.Split(out.String(), "\n")
	require.Equal(t, "batch,source,file,line,offset,reasons,resolvedBy,raw,rawBase64", lines[0])
	require.Equal(t, `batch_1,acme,batch_1.csv,3,192,PROSPECT-ENUM _luma.prospect.state; PROSPECT-ENUM partner.hiking,,"P0002,,,25-34,02139,XX,yes,N,,Y,,3,,,h1",`, lines[1])
	require.Len(t, lines, 5)
	out.Reset()
	require.Equal(t, errkind.Missing, errkind.Of(f.client.ExportQuarantine(t.Context(), "acme_2026", url.Values{"batch": {"none"}}, &out)))
	require.Empty(t, out.String())

	list, err := f.client.Batches(t.Context(), "acme_2026", nil)
	require.NoError(t, err)
	require.Equal(t, store.Outcome{Status: store.Loaded, Read: 4, Accepted: 1, Rejected: 3, Created: 1}, list.Batches[0].Outcome)
	b, err := f.client.Batch(t.Context(), "acme_2026", "batch_1")
	require.NoError(t, err)
	require.EqualValues(t, 3, b.Quarantine)
}

// breaking is a store whose export fails underway, and that waits for ever when it is browsed.
type breaking struct {
	server.Store
	rows    int
	stopped chan error
}

func (b breaking) ExportQuarantine(_ context.Context, _ store.Dataset, _ store.QuarantineQuery, each func(store.QuarantinedRow) error) error {
	raw := strings.Repeat("x", 1000)
	for i := range b.rows {
		if err := each(store.QuarantinedRow{Batch: "batch_1", Line: int64(i), Raw: &raw}); err != nil {
			return err
		}
	}
	return errors.New("the disk is gone")
}

func (b breaking) Browse(ctx context.Context, _ store.ProfileQuery) ([]store.Profile, *store.Position, error) {
	<-ctx.Done()
	b.stopped <- context.Cause(ctx)
	return nil, nil, context.Cause(ctx)
}

// An export that fails is never taken for a whole one; a read whose asker has gone is stopped.
func TestInterrupted(t *testing.T) {
	f := newFixture(t)
	for rows, want := range map[int]string{0: "the disk is gone", 1000: "before it was whole"} {
		o := f.options()
		o.Store = breaking{Store: f.store, rows: rows}
		dir := t.TempDir()
		s, err := server.Start(dir, "127.0.0.1:0", false, o)
		require.NoError(t, err)
		client, err := api.Connect(dir)
		require.NoError(t, err)
		err = client.ExportQuarantine(t.Context(), "acme_2026", nil, io.Discard)
		require.ErrorContains(t, err, want)
		require.NoError(t, s.Stop())
		require.Contains(t, f.log.String(), "the disk is gone")
	}
	o := f.options()
	stopped := make(chan error, 1)
	o.Store = breaking{Store: f.store, stopped: stopped}
	dir := t.TempDir()
	s, err := server.Start(dir, "127.0.0.1:0", false, o)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Stop()) }()
	client, err := api.Connect(dir)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = client.Profiles(ctx, url.Values{"where": {"partner.hiking = 'Y'"}})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, err.Error(), "hiking")
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Fatal("the read goes on without anybody")
	}
}

// The API describes itself.
func TestOpenAPI(t *testing.T) {
	f := newFixture(t)
	e, err := api.Find(f.dir)
	require.NoError(t, err)
	status, _, body := f.get("/api/v1/openapi.json", "Bearer "+e.Token)
	require.Equal(t, http.StatusOK, status)
	var described struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &described))
	require.Equal(t, "3.1.0", described.OpenAPI)
	require.Len(t, described.Paths, 22)
	for path, operations := range described.Paths {
		require.Len(t, operations, 1, path)
		method := "get" // it only reads
		switch path {
		case "/api/v1/preview", "/api/v1/sign-in": // a rule may be longer than an address; to sign in leaves a record that counts
			method = "post"
		}
		require.Contains(t, operations, method)
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(f.server.Address(), "http://"))
	require.NoError(t, err)
	require.NotEmpty(t, port)
}
