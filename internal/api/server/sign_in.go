package server

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"prospector/internal/access"
	"prospector/internal/api"
)

func (s *server) signIn(routes huma.API) {
	register(s, routes, huma.Operation{OperationID: "sign-in", Method: http.MethodPost, Path: "/api/v1/sign-in",
		Summary: "Whose token this is, and what that principal may do; with an issuer's token also whom runs may name as who wants them, for a while"}, s.signedIn)
}

// signedIn says who asks. The steps of a run see no token: what groups give to a principal of an issuer they know by its sign-in.
func (s *server) signedIn(ctx context.Context, _ *struct{}) (out api.SignIn, err error) {
	c := callerOf(ctx)
	out = api.SignIn{Principal: c.Name, Labels: c.Labels()}
	for _, p := range c.Permissions() {
		out.Permissions = append(out.Permissions, string(p))
	}
	if c.signIn == nil {
		return out, nil
	}
	now := time.Now().UTC()
	until := now.Add(access.SignIn)
	out.Until = &until
	return out, s.Audit.RecordSignIn(ctx, c.request, c.Name, *c.signIn, now)
}
