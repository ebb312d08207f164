// Package store holds the terms in which datasets, batches and memberships are kept. Its driver
// duckdb carries them out; activities declare the interfaces they need of it.
package store

import (
	"time"

	"prospector/internal/audience"
	"prospector/internal/prospect"
	"prospector/internal/xdm"
)

// Batch statuses.
const (
	Loaded  = "loaded"  // its accepted rows are profiles
	Failed  = "failed"  // above the error threshold: only its quarantine is kept
	Deleted = "deleted" // undone: the dataset is as if it had never come
)

// Merge says what a batch does to the profiles that its dataset holds (PF-19).
type Merge string

// The merge modes.
const (
	Replace Merge = "replace" // a row replaces the row of its id
	Upsert  Merge = "upsert"  // a row replaces the columns that its file carries
	Full    Merge = "full"    // as Replace, and ids that are not in the file are removed
)

// Dataset names a dataset, the schema that gives its profile table columns, and how its profiles are kept.
type Dataset struct {
	Name     string
	Schema   *xdm.Schema
	Identity string // path of the primary identity

	Merge        Merge         // empty is Replace
	MostRemoved  float64       // percent of the profiles that a full file may remove
	LifetimeDays int           // of a profile that no batch refreshes (PF-9)
	Quarantine   time.Duration // how long rejected rows are kept (BI-12)
	History      bool          // what profiles were before may be shown
}

// Batch is one file taken into a dataset.
type Batch struct {
	ID     string
	Source string
	File   string // path at the source
	SHA256 string // of the file's bytes as fetched
	// BusinessDate of the file, 2006-01-02, or empty. A profile of a later one is not replaced.
	BusinessDate string
	Header       []string // the file's columns, so that single records can be read again
	ReplayOf     string   // batch whose rejected rows these are, or empty
	Reading      string   // digest of how the file is read, for the catalog
}

// Part is what validation wrote for a batch.
type Part struct {
	Accepted int64
	Rejected int64 // well-framed rows that break a rule of the schema
}

// RefusedLine is a record of a part that breaks rules of the schema.
type RefusedLine struct {
	Line    int64
	Reasons []prospect.Reason
}

// RejectedRow is a row in quarantine, as it came.
type RejectedRow struct {
	Line int64
	Raw  []byte
}

// Load asks for a batch's part to become profiles. It is idempotent by batch id.
type Load struct {
	Dataset    Dataset
	Batch      Batch
	Columns    []prospect.Column
	Labels     map[string][]string // by path, as declared when the batch was taken (LB-8)
	Quarantine string              // file of rejections, JSON Lines; empty: rejected rows are counted and not kept
	// AllowRemovals lets a full file remove more than the dataset's guard allows.
	AllowRemovals bool
	Read          int64
	Accepted      int64
	Rejected      int64
	Status        string // Loaded or Failed
	At            time.Time
}

// Outcome is what a batch came to. Loaded: Accepted = Created + Updated + Unchanged + Superseded + Outdated.
type Outcome struct {
	Status     string `json:"status"`
	Read       int64  `json:"read"`
	Accepted   int64  `json:"accepted"`
	Rejected   int64  `json:"rejected"`
	Created    int64  `json:"created"`             // ids that the dataset did not know
	Updated    int64  `json:"updated"`             // ids that it knew with other values
	Unchanged  int64  `json:"unchanged,omitempty"` // ids that it knew with the same values; they are refreshed
	Superseded int64  `json:"superseded"`          // accepted rows replaced by a later line of the same file
	Outdated   int64  `json:"outdated,omitempty"`  // ids of which the dataset holds a row of a later business date
	Removed    int64  `json:"removed,omitempty"`   // ids that a full file no longer holds

	ChangesWithheld bool `json:"changesWithheld,omitempty"` // those unchanged are among the updated
}

// WithoutChanges does not tell whose values were known already: with a file of guesses, that would tell the values (AC-7).
func (o Outcome) WithoutChanges() Outcome {
	o.Updated, o.Unchanged, o.ChangesWithheld = o.Updated+o.Unchanged, 0, true
	return o
}

// RejectionCount is how many rows of a batch were refused for one reason.
type RejectionCount struct {
	Reason prospect.Reason `json:"reason"`
	Rows   int64           `json:"rows"`
}

// Namespace is a namespace and the datasets that hold its fragments. A profile is the merge of its fragments:
// attribute by attribute, the value counts that is not null in the fragment ingested last (PF-15, PF-16).
type Namespace struct {
	Symbol   string
	Datasets []Dataset
}

// AudienceScope is one audience and the namespaces whose prospects it may hold.
type AudienceScope struct {
	Name       string
	Rule       *audience.Rule
	Namespaces []Namespace
	Limit      *Limit // nil: everybody for whom the rule holds
	Previous   string // membership part of the previous evaluation, relative to the data directory
	Part       string // where to write this one
}

// Membership is the result for one audience (AU-34). Realized prospects are new in it, existing ones
// stayed, exited ones left within the last 30 days.
type Membership struct {
	Audience string `json:"audience"`
	Part     string `json:"part,omitempty"`
	MemberCounts
	Namespaces []NamespaceMembers `json:"namespaces,omitempty"`
	Error      string             `json:"error,omitempty"` // this audience failed; the others did not
	Warning    string             `json:"warning,omitempty"`
	Withheld   bool               `json:"withheld,omitempty"` // in an answer: the roles of whoever asked do not let them know more than that it was evaluated

	Definition string `json:"definition,omitempty"` // digest of the rule and the datasets that gave it
}

// MemberCounts counts members by status.
type MemberCounts struct {
	Realized int64 `json:"realized"`
	Existing int64 `json:"existing"`
	Exited   int64 `json:"exited"`
}

// Size is the number of prospects in the audience.
func (c MemberCounts) Size() int64 { return c.Realized + c.Existing }

// NamespaceMembers are the members that one namespace has.
type NamespaceMembers struct {
	Namespace string `json:"namespace"`
	MemberCounts
	// Datasets says of how many members each dataset holds a fragment.
	Datasets map[string]int64 `json:"datasets,omitempty"`
}

// Standings ask for everybody whom a destination is told about: members as active, and as expired those whom an earlier delivery
// told as active and who may not be so any more, whatever the reason. They leave with their identity alone.
type Standings struct {
	Audiences []string // names, in the order of the memberships
	Told      []string // parts that earlier deliveries have written
	Unknown   bool     // there were deliveries, and nothing is known of what they told: whoever has left an audience counts as told
	Part      string   // where to write what is told now
}

// List is a dataset whose ids name people who must not be approached, whether they have expired in it or not.
type List struct {
	Dataset Dataset
	Field   string // attribute of prospects that is held against the ids; empty: the partner id
}

// ExportQuery asks for the rows of one file set: one namespace, one or more audiences.
type ExportQuery struct {
	Namespace   Namespace
	AsOf        time.Time  // profiles that have expired by then are left out (EC-12)
	Paths       []string   // columns, in order
	Memberships []string   // parts of the audiences, relative to the data directory
	Standings   *Standings // one column per audience with active, expired or nothing (DE-23); nil: the members alone
	Delimiter   string
	Terms
}

// Terms are what must hold of each member as it leaves, or it is left out, whatever it was when its audience was evaluated; and of which
// datasets it is counted what leaves.
type Terms struct {
	Consent    []*audience.Rule    // true (PL-15)
	Confined   map[string][]string // attributes, by path, have one of these values
	Suppressed []string            // it is in none of these memberships
	Lists      []List              // it is on none of these
	Counted    []string            // names of datasets
}
