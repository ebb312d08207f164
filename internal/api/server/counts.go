package server

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"prospector/internal/access"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

func (s *server) counts(routes huma.API) {
	register(s, routes, huma.Operation{OperationID: "count-profiles", Method: http.MethodGet, Path: "/api/v1/counts", Summary: "How many profiles there are, by namespace and dataset"}, s.count, access.ViewProfiles)
}

func (s *server) count(ctx context.Context, _ *struct{}) (out store.Counts, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	enabled := w.ProfileDatasets(nil)
	others := slices.DeleteFunc(slices.Clone(w.Datasets), func(d *workspace.Dataset) bool {
		return slices.Contains(enabled, d) || w.Schema(d).PrimaryIdentity.Namespace == ""
	})
	return s.Store.Count(ctx, s.grouped(w, enabled), s.grouped(w, others), time.Now().UTC())
}
