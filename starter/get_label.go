package main

import (
	"slices"

	"prospector/internal/governance"
	"prospector/internal/workspace"
)

// labelView is a label as people choose one: by its category (LB-2, LB-5).
type labelView struct {
	Name     string `json:"name"`
	Category string `json:"category"`
	At       string `json:"at,omitempty"` // empty for one of the core set
	Title    string `json:"title,omitempty"`
	Meaning  string `json:"meaning,omitempty"` // what holds of the data that carries it
}

// labelViews are the labels that a workspace declares, then the core ones; only the named one if there is a name.
func labelViews(w *workspace.Workspace, name string) ([]labelView, error) {
	var out []labelView
	for _, l := range w.Labels {
		out = append(out, labelView{l.Name, governance.CustomLabels, l.At().String(), l.Title, l.Description})
	}
	for _, l := range governance.CoreLabelSet {
		out = append(out, labelView{Name: l.Name, Category: l.Category, Meaning: l.Meaning})
	}
	if name == "" {
		return out, nil
	}
	i := slices.IndexFunc(out, func(l labelView) bool { return l.Name == governance.Stored(name) })
	if i < 0 {
		return nil, notCalled("Label", name, w.LabelNames())
	}
	return out[i : i+1], nil
}

func labelRows(labels []labelView) [][]string {
	rows := [][]string{{"label", "category", "at", "title", "the data that carries it"}}
	for _, l := range labels {
		at := l.At
		if at == "" {
			at = "core"
		}
		rows = append(rows, []string{l.Name, l.Category, at, l.Title, l.Meaning})
	}
	return rows
}
