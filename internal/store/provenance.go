package store

import "time"

// Origin says where a value came from.
type Origin struct {
	Dataset string    `json:"dataset"`
	Batch   string    `json:"batch"`
	Source  string    `json:"source"`
	File    string    `json:"file"`
	Line    int64     `json:"line"`
	At      time.Time `json:"at"` // of the load
}

// Attribute is a value of a profile with its origin.
type Attribute struct {
	Value any `json:"value"`
	Origin
}

// Fragment is what one dataset holds of an identity (PF-16).
type Fragment struct {
	Dataset      string         `json:"dataset"`
	Batch        string         `json:"modifiedByBatchID"`
	Line         int64          `json:"line"`
	Modified     time.Time      `json:"modified"`
	CreatedBatch string         `json:"createdByBatchID"`
	Created      time.Time      `json:"created"`
	Expires      time.Time      `json:"expires"`
	Attributes   map[string]any `json:"attributes"` // by XDM path, those with a value
}

// Effects of a batch on one profile.
const (
	EffectCreated   = "created"
	EffectUpdated   = "updated"
	EffectUnchanged = "unchanged"
	EffectOutdated  = "outdated" // the dataset held a row of a later business date
	EffectRemoved   = "removed"  // a full file did not hold the id
)

// Change is what one batch did to a fragment.
type Change struct {
	Origin
	Effect     string         `json:"effect"`
	Attributes map[string]any `json:"attributes,omitempty"` // of the fragment afterwards, those with a value
}

// Provenance explains a profile: where each attribute comes from, and what batches made of its fragments.
type Provenance struct {
	Namespace  string               `json:"namespace"`
	PartnerID  string               `json:"partnerID"`
	Attributes map[string]Attribute `json:"attributes"` // by XDM path, those with a value
	Fragments  []Fragment           `json:"fragments"`
	History    []Change             `json:"history,omitempty"`
	// WithoutHistory are datasets that show none, because they are not declared with history.
	WithoutHistory []string `json:"withoutHistory,omitempty"`
}
