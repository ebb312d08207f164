package duckdb_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/filecodec"
	"prospector/internal/ingest"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/store/duckdb"
	"prospector/internal/workspace"
	"prospector/internal/xdm"
)

var monday = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

const header = "pid,first_name,last_name,age_range,zip,state,hiking,bicycling,skiing,sailing,tennis,buyer_rating,donor_rating,spending_volume,household_id\n"

// fixture is a store below a fresh directory with the sample workspace.
type fixture struct {
	*testing.T
	dir       string
	store     *duckdb.Store
	workspace *workspace.Workspace
	dataset   store.Dataset
}

func newFixture(t *testing.T) *fixture {
	w, err := workspace.Load("../../../testdata/workspace")
	require.NoError(t, err)
	f := &fixture{T: t, dir: t.TempDir(), workspace: w}
	f.open()
	d, err := w.Dataset("acme_2026")
	require.NoError(t, err)
	f.dataset = store.Dataset{Name: d.Name, Schema: w.Schema(d).Composed, Identity: "partnerID"}
	return f
}

func (f *fixture) open() {
	s, err := duckdb.Open(context.Background(), f.dir, duckdb.Options{MemoryLimit: "512MB"})
	require.NoError(f, err)
	f.store = s
	f.Cleanup(func() { _ = s.Close() })
}

// ingest validates and loads rows as one batch of source acme.
func (f *fixture) ingest(batch, rows string) store.Outcome {
	counts, file := f.validate(batch, rows)
	outcome, err := f.store.Load(context.Background(), f.loadRequest(batch, file, counts), nil)
	require.NoError(f, err)
	return outcome
}

func (f *fixture) loadRequest(batch string, file ingest.File, counts ingest.Counts) store.Load {
	d, err := f.workspace.Dataset("acme_2026")
	require.NoError(f, err)
	columns, err := file.Columns()
	require.NoError(f, err)
	return store.Load{Dataset: f.dataset, Batch: store.Batch{ID: batch, Source: "acme", File: batch + ".csv", SHA256: "00"}, Columns: columns,
		Labels: f.workspace.FieldLabels(d), Quarantine: file.Rejections, Read: counts.Read, Accepted: counts.Accepted, Rejected: counts.Rejected,
		Status: store.Loaded, At: monday}
}

func (f *fixture) validate(batch, rows string) (ingest.Counts, ingest.File) {
	source := *f.workspace.Sources[0]
	source.Format.Compression = "none"
	folder := filepath.Join(f.dir, "staging", batch)
	require.NoError(f, os.MkdirAll(folder, 0o700))
	file := ingest.File{Path: filepath.Join(folder, "raw"), Batch: batch, Source: &source, Dataset: f.dataset, Identity: "partnerID",
		Rejections: filepath.Join(folder, "rejections.jsonl")}
	require.NoError(f, os.WriteFile(file.Path, []byte(header+rows), 0o600))
	counts, err := ingest.Validate(context.Background(), f.store, file, func(ingest.Progress) {})
	require.NoError(f, err)
	return counts, file
}

func row(id, ages, zip, state, hiking, sailing, buyer string) string {
	return strings.Join([]string{id, "Ann", `"O'Neil, Sr"`, ages, zip, state, hiking, "N", "", sailing, "", buyer, "", "", "h1"}, ",") + "\n"
}

func (f *fixture) evaluate(id, previous string) map[string]store.Membership {
	return f.evaluateAll(f.scopes(id, previous))
}

func (f *fixture) scopes(id, previous string) (scopes []store.AudienceScope) {
	for _, a := range f.workspace.Audiences {
		if a.Name == "established-households" {
			continue
		}
		scope := store.AudienceScope{Name: a.Name, Rule: a.Parsed, Part: "memberships/" + id + "/" + a.Name + ".parquet",
			Namespaces: []store.Namespace{{Symbol: "acme_pid", Datasets: []store.Dataset{f.dataset}}}}
		if previous != "" {
			scope.Previous = "memberships/" + previous + "/" + a.Name + ".parquet"
		}
		scopes = append(scopes, scope)
	}
	return scopes
}

func (f *fixture) evaluateAll(scopes []store.AudienceScope) map[string]store.Membership {
	results, err := f.store.Evaluate(context.Background(), monday, scopes, nil)
	require.NoError(f, err)
	out := map[string]store.Membership{}
	for _, m := range results {
		require.Empty(f, m.Error)
		out[m.Audience] = m
	}
	return out
}

func (f *fixture) export(q store.ExportQuery) string {
	q.Namespace, q.AsOf, q.Delimiter = store.Namespace{Symbol: "acme_pid", Datasets: []store.Dataset{f.dataset}}, monday, ","
	var out bytes.Buffer
	_, err := f.store.Export(context.Background(), q, func(r io.Reader) error {
		_, err := out.ReadFrom(r)
		return err
	})
	require.NoError(f, err)
	return out.String()
}

// BI-10, EC-18: the last line of an id wins, each refused row has its line and reasons, counts reconcile.
func TestLoadTakesGoodRowsAndExplainsTheOthers(t *testing.T) {
	f := newFixture(t)
	outcome := f.ingest("batch_1", row("a1", "25-34", "02139", "MA", "Y", "Y", "3")+
		row("", "25-34", "02139", "MA", "Y", "Y", "3")+ // no id
		row("a2", "25-34", "2139", "XX", "yes", "Y", "3")+ // three reasons
		"a3,too,few\n"+
		row("a1", "35-44", "90210", "CA", "N", "Y", "4"))
	require.Equal(t, store.Outcome{Status: store.Loaded, Read: 5, Accepted: 2, Rejected: 3, Created: 1, Superseded: 1}, outcome)

	reasons, err := f.store.RejectionCounts(context.Background(), f.dataset, "batch_1")
	require.NoError(t, err)
	var texts []string
	for _, r := range reasons {
		require.EqualValues(t, 1, r.Rows)
		texts = append(texts, r.Reason.String())
	}
	require.ElementsMatch(t, []string{"INGEST-1401-400 (column count)", "INGEST-1555-400 partnerID", "PROSPECT-ENUM _luma.prospect.state",
		"PROSPECT-ENUM partner.hiking", "PROSPECT-PATTERN _luma.prospect.postalCode"}, texts)
	require.Equal(t, "a1,CA\n", f.allRows("coastal-sailors"))
}

func (f *fixture) allRows(audience string) string {
	m := f.evaluate("eval_all", "")[audience]
	return f.export(store.ExportQuery{Paths: []string{"partnerID", "_luma.prospect.state"}, Memberships: []string{m.Part}})
}

// Loading one batch twice is one load, also after the process has gone and come again.
func TestLoadIsIdempotent(t *testing.T) {
	f := newFixture(t)
	rows := row("a1", "25-34", "02139", "MA", "Y", "Y", "") + row("a2", "25-34", "02139", "MA", "Y", "N", "")
	first := f.ingest("batch_1", rows)
	require.Equal(t, first, f.ingest("batch_1", rows))
	require.NoError(t, f.store.Close())
	f.open()
	require.Equal(t, first, f.ingest("batch_1", rows))
	n, err := f.store.Profiles(context.Background(), f.dataset)
	require.NoError(t, err)
	require.EqualValues(t, 2, n)

	second := f.ingest("batch_2", row("a2", "25-34", "02139", "MA", "N", "Y", "")+row("a3", "25-34", "02139", "MA", "N", "Y", ""))
	require.Equal(t, store.Outcome{Status: store.Loaded, Read: 2, Accepted: 2, Created: 1, Updated: 1}, second)
}

// A load that is stopped between any two of its steps leaves the dataset as it was.
func TestLoadStoppedAtAnyStepChangesNothing(t *testing.T) {
	f := newFixture(t)
	f.ingest("batch_1", row("a1", "25-34", "02139", "MA", "Y", "Y", "")+row("a2", "25-34", "02139", "MA", "Y", "N", ""))
	before := f.allRows("coastal-sailors")
	counts, file := f.validate("batch_2", row("a1", "25-34", "02139", "MA", "Y", "N", "")+row("a9", "25-34", "02139", "MA", "Y", "Y", "")+"bad\n")
	var steps []string
	for n := 1; n < 20; n++ {
		ctx, cancel := context.WithCancel(context.Background())
		var seen []string
		_, err := f.store.Load(ctx, f.loadRequest("batch_2", file, counts), func(step string) {
			if seen = append(seen, step); len(seen) == n {
				cancel()
			}
		})
		cancel()
		steps = seen
		if seen[len(seen)-1] == "committed" {
			break
		}
		require.Error(t, err, seen)
		require.Equal(t, before, f.allRows("coastal-sailors"), seen)
	}
	require.Len(t, steps, 6)
	require.Equal(t, "a9,MA\n", f.allRows("coastal-sailors"))
}

// AU-34: realized, existing and exited against the previous evaluation; DE-23 status columns.
func TestMembershipsAndExports(t *testing.T) {
	f := newFixture(t)
	f.ingest("batch_1", row("a1", "25-34", "02139", "MA", "Y", "Y", "")+row("a2", "25-34", "02139", "MA", "Y", "Y", ""))
	first := f.evaluate("eval_1", "")
	require.EqualValues(t, 2, first["coastal-sailors"].Realized)
	require.EqualValues(t, 2, first["outdoor-families"].Size())

	f.ingest("batch_2", row("a2", "25-34", "02139", "MA", "Y", "N", "")+row("a3", "65+", "02139", "MA", "Y", "Y", ""))
	second := f.evaluate("eval_2", "eval_1")
	require.Equal(t, store.Membership{Audience: "coastal-sailors", Part: "memberships/eval_2/coastal-sailors.parquet", MemberCounts: store.MemberCounts{Realized: 1, Existing: 1, Exited: 1},
		Namespaces: []store.NamespaceMembers{{Namespace: "acme_pid", MemberCounts: store.MemberCounts{Realized: 1, Existing: 1, Exited: 1}, Datasets: map[string]int64{"acme_2026": 2}}}},
		second["coastal-sailors"])

	text := f.export(store.ExportQuery{Paths: []string{"partnerID", "partner.skiing"}, Memberships: []string{second["outdoor-families"].Part, second["coastal-sailors"].Part},
		Standings: &store.Standings{Audiences: []string{"outdoor-families", "coastal-sailors"}, Unknown: true, Part: "told/acme/dlv_1.parquet"}})
	require.Equal(t, "a1,,active,active\na2,,active,expired\na3,,,active\n", text)

	third := f.evaluate("eval_3", "eval_2")
	require.EqualValues(t, 1, third["coastal-sailors"].Exited)
	require.EqualValues(t, 2, third["coastal-sailors"].Existing)
}

// LB-8: the labels under which rows were taken stay with them.
func TestLabelsAreRecordedWithTheBatch(t *testing.T) {
	f := newFixture(t)
	f.ingest("batch_1", row("a1", "25-34", "02139", "MA", "Y", "Y", ""))
	labels, err := f.store.Labels(context.Background(), f.dataset)
	require.NoError(t, err)
	require.Equal(t, []string{"Third-Party"}, labels["partner.hiking"])
	require.Len(t, labels, len(f.dataset.Schema.Fields))
}

// Every type takes what is of its form and refuses what a bare cast would have bent into it.
func TestTypesAreGuarded(t *testing.T) {
	fields := []xdm.Field{{Path: "id", Type: xdm.String}, {Path: "integer", Type: xdm.Integer}, {Path: "number", Type: xdm.Number},
		{Path: "boolean", Type: xdm.Boolean}, {Path: "date", Type: xdm.Date}, {Path: "dateTime", Type: xdm.DateTime}}
	dataset := store.Dataset{Name: "types", Schema: &xdm.Schema{Fields: fields}}
	var columns []prospect.Column
	for _, field := range fields {
		columns = append(columns, prospect.Column{Field: field})
	}
	f := newFixture(t)
	for column, values := range map[int]struct{ good, bad []string }{
		1: {[]string{"12", "-7", "+3", "007", "999999999999999999"}, []string{"12.6", "0x1F", "1e3", "1 000", "1,000", "12a", " 12", "٣", "99999999999999999999"}},
		2: {[]string{"12", "12.6", "-.5", "1.", "1e3", "1E-3"}, []string{"0x1F", "NaN", "Infinity", "-inf", "1,5", "1e999", "12,600.00", "$5"}},
		3: {[]string{"true", "false"}, []string{"1", "0", "t", "yes", "TRUE", "Y"}},
		4: {[]string{"2024-02-29", "1950-01-05", "0001-01-01", "9999-12-31"}, []string{"2023-02-29", "2024/1/5", "2024-1-5", "05.01.2024", "2024-01-05 10:00", "epoch", "infinity", "0000-01-01", "99999-01-01", "20240105", "1704448800000"}},
		5: {[]string{"2024-02-29T10:00:00Z", "2024-02-29 10:00:00.5+02:00", "2024-02-29", "1704448800000", "9999999999999", "0001-01-01T00:00:00-05:00", "9999-12-31T23:59:59.999999999Z"},
			[]string{"2024-02-29T10:00:00", "2024-02-29T25:00:00Z", "2024-02-29T24:00:00Z", "2024-02-29T10:00:60Z", "2024-02-29T10:00:00+24:00", "2024-02-29T10:00:00+02", "now", "2024-02-29T10:00:00 CET",
				"0000-12-31T10:00:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "1704448800", "17044488000000", "0704448800000", "-704448800000", "1704448800.000", "1.7044488e12", "20240229"}},
	} {
		for _, value := range slices.Concat(values.good, values.bad, []string{""}) {
			cells := []string{"a1", "", "", "", "", ""}
			cells[column] = value
			part, err := f.store.WritePart(t.Context(), dataset, "batch_t", columns, "id", func(w io.Writer) error {
				return writeClean(w, cells)
			})
			require.NoError(t, err)
			good := value == "" || slices.Contains(values.good, value)
			require.Equal(t, store.Part{Accepted: oneIf(good), Rejected: oneIf(!good)}, part, "%s %q", fields[column].Path, value)
			for refused, err := range f.store.PartRejections(t.Context(), dataset.Name, "batch_t") {
				require.NoError(t, err)
				require.Equal(t, []prospect.Reason{{Code: prospect.WrongType, Field: fields[column].Path}}, refused.Reasons, value)
			}
		}
	}
}

// writeClean writes records to the store, in which an empty text is no value.
func writeClean(w io.Writer, records ...[]string) error {
	for n, record := range records {
		values := make([][]byte, len(record))
		for i, value := range record {
			if value != "" {
				values[i] = []byte(value)
			}
		}
		if _, err := w.Write(filecodec.AppendClean(nil, int64(n+1), "", values)); err != nil {
			return err
		}
	}
	return nil
}

func oneIf(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// Constraints of strings are matched whole and byte for byte.
func TestPatternsAreMatchedWhole(t *testing.T) {
	f := newFixture(t)
	for value, good := range map[string]bool{"2139a": false, "٠٢١٣٩": false, " 02139": false, "021390": false, "02139": true} {
		counts, _ := f.validate("batch_p", row("a1", "25-34", value, "MA", "Y", "Y", ""))
		require.Equal(t, oneIf(good), counts.Accepted, value)
	}
}

// What DuckDB writes, another reader reads: a batch's part is plain Parquet.
func TestPartsAreReadableWithoutDuckDB(t *testing.T) {
	f := newFixture(t)
	f.ingest("batch_1", row("a1", "25-34", "02139", "MA", "Y", "Y", "3")+row("a2", "25-34", "bad", "MA", "Y", "Y", "3"))
	reader, err := file.OpenParquetFile(filepath.Join(f.dir, "store", "acme_2026", "parts", "batch_1.parquet"), false)
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close()) }()
	require.EqualValues(t, 2, reader.NumRows(), "every well-framed record is kept, with its reasons")
	require.GreaterOrEqual(t, reader.MetaData().Schema.ColumnIndexByName("__reasons"), 0)
}

// A disk that is full when a load is committed stops that load, and not the dataset: once there is room, the same store goes on.
func TestFullDiskAtCommit(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, f.store.Close())
	if err := syscall.Mount("tmpfs", f.dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("this machine lets the test mount no small disk: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(f.dir, syscall.MNT_DETACH)) })
	f.open()
	filler, err := os.Create(filepath.Join(f.dir, "filler"))
	require.NoError(t, err)
	const rowsOfBatch = 30_000 // few enough to go through the log, which is written into the file now and then
	var loaded int64
	refused := 0
	for n := range 12 {
		var rows strings.Builder
		for i := range rowsOfBatch {
			rows.WriteString(row(fmt.Sprintf("%x", sha256.Sum256([]byte{byte(n), byte(i), byte(i >> 8)}))[:20], "25-34", "02139", "MA", "Y", "Y", "3"))
		}
		counts, file := f.validate(fmt.Sprint("batch_", n), rows.String())
		load := f.loadRequest(fmt.Sprint("batch_", n), file, counts)
		require.NoError(t, os.Remove(file.Path))
		fill(t, filler, n%4*1_500_000)
		_, err := f.store.Load(t.Context(), load, nil)
		if err != nil {
			refused++
			t.Logf("batch %d: %v", n, err)
			require.Equal(t, errkind.Transient, errkind.Of(err))
		}
		require.NoError(t, filler.Truncate(0))
		if err != nil {
			_, err = f.store.Load(t.Context(), load, nil)
			if err != nil {
				t.Logf("batch %d, with room: %v", n, err)
				_, err = f.store.Load(t.Context(), load, nil)
			}
		}
		require.NoError(t, err, "batch %d", n)
		loaded += rowsOfBatch
		profiles, err := f.store.Profiles(t.Context(), f.dataset)
		require.NoError(t, err)
		require.Equal(t, loaded, profiles)
	}
	require.Positive(t, refused, "the disk was never full")
	require.NoError(t, f.store.Close())
	require.NoError(t, filler.Close())
	f.open()
	profiles, err := f.store.Profiles(t.Context(), f.dataset)
	require.NoError(t, err)
	require.Equal(t, loaded, profiles, "after a restart")
	require.NoError(t, f.store.Close())
}

// fill leaves so much room on the disk that a file is on.
func fill(t *testing.T, filler *os.File, room int) {
	t.Helper()
	var disk syscall.Statfs_t
	require.NoError(t, syscall.Fstatfs(int(filler.Fd()), &disk))
	if free := int64(disk.Bavail) * disk.Bsize; free > int64(room) {
		require.NoError(t, syscall.Fallocate(int(filler.Fd()), 0, 0, free-int64(room)))
	}
}

// A part that is lost is named, with what to do, by whatever needs it.
func TestLostPart(t *testing.T) {
	f := newFixture(t)
	f.ingest("batch_1", row("a1", "25-34", "02139", "MA", "Y", "Y", "3"))
	f.ingest("batch_2", row("a1", "25-34", "02139", "MA", "N", "Y", "3"))
	require.NoError(t, os.Remove(filepath.Join(f.dir, "store", "acme_2026", "parts", "batch_1.parquet")))
	n := store.Namespace{Symbol: "acme_pid", Datasets: []store.Dataset{f.dataset}}
	_, deletion := f.store.DeleteBatch(t.Context(), n, f.dataset, "batch_2", true, nil)
	_, provenance := f.store.Provenance(t.Context(), n, "a1")
	for _, err := range []error{deletion, provenance} {
		require.Equal(t, errkind.Missing, errkind.Of(err))
		require.ErrorContains(t, err, "the rows of batch batch_1 are gone from the data directory; restore store/acme_2026/parts/batch_1.parquet from a backup")
	}
	require.EqualValues(t, 2, f.ingest("batch_3", row("a1", "25-34", "02139", "MA", "N", "Y", "3")+row("a2", "25-34", "02139", "MA", "N", "Y", "3")).Accepted, "loads go on")
}

// A feeder that fails, or a cancelled run, leaves no part behind and does not hang.
func TestStoppedValidationLeavesNoPart(t *testing.T) {
	f := newFixture(t)
	_, file := f.validate("batch_1", row("a1", "25-34", "02139", "MA", "Y", "Y", ""))
	columns, err := file.Columns()
	require.NoError(t, err)
	_, err = f.store.WritePart(context.Background(), f.dataset, "batch_1", columns, "partnerID", func(w io.Writer) error {
		_, err := w.Write([]byte("2,"))
		require.NoError(t, err)
		return errkind.Newf(errkind.BadInput, "the partner's stream broke")
	})
	require.ErrorContains(t, err, "the partner's stream broke")
	require.Equal(t, errkind.BadInput, errkind.Of(err))
	parts, err := os.ReadDir(filepath.Join(f.dir, "store", "acme_2026", "parts"))
	require.NoError(t, err)
	require.Empty(t, parts)

	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err = f.store.WritePart(ctx, f.dataset, "batch_1", columns, "partnerID", func(io.Writer) error {
		<-ctx.Done()
		return ctx.Err()
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)

	_, err = f.store.Export(context.Background(), store.ExportQuery{Namespace: store.Namespace{Datasets: []store.Dataset{f.dataset}}, AsOf: monday, Paths: []string{"partnerID"},
		Memberships: []string{"memberships/none.parquet"}, Delimiter: ","}, func(r io.Reader) error {
		_, err := io.ReadAll(r)
		return err
	})
	require.Error(t, err)
}

// Of a refused row, quarantine keeps nothing of the columns that are ignored; the rest as it came.
func TestQuarantineKeepsNoIgnoredColumns(t *testing.T) {
	f := newFixture(t)
	_, file := f.validate("batch_1", row("", "25-34", "02139", "MA", "Y", "Y", `"3 ""x"", y"`)+"a3,too,few\n")
	data, err := os.ReadFile(file.Rejections)
	require.NoError(t, err)
	var raws []string
	for line := range strings.Lines(string(data)) {
		var refused struct{ Raw []byte }
		require.NoError(t, json.Unmarshal([]byte(line), &refused))
		raws = append(raws, string(refused.Raw))
	}
	require.Equal(t, []string{`,,,25-34,02139,MA,Y,N,,Y,,"3 ""x"", y",,,h1`, "a3,too,few"}, raws)
}

// A default stands in for a missing value before the rules of its field count; formats are checked.
func TestDefaultsAndFormats(t *testing.T) {
	standard := "N"
	fields := []xdm.Field{{Path: "id", Type: xdm.String}, {Path: "mail", Type: xdm.String, Format: xdm.Email},
		{Path: "hiking", Type: xdm.String, Enum: []string{"Y", "N"}, Required: true, Default: &standard}}
	dataset := store.Dataset{Name: "defaults", Schema: &xdm.Schema{Fields: fields}}
	var columns []prospect.Column
	for _, field := range fields {
		columns = append(columns, prospect.Column{Field: field})
	}
	f := newFixture(t)
	part, err := f.store.WritePart(t.Context(), dataset, "batch_d", columns, "id", func(w io.Writer) error {
		return writeClean(w, []string{"a1", "ann@example.com", ""}, []string{"a2", "ann", "Y"}, []string{"a3", "", "X"}, []string{"a4", "a@b.c d", ""})
	})
	require.NoError(t, err)
	require.Equal(t, store.Part{Accepted: 1, Rejected: 3}, part)
	var codes []prospect.Code
	for refused, err := range f.store.PartRejections(t.Context(), "defaults", "batch_d") {
		require.NoError(t, err)
		for _, reason := range refused.Reasons {
			codes = append(codes, reason.Code)
		}
	}
	require.Equal(t, []prospect.Code{prospect.NotFormat, prospect.NotInEnum, prospect.NotFormat}, codes)
}

// AS-9, ID-16: one value at two partners is two people.
func TestOneValueInTwoNamespaces(t *testing.T) {
	f := newFixture(t)
	f.ingest("batch_1", row("P0001", "25-34", "02139", "MA", "Y", "Y", ""))
	other := store.Dataset{Name: "other_2026", Schema: f.dataset.Schema, Identity: "partnerID"}
	acme := f.dataset
	f.dataset = other
	f.ingest("batch_2", row("P0001", "25-34", "02139", "MA", "N", "Y", ""))
	f.dataset = acme
	rule := f.workspace.Audiences[0].Parsed // hikers and cyclists
	results, err := f.store.Evaluate(t.Context(), monday, []store.AudienceScope{{Name: "both", Rule: rule, Part: "memberships/eval_1/both.parquet",
		Namespaces: []store.Namespace{{Symbol: "acme_pid", Datasets: []store.Dataset{acme}}, {Symbol: "other_pid", Datasets: []store.Dataset{other}}}}}, nil)
	require.NoError(t, err)
	require.EqualValues(t, 1, results[0].Size())
	require.Equal(t, "P0001,Y\n", f.export(store.ExportQuery{Paths: []string{"partnerID", "partner.hiking"}, Memberships: []string{results[0].Part}}))
	for _, dataset := range []store.Dataset{acme, other} {
		n, err := f.store.Profiles(t.Context(), dataset)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	}
}

// DS-6: a dataset's file from before versions were counted begins with what it holds.
func TestVersionsOfEarlierFiles(t *testing.T) {
	f := newFixture(t)
	f.ingest("batch_1", row("a1", "25-34", "02139", "MA", "Y", "Y", ""))
	f.ingest("batch_2", row("a2", "25-34", "02139", "MA", "Y", "Y", ""))
	require.NoError(t, f.store.Close())
	db, err := sql.Open("duckdb", filepath.Join(f.dir, "store", f.dataset.Name, "profiles.duckdb"))
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "DROP TABLE batch_versions")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	for range 2 { // opened again, nothing is counted twice
		f.open()
		got, err := f.store.Versions(t.Context(), []store.Dataset{f.dataset})
		require.NoError(t, err)
		require.Equal(t, []store.Derivation{{Dataset: f.dataset.Name, FirstVersion: 2, Version: 2, Batches: 2, Latest: "batch_2"}}, got)
		require.NoError(t, f.store.Close())
	}
}
