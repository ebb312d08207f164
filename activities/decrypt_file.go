package activities

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"prospector/internal/workspace"
)

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

// expiresSoon is how long before a key's end it is warned of.
const expiresSoon = 30 * 24 * time.Hour

// DecryptFile decrypts the staged copy of an encrypted file beside it, whole or not at all: plaintext is good only
// once its last byte has been authenticated.
func (a *Activities) DecryptFile(ctx context.Context, in DecryptFileInput) (DecryptFileOutput, error) {
	out, err := a.decryptFile(ctx, in)
	return out, failure(err)
}

func (a *Activities) decryptFile(ctx context.Context, in DecryptFileInput) (out DecryptFileOutput, err error) {
	entry, err := a.Ledger.File(ctx, in.Batch)
	if err != nil {
		return out, err
	}
	s, err := a.source(ctx, entry.Source)
	if err != nil {
		return out, err
	}
	ctx, report, end := a.progress(ctx, "decrypt", "bytes", entry.Size)
	defer end()
	release, err := a.alone(ctx, in.Batch)
	if err != nil {
		return out, err
	}
	defer release()
	out, err = a.decrypt(ctx, s, a.staged(ctx, in.Batch, "raw"), a.staged(ctx, in.Batch, "plain"), report)
	if err != nil {
		err = fmt.Errorf("source %s: %s: %w", s.Name, entry.Path, err)
	}
	return out, err
}

func (a *Activities) decrypt(ctx context.Context, s *workspace.Source, from, to string, report func(int64)) (out DecryptFileOutput, err error) {
	opener, err := a.Openers(s)
	if err != nil {
		return out, err
	}
	in, err := os.Open(from)
	if err != nil {
		return out, err
	}
	defer func() { _ = in.Close() }() // only read
	partial := to + ".partial"
	plain, err := os.OpenFile(partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return out, err
	}
	defer func() {
		if err != nil {
			_ = plain.Close() // the first error is the reason
			err = errors.Join(err, os.Remove(partial))
		}
	}()
	result, err := opener.Decrypt(ctx, &reporting{plain, 0, report}, in, s.Format.MaxBytes)
	if err != nil {
		return out, err
	}
	if err = plain.Sync(); err != nil {
		return out, err
	}
	if err = plain.Close(); err != nil {
		return out, err
	}
	if err = os.Rename(partial, to); err != nil {
		return out, err
	}
	out = DecryptFileOutput{Signer: result.Signer, Bytes: result.Bytes}
	for _, key := range opener.Expiring(now(), expiresSoon) {
		out.Warnings = append(out.Warnings, fmt.Sprintf("the key %s to %s ends on %s; agree on a new one with the partner", key.Fingerprint, key.Use, key.At.Format(time.DateOnly)))
	}
	return out, nil
}
