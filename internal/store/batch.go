package store

import "time"

// BatchQuery asks for a page of a dataset's batches, the newest first.
type BatchQuery struct {
	Status  string // empty: all
	Version int64  // of the dataset that they are in; 0: all
	Limit   int
	After   string // batch at the end of the page before, or empty
}

// BatchRecord is what a dataset knows of a batch (DS-17, BI-9).
type BatchRecord struct {
	ID           string `json:"batch"`
	Dataset      string `json:"dataset"`
	Source       string `json:"source"`
	File         string `json:"file"`
	SHA256       string `json:"sha256"`
	BusinessDate string `json:"businessDate,omitempty"`
	Outcome
	Merge    Merge     `json:"merge"`
	ReplayOf string    `json:"replayOf,omitempty"`
	Loaded   time.Time `json:"loadedAt"` // for a failed batch, when it failed
}

// BatchDetail is a batch with what became of its rejected rows.
type BatchDetail struct {
	BatchRecord
	Header     []string         `json:"header,omitempty"` // the file's columns
	Columns    []string         `json:"columns"`          // XDM paths that the file carries
	Reasons    []RejectionCount `json:"reasons"`          // the most frequent first; empty once quarantine has let them go (BI-12)
	Quarantine int64            `json:"quarantine"`       // rows that are kept
	Resolved   int64            `json:"resolved"`         // of them, rows that a later batch has accepted
}
