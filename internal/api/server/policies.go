package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"prospector/internal/access"
	"prospector/internal/api"
)

func (s *server) policies(routes huma.API) {
	register(s, routes, huma.Operation{OperationID: "list-policies", Method: http.MethodGet, Path: "/api/v1/policies", Summary: "The policies that hold, with who declared them"}, s.listPolicies, access.ViewPolicies)
}

func (s *server) listPolicies(ctx context.Context, _ *struct{}) (out api.PolicyList, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	changes, err := s.Memberships.ObjectChanges(ctx, "Policy")
	if err != nil {
		return out, err
	}
	for _, p := range w.GovernancePolicies() {
		summary := api.Policy{Name: p.Name, Type: p.Type, Owner: p.Owner, Description: p.Description, Status: string(p.Status), MarketingActions: p.MarketingActions, Deny: p.Deny.String(), Origin: p.At}
		for _, change := range changes {
			if change.Name != p.Name {
				continue
			}
			at := change.At
			if change.Action == "add" {
				summary.Created, summary.CreatedBy = &at, change.Actor
			}
			summary.Updated, summary.UpdatedBy = &at, change.Actor
		}
		out.Policies = append(out.Policies, summary)
	}
	return out, nil
}
