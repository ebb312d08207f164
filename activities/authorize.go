package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"prospector/internal/access"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/plan"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// What a person needs to do something by a run. A run that names nobody, as those of schedules, and a worker without an access file are
// not asked: who may start runs in the namespace may name anybody, so that this keeps colleagues apart and stops no intruder.
var (
	mayActivate   = []access.Permission{access.ViewDestinations, access.ManageDestinations, access.Activate} // AC-3
	mayEvaluate   = []access.Permission{access.EvaluateSegments}
	mayChangeRows = []access.Permission{access.ManageDatasets}
	mayUnlist     = []access.Permission{access.ManageDatasets, access.ManagePolicies}
	mayTakeFiles  = []access.Permission{access.ManageSources}
)

// mayChange is what a change of an object needs.
var mayChange = map[string][]access.Permission{
	"Sandbox": {access.ManageSandboxes}, "Namespace": {access.ManageNamespaces}, "Label": {access.ApplyLabels}, "FieldGroup": {access.ManageSchemas},
	"Schema": {access.ManageSchemas}, "Dataset": {access.ManageDatasets}, "Source": {access.ManageSources}, "Audience": {access.ManageSegments},
	"Destination": {access.ManageDestinations}, "Activation": mayActivate,
}

// requester is the principal that a run names; restricted is false when nobody is asked. A run carries no token: what an issuer's groups
// give is what the worker saw when the principal signed in, under the rules of today.
func (a *Activities) requester(ctx context.Context, requestedBy string) (who access.Principal, restricted bool, err error) {
	if a.Access == nil || requestedBy == "" {
		return access.Unrestricted(requestedBy), false, nil
	}
	rules, err := a.Access()
	if err != nil {
		return who, true, err
	}
	var groups []string
	if issuer, _ := rules.Issuer(); rules.IssuersOwn(requestedBy) {
		signed, err := a.Audit.SignedIn(ctx, requestedBy, now().Add(-access.SignIn))
		if err != nil {
			return who, true, err
		}
		if signed.Issuer == issuer.URL { // else it was somebody of another one
			groups = signed.Groups
		}
	}
	who, err = rules.Principal(requestedBy, groups, now())
	return who, true, err
}

// authorize is Denied, and records that, unless the person whom the record names has the permissions.
func (a *Activities) authorize(ctx context.Context, record catalog.AuditRecord, needs []access.Permission) error {
	who, _, err := a.requester(ctx, record.Actor)
	if err == nil {
		err = who.Needs(needs...)
	}
	return a.refuse(ctx, record, err)
}

// refuse records that somebody may not do something.
func (a *Activities) refuse(ctx context.Context, record catalog.AuditRecord, err error) error {
	if errkind.Of(err) != errkind.Denied {
		return err
	}
	record.Outcome, record.Detail = catalog.AuditDenied, err.Error()
	if failed := a.Audit.RecordAudit(ctx, record); failed != nil {
		return failed
	}
	return err
}

// authorizeActivation is Denied unless a person may activate, and sees all that leaves and all that decides who does.
func (a *Activities) authorizeActivation(ctx context.Context, requestedBy string, w *workspace.Workspace, activation *workspace.Activation) error {
	record := audited(ctx, requestedBy, "activate", "Activation", activation.Name)
	if err := a.authorize(ctx, record, mayActivate); err != nil {
		return err
	}
	who, restricted, err := a.requester(ctx, requestedBy)
	if err != nil {
		return err
	}
	loaded := map[string]map[string][]string{}
	if restricted {
		for _, d := range w.ProfileDatasets([]string{activation.Namespace}) {
			if loaded[d.Name], err = a.loadedLabels(ctx, w, d.Name); err != nil {
				return err
			}
		}
	}
	if path := unseen(who, w, activation, loaded); path != "" {
		return a.refuse(ctx, record, errkind.New(errkind.Denied, "activation "+activation.Name, fmt.Errorf("attribute %s carries labels that the roles of %s do not hold", path, who.Name),
			"ask who keeps the worker's access file for a role with them"))
	}
	return nil
}

// unseen is an attribute that an activation uses and somebody may not see, or "". loaded are the labels under which rows were loaded,
// by dataset and path.
func unseen(who access.Principal, w *workspace.Workspace, activation *workspace.Activation, loaded map[string]map[string][]string) string {
	for _, name := range activation.Audiences {
		audience, err := w.Audience(name)
		if err != nil {
			continue // a checked workspace has it
		}
		for _, use := range w.FieldUses(audience, activation) {
			if !who.Sees(slices.Concat(use.Labels, loaded[use.Dataset][use.Path])) {
				return use.Path
			}
		}
	}
	return ""
}

// forbidden are the changes of a plan that whoever asks for it may not make: for want of a permission, or because what is changed makes
// an audience or an activation use, or sends elsewhere, an attribute that is not to be seen (AC-8). What runs already goes on (EC-36).
// loaded are the labels under which rows were loaded, by dataset and path.
func (a *Activities) forbidden(ctx context.Context, requestedBy string, p plan.Plan, current, next *workspace.Workspace, loaded map[string]map[string][]string) (out []plan.Reason, err error) {
	if current == nil && requestedBy == access.Worker { // once something is applied the worker applies nothing, so that this is somebody else
		return nil, nil
	}
	who, restricted, err := a.requester(ctx, requestedBy)
	if !restricted {
		return nil, err
	}
	if errkind.Of(err) == errkind.Denied && len(p.Changes) > 0 {
		return []plan.Reason{{Kind: catalog.AuditedWorkspace, Name: next.Sandbox.Name, Message: err.Error()}}, nil
	}
	if err != nil {
		return nil, err
	}
	for _, change := range p.Changes {
		reason := plan.Reason{Kind: change.Kind, Name: change.Name, Hint: "ask who keeps the worker's access file"}
		redirected := redirects(change, current, next)
		needs := needsOf(who, change)
		if len(redirected) > 0 {
			needs = mayActivate // they hold those for a destination
		}
		decides := suppresses(change, current, next)
		if decides != "" {
			needs = append(slices.Clone(needs), access.ManagePolicies)
		}
		if err := who.Needs(needs...); err != nil {
			reason.Message = strings.TrimSuffix(err.Error(), "; ask who keeps the worker's access file for a role with it")
			switch {
			case len(redirected) > 0:
				reason.Message += fmt.Sprintf(": what activation %s sends would go elsewhere, or for another use", redirected[0].Name)
			case decides != "" && !who.Has(access.ManagePolicies):
				reason.Message += fmt.Sprintf(": it decides whom %s leaves out", decides)
			}
			out = append(out, reason)
			continue
		}
		path := ""
		if change.Action != plan.Remove {
			path = unseenChange(who, change, next, loaded)
		}
		if path == "" && current != nil && change.Kind != "Activation" && change.Kind != "Source" { // what is sent or filled no more tells nothing
			path = unseenChange(who, change, current, loaded)
		}
		for _, activation := range redirected {
			if path == "" {
				path = unseen(who, next, activation, loaded)
			}
		}
		if path != "" {
			reason.Message = fmt.Sprintf("attribute %s carries labels that the roles of %s do not hold", path, who.Name)
			out = append(out, reason)
		}
	}
	if dataset, path := relabelled(current, next); dataset != "" && !who.Has(access.ApplyLabels) {
		out = append(out, plan.Reason{Kind: "Dataset", Name: dataset, Hint: "ask who keeps the worker's access file",
			Message: fmt.Sprintf("attribute %s would carry other labels, and the roles of %s lack %s", path, who.Name, access.ApplyLabels)})
	}
	return out, nil
}

// relabelled is an attribute of a dataset whose labels change, by whatever means: another schema or field group does it as well.
func relabelled(current, next *workspace.Workspace) (dataset, path string) {
	if current == nil {
		return "", ""
	}
	for _, d := range next.Datasets {
		before, err := current.Dataset(d.Name)
		if err != nil {
			continue // it is a new one
		}
		was, is := current.FieldLabels(before), next.FieldLabels(d)
		for _, path := range slices.Sorted(maps.Keys(was)) {
			if now, stays := is[path]; stays && !slices.Equal(was[path], now) {
				return d.Name, path
			}
		}
	}
	return "", ""
}

// harmless are the keys of a destination that change neither where data goes nor what for.
var harmless = []string{"description", "planning", "format", "rowsPerFile", "manifest"}

// redirects are the activations whose data a changed destination sends elsewhere, or for another use: that is to activate them anew.
func redirects(change plan.Change, current, next *workspace.Workspace) (out []*workspace.Activation) {
	if change.Kind != "Destination" || change.Action != plan.Edit || current == nil || !slices.ContainsFunc(change.Keys, func(key string) bool {
		key, _, _ = strings.Cut(key, ".")
		return !slices.Contains(harmless, key)
	}) {
		return nil
	}
	for _, activation := range next.Activations {
		if before, err := current.Activation(activation.Name); err == nil && activation.Destination == change.Name && before.Destination == change.Name {
			out = append(out, activation)
		}
	}
	return out
}

// describing are the keys of objects that change nothing but how people find them, and when files are taken.
var describing = map[string][]string{"Audience": {"description", "tags"}, "Dataset": {"description"}, "Source": {"description", "planning", "schedule"}}

// describes reports whether a change is of such keys only.
func describes(change plan.Change) bool {
	return change.Action == plan.Edit && !slices.ContainsFunc(change.Keys, func(key string) bool {
		key, _, _ = strings.Cut(key, ".")
		return !slices.Contains(describing[change.Kind], key)
	})
}

// suppresses is the contract or the suppression list that would leave other people out after a change, or "": by the audience that it
// names or one that this refers to, or by what its dataset is loaded with. Whoever changes that changes what is forbidden.
func suppresses(change plan.Change, current, next *workspace.Workspace) string {
	if current == nil || describes(change) {
		return ""
	}
	switch change.Kind {
	case "Audience":
		for _, c := range current.Contracts {
			list, err := current.Audience(c.Suppression)
			if err == nil && slices.ContainsFunc(current.EvaluationOrder([]*workspace.Audience{list}), func(a *workspace.Audience) bool { return a.Name == change.Name }) {
				return "contract " + c.Name
			}
		}
	case "Dataset":
		for _, list := range current.ListsIn(change.Name) {
			return "suppression list " + list.Name
		}
	case "Source":
		for _, w := range []*workspace.Workspace{current, next} {
			if s, err := w.Source(change.Name); err == nil {
				for _, list := range current.ListsIn(s.Dataset) {
					return "suppression list " + list.Name
				}
			}
		}
	}
	return ""
}

// unseenChange is an attribute that an object of a workspace uses and somebody may not see, or "": what is delivered, who is in an audience,
// and who is left out would tell its values; so would who stays, leaves or goes along once what decides that is changed or taken away.
func unseenChange(who access.Principal, change plan.Change, w *workspace.Workspace, loaded map[string]map[string][]string) string {
	switch change.Kind {
	case "Activation":
		if activation, err := w.Activation(change.Name); err == nil {
			return unseen(who, w, activation, loaded)
		}
	case "Audience":
		if audience, err := w.Audience(change.Name); err == nil {
			return unseenRule(who, w, audience, loaded)
		}
	case "Source": // with rows of guesses, whether they change a profile would tell its values
		if s, err := w.Source(change.Name); err == nil && !describes(change) {
			return unseenTarget(who, w, s, loaded)
		}
	case "ConsentPolicy":
		for _, c := range w.ConsentPolicies {
			if c.Name == change.Name {
				return unseenColumn(who, w, nil, c.Parsed.Columns, loaded)
			}
		}
	case "SuppressionList":
		for _, s := range w.SuppressionLists {
			if s.Name == change.Name && s.Field != "" {
				return unseenColumn(who, w, s.Namespaces, []string{s.Field}, loaded)
			}
		}
	case "Contract":
		for _, c := range w.Contracts {
			if c.Name != change.Name {
				continue
			}
			if c.Territory != nil {
				if path := unseenColumn(who, w, nil, []string{c.Territory.Field}, loaded); path != "" {
					return path
				}
			}
			if audience, err := w.Audience(c.Suppression); err == nil {
				return unseenRule(who, w, audience, loaded)
			}
		}
	}
	return ""
}

func unseenRule(who access.Principal, w *workspace.Workspace, audience *workspace.Audience, loaded map[string]map[string][]string) string {
	return unseenColumn(who, w, audience.Namespaces, w.RuleColumns(audience), loaded)
}

func unseenTarget(who access.Principal, w *workspace.Workspace, s *workspace.Source, loaded map[string]map[string][]string) string {
	d, err := w.Dataset(s.Dataset)
	if err != nil {
		return ""
	}
	var paths []string
	for _, target := range s.Targets() {
		paths = append(paths, target.Field)
	}
	return unseenIn(who, w, d, paths, loaded[d.Name])
}

func unseenColumn(who access.Principal, w *workspace.Workspace, namespaces, columns []string, loaded map[string]map[string][]string) string {
	for _, d := range w.ProfileDatasets(namespaces) {
		if path := unseenIn(who, w, d, columns, loaded[d.Name]); path != "" {
			return path
		}
	}
	return ""
}

// unseenIn is the first of a dataset's attributes that somebody may not see, or "". loaded are the labels under which its rows were loaded.
func unseenIn(who access.Principal, w *workspace.Workspace, d *workspace.Dataset, paths []string, loaded map[string][]string) string {
	labels := w.FieldLabels(d)
	for _, path := range paths {
		if !who.Sees(slices.Concat(labels[path], loaded[path])) {
			return path
		}
	}
	return ""
}

// seesAllOf reports whether somebody may see all attributes of a dataset.
func seesAllOf(who access.Principal, w *workspace.Workspace, d *workspace.Dataset, loaded map[string][]string) bool {
	return unseenIn(who, w, d, slices.Collect(maps.Keys(w.FieldLabels(d))), loaded) == ""
}

// seen is what of audiences a person may know.
type seen struct {
	*Activities
	who       access.Principal
	workspace *workspace.Workspace
	loaded    map[string]map[string][]string // labels under which rows were loaded, by dataset and path
}

// seenBy is nil when whoever asks sees all.
func (a *Activities) seenBy(ctx context.Context, requestedBy string, w *workspace.Workspace) (*seen, error) {
	who, restricted, err := a.requester(ctx, requestedBy)
	if err != nil || !restricted || who.SeesAll() {
		return nil, err
	}
	out := &seen{Activities: a, who: who, workspace: w, loaded: map[string]map[string][]string{}}
	for _, d := range w.ProfileDatasets(nil) {
		if out.loaded[d.Name], err = a.loadedLabels(ctx, w, d.Name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// membership reports whether a membership is of an audience whose rule the person sees, and was evaluated by it.
func (s *seen) membership(m store.Membership) bool {
	audience, err := s.workspace.Audience(m.Audience)
	return err == nil && m.Definition == s.workspace.Definition(audience) && unseenRule(s.who, s.workspace, audience, s.loaded) == ""
}

// mostEvaluations of an audience are looked through for another rule.
const mostEvaluations = 1000

// past reports whether the person may know how a membership has come about: to whom anything is hidden, an earlier rule may have used that,
// and who stayed or left would tell it.
func (s *seen) past(ctx context.Context, m store.Membership) (bool, error) {
	hides := slices.ContainsFunc(s.workspace.ProfileDatasets(nil), func(d *workspace.Dataset) bool { return !seesAllOf(s.who, s.workspace, d, s.loaded[d.Name]) })
	if !hides {
		return true, nil
	}
	history, err := s.Memberships.AudienceHistory(ctx, m.Audience, mostEvaluations)
	return len(history) < mostEvaluations && !slices.ContainsFunc(history, func(other catalog.Membership) bool { return other.Definition != m.Definition }), err
}

// counts reports whether the person may know all counts of a membership.
func (s *seen) counts(ctx context.Context, m store.Membership) (bool, error) {
	if !s.membership(m) {
		return false, nil
	}
	return s.past(ctx, m)
}

// toldOf are those of memberships all of whose counts somebody may know; of nobody known, none.
func (a *Activities) toldOf(ctx context.Context, requestedBy string, w *workspace.Workspace, memberships map[string]catalog.Membership) (map[string]catalog.Membership, error) {
	sees, err := a.seenBy(ctx, requestedBy, w)
	switch {
	case errkind.Of(err) == errkind.Denied:
		return nil, nil
	case err != nil || sees == nil:
		return memberships, err
	}
	out := map[string]catalog.Membership{}
	for name, m := range memberships {
		told, err := sees.counts(ctx, m.Membership)
		if err != nil {
			return nil, err
		}
		if told {
			out[name] = m
		}
	}
	return out, nil
}

// visibleTo are the memberships of audiences whose rule somebody may see, as they were evaluated by it.
func (a *Activities) visibleTo(ctx context.Context, requestedBy string, w *workspace.Workspace, memberships []store.Membership) (out []store.Membership, err error) {
	sees, err := a.seenBy(ctx, requestedBy, w)
	if err != nil || sees == nil {
		return memberships, err
	}
	return slices.DeleteFunc(slices.Clone(memberships), func(m store.Membership) bool { return !sees.membership(m) }), nil
}

// toldTo says of the memberships of audiences that somebody may not see, or that had another rule before, no more than that they were
// evaluated, or failed: counts would tell values that their rules use or used (AC-7).
func (a *Activities) toldTo(ctx context.Context, requestedBy string, memberships []store.Membership) ([]store.Membership, error) {
	w, err := a.Workspace(ctx)
	if err != nil {
		return nil, err
	}
	sees, err := a.seenBy(ctx, requestedBy, w)
	if err != nil || sees == nil {
		return memberships, err
	}
	out := slices.Clone(memberships)
	for i, m := range out {
		told, err := sees.counts(ctx, m)
		if err != nil {
			return nil, err
		}
		if told {
			continue
		}
		out[i] = store.Membership{Audience: m.Audience, Withheld: true}
		if m.Error != "" {
			out[i].Error = "why is not told: it uses or used what the roles of " + sees.who.Name + " do not see"
		}
	}
	return out, nil
}

// needsOf is what a change needs: of labels those for labels, too; of an activation's audiences alone less than of its mapping (AC-5).
func needsOf(who access.Principal, change plan.Change) []access.Permission {
	needs, known := mayChange[change.Kind]
	if !known {
		needs = []access.Permission{access.ManagePolicies}
	}
	has := func(names ...string) bool {
		return slices.ContainsFunc(change.Keys, func(key string) bool {
			return slices.ContainsFunc(names, func(name string) bool { return key == name || strings.HasPrefix(key, name+".") })
		})
	}
	labels := has("labels", "defaults.labels") || change.Action != plan.Edit && slices.Contains([]string{"Schema", "FieldGroup"}, change.Kind)
	switch {
	case change.Kind == "Sandbox" && has("governance"):
		needs = append(slices.Clone(needs), access.ManagePolicies)
		if labels {
			needs = append(needs, access.ApplyLabels)
		}
		return needs
	case labels:
		return append(slices.Clone(needs), access.ApplyLabels)
	case change.Kind == "Activation" && slices.Equal(change.Keys, []string{"audiences"}) && who.Has(access.ActivateNoMapping):
		return []access.Permission{access.ViewDestinations, access.ActivateNoMapping}
	}
	return needs
}
