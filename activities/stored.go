package activities

import (
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// Stored describes a dataset of a workspace to the store. Whoever reads it asks for it as the steps that write it do.
func Stored(w *workspace.Workspace, d *workspace.Dataset) store.Dataset { return stored(w, d) }
