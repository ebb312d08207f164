package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"prospector/internal/access"
	"prospector/internal/api"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

type batchesInput struct {
	Dataset string `path:"dataset"`
	Status  string `query:"status" enum:"loaded,failed,deleted" doc:"All unless given."`
	Version int64  `query:"version" minimum:"0" doc:"Those that are in this version of the dataset; all unless given."`
	Limit   int    `query:"limit" default:"20" minimum:"1" maximum:"1000"`
	After   string `query:"after" doc:"What the page before gave as next."`
}

type batchInput struct {
	Dataset string `path:"dataset"`
	Batch   string `path:"batch"`
}

func (s *server) batches(routes huma.API) {
	register(s, routes, huma.Operation{OperationID: "list-batches", Method: http.MethodGet, Path: "/api/v1/datasets/{dataset}/batches", Summary: "A page of a dataset's batches, the newest first"}, s.listBatches, access.ViewDatasets)
	register(s, routes, huma.Operation{OperationID: "get-batch", Method: http.MethodGet, Path: "/api/v1/datasets/{dataset}/batches/{batch}", Summary: "One batch, with why its rows were rejected"}, s.batch, access.ViewDatasets)
	register(s, routes, huma.Operation{OperationID: "get-batch-uses", Method: http.MethodGet, Path: "/api/v1/datasets/{dataset}/batches/{batch}/uses", Summary: "The audiences and deliveries that may hold rows of a batch"}, s.batchUses,
		access.ViewDatasets, access.ViewSegments, access.ViewDestinations)
}

// dataset is one of the applied workspace, as the store takes it.
func (s *server) dataset(ctx context.Context, name string) (store.Dataset, error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return store.Dataset{}, err
	}
	d, err := w.Dataset(name)
	if err != nil {
		return store.Dataset{}, err
	}
	return s.Dataset(w, d), nil
}

func (s *server) listBatches(ctx context.Context, in *batchesInput) (out api.BatchPage, err error) {
	d, err := s.dataset(ctx, in.Dataset)
	if err != nil {
		return out, err
	}
	found, next, err := s.Store.ListBatches(ctx, d, store.BatchQuery{Status: in.Status, Version: in.Version, Limit: in.Limit, After: in.After})
	if err != nil {
		return out, err
	}
	withheld, err := s.changesWithheld(ctx, in.Dataset)
	for i := range found {
		if withheld {
			found[i].Outcome = found[i].WithoutChanges()
		}
	}
	return api.BatchPage{Batches: append([]store.BatchRecord{}, found...), Next: next}, err
}

func (s *server) batch(ctx context.Context, in *batchInput) (out store.BatchDetail, err error) {
	d, err := s.dataset(ctx, in.Dataset)
	if err != nil {
		return out, err
	}
	if out, err = s.Store.Batch(ctx, d, in.Batch); err != nil {
		return out, err
	}
	withheld, err := s.changesWithheld(ctx, in.Dataset)
	if withheld {
		out.Outcome = out.WithoutChanges()
	}
	return out, err
}

// changesWithheld reports whether the caller may not know which rows changed nothing: to whom an attribute of the dataset is hidden, that
// would tell its values (AC-7).
func (s *server) changesWithheld(ctx context.Context, dataset string) (bool, error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return true, err
	}
	d, err := w.Dataset(dataset)
	if err != nil {
		return true, err
	}
	hidden, err := s.visible(ctx, w).hidden(ctx, []*workspace.Dataset{d})
	return err != nil || len(hidden) > 0, err
}
