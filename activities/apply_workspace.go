package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"go.temporal.io/sdk/activity"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/plan"
	"prospector/internal/workspace"
)

// Applied is the record of what was applied.
type Applied interface {
	Workspace(ctx context.Context) (catalog.WorkspaceVersion, error)
	WorkspaceFiles(ctx context.Context, version string) (map[string]string, error)
	ApplyWorkspace(ctx context.Context, v catalog.WorkspaceVersion, previous string, files map[string]string, changes []catalog.ObjectChange, audit catalog.AuditRecord) error
	RecordAudit(ctx context.Context, r catalog.AuditRecord) error
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
	batches, err := a.Applied.LoadedBatches(ctx)
	if err != nil {
		return out, nil, err
	}
	out = PlanWorkspaceOutput{Plan: plan.Compare(current, next, plan.Facts{Batches: batches, Now: now(), StopAffected: in.StopAffected}), Version: holds.Version, Digest: files.Digest()}
	out.Same = holds.Digest == out.Digest
	for _, w := range next.Warnings {
		out.Warnings = append(out.Warnings, w.Error())
	}
	return out, files, nil
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

const actionApply = "apply workspace"

// RecordWorkspace makes a planned workspace the one that holds, from the next step of every run on. It is
// refused when something else was applied since the plan, or the folder's files have changed.
func (a *Activities) RecordWorkspace(ctx context.Context, in RecordWorkspaceInput) error {
	return failure(a.recordWorkspace(ctx, in))
}

func (a *Activities) recordWorkspace(ctx context.Context, in RecordWorkspaceInput) error {
	holds, err := a.Applied.Workspace(ctx)
	if err != nil || holds.Version == in.Version {
		return err // an earlier attempt has got this far
	}
	planned, files, err := a.planWorkspace(ctx, in.WorkspaceInput)
	switch {
	case err != nil:
		return err
	case planned.Digest != in.Digest:
		return errkind.New(errkind.Conflict, actionApply, errors.New("its files have changed since they were planned"), "plan again")
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
	return a.Applied.ApplyWorkspace(ctx, version, in.Previous, files, changes, a.audit(ctx, in.WorkspaceInput, in.Version, catalog.AuditDone, summary(planned.Plan)))
}

// Refusal is the error of a plan with refused changes.
func Refusal(p plan.Plan) error {
	var texts []string
	for _, r := range p.Refused {
		texts = append(texts, r.Lines()...)
	}
	return errkind.New(errkind.Invalid, "", fmt.Errorf("nothing was applied, refused changes: %d\n%s", len(p.Refused), strings.Join(texts, "\n")), "")
}

func summary(p plan.Plan) string {
	var texts []string
	for _, c := range p.Changes {
		texts = append(texts, c.Action+" "+c.Kind+" "+c.Name)
	}
	for _, flow := range p.Stopped {
		texts = append(texts, "stop Activation "+flow.Activation)
	}
	return strings.Join(texts, ", ")
}

func (a *Activities) audit(ctx context.Context, in WorkspaceInput, object, outcome, detail string) catalog.AuditRecord {
	return catalog.AuditRecord{Run: activity.GetInfo(ctx).WorkflowExecution.RunID, Action: actionApply, Object: object, Actor: in.RequestedBy,
		Outcome: outcome, Detail: detail, At: now()}
}

// RefuseWorkspaceInput records a refusal.
type RefuseWorkspaceInput struct {
	RequestedBy string        `json:"requestedBy,omitempty"`
	Refused     []plan.Reason `json:"refused"`
}

// RefuseWorkspace records that a workspace was refused.
func (a *Activities) RefuseWorkspace(ctx context.Context, in RefuseWorkspaceInput) error {
	var texts []string
	for _, r := range in.Refused {
		texts = append(texts, r.String())
	}
	return failure(a.Applied.RecordAudit(ctx, a.audit(ctx, WorkspaceInput{RequestedBy: in.RequestedBy}, "", catalog.AuditRefused, strings.Join(texts, "\n"))))
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
