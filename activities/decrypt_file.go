package activities

// DecryptFileInput names the batch whose staged file to decrypt.
type DecryptFileInput struct {
	Batch string `json:"batch"`
}

// DecryptFileOutput says who signed the file and what should be known.
type DecryptFileOutput struct {
	Signer   string   `json:"signer,omitempty"` // fingerprint
	Bytes    int64    `json:"bytes"`
	Warnings []string `json:"warnings,omitempty"` // keys that end soon
}
