// Package workspace reads a folder of YAML files, and XDM JSON as schema registries export it, that
// declares a whole sandbox: namespaces, schemas, labels, datasets, sources, policies, audiences,
// destinations, activations. It makes a checked model of it. Objects may stand in any file, one per
// document. Every problem names file, line, column and what to do, and all of them are reported, not
// only the first. It reads files and nothing else: no network, no database, and secrets only when a
// connection is opened.
package workspace

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"prospector/internal/errkind"
	"prospector/internal/yamldoc"
)

// Workspace is the checked model: every reference resolves.
type Workspace struct {
	Dir              string // empty when it was not read from a folder
	Files            Files
	Sandbox          Sandbox
	Namespaces       []*Namespace
	Labels           []*Label
	FieldGroups      []*FieldGroup
	Schemas          []*Schema
	Datasets         []*Dataset
	MarketingActions []*MarketingAction
	Sources          []*Source
	Policies         []*Policy
	ConsentPolicies  []*ConsentPolicy
	SuppressionLists []*SuppressionList
	Audiences        []*Audience
	Destinations     []*Destination
	Contracts        []*Contract
	Activations      []*Activation
	Warnings         Problems
}

// Kinds lists the kinds of objects, each after those that it refers to.
var Kinds = []string{"Sandbox", "Namespace", "Label", "FieldGroup", "Schema", "Dataset", "MarketingAction", "Policy", "ConsentPolicy", "SuppressionList", "Source", "Audience", "Destination", "Contract", "Activation"}

// Object is one object of a workspace, of any kind.
type Object struct {
	Kind     string
	Name     string
	Value    any // a pointer to the kind's type, with what was left out filled in
	Declared any // as it is written
	At       yamldoc.Position
}

// Objects lists all objects but the sandbox, in the order of Kinds and then as they were read.
func (w *Workspace) Objects() []Object {
	return slices.Concat(objectsOf(w.Namespaces), objectsOf(w.Labels), objectsOf(w.FieldGroups), objectsOf(w.Schemas), objectsOf(w.Datasets),
		objectsOf(w.MarketingActions), objectsOf(w.Policies), objectsOf(w.ConsentPolicies), objectsOf(w.SuppressionLists), objectsOf(w.Sources), objectsOf(w.Audiences), objectsOf(w.Destinations), objectsOf(w.Contracts),
		objectsOf(w.Activations))
}

func objectsOf[T object](objects []T) []Object {
	out := make([]Object, len(objects))
	for i, o := range objects {
		declared, _ := o.Declared() // it was read before
		out[i] = Object{Kind: o.kind(), Name: o.name(), Value: o, Declared: declared, At: o.At()}
	}
	return out
}

func find[T object](objects []T, name string) (T, bool) {
	i := slices.IndexFunc(objects, func(o T) bool { return o.name() == name })
	if i < 0 {
		var none T
		return none, false
	}
	return objects[i], true
}

func names[T object](objects []T) []string {
	out := make([]string, len(objects))
	for i, o := range objects {
		out[i] = o.name()
	}
	return out
}

// lookup finds an object or returns kind Invalid with the nearest name.
func lookup[T object](objects []T, kind, name string) (T, error) {
	o, ok := find(objects, name)
	if !ok {
		return o, errkind.New(errkind.Invalid, "", fmt.Errorf("no %s is called %q", kind, name), didYouMean(name, names(objects)))
	}
	return o, nil
}

// Source finds a source by name.
func (w *Workspace) Source(name string) (*Source, error) { return lookup(w.Sources, "source", name) }

// Dataset finds a dataset by name.
func (w *Workspace) Dataset(name string) (*Dataset, error) {
	return lookup(w.Datasets, "dataset", name)
}

// Audience finds an audience by name.
func (w *Workspace) Audience(name string) (*Audience, error) {
	return lookup(w.Audiences, "audience", name)
}

// Destination finds a destination by name.
func (w *Workspace) Destination(name string) (*Destination, error) {
	return lookup(w.Destinations, "destination", name)
}

// Activation finds an activation by name.
func (w *Workspace) Activation(name string) (*Activation, error) {
	return lookup(w.Activations, "activation", name)
}

func index(i int) string { return strconv.Itoa(i) }

func contains(list []string, text string) bool { return slices.Contains(list, text) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
