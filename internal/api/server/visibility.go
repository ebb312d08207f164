package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"prospector/internal/access"
	"prospector/internal/api"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// visibility is what of a workspace's data the caller may see: attributes whose labels the caller's roles hold (AC-7). The labels
// that count are those that are declared now and those under which rows were loaded.
type visibility struct {
	server    *server
	workspace *workspace.Workspace
	principal access.Principal
	known     map[string]map[string]bool    // hidden paths by dataset
	latest    map[string]catalog.Membership // nil: not asked for yet
}

func (s *server) visible(ctx context.Context, w *workspace.Workspace) *visibility {
	return &visibility{server: s, workspace: w, principal: callerOf(ctx).Principal, known: map[string]map[string]bool{}}
}

// hidden are the attributes of datasets that the caller may not see.
func (v *visibility) hidden(ctx context.Context, datasets []*workspace.Dataset) (map[string]bool, error) {
	out := map[string]bool{}
	if v.principal.SeesAll() {
		return out, nil
	}
	for _, d := range datasets {
		if v.known[d.Name] == nil {
			loaded, err := v.server.Store.Labels(ctx, v.server.Dataset(v.workspace, d))
			if err != nil {
				return nil, err
			}
			paths := map[string]bool{}
			for path, labels := range v.workspace.FieldLabels(d) {
				if !v.principal.Sees(labels) || !v.principal.Sees(loaded[path]) {
					paths[path] = true
				}
			}
			v.known[d.Name] = paths
		}
		maps.Copy(out, v.known[d.Name])
	}
	return out, nil
}

// of are the hidden attributes of namespaces' datasets. Denied when who a profile is belongs to them: then nothing of it is shown.
func (v *visibility) of(ctx context.Context, namespaces []store.Namespace) (map[string]bool, error) {
	var datasets []*workspace.Dataset
	for _, n := range namespaces {
		for _, stored := range n.Datasets {
			d, err := v.workspace.Dataset(stored.Name)
			if err != nil {
				return nil, err
			}
			datasets = append(datasets, d)
		}
	}
	hidden, err := v.hidden(ctx, datasets)
	if err != nil {
		return nil, err
	}
	for _, d := range datasets {
		if hidden[v.workspace.Schema(d).PrimaryIdentity.Field] {
			return nil, errkind.New(errkind.Denied, "dataset "+d.Name, errors.New("its identities carry labels that your roles do not hold"), "ask who keeps the worker's access file for a role with them")
		}
	}
	return hidden, nil
}

// allow is Denied when one of the paths is hidden: what a condition over it counts would tell its values.
func allow(hidden map[string]bool, paths []string) error {
	for _, path := range slices.Sorted(slices.Values(paths)) {
		if hidden[path] {
			return errkind.New(errkind.Denied, "", fmt.Errorf("attribute %s carries labels that your roles do not hold", path), "leave it out, or ask who keeps the worker's access file for a role with them")
		}
	}
	return nil
}

// audience is Denied when the rule of an audience uses what the caller may not see: so would its members. To whom anything is hidden,
// members that an earlier rule gave are, too, be it one of an audience that it refers to: that one may have used it.
func (v *visibility) audience(ctx context.Context, a *workspace.Audience) error {
	hidden, err := v.hidden(ctx, v.workspace.ProfileDatasets(a.Namespaces))
	if err == nil {
		err = allow(hidden, v.workspace.RuleColumns(a))
	}
	if err == nil {
		err = v.asEvaluated(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("audience %s: %w", a.Name, err)
	}
	return nil
}

// anything reports whether anything at all is hidden from the caller.
func (v *visibility) anything(ctx context.Context) (bool, error) {
	hidden, err := v.hidden(ctx, v.workspace.ProfileDatasets(nil))
	return len(hidden) > 0, err
}

func (v *visibility) asEvaluated(ctx context.Context, a *workspace.Audience) error {
	anything, err := v.anything(ctx)
	if err != nil || !anything {
		return err
	}
	if v.latest == nil {
		if v.latest, err = v.server.Memberships.LatestMemberships(ctx, ""); err != nil {
			return err
		}
	}
	for _, each := range v.workspace.EvaluationOrder([]*workspace.Audience{a}) {
		if m, ok := v.latest[each.Name]; ok && m.Definition != v.workspace.Definition(each) {
			return errkind.New(errkind.Denied, "", errors.New("it has changed since it was evaluated"), "evaluate it first")
		}
	}
	return nil
}

// past is what the caller may know of an audience's past: to whom anything is hidden, nothing of before its rule of today, by which
// values that an earlier rule used would be told. The zero value is all of it.
type past struct {
	definition string
	began      time.Time // the first evaluation by that rule
	cut        bool      // there were others before
}

// mostEvaluations of an audience are looked through for its rule.
const mostEvaluations = 1000

func (v *visibility) past(ctx context.Context, a *workspace.Audience) (out past, err error) {
	anything, err := v.anything(ctx)
	if err != nil || !anything {
		return out, err
	}
	history, err := v.server.Memberships.AudienceHistory(ctx, a.Name, mostEvaluations)
	out.definition, out.cut = v.workspace.Definition(a), len(history) == mostEvaluations
	for _, m := range history {
		if m.Definition != out.definition {
			out.cut = true
			break
		}
		out.began = m.AsOf
	}
	return out, err
}

// knows reports whether an evaluation is in the past that may be known.
func (p past) knows(m catalog.Membership) bool {
	return p.definition == "" || m.Definition == p.definition && !m.AsOf.Before(p.began)
}

// result is what may be known of an evaluation: not who stayed or left since an earlier rule.
func (p past) result(out api.AudienceResult) api.AudienceResult {
	if p.cut {
		out.MemberCounts, out.Namespaces, out.BreakdownWithheld = store.MemberCounts{}, nil, true
	}
	return out
}

// standing is what may be known of how a prospect came to be in an audience, or that it was; known is false when that is nothing.
func (p past) standing(status string, since time.Time) (string, time.Time, bool) {
	if !p.cut {
		return status, since, true
	}
	if since.Before(p.began) {
		since = p.began
	}
	return "", since, status != "exited"
}

// mask takes hidden attributes out of a profile's.
func mask[T any](attributes map[string]T, hidden map[string]bool) {
	maps.DeleteFunc(attributes, func(path string, _ T) bool { return hidden[path] })
}
