package store

// Deletion is what undoing a batch does to its dataset's profiles: those that the batch had touched become what
// the other batches make of them.
type Deletion struct {
	Batch    string `json:"batch"`
	Dataset  string `json:"dataset"`
	Source   string `json:"source"`
	File     string `json:"file"`
	Removed  int64  `json:"removed"`  // profiles that only this batch had brought
	Reverted int64  `json:"reverted"` // profiles that become what they were without it
	Restored int64  `json:"restored"` // profiles that it had removed, and that come back
	Kept     int64  `json:"kept"`     // profiles that it had touched and that later batches have replaced since
	Rejected int64  `json:"rejected"` // rows that leave quarantine
	Preview  bool   `json:"preview"`  // nothing was changed

	Audiences []AudienceEffect `json:"audiences,omitempty"`

	// Deliveries may have rows of it, and cannot be undone: the latest first, at most MostUses. Delivered is how many there are.
	Deliveries []DeliveryUse `json:"deliveries,omitempty"`
	Delivered  int64         `json:"delivered,omitempty"`

	// Withheld are the parts of the answer that the roles of whoever asked do not let them know, all or some of them: audiences, deliveries.
	Withheld []string `json:"withheld,omitempty"`
}

// AudienceEffect is how many profiles that change are in an audience as it was evaluated last.
type AudienceEffect struct {
	Audience string `json:"audience"`
	Members  int64  `json:"members"`
}
