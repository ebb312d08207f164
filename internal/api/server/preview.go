package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"prospector/internal/access"
	"prospector/internal/api"
	"prospector/internal/audience"
	"prospector/internal/enforcement"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

type previewInput struct {
	Body api.PreviewRequest
}

func (s *server) preview(routes huma.API) {
	register(s, routes, huma.Operation{OperationID: "preview-audience", Method: http.MethodPost, Path: "/api/v1/preview",
		Summary: "Who would be in an audience now, counted exactly, and which destinations could get it"}, s.previewed, access.ViewSegments, access.ViewProfiles)
}

func (s *server) previewed(ctx context.Context, in *previewInput) (out api.AudiencePreview, err error) {
	w, err := s.Workspace(ctx)
	if err != nil {
		return out, err
	}
	q := store.PreviewQuery{AsOf: time.Now().UTC()}
	var judged *workspace.Audience
	symbols := in.Body.Namespaces
	switch {
	case (in.Body.Audience == "") == (in.Body.Rule == ""):
		return out, errkind.New(errkind.Invalid, "", errors.New("a preview is of an audience or of a rule"), "name one of them")
	case in.Body.Audience != "":
		a, err := w.Audience(in.Body.Audience)
		if err != nil {
			return out, err
		}
		q.Rule, judged = a.Parsed, a
		if len(symbols) == 0 {
			symbols = a.Namespaces
		}
		for _, symbol := range symbols {
			if len(a.Namespaces) > 0 && !slices.Contains(a.Namespaces, symbol) {
				return out, errkind.New(errkind.Invalid, "audience "+a.Name, fmt.Errorf("it holds no prospects of namespace %s", symbol), "its namespaces are "+strings.Join(a.Namespaces, ", "))
			}
		}
		if a.Limit != nil {
			q.Most = a.Limit.Profiles
		}
		out.Columns = w.RuleColumns(a)
	}
	if q.Namespaces, err = s.scope(w, symbols, ""); err != nil {
		return out, err
	}
	if q.Rule == nil {
		if q.Rule, err = s.ruleOf(w, in.Body, q.Namespaces); err != nil {
			return out, err
		}
		judged = &workspace.Audience{Name: hypothetical, Namespaces: symbols, Rule: in.Body.Rule, Parsed: q.Rule}
		out.Columns = q.Rule.Columns
		for _, name := range q.Rule.Audiences {
			if a, err := w.Audience(name); err == nil {
				out.Columns = append(out.Columns, w.RuleColumns(a)...)
			}
		}
		slices.Sort(out.Columns)
		out.Columns = slices.Compact(out.Columns)
	}
	v := s.visible(ctx, w)
	hidden, err := v.hidden(ctx, w.ProfileDatasets(symbols))
	if err == nil {
		err = allow(hidden, out.Columns)
	}
	for _, name := range q.Rule.Audiences { // whose members an earlier rule may have given
		if a, found := w.Audience(name); err == nil && found == nil {
			err = v.audience(ctx, a)
		}
	}
	if err == nil && in.Body.Sample > 0 {
		_, err = v.of(ctx, q.Namespaces)
	}
	if err != nil {
		return out, err
	}
	for _, warning := range q.Rule.Warnings {
		out.Warnings = append(out.Warnings, warning.Message)
	}
	if q.Members, err = s.parts(ctx, q.Rule.Audiences); err != nil {
		return out, err
	}
	out.AsOf = q.AsOf
	began := time.Now()
	if out.Preview, err = s.Store.Preview(ctx, q); err != nil {
		return out, err
	}
	out.Seconds = time.Since(began).Seconds()
	out.Labels = labelsOf(w, w.ProfileDatasets(symbols), out.Columns)
	if out.Refusals, err = s.refusals(ctx, w, judged, symbols, q.AsOf); err != nil {
		return out, err
	}
	if !withhold(w, &out) {
		return out, nil
	}
	sample := min(in.Body.Sample, int(out.Profiles))
	if sample > 0 {
		if err := s.looks(ctx, "preview", "Audience", in.Body.Audience, fmt.Sprintf("a sample of %d profiles", sample)); err != nil {
			return out, err
		}
		out.Sample, _, err = s.Store.Browse(ctx, store.ProfileQuery{Namespaces: q.Namespaces, AsOf: q.AsOf, Rule: q.Rule, Members: q.Members, Columns: q.Rule.Columns, Limit: sample})
	}
	return out, err
}

func (s *server) ruleOf(w *workspace.Workspace, in api.PreviewRequest, namespaces []store.Namespace) (*audience.Rule, error) {
	notation := audience.SQL
	if in.Notation == string(audience.PQL) {
		notation = audience.PQL
	}
	var known []string
	for _, a := range w.Audiences {
		known = append(known, a.Name)
	}
	_, usable := attributes(namespaces)
	rule, err := audience.Parse(in.Rule, usable, audience.In(notation), audience.MayRefer(known...))
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "rule", err, "")
	}
	return rule, nil
}

// hypothetical is what an audience is called that is a rule as yet: no audience can be called so.
const hypothetical = "the rule"

// refusals are the policies and contracts that would keep an audience from destinations, whatever columns an activation adds, as far as
// they can be told before anything leaves: how much a delivery holds, and how many there have been, is not known.
func (s *server) refusals(ctx context.Context, w *workspace.Workspace, a *workspace.Audience, symbols []string, at time.Time) (out []api.Refusal, err error) {
	if a.Name == hypothetical {
		with := *w
		with.Audiences = append(slices.Clone(w.Audiences), a)
		w = &with
	}
	datasets := w.ProfileDatasets(symbols)
	facts := enforcement.Facts{Now: at, Labels: map[string]map[string][]string{}}
	var leaving []string
	for _, d := range datasets {
		if facts.Labels[d.Name], err = s.Store.Labels(ctx, s.Dataset(w, d)); err != nil {
			return nil, err
		}
		if symbol := w.Namespace(d); !slices.Contains(leaving, symbol) {
			leaving = append(leaving, symbol)
		}
	}
	for _, destination := range w.Destinations {
		for _, symbol := range leaving {
			found, err := enforcement.Judge(w, &workspace.Activation{Destination: destination.Name, Audiences: []string{a.Name}, Namespace: symbol}, facts)
			if err != nil {
				return nil, err
			}
			for _, v := range found {
				r := api.Refusal{Destination: destination.Name, Kind: v.Kind, Policy: v.Policy, Labels: v.Labels, MarketingAction: v.MarketingAction, Term: v.Term, Reason: v.Violation.Headline(), Resolution: v.Resolution}
				if !slices.ContainsFunc(out, func(other api.Refusal) bool { return other.Destination == r.Destination && other.Reason == r.Reason }) {
					out = append(out, r)
				}
			}
		}
	}
	return out, nil
}
