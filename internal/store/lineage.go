package store

import "time"

// Derivation says of which state of a dataset something was made: an evaluation, or a delivery. Each load and each deletion of a
// batch is a version of its dataset, counted from 1. First and last differ when one was published while it was made: then it holds
// either.
type Derivation struct {
	Dataset      string `json:"dataset"`
	FirstVersion int64  `json:"firstVersion"`
	Version      int64  `json:"version"`          // the last one
	Batches      int64  `json:"batches"`          // that are in it
	Latest       string `json:"latest,omitempty"` // the one loaded last
}

// BatchSpan says in which versions of its dataset a batch is: from the first on, to the last one before Deleted.
type BatchSpan struct {
	Loaded  int64
	Deleted int64 // 0: it is in the dataset
}

// Uses are what may hold rows of a batch: whatever was made of its dataset while it was loaded.
type Uses struct {
	Dataset    string        `json:"dataset"`
	Batch      string        `json:"batch"`
	Audiences  []AudienceUse `json:"audiences"`
	Deliveries []DeliveryUse `json:"deliveries"` // the latest first
	Delivered  int64         `json:"delivered"`  // how many there are of them
}

// MostUses is how many deliveries are listed.
const MostUses = 100

// AudienceUse are the evaluations of an audience that found members in the dataset while the batch was in it.
type AudienceUse struct {
	Audience    string    `json:"audience"`
	Evaluations int64     `json:"evaluations"`
	First       time.Time `json:"first"` // as of
	Last        time.Time `json:"last"`
	Current     bool      `json:"current"` // the last one is how the audience is now
}

// DeliveryUse is a delivery that was made of the dataset while the batch was in it. A failed one may have sent some of its files.
type DeliveryUse struct {
	Delivery    string    `json:"delivery"`
	Activation  string    `json:"activation"`
	Destination string    `json:"destination"`
	Status      string    `json:"status"`
	Began       time.Time `json:"beganAt"`
	Files       int64     `json:"files"` // that were read back
}
