package server

import (
	"prospector/internal/api"
	"prospector/internal/catalog"
	"prospector/internal/store"
	"prospector/internal/workspace"
)

// tooSmall reports whether one of the sizes is of a group that the sandbox's minimumCount keeps from being told. What is told must
// not tell such a group by subtraction either: callers give the rests as well.
func tooSmall(w *workspace.Workspace, sizes ...int64) bool {
	for _, size := range sizes {
		if size > 0 && size < w.Sandbox.Evaluation.MinimumCount {
			return true
		}
	}
	return false
}

// resultOf is a result without what is not told: no count of an audience that is too small, and no breakdown of which a part is.
func resultOf(w *workspace.Workspace, m catalog.Membership) api.AudienceResult {
	out := api.AudienceResult{Evaluation: m.Evaluation, AsOf: m.AsOf, Published: m.Published, Size: m.Size(), MemberCounts: m.MemberCounts, Namespaces: m.Namespaces, Error: m.Error}
	if tooSmall(w, m.Size()) {
		out.Size, out.Withheld = 0, true
	}
	if out.Withheld || tooSmall(w, m.Exited) || changeTooSmall(w, m) || partTooSmall(w, m) {
		out.MemberCounts, out.Namespaces, out.BreakdownWithheld = store.MemberCounts{}, nil, true
	}
	return out
}

// changeTooSmall reports whether those who have come, or those who stayed, are too few somewhere.
func changeTooSmall(w *workspace.Workspace, m catalog.Membership) bool {
	small := tooSmall(w, m.Realized, m.Existing)
	for _, n := range m.Namespaces {
		small = small || tooSmall(w, n.Realized, n.Existing)
	}
	return small
}

// namespaceTooSmall reports whether the members that a namespace has are too few.
func namespaceTooSmall(w *workspace.Workspace, m catalog.Membership) bool {
	small := false
	for _, n := range m.Namespaces {
		small = small || tooSmall(w, n.Size())
	}
	return small
}

// partTooSmall reports whether a part by namespace or dataset is too small: those with a fragment in a dataset, those without one,
// and those with several.
func partTooSmall(w *workspace.Workspace, m catalog.Membership) bool {
	small := namespaceTooSmall(w, m)
	for _, n := range m.Namespaces {
		fragments := int64(0)
		for _, held := range n.Datasets {
			small = small || tooSmall(w, held, n.Size()-held)
			fragments += held
		}
		small = small || tooSmall(w, n.Exited, fragments-n.Size())
	}
	return small
}

// withhold takes out of a preview what is not told, and reports whether its sample may be.
func withhold(w *workspace.Workspace, p *api.AudiencePreview) (sample bool) {
	if tooSmall(w, p.Profiles) {
		p.Profiles, p.Matching, p.Namespaces, p.Withheld = 0, 0, nil, true
		return false
	}
	sample = true
	for _, size := range p.Namespaces {
		sample = sample && !tooSmall(w, size)
	}
	if !sample || tooSmall(w, p.Matching-p.Profiles, p.Total-p.Matching, p.Total-p.Profiles) {
		p.Matching, p.Total, p.Namespaces, p.BreakdownWithheld = 0, 0, nil, true
	}
	return sample
}

// pairOf is what two audiences share, unless those that are in both or in one of them alone are too few.
func pairOf(w *workspace.Workspace, a, b catalog.Membership, both int64) api.OverlapPair {
	out := api.OverlapPair{Overlap: store.Overlap{A: a.Audience, B: b.Audience, Both: both}}
	if tooSmall(w, both, a.Size()-both, b.Size()-both) {
		out.Both, out.Withheld = 0, true
	}
	return out
}
