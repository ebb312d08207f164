package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"prospector/internal/catalog"
	"prospector/internal/errkind"
	"prospector/internal/workspace"
)

// applied is the workspace that holds. It is asked for at every step, so that what is applied counts from
// the next step on, and read only when it has changed.
type applied struct {
	catalog *catalog.Catalog

	mu      sync.Mutex
	version string
	held    *workspace.Workspace
}

func (a *applied) workspace(ctx context.Context) (*workspace.Workspace, error) {
	now, err := a.catalog.Workspace(ctx)
	if err != nil {
		return nil, err
	}
	if now.Version == "" {
		return nil, errkind.New(errkind.Invalid, "", errors.New("no workspace was applied yet"), "apply one with: starter apply DIR")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.version == now.Version {
		return a.held, nil
	}
	files, err := a.catalog.WorkspaceFiles(ctx, now.Version)
	if err != nil {
		return nil, err
	}
	w, err := workspace.Parse(files)
	if err != nil {
		return nil, fmt.Errorf("the applied workspace %s is not valid for this version of Prospector: %w", now.Version, err)
	}
	a.version, a.held = now.Version, w
	return w, nil
}
