package server

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"prospector/internal/access"
	"prospector/internal/api"
	"prospector/internal/errkind"
	"prospector/internal/prospect"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// QuarantineFilter narrows the rejected rows of a dataset. It is exported because the library reads its fields only then.
type QuarantineFilter struct {
	Dataset string `path:"dataset"`
	Batch   string `query:"batch" doc:"Rows of this batch."`
	Code    string `query:"code" doc:"Rows that were rejected for this reason, perhaps among others."`
	Field   string `query:"field" doc:"Rows in which something is wrong with this XDM path."`
	State   string `query:"state" enum:"unresolved,resolved" doc:"Rows that a later batch has not, or has, accepted; all unless given."`
}

func (f QuarantineFilter) query() store.QuarantineQuery {
	return store.QuarantineQuery{Batch: f.Batch, Code: prospect.Code(f.Code), Field: f.Field, State: f.State}
}

type quarantineInput struct {
	QuarantineFilter
	Limit int    `query:"limit" default:"20" minimum:"1" maximum:"1000"`
	After string `query:"after" doc:"What the page before gave as next."`
}

type exportInput struct {
	QuarantineFilter
	Format string `query:"format" default:"jsonl" enum:"jsonl,csv"`
}

func (s *server) quarantine(routes huma.API) {
	register(s, routes, huma.Operation{OperationID: "list-quarantine", Method: http.MethodGet, Path: "/api/v1/datasets/{dataset}/quarantine", Summary: "A page of a dataset's rejected rows, with all their reasons"}, s.listQuarantine, access.ViewDatasets, access.ViewProfiles)
	stream(s, routes, huma.Operation{OperationID: "export-quarantine", Method: http.MethodGet, Path: "/api/v1/datasets/{dataset}/quarantine/export", Summary: "All rejected rows that match, as JSON Lines or CSV"}, s.exportQuarantine, access.ViewDatasets, access.ViewProfiles)
}

func (s *server) listQuarantine(ctx context.Context, in *quarantineInput) (out api.QuarantinePage, err error) {
	d, err := s.dataset(ctx, in.Dataset)
	if err != nil {
		return out, err
	}
	q := in.query()
	q.Limit = in.Limit
	if err := positionOf(in.After, &q.After); err != nil {
		return out, err
	}
	hidden, err := s.hiddenOf(ctx, in.Dataset)
	if err != nil {
		return out, err
	}
	if err := s.looks(ctx, "view quarantine", "Dataset", in.Dataset, ""); err != nil {
		return out, err
	}
	found, next, err := s.Store.Quarantined(ctx, d, q)
	if err != nil {
		return out, err
	}
	if out.Masked = hidden; len(hidden) > 0 {
		for i := range found { // a record holds the values of all attributes
			found[i].Raw, found[i].RawBase64 = nil, nil
		}
	}
	out.Rows = append([]store.QuarantinedRow{}, found...)
	if next != nil {
		out.Next = cursor(next)
	}
	return out, nil
}

// hiddenOf are the attributes of a dataset that the caller may not see.
func (s *server) hiddenOf(ctx context.Context, name string) ([]string, error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return nil, err
	}
	d, err := w.Dataset(name)
	if err != nil {
		return nil, err
	}
	hidden, err := s.visible(ctx, w).hidden(ctx, []*workspace.Dataset{d})
	return slices.Sorted(maps.Keys(hidden)), err
}

var quarantineHeader = []string{"batch", "source", "file", "line", "offset", "reasons", "resolvedBy", "raw", "rawBase64"}

// exportQuarantine gives whole records, to who may see all that is in them.
func (s *server) exportQuarantine(ctx context.Context, in *exportInput) (export, error) {
	d, err := s.dataset(ctx, in.Dataset)
	if err != nil {
		return export{}, err
	}
	if in.Batch != "" {
		if _, err := s.Store.Batch(ctx, d, in.Batch); err != nil {
			return export{}, err
		}
	}
	hidden, err := s.hiddenOf(ctx, in.Dataset)
	if err != nil {
		return export{}, err
	}
	if len(hidden) > 0 {
		return export{}, errkind.New(errkind.Denied, "dataset "+in.Dataset, fmt.Errorf("its records hold %s, with labels that your roles do not hold", hidden[0]), "list them without the records: starter quarantine list")
	}
	return export{format: in.Format, header: quarantineHeader,
		begin: func(ctx context.Context) error {
			return s.looks(ctx, "export quarantine", "Dataset", in.Dataset, in.Format)
		},
		rows: func(ctx context.Context, emit func(value any, record []string) error) error {
			return s.Store.ExportQuarantine(ctx, d, in.query(), func(row store.QuarantinedRow) error { return emit(row, quarantineRecord(row)) })
		}}, nil
}

func quarantineRecord(row store.QuarantinedRow) []string {
	var reasons []string
	for _, r := range row.Reasons {
		reasons = append(reasons, r.Reason.String())
	}
	raw, rawBase64 := "", ""
	if row.Raw != nil {
		raw = *row.Raw
	} else if text, err := json.Marshal(row.RawBase64); err == nil {
		rawBase64 = strings.Trim(string(text), `"`)
	}
	return []string{row.Batch, row.Source, row.File, strconv.FormatInt(row.Line, 10), strconv.FormatInt(row.Offset, 10), strings.Join(reasons, "; "), row.ResolvedBy, raw, rawBase64}
}
