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
func NewManifest(delivery string, asOf time.Time, folder string, files []File, attribution ...string) ([]byte, error) {
	m := Manifest{FlowRunID: delivery, ScheduledTime: asOf.UTC(), ExportResults: []ManifestResult{}, Attribution: attribution}
	for _, f := range files {
		m.ExportResults = append(m.ExportResults, ManifestResult{SinkPath: folder, Name: f.Name, Size: f.Bytes, Rows: f.Rows, SHA256: f.SHA256})
	}
	return json.MarshalIndent(m, "", "  ")
}
