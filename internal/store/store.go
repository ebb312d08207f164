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
	Loaded = "loaded" // its accepted rows are profiles
	Failed = "failed" // above the error threshold: only its quarantine is kept
)

// Dataset names a dataset and the schema that gives its profile table columns.
type Dataset struct {
	Name   string
	Schema *xdm.Schema
}

// Batch is one file taken into a dataset.
type Batch struct {
	ID     string
	Source string
	File   string // path at the source
	SHA256 string // of the file's bytes as fetched
	// BusinessDate of the file, 2006-01-02, or empty. A profile of a later one is not replaced.
	BusinessDate string
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

// Load asks for a batch's part to become profiles. It is idempotent by batch id.
type Load struct {
	Dataset    Dataset
	Batch      Batch
	Columns    []prospect.Column
	Labels     map[string][]string // by path, as declared when the batch was taken (LB-8)
	Quarantine string              // file of rejections, JSON Lines
	Read       int64
	Accepted   int64
	Rejected   int64
	Status     string // Loaded or Failed
	At         time.Time
}

// Outcome is what a batch came to. Loaded: Accepted = Created + Updated + Superseded + Outdated.
type Outcome struct {
	Status     string `json:"status"`
	Read       int64  `json:"read"`
	Accepted   int64  `json:"accepted"`
	Rejected   int64  `json:"rejected"`
	Created    int64  `json:"created"`            // ids that the dataset did not know
	Updated    int64  `json:"updated"`            // ids that it knew
	Superseded int64  `json:"superseded"`         // accepted rows replaced by a later line of the same file
	Outdated   int64  `json:"outdated,omitempty"` // ids of which the dataset holds a row of a later business date
}

// RejectionCount is how many rows of a batch were refused for one reason.
type RejectionCount struct {
	Reason prospect.Reason `json:"reason"`
	Rows   int64           `json:"rows"`
}

// AudienceScope is one audience and the datasets whose prospects it may hold.
type AudienceScope struct {
	Name     string
	Rule     *audience.Rule
	Datasets []NamespaceDataset
	Previous string // membership part of the previous evaluation, relative to the data directory
	Part     string // where to write this one
}

// NamespaceDataset is a profile dataset and the namespace that identifies its prospects.
type NamespaceDataset struct {
	Dataset
	Namespace string
}

// Membership is the result for one audience (AU-34). Realized prospects are new in it, existing ones
// stayed, exited ones left within the last 30 days.
type Membership struct {
	Audience string `json:"audience"`
	Part     string `json:"part,omitempty"`
	Realized int64  `json:"realized"`
	Existing int64  `json:"existing"`
	Exited   int64  `json:"exited"`
	Error    string `json:"error,omitempty"` // this audience failed; the others did not

	Definition string `json:"definition,omitempty"` // digest of the rule and the datasets that gave it
}

// Size is the number of prospects in the audience.
func (m Membership) Size() int64 { return m.Realized + m.Existing }

// ExportQuery asks for the rows of one file set: one namespace, one or more audiences.
type ExportQuery struct {
	Dataset       NamespaceDataset
	Paths         []string // columns, in order
	Memberships   []string // parts of the audiences, relative to the data directory
	StatusColumns bool     // one column per audience with active, expired or nothing (DE-23)
	Delimiter     string
}
