package store

import (
	"time"

	"prospector/internal/audience"
)

// How many profiles a page shows: PF-12 and GR-33 say 20; more than the most are asked for page by page.
const (
	PageSize     = 20
	MostPageSize = 1000
)

// ProfileQuery asks for a page of profiles in the order of namespace and partner id.
type ProfileQuery struct {
	Namespaces []Namespace
	AsOf       time.Time         // profiles that have expired by then are left out (PF-9)
	Rule       *audience.Rule    // nil: all profiles
	Members    map[string]string // parts of the audiences that the rule refers to, by name
	Columns    []string          // paths of the attributes that are shown; nil: all
	Limit      int               // 1 to MostPageSize
	After      Position          // profiles behind it
}

// Position is a place in the order of profiles. The zero one is in front of all of them.
type Position struct {
	Namespace string
	PartnerID string
}

// Profile is one prospect (PF-4: with its namespace): the merge of its fragments.
type Profile struct {
	Namespace  string         `json:"namespace"`
	PartnerID  string         `json:"partnerID"`
	Created    time.Time      `json:"created"`
	Modified   time.Time      `json:"modified"`   // by the load that refreshed it last
	Batch      string         `json:"batch"`      // of that load
	Attributes map[string]any `json:"attributes"` // by XDM path, those with a value
}

// ProfileFragment is what one dataset holds of a profile, without its attributes (PF-16).
type ProfileFragment struct {
	Dataset      string    `json:"dataset"`
	CreatedBatch string    `json:"createdByBatchID"`
	Batch        string    `json:"modifiedByBatchID"`
	Line         int64     `json:"line"`
	Created      time.Time `json:"created"`
	Modified     time.Time `json:"modified"`
	Expires      time.Time `json:"expires"` // unless a batch refreshes it (PF-9)
}

// ProfileDetail is one profile with what it is made of (PF-10, PF-11).
type ProfileDetail struct {
	Profile
	Fragments []ProfileFragment `json:"fragments"`
}

// ProfileMembership is a profile's place in one audience as it was evaluated last (PF-13).
type ProfileMembership struct {
	Audience string    `json:"audience"`
	Status   string    `json:"status"` // realized, existing or exited
	Since    time.Time `json:"since"`
}
