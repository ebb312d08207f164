package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"prospector/internal/errkind"
)

// WorkspaceVersion is a version of the workspace that was applied.
type WorkspaceVersion struct {
	Version   string    `json:"version"`
	Digest    string    `json:"digest"` // of its files
	AppliedBy string    `json:"appliedBy,omitempty"`
	AppliedAt time.Time `json:"appliedAt"`
}

// Workspace returns the version that holds, the zero one when none was applied yet.
func (c *Catalog) Workspace(ctx context.Context) (v WorkspaceVersion, err error) {
	err = c.query(ctx, "catalog/latest_workspace", nil, func(scan func(...any) error) (err error) {
		var at string
		if err := scan(&v.Version, &v.Digest, &v.AppliedBy, &at); err != nil {
			return err
		}
		v.AppliedAt, err = parseInstant(at)
		return err
	})
	return v, err
}

// WorkspaceFiles returns the files of a version.
func (c *Catalog) WorkspaceFiles(ctx context.Context, version string) (files map[string]string, err error) {
	err = c.query(ctx, "catalog/select_workspace", []any{version}, func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		return json.Unmarshal([]byte(text), &files)
	})
	if err == nil && files == nil {
		err = errkind.Newf(errkind.Missing, "no workspace version %s was applied", version)
	}
	return files, err
}

// ObjectChange is one object that a version of the workspace has changed.
type ObjectChange struct {
	Version string    `json:"version"`
	Kind    string    `json:"kind"`
	Name    string    `json:"name"`
	Action  string    `json:"action"` // add, change or remove
	Actor   string    `json:"actor"`
	At      time.Time `json:"at"`
}

// ApplyWorkspace records a version on top of the previous one, with what it changes and its audit records, all or nothing.
// Applying the same version again changes nothing. Conflict when another one was applied meanwhile.
func (c *Catalog) ApplyWorkspace(ctx context.Context, v WorkspaceVersion, previous string, files map[string]string, changes []ObjectChange, audit []AuditRecord) error {
	text, err := json.Marshal(files)
	if err != nil {
		return err
	}
	now, err := c.Workspace(ctx)
	switch {
	case err != nil:
		return err
	case now.Version == v.Version:
		return nil
	case now.Version != previous:
		return errkind.New(errkind.Conflict, "apply workspace", fmt.Errorf("%s applied version %s meanwhile", orSomebody(now.AppliedBy), now.Version), "plan again")
	}
	err = c.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := c.exec(ctx, tx, "catalog/record_workspace", v.Version, previous, v.Digest, string(text), v.AppliedBy, instant(v.AppliedAt)); err != nil {
			return err
		}
		for _, change := range changes {
			if err := c.exec(ctx, tx, "catalog/record_object_change", v.Version, change.Kind, change.Name, change.Action, v.AppliedBy, instant(v.AppliedAt)); err != nil {
				return err
			}
		}
		return c.recordAudit(ctx, tx, audit...)
	})
	return err
}

// ObjectChanges returns who changed objects of a kind, and when, the earliest change first.
func (c *Catalog) ObjectChanges(ctx context.Context, kind string) (out []ObjectChange, err error) {
	err = c.query(ctx, "catalog/object_changes", []any{kind}, func(scan func(...any) error) error {
		change, at := ObjectChange{Kind: kind}, ""
		if err := scan(&change.Version, &change.Name, &change.Action, &change.Actor, &at); err != nil {
			return err
		}
		change.At, err = parseInstant(at)
		out = append(out, change)
		return err
	})
	return out, err
}

func orSomebody(name string) string {
	if name == "" {
		return "somebody"
	}
	return name
}

// LoadedBatches counts the batches that are loaded, by dataset.
func (c *Catalog) LoadedBatches(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	err := c.query(ctx, "catalog/loaded_batches", nil, func(scan func(...any) error) error {
		var dataset string
		var n int64
		err := scan(&dataset, &n)
		out[dataset] = n
		return err
	})
	return out, err
}
