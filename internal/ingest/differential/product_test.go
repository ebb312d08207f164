package differential_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"prospector/internal/errkind"
	"prospector/internal/ingest"
	"prospector/internal/mapping"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/store/duckdb"
	"prospector/internal/workspace"
	"prospector/internal/xdm"
)

// product is a store with one dataset, and takes files as the activities do.
type product struct {
	t       testing.TB
	store   *duckdb.Store
	dir     string
	setting setting
	dataset store.Dataset
	source  *workspace.Source
}

func openStore(t testing.TB, dir string) *duckdb.Store {
	s, err := duckdb.Open(t.Context(), dir, duckdb.Options{MemoryLimit: "512MB", Threads: 1})
	require.NoError(t, err)
	return s
}

func newProduct(t testing.TB, s *duckdb.Store, dir, name string, with setting) *product {
	yes := true
	format := workspace.Format{Records: "delimited", Delimiter: string(with.dialect.delimiter), Quote: workspace.QuoteNone, Columns: with.dialect.columns, Encoding: "utf-8", Compression: "none"}
	if with.dialect.quote != 0 {
		format.Quote = string(with.dialect.quote)
	}
	if with.dialect.escape != 0 {
		format.Escape = string(with.dialect.escape)
	}
	if with.dialect.keep {
		format.QuoteInField = workspace.QuoteKeep
	}
	mapped := map[string]string{}
	var calculated []mapping.Target
	for column, path := range with.columns {
		if by := with.lists[path]; by != "" {
			calculated = append(calculated, mapping.Target{Field: path, Column: column, Steps: []mapping.Step{{List: &by}}})
			continue
		}
		mapped[column] = path
	}
	return &product{t: t, store: s, dir: dir, setting: with,
		dataset: store.Dataset{Name: name, Schema: &xdm.Schema{Name: "s", Fields: with.fields}, Identity: identityPath, Merge: with.merge, MostRemoved: with.mostRemoved,
			LifetimeDays: with.lifetimeDays},
		source: &workspace.Source{Name: "partner", Dataset: name, Format: format, Mapping: mapped, CalculatedFields: calculated, IgnoreColumns: with.ignored, NullMarkers: with.nulls,
			Drift: workspace.Drift{Unmapped: with.unmapped, Missing: with.missing}, ErrorThreshold: &with.threshold, PartialIngestion: &yes}}
}

func (p *product) take(in input, batch string, at time.Time) (out verdict) {
	t := p.t
	file := ingest.File{Name: batch + ".csv", Path: filepath.Join(p.dir, p.dataset.Name+batch), Batch: batch, Source: p.source, Dataset: p.dataset, Identity: identityPath,
		Rejections: filepath.Join(p.dir, p.dataset.Name+batch+".rejections"), BusinessDate: in.date, Guardrails: workspace.Guardrails{RecordBytes: p.setting.recordBytes}}
	require.NoError(t, os.WriteFile(file.Path, in.content, 0o600))
	defer os.Remove(file.Path)
	defer os.Remove(file.Rejections)
	counts, err := ingest.Validate(t.Context(), p.store, file, func(ingest.Progress) {})
	if err != nil {
		if errkind.Of(err) != errkind.BadInput {
			return verdict{refused: err.Error()} // which nothing promises
		}
		for _, code := range []string{"106", "118"} {
			if strings.Contains(err.Error(), "("+code+")") {
				return verdict{refused: code}
			}
		}
		return verdict{refused: "refused"}
	}
	if counts.SetAside != "" {
		return verdict{refused: "set aside"}
	}
	out.read, out.accepted, out.drift = counts.Read, counts.Accepted, "/"
	if counts.Drift != nil {
		out.drift = driftText(counts.Drift.Unmapped, counts.Drift.Missing)
	}
	out.rejected = readRejections(t, file.Rejections)
	require.EqualValues(t, counts.Rejected, len(out.rejected))
	columns, err := file.Columns()
	require.NoError(t, err)
	header, err := file.Header()
	require.NoError(t, err)
	load := store.Load{Dataset: p.dataset, Columns: columns, Quarantine: file.Rejections, At: at, Status: store.Loaded, AllowRemovals: in.force,
		Batch: store.Batch{ID: batch, Source: "partner", File: file.Name, SHA256: batch, BusinessDate: in.date, Header: header},
		Read:  counts.Read, Accepted: counts.Accepted, Rejected: counts.Rejected}
	if counts.Exceeds(p.source.Threshold()) {
		load.Status = store.Failed
	}
	out.outcome, err = p.store.Load(t.Context(), load, nil)
	if err != nil {
		if errkind.Of(err) != errkind.BadInput || !strings.Contains(err.Error(), "would remove") {
			return verdict{refused: err.Error()}
		}
		out.removals = true
		return out
	}
	kept, err := p.store.RejectionCounts(t.Context(), p.dataset, batch)
	require.NoError(t, err)
	out.reasons = map[string]int64{}
	for _, r := range kept {
		out.reasons[strings.TrimSpace(string(r.Reason.Code)+" "+r.Reason.Field)] += r.Rows
	}
	return out
}

// readRejections returns each rejected row: its line, and its codes with the fields that they concern.
func readRejections(t testing.TB, path string) (out []string) {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		var r struct {
			Line    int64
			Reasons []prospect.Reason
		}
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		var texts []string
		for _, reason := range r.Reasons {
			texts = append(texts, strings.TrimSpace(string(reason.Code)+" "+reason.Field))
		}
		slices.Sort(texts)
		out = append(out, fmt.Sprintf("%d: %s", r.Line, strings.Join(texts, ", ")))
	}
	return out
}

// holdings are the profiles of ids, and of ids that nobody knows of a note.
func (p *product) holdings(ids map[string]bool) map[string]string {
	out := map[string]string{}
	for id := range ids {
		f, ok, err := p.store.Fragment(p.t.Context(), p.dataset, id)
		require.NoError(p.t, err)
		if !ok {
			continue
		}
		values := map[string]value{}
		for _, field := range p.setting.fields {
			if v, ok := f.Attributes[field.Path]; ok {
				values[field.Path] = valueOf(v)
			}
		}
		out[id] = holding(values, f.Batch, f.Line, f.Modified, f.CreatedBatch, f.Created, f.Expires)
	}
	n, err := p.store.Profiles(p.t.Context(), p.dataset)
	require.NoError(p.t, err)
	if n != int64(len(out)) {
		out["(other ids)"] = strconv.FormatInt(n-int64(len(out)), 10)
	}
	return out
}

func valueOf(v any) value {
	switch v := v.(type) {
	case float64:
		return value(doubleText(v))
	case time.Time:
		return value(strconv.FormatInt(v.UnixMicro(), 10))
	case []any:
		elements := make([]value, len(v))
		for i, each := range v {
			elements[i] = valueOf(each)
		}
		return listValue(elements)
	case map[string]any:
		pairs := map[string]value{}
		for key, each := range v {
			pairs[key] = valueOf(each)
		}
		return mapValue(pairs)
	}
	return value(fmt.Sprint(v))
}
