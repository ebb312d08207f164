package activities

import "context"

// ListActivations names the activations of the workspace, in the order in which it declares them.
func (a *Activities) ListActivations(ctx context.Context) ([]string, error) {
	w, err := a.Workspace(ctx)
	if err != nil {
		return nil, failure(err)
	}
	out := make([]string, 0, len(w.Activations))
	for _, activation := range w.Activations {
		out = append(out, activation.Name)
	}
	return out, nil
}
