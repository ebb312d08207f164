// Package api holds the terms of the read API that a worker serves on loopback, and the client that commands read with. A DuckDB
// file belongs to one process and personal data stays out of Temporal, so whoever wants to see rows asks the worker.
package api

import (
	"time"

	"prospector/internal/errkind"
	"prospector/internal/store"
)

// How large a request may be: its address with its headers, and its body, which takes every rule that a workspace does, however JSON
// escapes it.
const (
	MostBytes     = 64 << 10
	MostBodyBytes = 8 * MostBytes
)

// ProfilePage is a page of profiles in the order of namespace and partner id.
type ProfilePage struct {
	AsOf     time.Time       `json:"asOf"`
	Profiles []store.Profile `json:"profiles"`
	Next     string          `json:"next,omitempty"`   // after for the next page; empty behind the last profile
	Masked   []string        `json:"masked,omitempty"` // attributes that are not shown: your roles do not hold their labels
}

// ProfileView is one profile, all of it, with the audiences that it is in (PF-10, PF-13).
type ProfileView struct {
	store.ProfileDetail
	Audiences []Audience `json:"audiences"`
	Masked    []string   `json:"masked,omitempty"`
	// MaskedAudiences says that there are audiences that your roles must not see, whether the profile is in them or not.
	MaskedAudiences bool `json:"maskedAudiences,omitempty"`
}

// Audience is a profile's place in an audience as it was evaluated last.
type Audience struct {
	store.ProfileMembership
	Description string    `json:"description,omitempty"`
	Evaluation  string    `json:"evaluation"`
	AsOf        time.Time `json:"asOf"` // of that evaluation
}

// BatchPage is a page of a dataset's batches, the newest first.
type BatchPage struct {
	Batches []store.BatchRecord `json:"batches"`
	Next    string              `json:"next,omitempty"`
}

// QuarantinePage is a page of a dataset's rejected rows, in the order of loads and lines.
type QuarantinePage struct {
	Rows   []store.QuarantinedRow `json:"rows"`
	Next   string                 `json:"next,omitempty"`
	Masked []string               `json:"masked,omitempty"` // attributes for which whole records are not shown
}

// SignIn is whose token a request carries, and what that principal may do.
type SignIn struct {
	Principal   string   `json:"principal"` // whom runs name that are started for it
	Permissions []string `json:"permissions"`
	Labels      []string `json:"labels"`
	// Until when runs count what the groups of an issuer's token give; absent where the access file alone says what the principal may do.
	Until *time.Time `json:"until,omitempty"`
}

// Problem is an error as RFC 9457 puts it, with who can fix it and what to do next.
type Problem struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail"`
	Kind   errkind.Kind `json:"kind"`
	Hint   string       `json:"hint,omitempty"`
}

// Formats of an export of quarantine.
const (
	JSONLines = "jsonl"
	CSV       = "csv"
)
