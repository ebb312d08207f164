package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"prospector/internal/api"
	"prospector/internal/prospect"
	"prospector/internal/store"
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
	huma.Register(routes, huma.Operation{OperationID: "list-quarantine", Method: http.MethodGet, Path: "/api/v1/datasets/{dataset}/quarantine", Summary: "A page of a dataset's rejected rows, with all their reasons"}, read(s, s.listQuarantine))
	huma.Register(routes, huma.Operation{OperationID: "export-quarantine", Method: http.MethodGet, Path: "/api/v1/datasets/{dataset}/quarantine/export", Summary: "All rejected rows that match, as JSON Lines or CSV"}, s.exportQuarantine)
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
	found, next, err := s.Store.Quarantined(ctx, d, q)
	if err != nil {
		return out, err
	}
	out.Rows = append([]store.QuarantinedRow{}, found...)
	if next != nil {
		out.Next = cursor(next)
	}
	return out, nil
}
