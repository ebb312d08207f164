package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"prospector/internal/access"
	"prospector/internal/api"
	"prospector/internal/audience"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

type audiencesInput struct {
	Status string   `query:"status" enum:"draft,published,inactive" doc:"All but inactive ones unless given."`
	Tags   []string `query:"tags" doc:"Only audiences with one of these."`
}

type audienceInput struct {
	Audience string `path:"audience"`
}

type historyInput struct {
	Audience string `path:"audience"`
	Limit    int    `query:"limit" default:"20" minimum:"1" maximum:"1000"`
}

type membersInput struct {
	Audience  string `path:"audience"`
	Namespace string `query:"namespace" doc:"Symbol; all unless given."`
	Status    string `query:"status" enum:"realized,existing,exited" doc:"Those that are in it unless given."`
	Limit     int    `query:"limit" default:"20" minimum:"1" maximum:"1000"`
	After     string `query:"after" doc:"What the page before gave as next."`
}

type reasonInput struct {
	Audience  string `path:"audience"`
	Namespace string `query:"namespace" required:"true" doc:"Symbol of the namespace."`
	ID        string `query:"id" required:"true" doc:"Partner id, case-sensitive."`
}

type overlapInput struct {
	Audiences []string `query:"audiences" required:"true" minItems:"2" maxItems:"20" doc:"Names."`
}

func (s *server) audiences(routes huma.API) {
	get := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: "/api/v1" + path, Summary: summary}
	}
	register(s, routes, get("list-audiences", "/audiences", "The audiences with what their latest evaluations came to"), s.listAudiences, access.ViewSegments)
	register(s, routes, get("get-audience", "/audiences/{audience}", "One audience: rule, use, labels, latest result"), s.audience, access.ViewSegments)
	register(s, routes, get("get-audience-history", "/audiences/{audience}/history", "What an audience's evaluations came to, the latest first"), s.audienceHistory, access.ViewSegments)
	register(s, routes, get("list-members", "/audiences/{audience}/members", "A page of an audience's members, as it was evaluated last"), s.members, access.ViewSegments, access.ViewProfiles)
	register(s, routes, get("explain-membership", "/audiences/{audience}/why", "Why a prospect is in an audience or is not"), s.why, access.ViewSegments, access.ViewProfiles)
	register(s, routes, get("get-overlap", "/overlap", "How many prospects audiences share, exactly"), s.overlap, access.ViewSegments)
}

// summarised says of audiences what is declared, who changed it, the membership that holds, and whether the latest evaluation failed.
func (v *visibility) summarised(ctx context.Context, audiences []*workspace.Audience) (out []api.AudienceSummary, err error) {
	s, w := v.server, v.workspace
	latest, err := s.Memberships.LatestResults(ctx)
	if err != nil {
		return nil, err
	}
	memberships, err := s.Memberships.LatestMemberships(ctx, "")
	if err != nil {
		return nil, err
	}
	changes, err := s.Memberships.ObjectChanges(ctx, "Audience")
	if err != nil {
		return nil, err
	}
	for _, a := range audiences {
		summary := api.AudienceSummary{Name: a.Name, Description: a.Description, Status: a.Status, Tags: a.Tags, Origin: a.File(), Namespaces: symbols(w, a),
			Notation: string(a.Parsed.Notation), Rule: a.Rule, Schedule: scheduleText(w, a)}
		for _, change := range changes {
			if change.Name != a.Name {
				continue
			}
			at := change.At
			if change.Action == "add" {
				summary.Created = &at
			}
			summary.Updated, summary.UpdatedBy = &at, change.Actor
		}
		known, err := v.past(ctx, a)
		if err != nil {
			return nil, err
		}
		if m, ok := memberships[a.Name]; ok {
			result := known.result(resultOf(w, m))
			summary.Result = &result
		}
		for _, m := range latest {
			if m.Audience == a.Name && m.Error != "" && known.knows(m) {
				summary.Failure = &api.AudienceFailure{Evaluation: m.Evaluation, AsOf: m.AsOf, Error: m.Error}
			}
		}
		out = append(out, summary)
	}
	return out, nil
}

// symbols are the namespaces that an audience may hold prospects of.
func symbols(w *workspace.Workspace, a *workspace.Audience) []string {
	out := []string{}
	for _, d := range w.ProfileDatasets(a.Namespaces) {
		if symbol := w.Namespace(d); !slices.Contains(out, symbol) {
			out = append(out, symbol)
		}
	}
	return out
}

func scheduleText(w *workspace.Workspace, a *workspace.Audience) string {
	switch {
	case a.Status == workspace.Inactive:
		return ""
	case a.Schedule != nil:
		return a.Schedule.String()
	}
	return w.Sandbox.Evaluation.Schedule.String()
}

func (s *server) listAudiences(ctx context.Context, in *audiencesInput) (out api.AudienceList, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	var chosen []*workspace.Audience
	for _, a := range w.Audiences {
		wanted := a.Status == in.Status || in.Status == "" && a.Status != workspace.Inactive
		tagged := len(in.Tags) == 0 || slices.ContainsFunc(in.Tags, func(tag string) bool { return slices.Contains(a.Tags, tag) })
		if wanted && tagged {
			chosen = append(chosen, a)
		}
	}
	v := s.visible(ctx, w)
	for _, a := range slices.Clone(chosen) {
		err := v.audience(ctx, a)
		if errkind.Of(err) == errkind.Denied {
			chosen = slices.DeleteFunc(chosen, func(other *workspace.Audience) bool { return other == a })
			continue
		}
		if err != nil {
			return out, err
		}
	}
	found, err := v.summarised(ctx, chosen)
	return api.AudienceList{Audiences: append([]api.AudienceSummary{}, found...)}, err
}

func (s *server) audience(ctx context.Context, in *audienceInput) (out api.AudienceDetail, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	a, err := w.Audience(in.Audience)
	if err != nil {
		return out, err
	}
	v := s.visible(ctx, w)
	if err := v.audience(ctx, a); err != nil {
		return out, err
	}
	summaries, err := v.summarised(ctx, []*workspace.Audience{a})
	if err != nil {
		return out, err
	}
	out = api.AudienceDetail{AudienceSummary: summaries[0], Columns: w.RuleColumns(a), RefersTo: a.Parsed.Audiences}
	if out.RuleSQL, err = a.Parsed.Print(audience.SQL); err != nil {
		return out, err
	}
	out.RulePQL, _ = a.Parsed.Print(audience.PQL) // it has not a word for everything
	for _, other := range w.Audiences {
		if slices.Contains(other.Parsed.Audiences, a.Name) {
			out.UsedBy = append(out.UsedBy, other.Name)
		}
	}
	for _, activation := range w.Activations {
		if slices.Contains(activation.Audiences, a.Name) {
			out.Activations = append(out.Activations, activation.Name)
		}
	}
	out.Labels = labelsOf(w, w.ProfileDatasets(a.Namespaces), out.Columns)
	return out, nil
}

// labelsOf are the labels that an audience inherits from the attributes that decide who is in it (PL-17).
func labelsOf(w *workspace.Workspace, datasets []*workspace.Dataset, columns []string) (out []string) {
	for _, d := range datasets {
		labels := w.FieldLabels(d)
		for _, path := range append([]string{w.Schema(d).PrimaryIdentity.Field}, columns...) {
			out = append(out, labels[path]...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s *server) audienceHistory(ctx context.Context, in *historyInput) (out api.AudienceHistory, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	a, err := w.Audience(in.Audience)
	v := s.visible(ctx, w)
	if err == nil {
		err = v.audience(ctx, a)
	}
	if err != nil {
		return out, err
	}
	known, err := v.past(ctx, a)
	if err != nil {
		return out, err
	}
	out = api.AudienceHistory{Audience: in.Audience, Results: []api.AudienceResult{}}
	history, err := s.Memberships.AudienceHistory(ctx, in.Audience, in.Limit)
	for _, m := range history {
		if !known.knows(m) {
			continue
		}
		result := known.result(resultOf(w, m))
		if result.DerivedFrom, err = s.Lineage.Derivations(ctx, m.Evaluation); err != nil {
			return out, err
		}
		result.DerivedFrom = slices.DeleteFunc(result.DerivedFrom, func(d store.Derivation) bool { return !reads(w, a, d.Dataset) })
		out.Results = append(out.Results, result)
	}
	return out, err
}

// reads reports whether an audience is made of a dataset, itself or through audiences that it refers to.
func reads(w *workspace.Workspace, a *workspace.Audience, dataset string) bool {
	return slices.ContainsFunc(w.EvaluationOrder([]*workspace.Audience{a}), func(a *workspace.Audience) bool {
		return slices.ContainsFunc(w.ProfileDatasets(a.Namespaces), func(d *workspace.Dataset) bool { return d.Name == dataset })
	})
}

// evaluated is the latest membership of an audience.
func (s *server) evaluated(ctx context.Context, name string) (catalog.Membership, error) {
	latest, err := s.Memberships.LatestMemberships(ctx, "")
	if err != nil {
		return catalog.Membership{}, err
	}
	m, ok := latest[name]
	if !ok {
		return m, errkind.New(errkind.Missing, "audience "+name, errors.New("it has not been evaluated yet"), "run: starter audiences evaluate "+name)
	}
	return m, nil
}

func (s *server) members(ctx context.Context, in *membersInput) (out api.MemberPage, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	a, err := w.Audience(in.Audience)
	if err == nil {
		err = s.seesMembers(ctx, w, a)
	}
	if err != nil {
		return out, err
	}
	if in.Namespace != "" {
		if err := knownNamespace(w, in.Namespace); err != nil {
			return out, err
		}
	}
	m, err := s.evaluated(ctx, in.Audience)
	if err != nil {
		return out, err
	}
	if tooSmall(w, m.Size()) || namespaceTooSmall(w, m) || in.Status != "" && resultOf(w, m).BreakdownWithheld {
		return out, errkind.New(errkind.Denied, "audience "+in.Audience, fmt.Errorf("they, or a part of them, are fewer than %d, the sandbox's evaluation.minimumCount", w.Sandbox.Evaluation.MinimumCount), "")
	}
	known, err := s.visible(ctx, w).past(ctx, a)
	if err != nil {
		return out, err
	}
	if in.Status != "" && known.cut {
		return out, errkind.New(errkind.Denied, "audience "+in.Audience, errors.New("it had another rule before, and who stayed or left would tell whom that one held"), "leave the status out")
	}
	q := store.MemberQuery{Audience: in.Audience, Part: m.Part, Namespace: in.Namespace, Status: in.Status, Limit: in.Limit}
	if err := positionOf(in.After, &q.After); err != nil {
		return out, err
	}
	if err := s.looks(ctx, "view members", "Audience", in.Audience, ""); err != nil {
		return out, err
	}
	found, next, err := s.Store.Members(ctx, q)
	out = api.MemberPage{Audience: in.Audience, Evaluation: m.Evaluation, AsOf: m.AsOf, Members: []store.Member{}}
	for _, member := range found {
		member.Status, member.Since, _ = known.standing(member.Status, member.Since)
		if in.Status == "" && changeTooSmall(w, m) { // they could be counted
			member.Status, member.Since = "", time.Time{}
		}
		out.Members = append(out.Members, member)
	}
	if next != nil {
		out.Next = cursor(next)
	}
	return out, err
}

// seesMembers is Denied when the caller may see neither who is in an audience nor by what.
func (s *server) seesMembers(ctx context.Context, w *workspace.Workspace, a *workspace.Audience) error {
	v := s.visible(ctx, w)
	if _, err := v.of(ctx, s.grouped(w, w.ProfileDatasets(a.Namespaces))); err != nil {
		return err
	}
	return v.audience(ctx, a)
}

func (s *server) why(ctx context.Context, in *reasonInput) (out api.AudienceReason, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	a, err := w.Audience(in.Audience)
	if err != nil {
		return out, err
	}
	n, err := s.one(w, in.Namespace)
	if err != nil {
		return out, err
	}
	if held := symbols(w, a); !slices.Contains(held, n.Symbol) {
		return out, errkind.New(errkind.Invalid, "audience "+a.Name, fmt.Errorf("it holds no prospects of namespace %s", n.Symbol), "its namespaces are "+fmt.Sprint(held))
	}
	if err := s.seesMembers(ctx, w, a); err != nil {
		return out, err
	}
	if err := s.looksUp(ctx, n.Symbol, in.ID, "audience "+a.Name); err != nil {
		return out, err
	}
	parts, err := s.parts(ctx, a.Parsed.Audiences)
	if err != nil {
		return out, err
	}
	out = api.AudienceReason{Audience: a.Name, Namespace: n.Symbol, PartnerID: in.ID, AsOf: time.Now().UTC(), Rule: a.Rule}
	if a.Limit != nil {
		out.Limit = a.Limit.Profiles
	}
	if out.Explanation, err = s.Store.Explain(ctx, n, in.ID, store.PreviewQuery{AsOf: out.AsOf, Rule: a.Parsed, Members: parts}); err != nil {
		return out, err
	}
	m, err := s.evaluated(ctx, a.Name)
	if errkind.Of(err) == errkind.Missing {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	known, err := s.visible(ctx, w).past(ctx, a)
	if err != nil {
		return out, err
	}
	found, err := s.Store.MembershipsOf(ctx, n.Symbol, in.ID, map[string]string{a.Name: m.Part})
	if len(found) > 0 {
		var may bool
		if found[0].Status, found[0].Since, may = known.standing(found[0].Status, found[0].Since); may {
			out.Membership = &found[0]
		}
	}
	out.Evaluated = &m.AsOf
	return out, err
}

// parts are the latest membership parts of audiences, of those that have one.
func (s *server) parts(ctx context.Context, names []string) (map[string]string, error) {
	out := map[string]string{}
	if len(names) == 0 {
		return out, nil
	}
	latest, err := s.Memberships.LatestMemberships(ctx, "")
	for _, name := range names {
		if m, ok := latest[name]; ok {
			out[name] = m.Part
		}
	}
	return out, err
}

func (s *server) overlap(ctx context.Context, in *overlapInput) (out api.AudienceOverlap, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	v := s.visible(ctx, w)
	parts, evaluated := map[string]string{}, map[string]catalog.Membership{}
	var chosen []*workspace.Audience
	for _, name := range in.Audiences {
		a, err := w.Audience(name)
		if err != nil {
			return out, err
		}
		if err := v.audience(ctx, a); err != nil {
			return out, err
		}
		m, err := s.evaluated(ctx, name)
		if err != nil {
			return out, err
		}
		if parts[name] == "" {
			chosen = append(chosen, a)
		}
		parts[name], evaluated[name] = m.Part, m
	}
	if out.Audiences, err = v.summarised(ctx, chosen); err != nil {
		return out, err
	}
	found, err := s.Store.Overlap(ctx, parts)
	names := slices.Sorted(maps.Keys(parts))
	for i, a := range names {
		for _, b := range names[i+1:] {
			both := int64(0)
			for _, o := range found {
				if o.A == a && o.B == b {
					both = o.Both
				}
			}
			out.Pairs = append(out.Pairs, pairOf(w, evaluated[a], evaluated[b], both))
		}
	}
	return out, err
}
