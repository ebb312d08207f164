package duckdb_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"prospector/internal/infer"
	"prospector/internal/ingest"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// A draft that is proposed from a file takes the file: the types that it infers are those that the store
// casts to, and no more rows are refused than it says.
func TestDraftTakesTheFileItWasProposedFrom(t *testing.T) {
	files := map[string]string{}
	for _, name := range []string{"acme_200.csv", "merk_100.psv"} {
		data, err := os.ReadFile(filepath.Join("../../../testdata/partner", name))
		require.NoError(t, err)
		files[name] = string(data)
	}
	edges := [][]string{
		{"-999999999999999999", "999999999999999999", "0", "-0"},
		{"1e308", "1e-320", "1.", "-.5E+1"},
		{"0001-01-01", "9999-12-31", "2024-02-29", "1582-10-10"},
		{"2026-01-31T10:00:00Z", "2026-01-31 10:00:00.123456789+02:00", "0001-01-01", "9999-12-31T23:59:59+23:59"},
		{"true", "false", "true", "false"},
		{"00001", "99999", "12345", "01234"},
		{"A", "", "B", "C"},
	}
	edge := "id,whole,amount,day,at,flag,zip,tier\n"
	for i := range 400 {
		row := []string{fmt.Sprintf("P%d", i)}
		for _, values := range edges {
			row = append(row, values[i%4])
		}
		edge += strings.Join(row, ",") + "\n"
	}
	files["edge.csv"] = edge
	f := newFixture(t)
	for name, text := range files {
		p, err := infer.Propose(strings.NewReader(text), infer.Options{File: name})
		require.NoError(t, err)
		if name == "edge.csv" {
			var types []string
			for _, c := range p.Columns {
				types = append(types, string(c.FieldType))
			}
			require.Equal(t, []string{"string", "integer", "number", "date", "date-time", "boolean", "string", "string"}, types)
			require.NotEmpty(t, p.Columns[6].Pattern)
			require.NotEmpty(t, p.Columns[7].Enum)
		}
		var draft bytes.Buffer
		require.NoError(t, p.WriteYAML(&draft))
		w, err := workspace.Parse(workspace.Files{"prospector.yaml": "kind: Sandbox\nname: draft\norganization: Luma\n", "draft.yaml": draft.String()})
		require.NoError(t, err)
		file := ingest.File{Path: filepath.Join(f.dir, name), Batch: p.Name, Source: w.Sources[0], Identity: "partnerID", Rejections: filepath.Join(f.dir, "rejections"),
			Dataset: store.Dataset{Name: w.Datasets[0].Name, Schema: w.Schema(w.Datasets[0]).Composed}}
		require.NoError(t, os.WriteFile(file.Path, []byte(text), 0o600))
		counts, err := ingest.Validate(context.Background(), f.store, file, func(ingest.Progress) {})
		require.NoError(t, err)
		require.LessOrEqual(t, counts.Rejected, int64(p.Sample.Refused+p.Sample.Rejected+p.Sample.Headers), name)
	}
}
