package store

import "prospector/internal/prospect"

// Which rejected rows a QuarantineQuery wants.
const (
	Unresolved = "unresolved" // still to be corrected
	Resolved   = "resolved"   // accepted by a later batch
)

// QuarantineQuery asks for rejected rows, in the order of loads and lines.
type QuarantineQuery struct {
	Batch string        // empty: all
	Code  prospect.Code // empty: all; otherwise rows that have it among their reasons
	Field string        // empty: all; together with Code in one reason
	State string        // empty: all; Unresolved or Resolved
	Limit int
	After QuarantinePosition
}

// QuarantinePosition is a place in the order of rejected rows. The zero one is in front of all of them.
type QuarantinePosition struct {
	Batch string
	Line  int64
}

// QuarantinedRow is one record that was refused, with all that is wrong with it (BI-12).
type QuarantinedRow struct {
	Batch  string `json:"batch"`
	Source string `json:"source"`
	File   string `json:"file"`
	Line   int64  `json:"line"`
	Offset int64  `json:"offset"` // of the record in the decompressed file, in bytes
	// Raw is the record as it came, without the values of ignored columns; RawBase64 holds it instead when it is no UTF-8.
	Raw        *string           `json:"raw,omitempty"`
	RawBase64  []byte            `json:"rawBase64,omitempty"`
	Reasons    []ExplainedReason `json:"reasons"`
	Header     []string          `json:"header,omitempty"` // the file's columns, where known
	ResolvedBy string            `json:"resolvedBy,omitempty"`
}

// ExplainedReason is a reason with words for people.
type ExplainedReason struct {
	prospect.Reason
	Message string `json:"message"`
}
