package server

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"prospector/internal/access"
	"prospector/internal/api"
	"prospector/internal/audience"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/store"
)

type profilesInput struct {
	Namespace []string `query:"namespace" doc:"Symbols of namespaces; all unless given."`
	Dataset   string   `query:"dataset" doc:"Only what this dataset holds, as it holds it; also one that is not enabled for Profile."`
	Where     string   `query:"where" maxLength:"20000" doc:"A rule as audiences have it: an SQL condition over XDM paths."`
	Limit     int      `query:"limit" default:"20" minimum:"1" maximum:"1000"`
	After     string   `query:"after" doc:"What the page before gave as next."`
	Columns   []string `query:"columns" doc:"XDM paths of the attributes to show; all unless given."`
}

type profileInput struct {
	Namespace string `query:"namespace" required:"true" doc:"Symbol of the namespace."`
	ID        string `query:"id" required:"true" doc:"Partner id, case-sensitive."`
}

func (s *server) profiles(routes huma.API) {
	register(s, routes, huma.Operation{OperationID: "browse-profiles", Method: http.MethodGet, Path: "/api/v1/profiles", Summary: "A page of profiles, by namespace and partner id"}, s.browse, access.ViewProfiles)
	register(s, routes, huma.Operation{OperationID: "get-profile", Method: http.MethodGet, Path: "/api/v1/profile", Summary: "One profile: attributes, fragments, audiences"}, s.profile, access.ViewProfiles)
	register(s, routes, huma.Operation{OperationID: "explain-profile", Method: http.MethodGet, Path: "/api/v1/profile/provenance", Summary: "Where each attribute of a profile comes from, and what batches did to it"}, s.provenance, access.ViewProfiles)
}

func (s *server) browse(ctx context.Context, in *profilesInput) (out api.ProfilePage, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	q := store.ProfileQuery{AsOf: time.Now().UTC(), Limit: in.Limit, Columns: in.Columns}
	if q.Namespaces, err = s.scope(w, in.Namespace, in.Dataset); err != nil {
		return out, err
	}
	if err := positionOf(in.After, &q.After); err != nil {
		return out, err
	}
	hidden, err := s.visible(ctx, w).of(ctx, q.Namespaces)
	if err != nil {
		return out, err
	}
	out = api.ProfilePage{AsOf: q.AsOf, Profiles: []store.Profile{}}
	if len(q.Namespaces) == 0 {
		return out, nil
	}
	paths, usable := attributes(q.Namespaces)
	for _, column := range in.Columns {
		if !slices.Contains(paths, column) {
			return out, errkind.New(errkind.Invalid, "", fmt.Errorf("columns: no prospect schema has an attribute %q", column), nearest(column, paths))
		}
	}
	if in.Where != "" {
		if q.Rule, err = audience.Parse(in.Where, usable); err != nil {
			return out, errkind.New(errkind.Invalid, "where", err, "")
		}
		if err := allow(hidden, q.Rule.Columns); err != nil {
			return out, err
		}
	}
	if err := allow(hidden, in.Columns); err != nil {
		return out, err
	}
	if len(hidden) > 0 && len(in.Columns) == 0 {
		q.Columns = slices.DeleteFunc(paths, func(path string) bool { return hidden[path] })
		out.Masked = slices.Sorted(maps.Keys(hidden))
	}
	looked := in.Dataset
	if looked == "" {
		looked = strings.Join(symbolsOf(q.Namespaces), ", ")
	}
	if err := s.looks(ctx, "browse", catalog.AuditedProfile, looked, ""); err != nil {
		return out, err
	}
	found, next, err := s.Store.Browse(ctx, q)
	if err != nil {
		return out, err
	}
	out.Profiles = append(out.Profiles, found...)
	if next != nil {
		out.Next = cursor(next)
	}
	return out, nil
}

func (s *server) profile(ctx context.Context, in *profileInput) (out api.ProfileView, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	n, err := s.one(w, in.Namespace)
	if err != nil {
		return out, err
	}
	v := s.visible(ctx, w)
	hidden, err := v.of(ctx, []store.Namespace{n})
	if err != nil {
		return out, err
	}
	if err := s.looksUp(ctx, n.Symbol, in.ID, ""); err != nil {
		return out, err
	}
	out.Audiences = []api.Audience{}
	if out.ProfileDetail, err = s.Store.Profile(ctx, n, in.ID, time.Now().UTC()); err != nil {
		return out, err
	}
	mask(out.Attributes, hidden)
	out.Masked = slices.Sorted(maps.Keys(hidden))
	latest, err := s.Memberships.LatestMemberships(ctx, "")
	if err != nil {
		return out, err
	}
	parts, descriptions, known := map[string]string{}, map[string]string{}, map[string]past{}
	for _, a := range w.Audiences { // one that is retired is no audience any more
		err := v.audience(ctx, a)
		if errkind.Of(err) == errkind.Denied { // that the profile is in it would tell a value
			out.MaskedAudiences = true
			continue
		}
		if err != nil {
			return out, err
		}
		if m, ok := latest[a.Name]; ok {
			parts[a.Name], descriptions[a.Name] = m.Part, a.Description
			if known[a.Name], err = v.past(ctx, a); err != nil {
				return out, err
			}
		}
	}
	memberships, err := s.Store.MembershipsOf(ctx, n.Symbol, in.ID, parts)
	if err != nil {
		return out, err
	}
	for _, m := range memberships {
		var may bool
		if m.Status, m.Since, may = known[m.Audience].standing(m.Status, m.Since); !may {
			continue
		}
		out.Audiences = append(out.Audiences, api.Audience{ProfileMembership: m, Description: descriptions[m.Audience], Evaluation: latest[m.Audience].Evaluation, AsOf: latest[m.Audience].AsOf})
	}
	return out, nil
}

func (s *server) provenance(ctx context.Context, in *profileInput) (out store.Provenance, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	n, err := s.one(w, in.Namespace)
	if err != nil {
		return out, err
	}
	hidden, err := s.visible(ctx, w).of(ctx, []store.Namespace{n})
	if err != nil {
		return out, err
	}
	if err := s.looksUp(ctx, n.Symbol, in.ID, "provenance"); err != nil {
		return out, err
	}
	if out, err = s.Store.Provenance(ctx, n, in.ID); err != nil {
		return out, err
	}
	mask(out.Attributes, hidden)
	for _, f := range out.Fragments {
		mask(f.Attributes, hidden)
	}
	for _, h := range out.History {
		mask(h.Attributes, hidden)
	}
	return out, nil
}
