package api

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// AuditRecord says who did what to which object, or was refused (MO-9).
type AuditRecord struct {
	Number  int64     `json:"number"`        // place in the chain, from 1
	Run     string    `json:"run,omitempty"` // workflow run, or request to the API
	Action  string    `json:"action"`
	Kind    string    `json:"kind"` // of the object
	Object  string    `json:"object"`
	Actor   string    `json:"actor,omitempty"`
	Outcome string    `json:"outcome"` // allowed, denied or failed
	Detail  string    `json:"detail,omitempty"`
	Before  string    `json:"before,omitempty"` // digest of the object as it was
	After   string    `json:"after,omitempty"`  // and as it became
	At      time.Time `json:"at"`

	Previous string `json:"previous"` // hash of the record before
	Hash     string `json:"hash"`     // over all of the above
}

// AuditPage is a page of the audit, the newest record first.
type AuditPage struct {
	Records []AuditRecord `json:"records"`
	Next    int64         `json:"next,omitempty"` // after for the next page
}

// AuditHead is the end of the audit's chain.
type AuditHead struct {
	Number int64  `json:"number"`
	Hash   string `json:"hash"`
}

// AuditReport is what a look at the whole chain has found.
type AuditReport struct {
	Records int64        `json:"records"`
	First   int64        `json:"first"` // number of the first record that is kept; those before have expired
	Head    AuditHead    `json:"head"`
	Breaks  []AuditBreak `json:"breaks"` // none: it holds
}

// AuditBreak is a place where the chain does not hold.
type AuditBreak struct {
	Number  int64  `json:"number"`
	Message string `json:"message"`
}

// Limits of the audit (MO-11).
const (
	MostAuditRecords = 1000 // of a page
	AuditExportDays  = 90   // of an export
)

// ProfileObject is what the audit calls a profile: its partner id is not kept there, a digest of it tells whether two are the same.
func ProfileObject(namespace, id string) string {
	sum := sha256.Sum256([]byte(namespace + "\x00" + id))
	return namespace + "/" + hex.EncodeToString(sum[:8])
}
