package pgp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/gopenpgp/v3/crypto"

	"prospector/internal/errkind"
)

// DefaultLimit is how many bytes may come out of a file unless Decrypt is told otherwise: 200 GB.
const DefaultLimit = 200_000_000_000

const resendHint = "ask the partner to send the file again"

// Result is what is known of a file that was decrypted.
type Result struct {
	Signer string // fingerprint of the key that signed it; empty when no signature is required
	Bytes  int64  // that came out
}

// Decrypt writes what is in the encrypted file src to dst, at most limit bytes (0 stands for DefaultLimit).
//
// What stands in dst is good only after a nil error: it is written before it can be known whether the file was
// changed, cut short or signed by somebody else, which shows at its end. On an error, throw it away.
//
// Kind BadInput is a file that is no PGP message, was changed or cut short, has no protection against that
// (MDC), holds more than limit bytes, or lacks the required signature; kind Denied one for which a key is
// missing here, ours to open it or the partner's to check its signature. Errors of src, dst and ctx are
// returned as they are.
//
// A key of ours that has expired goes on decrypting. A signature counts when the partner's key was valid at the
// time of the signature: files that were signed before the key expired stay good, later ones are refused.
func (o *Opener) Decrypt(ctx context.Context, dst io.Writer, src io.Reader, limit int64) (Result, error) {
	if limit == 0 {
		limit = DefaultLimit
	}
	file := &source{ctx: ctx, reader: src}
	result, err := o.decrypt(dst, file, limit)
	if file.err != nil {
		return Result{}, file.err // not the partner's fault, whatever the library made of it
	}
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

// source is the encrypted file. It remembers an error other than its end, and ends when its context does.
type source struct {
	ctx    context.Context
	reader io.Reader
	err    error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err == nil && s.ctx.Err() != nil {
		s.err = context.Cause(s.ctx)
	}
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

func (o *Opener) decrypt(dst io.Writer, src io.Reader, limit int64) (Result, error) {
	m, err := openMessage(src)
	if err != nil {
		return Result{}, err
	}
	handle, err := o.handle(limit)
	if err != nil {
		return Result{}, errkind.New(errkind.Internal, "decrypt", err, "")
	}
	plain, err := handle.DecryptingReader(m.packets, crypto.Bytes)
	if err != nil {
		return Result{}, o.explain(m, err)
	}
	n, err := copyPlain(dst, plain, limit)
	if err != nil {
		return Result{}, err
	}
	if err := m.finish(); err != nil {
		return Result{}, err
	}
	signer, err := o.judgeSignature(plain)
	return Result{Signer: signer, Bytes: n}, err
}

// clockSkew is how far ahead of ours a partner's clock may be when they sign.
const clockSkew = 10 * time.Minute

func (o *Opener) handle(limit int64) (crypto.PGPDecryption, error) {
	private, err := ring(o.private)
	if err != nil {
		return nil, err
	}
	builder := crypto.PGP().Decryption().
		DecryptionKeys(private).
		MaxDecompressedMessageSize(limit + limit/64 + 1<<20). // of packets, which are more than what is in them
		VerifyTime(time.Now().Add(clockSkew).Unix()).
		DisableAutomaticTextSanitize() // it would change line ends
	if len(o.signedBy) > 0 {
		partners, err := ring(o.signedBy)
		if err != nil {
			return nil, err
		}
		builder = builder.VerificationKeys(partners)
	}
	return builder.New()
}

// copyPlain writes up to limit bytes.
func copyPlain(dst io.Writer, plain io.Reader, limit int64) (written int64, err error) {
	buffer := make([]byte, bufferBytes)
	for {
		n, err := plain.Read(buffer)
		if written += int64(n); written > limit {
			return 0, errkind.New(errkind.BadInput, "", fmt.Errorf("more than %d bytes come out of the file", limit), "if that is right for this source, raise its format.maxBytes")
		}
		if n > 0 {
			if _, err := dst.Write(buffer[:n]); err != nil {
				return 0, err
			}
		}
		if errors.Is(err, io.EOF) {
			return written, nil
		}
		if err != nil {
			return 0, damaged(err)
		}
	}
}

// explain says why a message cannot be opened.
func (o *Opener) explain(m *message, err error) error {
	var unsupported pgperrors.UnsupportedError
	if cipher := o.unsupportedCipher(m); cipher != "" {
		return errkind.New(errkind.BadInput, "", fmt.Errorf("the file is encrypted with the cipher %s, which is not supported", cipher), "ask the partner to encrypt it with AES, in GnuPG by --cipher-algo AES256")
	}
	switch {
	case errors.As(err, &unsupported):
		return errkind.New(errkind.BadInput, "", fmt.Errorf("the PGP message cannot be read: %w", err), "ask the partner to encrypt it with a current version of their tool, with integrity protection (MDC)")
	case !errors.Is(err, pgperrors.ErrKeyIncorrect) || o.isRecipient(m):
		return damaged(err)
	case len(m.recipients) == 0:
		return errkind.New(errkind.BadInput, "", errors.New("the file is encrypted with a passphrase, not for a key"), "ask the partner to encrypt it for the public key they have of us")
	}
	return errkind.New(errkind.Denied, "", fmt.Errorf("the file is encrypted for %s; the private keys here are %s", m.keyIDs(), fingerprints(o.private)),
		"ask the partner to encrypt for one of these, or add the private key that the file is encrypted for (gpg --list-secret-keys --with-subkey-fingerprint)")
}

// ciphers that standards of PGP name and the library does not have, by their numbers.
var ciphers = map[packet.CipherFunction]string{1: "IDEA", 4: "Blowfish", 10: "Twofish", 11: "Camellia-128", 12: "Camellia-192", 13: "Camellia-256"}

// unsupportedCipher names the cipher of a message that our keys open and that nobody here can decipher. The library takes
// that for a wrong key.
func (o *Opener) unsupportedCipher(m *message) string {
	for _, encrypted := range m.keys {
		for _, ours := range o.private {
			for _, id := range ours.decrypting {
				var unsupported pgperrors.UnsupportedError
				if errors.As(encrypted.Decrypt(ours.private[id], nil), &unsupported) && ciphers[encrypted.CipherFunc] != "" {
					return ciphers[encrypted.CipherFunc]
				}
			}
		}
	}
	return ""
}

// isRecipient reports whether a message names one of our keys, so that not opening it is the file's fault.
func (o *Opener) isRecipient(m *message) bool {
	return slices.ContainsFunc(o.private, func(k *key) bool {
		return slices.ContainsFunc(k.decrypting, func(id uint64) bool { return slices.Contains(m.recipients, id) })
	})
}

// damaged is a file that was changed or cut short on its way.
func damaged(err error) error {
	what := "the PGP message was changed, damaged or cut short"
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		what = "the PGP message is cut short"
		err = io.ErrUnexpectedEOF
	}
	return errkind.New(errkind.BadInput, "", fmt.Errorf("%s: %w", what, err), resendHint)
}
