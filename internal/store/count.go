package store

import "time"

// Counts are how many profiles there are (PF-14). Expired ones are left out.
type Counts struct {
	AsOf       time.Time        `json:"asOf"`
	Namespaces []NamespaceCount `json:"namespaces"`
	Datasets   []DatasetCount   `json:"datasets"`
}

// NamespaceCount counts the profiles of a namespace: a prospect of several datasets counts once.
type NamespaceCount struct {
	Namespace string `json:"namespace"`
	Profiles  int64  `json:"profiles"`
}

// DatasetCount counts what one dataset holds.
type DatasetCount struct {
	Dataset    string           `json:"dataset"`
	Namespace  string           `json:"namespace"`
	Enabled    bool             `json:"enabled"`    // for Profile; otherwise what it holds counts as no profile yet
	Fragments  int64            `json:"fragments"`  // that have not expired
	Expired    int64            `json:"expired"`    // that nobody sees any more
	Quarantine int64            `json:"quarantine"` // rejected rows that are not resolved
	Batches    map[string]int64 `json:"batches"`    // by status
	Updated    *time.Time       `json:"updated,omitempty"`
}
