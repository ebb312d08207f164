package export

import (
	"encoding/json"
	"time"
)

// Manifest lists a delivery's files (FX-14), with rows and checksum of each beyond what that asks.
type Manifest struct {
	FlowRunID     string           `json:"flowRunId"`
	ScheduledTime time.Time        `json:"scheduledTime"`
	ExportResults []ManifestResult `json:"exportResults"`
	Attribution   []string         `json:"attribution,omitempty"` // that contracts ask for

	DerivedFrom []ManifestDataset `json:"derivedFrom,omitempty"` // of which states of datasets the rows are (DS-6)
}

// ManifestDataset is the state of a dataset that rows were taken from: the version that its loads and deletions have made, how many
// batches are in it, and the one loaded last. First and last version differ when one was published meanwhile.
type ManifestDataset struct {
	Dataset      string `json:"dataset"`
	FirstVersion int64  `json:"firstVersion"`
	Version      int64  `json:"version"`
	Batches      int64  `json:"batches"`
	Latest       string `json:"latest,omitempty"`
}

// ManifestResult is one file of a manifest.
type ManifestResult struct {
	SinkPath string `json:"sinkPath"`
	Name     string `json:"name"`
	Size     int64  `json:"size"` // bytes
	Rows     int64  `json:"rows"`
	SHA256   string `json:"sha256"`
}

// NewManifest describes files that stand under folder at the destination.
func NewManifest(delivery string, asOf time.Time, folder string, files []File) Manifest {
	m := Manifest{FlowRunID: delivery, ScheduledTime: asOf.UTC(), ExportResults: []ManifestResult{}}
	for _, f := range files {
		m.ExportResults = append(m.ExportResults, ManifestResult{SinkPath: folder, Name: f.Name, Size: f.Bytes, Rows: f.Rows, SHA256: f.SHA256})
	}
	return m
}

// JSON is the manifest as it is delivered.
func (m Manifest) JSON() ([]byte, error) { return json.MarshalIndent(m, "", "  ") }
