// Package storetest is the suite that every store driver passes. It asks for what the steps of a batch, of an
// evaluation and of a delivery rely on, whatever holds the rows: merge modes, one load per batch, loads that are undone,
// origins of values, namespaces over several datasets, and readers that see a load whole or not at all.
package storetest

import (
	"context"
	"fmt"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/audience"
	"prospector/internal/filecodec"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/xdm"
)

// Driver is a store under test.
type Driver interface {
	WritePart(ctx context.Context, dataset store.Dataset, batch string, columns []prospect.Column, identity string, feed func(w io.Writer) error) (store.Part, error)
	PartRejections(ctx context.Context, dataset, batch string) iter.Seq2[store.RefusedLine, error]
	Loaded(ctx context.Context, d store.Dataset, batch string) (bool, error)
	ForgetPart(ctx context.Context, d store.Dataset, batch string) error
	ExpireQuarantine(ctx context.Context, d store.Dataset, at time.Time) error
	Header(ctx context.Context, d store.Dataset, batch string) ([]string, error)
	RejectedLines(ctx context.Context, d store.Dataset, batch string) (map[int64]string, error)
	RejectedRows(ctx context.Context, d store.Dataset, batch string) iter.Seq2[store.RejectedRow, error]
	RejectionCounts(ctx context.Context, d store.Dataset, batch string) ([]store.RejectionCount, error)
	Load(ctx context.Context, l store.Load, step func(name string)) (store.Outcome, error)
	DeleteBatch(ctx context.Context, n store.Namespace, d store.Dataset, batch string, preview bool, memberships []store.Membership) (store.Deletion, error)
	Fragment(ctx context.Context, d store.Dataset, partnerID string) (store.Fragment, bool, error)
	Provenance(ctx context.Context, n store.Namespace, partnerID string) (store.Provenance, error)
	Browse(ctx context.Context, q store.ProfileQuery) ([]store.Profile, *store.Position, error)
	Profiles(ctx context.Context, d store.Dataset) (int64, error)
	Labels(ctx context.Context, d store.Dataset) (map[string][]string, error)
	Evaluate(ctx context.Context, asOf time.Time, audiences []store.AudienceScope, done func(name string)) ([]store.Membership, error)
	LeftOut(ctx context.Context, q store.ExportQuery) (int64, error)
	ListValues(ctx context.Context, d store.Dataset) iter.Seq2[string, error]
	Members(ctx context.Context, q store.MemberQuery) ([]store.Member, *store.Position, error)
	Overlap(ctx context.Context, parts map[string]string) ([]store.Overlap, error)
	Export(ctx context.Context, q store.ExportQuery, consume func(r io.Reader) error) (rows map[string]int64, err error)
	Versions(ctx context.Context, datasets []store.Dataset) ([]store.Derivation, error)
	BatchSpans(ctx context.Context, d store.Dataset, batch string) ([]store.BatchSpan, error)
	ListBatches(ctx context.Context, d store.Dataset, q store.BatchQuery) ([]store.BatchRecord, string, error)
	Close() error
}

// Run runs the suite. open opens the store in a directory, which may have been used before.
func Run(t *testing.T, open func(t *testing.T, dir string) Driver) {
	for name, test := range map[string]func(*fixture){
		"one batch is one load":                      oneLoad,
		"replace":                                    replaces,
		"upsert":                                     upserts,
		"full":                                       removes,
		"a full file that removes too much":          guards,
		"a load that is stopped":                     stopped,
		"readers during a load":                      readers,
		"undoing the second of three":                undoesSecond,
		"undoing, previewed and repeated":            previews,
		"versions of a dataset":                      versions,
		"random loads and deletions against a model": model,
		"origins and history":                        origins,
		"one namespace over two datasets":            merges,
		"a profile that nobody refreshes":            expires,
		"labels stay as long as values do":           labels,
		"rejected rows that are old":                 keepsQuarantine,
		"a part that is not loaded":                  forgetsParts,
		"a dataset without diagnostics":              withoutDiagnostics,
		"a schema that has gained a field":           gains,
		"a batch that is checked again":              checkedAgain,
		"rejected rows that are replayed":            replays,
		"replayed lines of one prospect":             replayedLines,
		"replays and their batch":                    replaysAndOriginal,
		"members from day to day":                    statuses,
		"audiences of audiences, and a broken one":   referring,
		"what leaves, as it is when it leaves":       leaving,
		"who is on a list":                           listed,
		"how much leaves of a dataset":               countsOfDatasets,
		"what a destination is told":                 standings,
		"limited audiences":                          limits,
		"many audiences at once":                     together,
		"lists and maps":                             containers,
	} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{T: t, dir: t.TempDir(), open: open}
			f.reopen()
			test(f)
		})
	}
}

// fixture is a store with some fields.
type fixture struct {
	*testing.T
	Driver
	dir    string
	open   func(t *testing.T, dir string) Driver
	loads  int
	fields []string // of the columns of files, without the identity
}

func (f *fixture) reopen() {
	if f.Driver != nil {
		require.NoError(f, f.Close())
	}
	f.Driver = f.open(f.T, f.dir)
	f.Cleanup(func() { _ = f.Close() })
	f.fields = []string{"a", "b", "c"}
}

var began = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// instant is when the nth load happens.
func instant(n int) time.Time { return began.Add(time.Duration(n) * time.Hour) }

func dataset(name string, merge store.Merge) store.Dataset {
	text := func(path string) xdm.Field { return xdm.Field{Path: path, Type: xdm.String} }
	return store.Dataset{Name: name, Schema: &xdm.Schema{Fields: []xdm.Field{text("a"), text("b"), text("c"), text("id")}}, Identity: "id", Merge: merge,
		MostRemoved: 30, LifetimeDays: 25, History: true}
}

// line is a row of a file: the id, then its values; an empty one is null. One that begins with ! is refused.
type line []string

// batch is a file's rows under an id.
type batch struct {
	id      string
	columns []string // that the file carries; all of the fixture's unless said
	date    string   // business date
	lines   []line
	force   bool
	labels  map[string][]string
	at      time.Time
}

// prepare writes the batch's part and returns the load.
func (f *fixture) prepare(d store.Dataset, b batch) store.Load {
	columns := []prospect.Column{{Field: xdm.Field{Path: "id", Type: xdm.String}}}
	for _, path := range f.fields {
		absent := b.columns != nil
		for _, carried := range b.columns {
			absent = absent && carried != path
		}
		field, ok := d.Schema.Field(path)
		if !ok {
			field = xdm.Field{Path: path, Type: xdm.String}
		}
		columns = append(columns, prospect.Column{Field: field, Absent: absent})
	}
	part, err := f.WritePart(f.Context(), d, b.id, columns, "id", func(w io.Writer) error {
		for n, l := range b.lines {
			reasons := ""
			values := make([][]byte, len(columns))
			for i, value := range l {
				if i == 0 && value[0] == '!' {
					reasons, value = "PROSPECT-TYPE a", value[1:]
				}
				if value != "" {
					values[i] = []byte(value)
				}
			}
			if _, err := w.Write(filecodec.AppendClean(nil, int64(n+2), reasons, values)); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(f, err)
	if b.at.IsZero() {
		f.loads++
		b.at = instant(f.loads)
	}
	return store.Load{Dataset: d, Batch: store.Batch{ID: b.id, Source: "partner", File: b.id + ".csv", SHA256: b.id, BusinessDate: b.date}, Columns: columns, Labels: b.labels,
		Read: part.Accepted + part.Rejected, Accepted: part.Accepted, Rejected: part.Rejected, Status: store.Loaded, At: b.at, AllowRemovals: b.force}
}

func (f *fixture) load(d store.Dataset, b batch) store.Outcome {
	out, err := f.Load(f.Context(), f.prepare(d, b), nil)
	require.NoError(f, err)
	require.Equal(f, out.Accepted, out.Created+out.Updated+out.Unchanged+out.Superseded+out.Outdated)
	return out
}

func (f *fixture) delete(d store.Dataset, id string, preview bool) store.Deletion {
	out, err := f.DeleteBatch(f.Context(), store.Namespace{Symbol: "n", Datasets: []store.Dataset{d}}, d, id, preview, nil)
	require.NoError(f, err)
	return out
}

// holds is what the dataset holds of each id, in a form that can be compared.
func (f *fixture) holds(d store.Dataset, ids ...string) map[string]string {
	out := map[string]string{}
	for _, id := range ids {
		fragment, ok, err := f.Fragment(f.Context(), d, id)
		require.NoError(f, err)
		if ok {
			out[id] = text(fragment)
		}
	}
	n, err := f.Profiles(f.Context(), d)
	require.NoError(f, err)
	require.EqualValues(f, len(out), n, "there are profiles that nobody asked for")
	return out
}

func text(fragment store.Fragment) string {
	return fmt.Sprintf("%v %v %v, line %d of %s at %s, since %s at %s", fragment.Attributes["a"], fragment.Attributes["b"], fragment.Attributes["c"],
		fragment.Line, fragment.Batch, fragment.Modified.UTC().Format(time.DateTime), fragment.CreatedBatch, fragment.Created.UTC().Format(time.DateTime))
}

// export returns the rows of everybody in the namespaces' datasets.
func (f *fixture) export(asOf time.Time, datasets ...store.Dataset) string {
	rule, err := audience.Parse("id IS NOT NULL", audience.Fields{"id": {Type: xdm.String}})
	require.NoError(f, err)
	n := store.Namespace{Symbol: "n", Datasets: datasets}
	results, err := f.Evaluate(f.Context(), asOf, []store.AudienceScope{{Name: "all", Rule: rule, Namespaces: []store.Namespace{n}, Part: "memberships/e/all.parquet"}}, nil)
	require.NoError(f, err)
	require.Empty(f, results[0].Error)
	return f.exported(store.ExportQuery{Namespace: n, AsOf: asOf, Paths: []string{"id", "a", "b", "c"}, Memberships: []string{results[0].Part}, Delimiter: ","})
}
