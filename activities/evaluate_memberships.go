package activities

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// memberships is the folder of the data directory with a folder for each evaluation, and there a part for each audience.
const memberships = "memberships"

// Audiences is what evaluation and export need of the store.
type Audiences interface {
	Evaluate(ctx context.Context, asOf time.Time, audiences []store.AudienceScope, done func(name string)) ([]store.Membership, error)
	Labels(ctx context.Context, dataset store.Dataset) (map[string][]string, error)
	Versions(ctx context.Context, datasets []store.Dataset) ([]store.Derivation, error)
	BatchSpans(ctx context.Context, dataset store.Dataset, batch string) ([]store.BatchSpan, error)
	LeftOut(ctx context.Context, q store.ExportQuery) (int64, error)
	Profiles(ctx context.Context, dataset store.Dataset) (int64, error)
	Export(ctx context.Context, q store.ExportQuery, consume func(r io.Reader) error) (rows map[string]int64, err error)
}

// Memberships is the record of evaluations.
type Memberships interface {
	PublishEvaluation(ctx context.Context, id string, asOf time.Time, results []store.Membership, at time.Time, audit ...catalog.AuditRecord) error
	Superseded(ctx context.Context, id string, asOf time.Time, audiences ...string) error
	Evaluation(ctx context.Context, id string) ([]catalog.Membership, error)
	LatestMemberships(ctx context.Context, except string) (map[string]catalog.Membership, error)
	KeptParts(ctx context.Context) (map[string][]string, error)
	ForgetStaleParts(ctx context.Context) error
	ForgetAudience(ctx context.Context, audience string) error
	AudienceHistory(ctx context.Context, audience string, limit int) ([]catalog.Membership, error)
}

// EvaluateMembershipsInput asks for audiences, all of the workspace when none is named.
type EvaluateMembershipsInput struct {
	Evaluation string    `json:"evaluation"`
	AsOf       time.Time `json:"asOf"`
	Audiences  []string  `json:"audiences,omitempty"`
	Namespaces []string  `json:"namespaces,omitempty"` // of all, only those that may hold prospects of one of them
	Datasets   []string  `json:"datasets,omitempty"`   // of all, only those whose members one of them may change
	Scheduled  bool      `json:"scheduled,omitempty"`  // of all, only those that have no schedule of their own

	RequestedBy string `json:"requestedBy,omitempty"`
}

// EvaluateMembershipsOutput holds each audience's result: without counts where whoever asked may not know them.
type EvaluateMembershipsOutput struct {
	Memberships []store.Membership `json:"memberships"`
}

// EvaluateMemberships computes the membership of every audience from one snapshot and publishes all of
// them at once. An audience that fails carries its error and keeps its earlier membership. One that died and goes on after a later one
// was published is Conflict: it would be of newer data, and count as older.
func (a *Activities) EvaluateMemberships(ctx context.Context, in EvaluateMembershipsInput) (EvaluateMembershipsOutput, error) {
	out, err := a.evaluateMemberships(ctx, in)
	if err == nil {
		out.Memberships, err = a.toldTo(ctx, in.RequestedBy, out.Memberships)
	}
	return out, failure(err)
}

func (a *Activities) evaluateMemberships(ctx context.Context, in EvaluateMembershipsInput) (out EvaluateMembershipsOutput, err error) {
	record := audited(ctx, in.RequestedBy, "evaluate", catalog.AuditedEvaluation, in.Evaluation)
	if err := a.authorize(ctx, record, mayEvaluate); err != nil {
		return out, err
	}
	ctx, report, end := a.progress(ctx, "evaluate", "audiences", 0)
	defer end()
	// One evaluation at a time, whoever asks: each compares itself with the one before it.
	release, err := a.alone(ctx, "evaluation")
	if err != nil {
		return out, err
	}
	defer release()
	w, err := a.Workspace(ctx)
	if err != nil {
		return out, err
	}
	audiences, err := chosen(w, in)
	if err != nil || len(audiences) == 0 {
		return out, err
	}
	published, err := a.Memberships.Evaluation(ctx, in.Evaluation)
	if err != nil {
		return out, err
	}
	if len(published) > 0 { // an earlier attempt published and then died
		for _, m := range published {
			out.Memberships = append(out.Memberships, m.Membership)
		}
		return out, a.forgetEvaluated(ctx)
	}
	names := make([]string, len(audiences))
	for i, audience := range audiences {
		names[i] = audience.Name
	}
	if err := a.Memberships.Superseded(ctx, in.Evaluation, in.AsOf, names...); err != nil {
		return out, err
	}
	previous, err := a.Memberships.LatestMemberships(ctx, in.Evaluation)
	if err != nil {
		return out, err
	}
	scopes := make([]store.AudienceScope, 0, len(audiences))
	for _, audience := range audiences {
		scopes = append(scopes, store.AudienceScope{Name: audience.Name, Rule: audience.Parsed, Namespaces: profileNamespaces(w, audience.Namespaces),
			Limit: limitOf(audience), Previous: previous[audience.Name].Part, Part: path.Join(memberships, in.Evaluation, audience.Name+partSuffix)})
	}
	made, err := a.derive(ctx, in.Evaluation, datasetsOf(scopes))
	if err != nil {
		return out, err
	}
	done := int64(0)
	out.Memberships, err = a.Audiences.Evaluate(ctx, in.AsOf, scopes, func(string) { done++; report(done) })
	if err != nil {
		return out, err
	}
	if err := a.unforgotten(ctx, in.Evaluation, scopes); err != nil {
		return EvaluateMembershipsOutput{}, err
	}
	for i, m := range out.Memberships {
		out.Memberships[i].Definition = w.Definition(audiences[slices.IndexFunc(audiences, func(x *workspace.Audience) bool { return x.Name == m.Audience })])
	}
	record.Detail = strings.Join(names, ", ")
	began, err := a.Lineage.Derivations(ctx, in.Evaluation)
	if err != nil {
		return out, err
	}
	ended, err := made()
	if err != nil {
		return out, err
	}
	if dataset := lost(began, ended); dataset != "" { // which of the two it has seen, nobody could tell from its versions
		return EvaluateMembershipsOutput{}, errkind.Newf(errkind.Transient, "a batch of dataset %s was undone while audiences were evaluated", dataset)
	}
	if err := a.Memberships.PublishEvaluation(ctx, in.Evaluation, in.AsOf, out.Memberships, now(), record); err != nil {
		return out, err
	}
	return out, a.forgetEvaluated(ctx)
}

// unforgotten wants audiences to be compared with what is known of them still: one that was deleted meanwhile, and may be declared anew,
// inherits nothing.
func (a *Activities) unforgotten(ctx context.Context, evaluation string, scopes []store.AudienceScope) error {
	previous, err := a.Memberships.LatestMemberships(ctx, evaluation)
	if err != nil {
		return err
	}
	for _, scope := range scopes {
		if scope.Previous != "" && previous[scope.Name].Part == "" {
			return errkind.Newf(errkind.Transient, "audience %s was deleted while it was evaluated", scope.Name)
		}
	}
	return nil
}

// forgetEvaluated removes what a published evaluation makes needless. No other evaluation may be under way.
func (a *Activities) forgetEvaluated(ctx context.Context) error {
	return errors.Join(a.Memberships.ForgetStaleParts(ctx), a.removeMemberships(ctx, false), a.forgetTold(ctx))
}

// chosen are the audiences to evaluate and those that they refer to, in the order in which they can be. There may be none that datasets change.
func chosen(w *workspace.Workspace, in EvaluateMembershipsInput) (out []*workspace.Audience, err error) {
	namespaces, err := concerned(w, in)
	if err != nil {
		return nil, err
	}
	for _, name := range in.Audiences {
		audience, err := w.Audience(name)
		if err != nil {
			return nil, err
		}
		if audience.Status == workspace.Inactive {
			return nil, errkind.New(errkind.Invalid, "", fmt.Errorf("audience %s is inactive", name), "publish it: leave out its status, and apply")
		}
		out = append(out, audience)
	}
	meant := func(audience *workspace.Audience) bool {
		return namespaces == nil || len(namespaces) > 0 && (len(audience.Namespaces) == 0 || overlap(audience.Namespaces, namespaces))
	}
	if len(in.Audiences) == 0 {
		for _, audience := range w.Audiences {
			if audience.Status != workspace.Inactive && (!in.Scheduled || audience.Schedule == nil) && meant(audience) {
				out = append(out, audience)
			}
		}
	}
	if len(out) == 0 && namespaces == nil {
		return nil, errkind.New(errkind.Invalid, "", errors.New("the workspace declares no audience that is to be evaluated"), "add an object of kind Audience")
	}
	return w.EvaluationOrder(out), nil
}

// concerned are the namespaces whose audiences are meant; nil for all.
func concerned(w *workspace.Workspace, in EvaluateMembershipsInput) ([]string, error) {
	if len(in.Namespaces) == 0 && len(in.Datasets) == 0 {
		return nil, nil
	}
	if len(in.Audiences) > 0 {
		return nil, errkind.New(errkind.Invalid, "", errors.New("audiences are named, and by namespace or dataset as well"), "leave one out")
	}
	out := slices.Clone(in.Namespaces)
	for _, symbol := range in.Namespaces {
		if len(w.ProfileDatasets([]string{symbol})) == 0 {
			return nil, errkind.New(errkind.Invalid, "", fmt.Errorf("no dataset that is enabled for Profile is of namespace %q", symbol), "see starter get namespace")
		}
	}
	for _, name := range in.Datasets {
		d, err := w.Dataset(name)
		if err != nil {
			return nil, err
		}
		if d.Profile {
			out = append(out, w.Namespace(d))
		}
		for _, list := range w.ListsIn(name) {
			out = append(out, list.Namespaces...)
		}
	}
	if out == nil {
		out = []string{}
	}
	return out, nil
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

func limitOf(a *workspace.Audience) *store.Limit {
	if a.Limit == nil {
		return nil
	}
	return &store.Limit{Profiles: a.Limit.Profiles, By: a.Limit.By, Descending: a.Limit.Descending, Seed: a.Limit.Seed}
}

// profileNamespaces are the namespaces whose prospects may be meant, all of the workspace when none is named, with the
// datasets that hold their fragments.
func profileNamespaces(w *workspace.Workspace, symbols []string) (out []store.Namespace) {
	for _, d := range w.ProfileDatasets(symbols) {
		symbol := w.Namespace(d)
		i := slices.IndexFunc(out, func(n store.Namespace) bool { return n.Symbol == symbol })
		if i < 0 {
			i, out = len(out), append(out, store.Namespace{Symbol: symbol})
		}
		out[i].Datasets = append(out[i].Datasets, Stored(w, d))
	}
	return out
}

// exportedNamespace is the namespace whose prospects an activation exports.
func exportedNamespace(w *workspace.Workspace, activation *workspace.Activation) (store.Namespace, error) {
	namespaces := profileNamespaces(w, []string{activation.Namespace})
	if len(namespaces) != 1 {
		return store.Namespace{}, errkind.Newf(errkind.Invalid, "activation %s: no dataset that is enabled for Profile holds namespace %s", activation.Name, activation.Namespace)
	}
	return namespaces[0], nil
}
