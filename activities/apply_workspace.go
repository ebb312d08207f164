package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/plan"
	"prospector/internal/workspace"
)

// Applied is the record of what was applied.
type Applied interface {
	Workspace(ctx context.Context) (catalog.WorkspaceVersion, error)
	WorkspaceFiles(ctx context.Context, version string) (map[string]string, error)
	ApplyWorkspace(ctx context.Context, v catalog.WorkspaceVersion, previous string, files map[string]string, changes []catalog.ObjectChange, audit []catalog.AuditRecord) error
	LoadedBatches(ctx context.Context) (map[string]int64, error)
}

// Schedules are the Temporal Schedules of sources.
type Schedules interface {
	// Sync makes them equal to what the workspace declares and says what it changed.
	Sync(ctx context.Context, w *workspace.Workspace) ([]string, error)
}

// WorkspaceInput is a workspace to plan or apply: a folder where the worker runs, or its files.
type WorkspaceInput struct {
	Dir          string `json:"dir,omitempty"`
	Bundle       []byte `json:"bundle,omitempty"` // of BundleWorkspace
	RequestedBy  string `json:"requestedBy,omitempty"`
	StopAffected bool   `json:"stopAffected,omitempty"` // changes that block activations are applied, and those stop
}

// maxBundle keeps an input below Temporal's limit of 2 MiB, in base64 and with room to spare.
const maxBundle = 1 << 20

// BundleWorkspace packs a workspace's files, so that they travel to a worker on another machine.
func BundleWorkspace(files workspace.Files) ([]byte, error) {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	if err := errors.Join(json.NewEncoder(zipped).Encode(files), zipped.Close()); err != nil {
		return nil, err
	}
	if out.Len() > maxBundle {
		return nil, errkind.New(errkind.Invalid, "workspace", fmt.Errorf("its files have %d bytes compressed, %d can be sent to a worker", out.Len(), maxBundle),
			`put the folder on the worker's machine and start ApplyWorkspace with {"dir": "…"}`)
	}
	return out.Bytes(), nil
}

func (in WorkspaceInput) files() (files workspace.Files, err error) {
	switch {
	case in.Dir != "" && len(in.Bundle) == 0:
		return workspace.Read(in.Dir)
	case in.Dir == "" && len(in.Bundle) > 0:
		zipped, err := gzip.NewReader(bytes.NewReader(in.Bundle))
		if err == nil {
			err = json.NewDecoder(io.LimitReader(zipped, 2*workspace.MaxBytes)).Decode(&files)
		}
		if err != nil {
			return nil, errkind.New(errkind.Invalid, "workspace bundle", err, "make it with: starter apply DIR")
		}
		return files, nil
	}
	return nil, errkind.New(errkind.Invalid, "", errors.New(`the input needs either "dir" or "bundle"`), `write for example {"dir": "/etc/prospector"}: a folder where the worker runs`)
}

// PlanWorkspaceOutput is what applying would do.
type PlanWorkspaceOutput struct {
	Plan     plan.Plan `json:"plan"`
	Version  string    `json:"version,omitempty"` // that holds now
	Digest   string    `json:"digest"`            // of the files that were planned
	Same     bool      `json:"same,omitempty"`    // exactly these files hold already
	Warnings []string  `json:"warnings,omitempty"`
}

// PlanWorkspace checks a workspace and compares it with the one that holds. Problems are kind Invalid.
func (a *Activities) PlanWorkspace(ctx context.Context, in WorkspaceInput) (PlanWorkspaceOutput, error) {
	out, _, err := a.planWorkspace(ctx, in)
	return out, failure(err)
}

func (a *Activities) planWorkspace(ctx context.Context, in WorkspaceInput) (out PlanWorkspaceOutput, files workspace.Files, err error) {
	if files, err = in.files(); err != nil {
		return out, nil, err
	}
	next, err := workspace.Parse(files)
	if err != nil {
		return out, nil, err
	}
	holds, current, err := a.applied(ctx)
	if err != nil {
		return out, nil, err
	}
	facts, err := a.planFacts(ctx, in.RequestedBy, current, next)
	if err != nil {
		return out, nil, err
	}
	facts.StopAffected = in.StopAffected
	out = PlanWorkspaceOutput{Plan: plan.Compare(current, next, facts), Version: holds.Version, Digest: files.Digest()}
	out.Same = holds.Digest == out.Digest
	forbidden, err := a.forbidden(ctx, in.RequestedBy, out.Plan, current, next, facts.Labels)
	if err != nil {
		return out, nil, err
	}
	out.Plan.Refused = append(out.Plan.Refused, forbidden...)
	for _, w := range slices.Concat(next.Warnings, next.EndedSchedules(now())) {
		out.Warnings = append(out.Warnings, w.Error())
	}
	return out, files, nil
}

// planFacts are what is loaded, and for contracts the time, what activations would deliver now and how often they have. Of audiences that
// whoever asks may not see it counts nobody: by a contract that bounds rows, applied or not, they would tell how many they hold. A delivery
// that holds too many is refused when it is to leave.
func (a *Activities) planFacts(ctx context.Context, requestedBy string, current, next *workspace.Workspace) (out plan.Facts, err error) {
	out = plan.Facts{Now: now(), Rows: map[string]map[string]int64{}, RowsBefore: map[string]map[string]int64{}, Deliveries: map[string]int64{}, Labels: map[string]map[string][]string{}}
	if out.Batches, err = a.Applied.LoadedBatches(ctx); err != nil {
		return out, err
	}
	for _, d := range next.Datasets {
		if out.Batches[d.Name] == 0 {
			continue
		}
		if out.Labels[d.Name], err = a.loadedLabels(ctx, next, d.Name); err != nil {
			return out, err
		}
	}
	if len(next.Contracts) == 0 {
		return out, nil
	}
	latest, err := a.Memberships.LatestMemberships(ctx, "")
	if err == nil && current != nil { // by its labels: those of next are not applied
		latest, err = a.toldOf(ctx, requestedBy, current, latest)
	}
	if err != nil {
		return out, err
	}
	leaving := func(w *workspace.Workspace, activation *workspace.Activation) map[string]int64 {
		var memberships []catalog.Membership
		for _, name := range activation.Audiences {
			memberships = append(memberships, latest[name])
		}
		return leavingRows(w, activation, memberships)
	}
	if current != nil {
		for _, activation := range current.Activations {
			out.RowsBefore[activation.Name] = leaving(current, activation)
		}
	}
	for _, activation := range next.Activations {
		out.Rows[activation.Name] = leaving(next, activation)
		if a.Delivered == nil {
			continue // said when it is to leave
		}
		made, err := a.deliveries(ctx, next, activation, "")
		if err != nil {
			return out, err
		}
		maps.Copy(out.Deliveries, made)
	}
	return out, nil
}

// applied returns the version that holds and its workspace, nil when none was applied.
func (a *Activities) applied(ctx context.Context) (catalog.WorkspaceVersion, *workspace.Workspace, error) {
	holds, err := a.Applied.Workspace(ctx)
	if err != nil || holds.Version == "" {
		return holds, nil, err
	}
	files, err := a.Applied.WorkspaceFiles(ctx, holds.Version)
	if err != nil {
		return holds, nil, err
	}
	w, err := workspace.Parse(files)
	return holds, w, err
}

// RecordWorkspaceInput asks to make a planned workspace the one that holds.
type RecordWorkspaceInput struct {
	WorkspaceInput
	Version  string `json:"version"`  // its id
	Previous string `json:"previous"` // that was planned from
	Digest   string `json:"digest"`   // that was planned
}

const actionApply = "apply"

// RecordWorkspace makes a planned workspace the one that holds, from the next step of every run on. It is
// refused when something else was applied since the plan, or the folder's files have changed. Memberships of
// audiences that it does not declare are gone with it.
func (a *Activities) RecordWorkspace(ctx context.Context, in RecordWorkspaceInput) error {
	return failure(a.recordWorkspace(ctx, in))
}

func (a *Activities) recordWorkspace(ctx context.Context, in RecordWorkspaceInput) error {
	holds, err := a.Applied.Workspace(ctx)
	if err != nil {
		return err
	}
	if holds.Version == in.Version { // an earlier attempt has got this far
		return a.removeMemberships(ctx, true)
	}
	planned, files, err := a.planWorkspace(ctx, in.WorkspaceInput)
	switch {
	case err != nil:
		return err
	case planned.Digest != in.Digest:
		return errkind.New(errkind.Conflict, "apply workspace", errors.New("its files have changed since they were planned"), "plan again")
	case len(planned.Plan.Refused) > 0:
		return Refusal(planned.Plan)
	}
	version := catalog.WorkspaceVersion{Version: in.Version, Digest: in.Digest, AppliedBy: in.RequestedBy, AppliedAt: now()}
	next, err := workspace.Parse(files)
	if err != nil {
		return err
	}
	names := make([]string, len(next.Sources))
	for i, s := range next.Sources {
		names[i] = s.Name
	}
	if err := a.Ledger.StartSources(ctx, names, version.AppliedAt); err != nil { // before a sync can look at them
		return err
	}
	changes := make([]catalog.ObjectChange, len(planned.Plan.Changes))
	for i, c := range planned.Plan.Changes {
		changes[i] = catalog.ObjectChange{Kind: c.Kind, Name: c.Name, Action: c.Action}
	}
	_, current, err := a.applied(ctx)
	if err != nil {
		return err
	}
	audit := auditChanges(ctx, in.RequestedBy, planned.Plan, current, next)
	audit[0].Object, audit[0].Before, audit[0].After = in.Version, holds.Digest, in.Digest
	if err := a.Applied.ApplyWorkspace(ctx, version, in.Previous, files, changes, audit); err != nil {
		return err
	}
	return a.removeMemberships(ctx, true)
}

// Refusal is the error of a plan with refused changes.
func Refusal(p plan.Plan) error {
	var texts []string
	for _, r := range p.Refused {
		texts = append(texts, r.Lines()...)
	}
	return errkind.New(errkind.Invalid, "", fmt.Errorf("nothing was applied, refused changes: %d\n%s", len(p.Refused), strings.Join(texts, "\n")), "")
}

// auditChanges are the record of a workspace that is applied and, behind it, one of each object that it changes (MO-10).
func auditChanges(ctx context.Context, requestedBy string, p plan.Plan, current, next *workspace.Workspace) []catalog.AuditRecord {
	before, after := digests(current), digests(next)
	out := []catalog.AuditRecord{audited(ctx, requestedBy, actionApply, catalog.AuditedWorkspace, "")}
	out[0].Detail = fmt.Sprintf("objects changed: %d", len(p.Changes))
	for _, c := range p.Changes {
		r := audited(ctx, requestedBy, c.Action, c.Kind, c.Name)
		r.Detail, r.Before, r.After = strings.Join(c.Keys, ", "), before[c.Kind+" "+c.Name], after[c.Kind+" "+c.Name]
		out = append(out, r)
	}
	for _, flow := range p.Stopped {
		out = append(out, audited(ctx, requestedBy, "stop", "Activation", flow.Activation))
	}
	return out
}

// digests are those of a workspace's objects as they are written, by kind and name.
func digests(w *workspace.Workspace) map[string]string {
	out := map[string]string{}
	if w == nil {
		return out
	}
	for _, o := range w.Objects() {
		out[o.Kind+" "+o.Name] = declaredDigest(o.Declared)
	}
	if declared, err := w.Sandbox.Declared(); err == nil {
		out["Sandbox "+w.Sandbox.Name] = declaredDigest(declared)
	}
	return out
}

// RefuseWorkspaceInput records a refusal.
type RefuseWorkspaceInput struct {
	RequestedBy string        `json:"requestedBy,omitempty"`
	Refused     []plan.Reason `json:"refused"`
}

// RefuseWorkspace records that a workspace was refused, and each object whose change was.
func (a *Activities) RefuseWorkspace(ctx context.Context, in RefuseWorkspaceInput) error {
	return failure(a.Audit.RecordAudit(ctx, auditRefusals(ctx, in.RequestedBy, in.Refused)...))
}

func auditRefusals(ctx context.Context, requestedBy string, refused []plan.Reason) []catalog.AuditRecord {
	out := []catalog.AuditRecord{audited(ctx, requestedBy, actionApply, catalog.AuditedWorkspace, "")}
	out[0].Outcome, out[0].Detail = catalog.AuditDenied, fmt.Sprintf("refused changes: %d", len(refused))
	objects := map[string]int{} // an object may be refused for several reasons
	for _, reason := range refused {
		key := reason.Kind + " " + reason.Name
		if i, ok := objects[key]; ok {
			out[i].Detail += "\n" + reason.Message
			continue
		}
		r := audited(ctx, requestedBy, actionApply, reason.Kind, reason.Name)
		r.Outcome, r.Detail = catalog.AuditDenied, reason.Message
		objects[key], out = len(out), append(out, r)
	}
	return out
}

// SyncSchedulesOutput says what was changed.
type SyncSchedulesOutput struct {
	Changes []string `json:"changes,omitempty"`
}

// SyncSchedules makes Temporal's schedules equal to the workspace that holds.
func (a *Activities) SyncSchedules(ctx context.Context) (out SyncSchedulesOutput, err error) {
	w, err := a.Workspace(ctx)
	if err == nil {
		out.Changes, err = a.Schedules.Sync(ctx, w)
		slices.Sort(out.Changes)
	}
	return out, failure(err)
}
