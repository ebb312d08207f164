package server

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"prospector/internal/audience"
	"prospector/internal/errkind"
	"prospector/internal/store"
	"prospector/internal/workspace"
	"prospector/internal/xdm"
)

// scope is the profiles of some namespaces, all when none is named; or what one dataset alone holds, also before it is enabled for
// Profile (DS-16).
func (s *server) scope(w *workspace.Workspace, namespaces []string, dataset string) ([]store.Namespace, error) {
	for _, symbol := range namespaces {
		if err := knownNamespace(w, symbol); err != nil {
			return nil, err
		}
	}
	if dataset == "" {
		return s.grouped(w, w.ProfileDatasets(namespaces)), nil
	}
	d, err := w.Dataset(dataset)
	if err != nil {
		return nil, err
	}
	if symbol := w.Namespace(d); len(namespaces) > 0 && !slices.Contains(namespaces, symbol) {
		return nil, errkind.New(errkind.Invalid, "", fmt.Errorf("dataset %s holds prospects of namespace %s", dataset, symbol), "leave one of the two out")
	}
	return s.grouped(w, []*workspace.Dataset{d}), nil
}

func knownNamespace(w *workspace.Workspace, symbol string) error {
	var known []string
	for _, n := range w.Namespaces {
		if n.Symbol == symbol {
			return nil
		}
		known = append(known, n.Symbol)
	}
	return errkind.New(errkind.Invalid, "", fmt.Errorf("no namespace has the symbol %q", symbol), nearest(symbol, known))
}

func nearest(text string, known []string) string {
	if near := xdm.Nearest(text, known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if len(known) == 0 || len(known) > 20 {
		return "see the workspace"
	}
	return "known are " + strings.Join(known, ", ")
}

// grouped says in the store's terms which datasets hold the fragments of which namespace.
func (s *server) grouped(w *workspace.Workspace, datasets []*workspace.Dataset) (out []store.Namespace) {
	for _, d := range datasets {
		symbol := w.Namespace(d)
		i := slices.IndexFunc(out, func(n store.Namespace) bool { return n.Symbol == symbol })
		if i < 0 {
			i, out = len(out), append(out, store.Namespace{Symbol: symbol})
		}
		out[i].Datasets = append(out[i].Datasets, s.Dataset(w, d))
	}
	return out
}

func symbolsOf(namespaces []store.Namespace) []string {
	out := make([]string, len(namespaces))
	for i, n := range namespaces {
		out[i] = n.Symbol
	}
	return out
}

// one is the namespace whose profile is looked up.
func (s *server) one(w *workspace.Workspace, symbol string) (store.Namespace, error) {
	namespaces, err := s.scope(w, []string{symbol}, "")
	if err == nil && len(namespaces) == 0 {
		err = errkind.New(errkind.Missing, "namespace "+symbol, errors.New("no dataset that is enabled for Profile holds it"), "write profile: true in a dataset and its schema")
	}
	if err != nil {
		return store.Namespace{}, err
	}
	return namespaces[0], nil
}

// attributes are the fields of the datasets of namespaces, with those that rules may use.
func attributes(namespaces []store.Namespace) (paths []string, usable audience.Fields) {
	usable = audience.Fields{}
	for _, n := range namespaces {
		for _, d := range n.Datasets {
			for _, f := range d.Schema.Fields {
				if f.System {
					continue
				}
				paths = append(paths, f.Path)
				usable.Add(f)
			}
		}
	}
	return paths, usable
}

// cursor writes a position so that it can be given back.
func cursor(position any) string {
	text, err := json.Marshal(position)
	if err != nil {
		return "" // a struct of texts and numbers
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func positionOf(cursor string, into any) error {
	if cursor == "" {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(text, into) != nil {
		return errkind.New(errkind.Invalid, "", errors.New("after is not what a page has given as next"), "start again without it")
	}
	return nil
}
