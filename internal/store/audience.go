package store

import (
	"time"

	"prospector/internal/audience"
)

// Limit keeps the first so many prospects for whom a rule holds.
type Limit struct {
	Profiles   int64
	By         string // path of the attribute that orders them; empty: the hash alone
	Descending bool
	Seed       string // of the hash of the id that orders equals
}

// Member is a prospect's place in an audience, as an evaluation left it (SC-19).
type Member struct {
	Namespace     string    `json:"namespace"`
	PartnerID     string    `json:"partnerID"`
	Status        string    `json:"status,omitempty"` // realized, existing or exited
	Since         time.Time `json:"since,omitzero"`
	LastQualified time.Time `json:"lastQualified"` // the evaluation that found it in the audience last
}

// MemberQuery asks for a page of an audience's members in the order of namespace and partner id.
type MemberQuery struct {
	Audience  string
	Part      string
	Namespace string // empty: all
	Status    string // empty: those that are in the audience
	Limit     int
	After     Position
}

// Overlap is how many prospects are in two audiences at once.
type Overlap struct {
	A    string `json:"a"`
	B    string `json:"b"`
	Both int64  `json:"both"`
}

// PreviewQuery asks who would be in an audience, without evaluating it.
type PreviewQuery struct {
	Namespaces []Namespace
	AsOf       time.Time
	Rule       *audience.Rule
	Members    map[string]string // parts of the audiences that the rule refers to, by name
	Most       int64             // that its limit keeps; 0: all
}

// Preview is how many prospects would be in an audience, counted exactly.
type Preview struct {
	Profiles   int64            `json:"profiles"`   // that it would hold: at most its limit
	Matching   int64            `json:"matching"`   // for whom the rule holds
	Total      int64            `json:"total"`      // prospects that were looked at
	Namespaces map[string]int64 `json:"namespaces"` // for whom the rule holds
}

// PredicateVerdict is one condition of a rule for one prospect, with the values that decide it.
type PredicateVerdict struct {
	Predicate string         `json:"predicate"`
	Verdict   string         `json:"verdict"` // true, false or unknown
	Values    map[string]any `json:"values,omitempty"`
}

// Explanation is why a prospect is in an audience or is not.
type Explanation struct {
	Verdict    string             `json:"verdict"` // of the whole rule: it is in when it is true
	Predicates []PredicateVerdict `json:"predicates"`
}
