package plan

import (
	"fmt"
	"slices"
	"strings"

	"prospector/internal/governance"
	"prospector/internal/workspace"
)

func (c *comparison) add(o workspace.Object) {
	change := Change{Action: Add, Kind: o.Kind, Name: o.Name}
	switch v := o.Value.(type) {
	case *workspace.Namespace:
		change.Permanent = fmt.Sprintf("namespace %s of type %s stays: it cannot be removed, nor get another symbol or type", v.Symbol, v.Type) // ID-12
	case *workspace.Schema:
		change.Effects = []string{fields(len(v.Composed.Fields))}
		if v.Profile {
			change.Permanent = fmt.Sprintf("schema %s stays enabled for Profile", v.Name) // SC-30
		}
	case *workspace.Source:
		if v.Schedule != nil {
			change.Effects = []string{"adds 1 schedule: " + v.Schedule.String()}
		}
	case *workspace.Audience:
		change.Effects = []string{"is evaluated for the first time at the next evaluation"}
	case *workspace.Policy:
		change.Effects = []string{policyText(v)}
	case *workspace.SuppressionList:
		change.Effects = c.listEffects(v)
	case *workspace.Activation:
		change.Effects = []string{fmt.Sprintf("delivers to %s", v.Destination)}
	}
	c.change(change)
}

func policyText(p *workspace.Policy) string {
	if p.Status != governance.Enabled {
		return "is not enabled, so nothing is blocked by it"
	}
	return "denies " + strings.Join(p.MarketingActions, ", ") + " for " + p.Deny.String() + " from the next delivery on"
}

// listEffects says what a suppression list does, and what comes of one that is not loaded.
func (c *comparison) listEffects(s *workspace.SuppressionList) []string {
	out := []string{s.String()}
	if c.facts.Batches[s.Dataset] == 0 && slices.Contains(s.Where, workspace.AtExport) {
		out = append(out, "nothing is loaded into dataset "+s.Dataset+" yet: while a list is empty, nothing leaves that it counts for")
	}
	return out
}

func (c *comparison) edit(old, o workspace.Object) {
	change := Change{Action: Edit, Kind: o.Kind, Name: o.Name, Keys: differing(old.Declared, o.Declared)}
	switch v := o.Value.(type) {
	case *workspace.Namespace:
		if was := old.Value.(*workspace.Namespace); was.Type != v.Type { // ID-12, AS-3
			c.refuse(o, "declare a new namespace with another symbol", "its type is %s and cannot become %s: a namespace's type is fixed once applied", was.Type, v.Type)
		}
	case *workspace.Schema:
		c.editSchema(old.Value.(*workspace.Schema), v, o, &change)
	case *workspace.Dataset:
		c.editDataset(old.Value.(*workspace.Dataset), v, o, &change)
	case *workspace.Source:
		change.Effects = sourceEffects(old.Value.(*workspace.Source), v)
		c.keepCovered(old.Value.(*workspace.Source), v, o)
	case *workspace.Policy:
		change.Effects = []string{policyText(v)}
	case *workspace.SuppressionList:
		change.Effects = c.listEffects(v)
	case *workspace.Audience:
		if was := old.Value.(*workspace.Audience); was.Rule != v.Rule || was.Notation != v.Notation || !slices.Equal(was.Namespaces, v.Namespaces) {
			change.Effects = []string{"its members change at the next evaluation"}
		}
		if c.from.Definition(old.Value.(*workspace.Audience)) != c.to.Definition(v) {
			for _, contract := range c.to.Contracts {
				if contract.Suppression == v.Name {
					change.Effects = append(change.Effects, fmt.Sprintf("contract %s has its members left out: nothing is delivered under it before the next evaluation", contract.Name))
				}
			}
		}
	case *workspace.Activation, *workspace.Destination:
		change.Effects = []string{"counts from the next delivery on"}
	}
	if len(change.Keys)+len(change.Effects) > 0 && (len(change.Keys) > 0 || o.Kind == "Schema") {
		c.change(change)
	}
}

// keepCovered refuses that a source moves to another dataset while a contract covers what it has loaded through it alone.
func (c *comparison) keepCovered(was, v *workspace.Source, o workspace.Object) {
	if was.Dataset == v.Dataset || c.facts.Batches[was.Dataset] == 0 {
		return
	}
	after := c.to.GovernanceContracts()
	for _, before := range c.from.GovernanceContracts() {
		covered := slices.ContainsFunc(after, func(a governance.Contract) bool {
			return a.Name == before.Name && slices.Contains(a.Datasets, was.Dataset)
		})
		still := slices.ContainsFunc(after, func(a governance.Contract) bool { return a.Name == before.Name })
		if slices.Contains(before.Datasets, was.Dataset) && still && !covered {
			c.refuse(o, "name the dataset in the contract: datasets: ["+was.Dataset+"]", "its rows in dataset %s are under contract %s, which covers them through this source alone", was.Dataset, before.Name)
		}
	}
}

func (c *comparison) editDataset(was, v *workspace.Dataset, o workspace.Object, change *Change) {
	batches := c.facts.Batches[v.Name]
	if was.Schema != v.Schema && batches > 0 { // DS-7
		c.refuse(o, "declare a new dataset", "its schema is %s and cannot become %s: %s loaded under it", was.Schema, v.Schema, batchesAre(batches))
	}
	switch {
	case v.Profile && !was.Profile: // DS-11, AS-7
		change.Effects = append(change.Effects, "its rows become prospects at once, also those loaded before")
	case was.Profile && !v.Profile:
		change.Effects = append(change.Effects, "its prospects leave every audience at the next evaluation")
	}
	if labels := differing(map[string]any{"labels": was.Labels}, map[string]any{"labels": v.Labels}); len(labels) > 0 {
		change.Effects = append(change.Effects, "the labels of all its fields change; rows keep those under which they were loaded")
	}
}

func batchesAre(n int64) string {
	if n == 1 {
		return "1 batch is"
	}
	return fmt.Sprintf("%d batches are", n)
}

func sourceEffects(was, v *workspace.Source) []string {
	var out []string
	switch {
	case was.Schedule == nil && v.Schedule != nil:
		out = append(out, "adds 1 schedule: "+v.Schedule.String())
	case was.Schedule != nil && v.Schedule == nil:
		out = append(out, "removes its schedule")
	case v.Schedule != nil && *was.Schedule != *v.Schedule:
		out = append(out, "its schedule becomes "+v.Schedule.String())
	}
	if was.Dataset != v.Dataset {
		out = append(out, fmt.Sprintf("new files go to dataset %s; what was loaded stays in %s", v.Dataset, was.Dataset))
	}
	return append(out, "counts from the next sync on")
}

func (c *comparison) remove(o workspace.Object) {
	change := Change{Action: Remove, Kind: o.Kind, Name: o.Name}
	gone := workspace.Object{Kind: o.Kind, Name: o.Name}
	switch v := o.Value.(type) {
	case *workspace.Namespace: // ID-12, AS-3
		c.refuse(gone, "declare it again; for another symbol, add a namespace", "a namespace cannot be removed once applied, nor get another symbol")
	case *workspace.Schema:
		used := slices.ContainsFunc(c.from.Datasets, func(d *workspace.Dataset) bool { return d.Schema == v.Name && c.facts.Batches[d.Name] > 0 })
		if v.Profile || used { // SC-31
			c.refuse(gone, "declare it again", "a schema that is enabled for Profile or has data cannot be removed")
		}
	case *workspace.Dataset:
		if batches := c.facts.Batches[v.Name]; batches > 0 {
			c.refuse(gone, "declare it again; its data would stay behind unseen", "%s loaded in it", batchesAre(batches))
		}
	case *workspace.Source:
		change.Effects = []string{"no more files are taken from it"}
		if v.Schedule != nil {
			change.Effects = append(change.Effects, "removes its schedule")
		}
	case *workspace.Audience:
		change.Effects = []string{"retires the audience: it is not evaluated any more"}
	case *workspace.Policy:
		if v.Status == governance.Enabled {
			change.Effects = []string{"what it denied is allowed from the next delivery on"}
		}
	case *workspace.SuppressionList:
		change.Effects = []string{"whoever is on it may be loaded and delivered again"}
	case *workspace.Activation:
		change.Effects = []string{"nothing more is delivered by it; what was delivered stays there"}
	}
	c.change(change)
}
