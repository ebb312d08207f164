package api

import (
	"time"

	"prospector/internal/store"
)

// AudienceSummary is an audience as it is declared, and its membership as it was evaluated last (AU-7).
type AudienceSummary struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Status      string          `json:"status"` // draft, published or inactive
	Tags        []string        `json:"tags,omitempty"`
	Origin      string          `json:"origin"` // the file that declares it
	Namespaces  []string        `json:"namespaces"`
	Notation    string          `json:"notation"` // of the rule: sql or pql
	Rule        string          `json:"rule"`
	Schedule    string          `json:"schedule,omitempty"`
	Created     *time.Time      `json:"created,omitempty"`
	Updated     *time.Time      `json:"updated,omitempty"`
	UpdatedBy   string          `json:"updatedBy,omitempty"`
	Result      *AudienceResult `json:"result,omitempty"` // the membership that holds; none before its first evaluation
	// Failure is of its latest evaluation, when that failed: the membership before is kept.
	Failure *AudienceFailure `json:"failure,omitempty"`
}

// AudienceFailure is an evaluation of an audience that failed.
type AudienceFailure struct {
	Evaluation string    `json:"evaluation"`
	AsOf       time.Time `json:"asOf"`
	Error      string    `json:"error"`
}

// AudienceResult is what one evaluation of an audience came to (AU-31, AU-34).
type AudienceResult struct {
	Evaluation string    `json:"evaluation"`
	AsOf       time.Time `json:"asOf"`
	Published  time.Time `json:"publishedAt"`
	Size       int64     `json:"size"` // realized and existing members
	store.MemberCounts
	Namespaces []store.NamespaceMembers `json:"namespaces,omitempty"`
	// Withheld says that the size is below the sandbox's minimumCount, so that no count is told.
	Withheld bool `json:"withheld,omitempty"`
	// BreakdownWithheld says that one of the counts by status or namespace is, or would tell of an earlier rule what your roles must not
	// see, so that none of them is told.
	BreakdownWithheld bool   `json:"breakdownWithheld,omitempty"`
	Error             string `json:"error,omitempty"` // in a history: why it was not evaluated, so that there are no counts; the membership before is kept

	DerivedFrom []store.Derivation `json:"derivedFrom,omitempty"` // of which states of datasets it was made, in a history
}

// AudienceList is all audiences of the workspace that holds.
type AudienceList struct {
	Audiences []AudienceSummary `json:"audiences"`
}

// AudienceDetail is one audience, all of it (AU-8).
type AudienceDetail struct {
	AudienceSummary
	RuleSQL     string   `json:"ruleSQL"`
	RulePQL     string   `json:"rulePQL,omitempty"` // none when PQL has no words for it
	Columns     []string `json:"columns"`           // attributes that decide who is in it
	RefersTo    []string `json:"refersTo,omitempty"`
	UsedBy      []string `json:"usedBy,omitempty"`      // audiences that refer to it
	Activations []string `json:"activations,omitempty"` // that send it
	Labels      []string `json:"labels,omitempty"`      // that it inherits from what it uses
}

// AudienceHistory is what an audience's evaluations came to, the latest first.
type AudienceHistory struct {
	Audience string           `json:"audience"`
	Results  []AudienceResult `json:"results"`
}

// MemberPage is a page of an audience's members.
type MemberPage struct {
	Audience   string         `json:"audience"`
	Evaluation string         `json:"evaluation"`
	AsOf       time.Time      `json:"asOf"`
	Members    []store.Member `json:"members"`
	Next       string         `json:"next,omitempty"`
}

// AudienceOverlap is how many prospects audiences share, exactly, as they were evaluated last.
type AudienceOverlap struct {
	Audiences []AudienceSummary `json:"audiences"`
	Pairs     []OverlapPair     `json:"pairs"`
}

// OverlapPair is what two audiences share; withheld when those in both, or those in one of them alone, are too few.
type OverlapPair struct {
	store.Overlap
	Withheld bool `json:"withheld,omitempty"`
}

// PreviewRequest is an audience that is previewed: one of the workspace, or a rule.
type PreviewRequest struct {
	Audience   string   `json:"audience,omitempty" doc:"Name of an audience of the workspace."`
	Rule       string   `json:"rule,omitempty" doc:"Instead, a rule."`
	Notation   string   `json:"notation,omitempty" enum:"sql,pql" doc:"Of the rule; sql unless given."`
	Namespaces []string `json:"namespaces,omitempty" doc:"Symbols; all unless given."`
	Sample     int      `json:"sample,omitempty" minimum:"0" maximum:"1000" doc:"How many members to show."`
}

// AudiencePreview is who would be in an audience now (AU-35 to AU-37): counted exactly, not estimated.
type AudiencePreview struct {
	AsOf time.Time `json:"asOf"`
	store.Preview
	Withheld bool `json:"withheld,omitempty"` // it would hold fewer than the sandbox's minimumCount: no count is told
	// BreakdownWithheld says that a part by namespace is, those whom a limit leaves out, or all others: only the size is told.
	BreakdownWithheld bool `json:"breakdownWithheld,omitempty"`

	Seconds  float64         `json:"seconds"` // that the count took
	Columns  []string        `json:"columns"`
	Labels   []string        `json:"labels,omitempty"`   // that the audience would carry
	Refusals []Refusal       `json:"refusals,omitempty"` // of destinations that would therefore not get it
	Warnings []string        `json:"warnings,omitempty"`
	Sample   []store.Profile `json:"sample,omitempty"`
}

// Refusal is a policy or a term of a contract that keeps an audience from a destination.
type Refusal struct {
	Destination     string   `json:"destination"`
	Kind            string   `json:"kind"`   // policy, contract, or ban for C12
	Policy          string   `json:"policy"` // or the contract, by name
	Labels          []string `json:"labels,omitempty"`
	MarketingAction string   `json:"marketingAction,omitempty"`
	Term            string   `json:"term,omitempty"` // of the contract
	Reason          string   `json:"reason"`
	Resolution      string   `json:"resolution"` // what to try first
}

// AudienceReason is why a prospect is in an audience, or is not.
type AudienceReason struct {
	Audience  string    `json:"audience"`
	Namespace string    `json:"namespace"`
	PartnerID string    `json:"partnerID"`
	AsOf      time.Time `json:"asOf"`
	Rule      string    `json:"rule"`
	Limit     int64     `json:"limit,omitempty"` // how many of those for whom the rule holds are in it; 0: all
	store.Explanation
	// Membership of the latest evaluation, which the profile may have changed since.
	Membership *store.ProfileMembership `json:"membership,omitempty"`
	Evaluated  *time.Time               `json:"evaluatedAsOf,omitempty"`
}
