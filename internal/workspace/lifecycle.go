package workspace

import (
	"slices"
	"strings"

	"prospector/internal/audience"
	"prospector/internal/xdm"
)

// Statuses of an audience (AU-39).
const (
	Draft     = "draft"
	Published = "published"
	Inactive  = "inactive"
)

// AudienceLimit keeps the first so many prospects, in an order that does not change by itself.
type AudienceLimit struct {
	// Profiles is how many there are at most, over all namespaces.
	Profiles int64 `yaml:"profiles" jsonschema:"required,minimum=1"`
	// By is the XDM path of a number, a date or an instant; the lowest come first, those without a value last. Unless given, and among equals, the order is that of a hash of the seed and the id.
	By string `yaml:"by"`
	// Descending puts the highest first.
	Descending bool `yaml:"descending"`
	// Seed of the hash: another one draws others; the audience's name unless given.
	Seed string `yaml:"seed"`
}

// checkUse judges what an audience is used for and when it is evaluated.
func (l *loader) checkUse(a *Audience) {
	w := l.workspace
	if a.Schedule != nil {
		l.checkSchedule(l.at(a, "schedule"), a.Schedule)
	}
	l.checkLimit(a)
	if a.Parsed != nil {
		for _, name := range a.Parsed.Audiences {
			other, ok := find(w.Audiences, name)
			if ok && other.Status == Inactive {
				l.at(a, "rule").problem("publish it, or write its rule here", "rule: audience %s is inactive", name)
			}
			if ok && len(a.Namespaces) > 0 && len(other.Namespaces) > 0 && !slices.ContainsFunc(a.Namespaces, func(n string) bool { return slices.Contains(other.Namespaces, n) }) {
				l.at(a, "rule").warning("give both a namespace in common", "rule: audience %s holds no prospects of %s, so that nobody here is in it", name, strings.Join(a.Namespaces, ", "))
			}
		}
		l.checkCycle(a)
	}
}

func (l *loader) checkLimit(a *Audience) {
	if a.Limit == nil || a.Limit.By == "" {
		return
	}
	datasets := l.workspace.ProfileDatasets(a.Namespaces)
	at := l.at(a, "limit", "by")
	f := l.fieldAt(at, l.workspace.schemaWith(datasets, a.Limit.By), a.Limit.By)
	if f != nil && (f.System || f.Container != xdm.Single || !slices.Contains([]xdm.Type{xdm.Integer, xdm.Number, xdm.Date, xdm.DateTime}, f.Type)) {
		at.problem("name a number, a date or an instant", "%s is %s, by which nothing is ordered", f.Path, f.TypeText())
	}
}

// checkCycle refuses audiences that refer to themselves through others (EC-24). Each is told the way round.
func (l *loader) checkCycle(a *Audience) {
	var way func(from *Audience, seen []string) []string
	way = func(from *Audience, seen []string) []string {
		if from.Parsed == nil || slices.Contains(seen, from.Name) {
			return nil
		}
		seen = append(slices.Clone(seen), from.Name)
		for _, name := range from.Parsed.Audiences {
			if name == a.Name {
				return append(seen, name)
			}
			if other, ok := find(l.workspace.Audiences, name); ok {
				if found := way(other, seen); found != nil {
					return found
				}
			}
		}
		return nil
	}
	if found := way(a, nil); found != nil {
		l.at(a, "rule").problem("let one of them do without the other", "rule: the audience refers to itself: %s", strings.Join(found, " → "))
	}
}

// Bounds are what the rule of an audience, and of those that it refers to, makes certain of its members.
func (w *Workspace) Bounds(a *Audience) audience.Bounds {
	return a.Parsed.Bounds(func(name string) audience.Bounds {
		other, ok := find(w.Audiences, name)
		if !ok || other.Parsed == nil {
			return audience.Bounds{}
		}
		return w.Bounds(other)
	})
}

// EvaluationOrder returns the audiences that are asked for and those that they refer to, each behind those that it refers to.
func (w *Workspace) EvaluationOrder(audiences []*Audience) (out []*Audience) {
	var add func(a *Audience)
	add = func(a *Audience) {
		if slices.Contains(out, a) {
			return
		}
		for _, name := range a.Parsed.Audiences {
			if other, ok := find(w.Audiences, name); ok {
				add(other)
			}
		}
		out = append(out, a)
	}
	for _, a := range audiences {
		add(a)
	}
	return out
}

// RuleColumns are the attributes that decide who is in an audience: those of its rule and limit, and of the audiences that it
// refers to.
func (w *Workspace) RuleColumns(a *Audience) (out []string) {
	for _, each := range w.EvaluationOrder([]*Audience{a}) {
		out = append(out, each.ownColumns()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ownColumns are the attributes of the audience's own rule and limit.
func (a *Audience) ownColumns() []string {
	out := slices.Clone(a.Parsed.Columns)
	if a.Limit != nil && a.Limit.By != "" && !slices.Contains(out, a.Limit.By) {
		out = append(out, a.Limit.By)
	}
	return out
}
