package activities

import (
	"context"
	"slices"
)

// ListActivations names the activations of the workspace, in the order in which it declares them.
func (a *Activities) ListActivations(ctx context.Context) ([]string, error) {
	return a.listActivations(ctx, func([]string) bool { return true })
}

// ListActivationsOfInput names audiences.
type ListActivationsOfInput struct {
	Audiences []string `json:"audiences"`
}

// ListActivationsOf names the activations that send one of the audiences, in the order in which the workspace declares them.
func (a *Activities) ListActivationsOf(ctx context.Context, in ListActivationsOfInput) ([]string, error) {
	return a.listActivations(ctx, func(audiences []string) bool {
		return slices.ContainsFunc(audiences, func(name string) bool { return slices.Contains(in.Audiences, name) })
	})
}

func (a *Activities) listActivations(ctx context.Context, of func(audiences []string) bool) ([]string, error) {
	w, err := a.Workspace(ctx)
	if err != nil {
		return nil, failure(err)
	}
	out := make([]string, 0, len(w.Activations))
	for _, activation := range w.Activations {
		if of(activation.Audiences) {
			out = append(out, activation.Name)
		}
	}
	return out, nil
}
