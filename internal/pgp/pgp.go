// Package pgp opens what partners encrypt with OpenPGP, as gpg and others write it: armored or binary, compressed
// or not, for RSA and elliptic-curve keys, with or without a signature. It streams in bounded memory, and whoever
// takes its output must throw it away unless the call ends without an error: plaintext arrives before it has been
// authenticated.
package pgp

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/ProtonMail/gopenpgp/v3/armor"
	"github.com/ProtonMail/gopenpgp/v3/constants"
	"github.com/ProtonMail/gopenpgp/v3/crypto"

	"prospector/internal/errkind"
)

// Keys open what partners encrypt.
type Keys struct {
	Private    []string // armored or binary, each one key or several
	Passphrase string   // of the private keys that are locked
	SignedBy   []string // partners' public keys; when given, a valid signature by one of them is required
}

// Opener holds keys that have been read and unlocked.
type Opener struct {
	private *crypto.KeyRing
	signers *crypto.KeyRing // nil: no signature is asked for
}

// Result is what a file came to.
type Result struct {
	Signer string // fingerprint of the key behind the valid signature, empty when none is required
	Bytes  int64  // of plaintext
}

// DefaultLimit is how many bytes a file may have when it is decrypted, unless somebody says otherwise.
const DefaultLimit = 200 << 30

// New reads keys. Errors are kind Denied and say which key is wrong, never what it is.
func New(k Keys) (*Opener, error) {
	if len(k.Private) == 0 {
		return nil, denied("read the PGP keys", "no private key is given", "set privateKeys")
	}
	o := &Opener{}
	for i, text := range k.Private {
		op := fmt.Sprintf("read PGP private key %d", i+1)
		found, err := read(text)
		if err != nil {
			return nil, denied(op, "it is no key", "export it with: gpg --export-secret-keys --armor KEY")
		}
		for _, key := range found {
			if key, err = unlock(op, key, k.Passphrase); err != nil {
				return nil, err
			}
			if o.private, err = added(o.private, key); err != nil {
				return nil, denied(op, "it cannot be used", "export it with: gpg --export-secret-keys --armor KEY")
			}
		}
	}
	for i, text := range k.SignedBy {
		op := fmt.Sprintf("read PGP public key %d of signedBy", i+1)
		const hint = "ask the partner for: gpg --export --armor KEY"
		found, err := read(text)
		if err != nil {
			return nil, denied(op, "it is no key", hint)
		}
		for _, key := range found {
			if key.IsPrivate() { // whoever gives it means its public half
				key, err = key.ToPublic()
			}
			if err == nil {
				o.signers, err = added(o.signers, key)
			}
			if err != nil {
				return nil, denied(op, "it cannot be used", hint)
			}
		}
	}
	return o, nil
}

// read reads one key or several, armored or not.
func read(text string) (out []*crypto.Key, err error) {
	data := []byte(text)
	if i := strings.Index(text, "-----BEGIN PGP"); i >= 0 {
		if data, err = armor.Unarmor(text[i:]); err != nil {
			return nil, err
		}
	}
	entities, err := openpgp.ReadKeyRing(bytes.NewReader(data)) // a ring of the library's own takes no locked keys
	if err != nil {
		return nil, err
	}
	for _, entity := range entities {
		key, err := crypto.NewKeyFromEntity(entity)
		if err != nil {
			return nil, err
		}
		out = append(out, key)
	}
	if len(out) == 0 {
		err = errors.New("no keys")
	}
	return out, err
}

func unlock(op string, key *crypto.Key, passphrase string) (*crypto.Key, error) {
	if !key.IsPrivate() {
		return nil, denied(op, "it is a public key", "export it with: gpg --export-secret-keys --armor KEY")
	}
	locked, err := key.IsLocked()
	if err != nil || !locked {
		return key, nil //nolint:nilerr // a key without its primary secret part may still decrypt
	}
	if passphrase == "" {
		return nil, denied(op, "it needs a passphrase", "set passphrase")
	}
	unlocked, err := key.Unlock([]byte(passphrase))
	if err != nil {
		return nil, denied(op, "the passphrase does not open it", "check passphrase")
	}
	return unlocked, nil
}

func added(ring *crypto.KeyRing, key *crypto.Key) (*crypto.KeyRing, error) {
	if ring == nil {
		return crypto.NewKeyRing(key)
	}
	return ring, ring.AddKey(key)
}

// Decrypt writes a file's plaintext to dst, which is good only when no error is returned. limit bounds the
// plaintext, in bytes; 0 is DefaultLimit. Kinds: Denied when our keys or the known signers are not the file's,
// BadInput when the file is damaged, not PGP, not signed as required, or too large.
//
// A key that has ended still opens what was encrypted for it; see Expiring. A signature counts when its key was
// valid at the time of the signature, and the key is not revoked.
func (o *Opener) Decrypt(ctx context.Context, dst io.Writer, src io.Reader, limit int64) (out Result, err error) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	builder := crypto.PGP().Decryption().DecryptionKeys(o.private).MaxDecompressedMessageSize(limit).DisableIntendedRecipients().DisableAutomaticTextSanitize()
	if o.signers != nil {
		builder = builder.VerificationKeys(o.signers)
	}
	handle, err := builder.New()
	if err != nil {
		return out, errkind.New(errkind.Internal, "decrypt", err, "")
	}
	// What could not be opened is asked for its recipients.
	beginning := &bytes.Buffer{}
	input := &counted{ctx: ctx, from: io.TeeReader(io.LimitReader(src, maxBeginning), beginning)}
	whole := io.MultiReader(input, &counted{ctx: ctx, from: src})
	plain, err := handle.DecryptingReader(whole, crypto.Auto)
	if err != nil {
		return out, o.cannotOpen(ctx, err, beginning.Bytes())
	}
	sink := &sink{to: dst}
	out.Bytes, err = io.CopyBuffer(sink, io.LimitReader(onlyReader{plain}, limit+1), make([]byte, 1<<20))
	switch {
	case ctx.Err() != nil:
		return out, context.Cause(ctx)
	case sink.err != nil: // ours, not the partner's
		return out, sink.err
	case out.Bytes > limit, errors.Is(err, pgperrors.ErrMessageTooLarge):
		return out, errkind.New(errkind.BadInput, "decrypt", fmt.Errorf("it has more than %d bytes", limit), "if that is right, raise format.maxBytes of the source")
	case err != nil:
		return out, damaged(err)
	}
	return out, o.verify(plain, &out)
}

// maxBeginning is where the recipients of a file stand.
const maxBeginning = 64 << 10

// verify runs once all has been read.
func (o *Opener) verify(plain *crypto.VerifyDataReader, out *Result) error {
	if o.signers == nil {
		return nil
	}
	result, err := plain.VerifySignature()
	if err != nil {
		return damaged(err)
	}
	wrong := result.SignatureErrorExplicit()
	if wrong == nil {
		out.Signer = hex.EncodeToString(result.SignedByFingerprint())
		return nil
	}
	switch wrong.Status {
	case constants.SIGNATURE_NOT_SIGNED:
		return errkind.New(errkind.BadInput, "decrypt", errors.New("it is not signed, and the source requires a signature"), "ask the partner to sign it, or leave signedBy out")
	case constants.SIGNATURE_NO_VERIFIER:
		return errkind.New(errkind.Denied, "decrypt", errors.New("it is signed by a key that signedBy does not hold"),
			"ask the partner by other means whether the key is theirs; only then add it to signedBy")
	}
	return errkind.New(errkind.BadInput, "decrypt", errors.New("its signature is not valid"), "ask the partner to send it again; do not use this file")
}

func damaged(err error) error {
	text := "it is damaged: its bytes are not those that were encrypted"
	if errors.Is(err, io.ErrUnexpectedEOF) {
		text = "it is cut short"
	}
	return errkind.New(errkind.BadInput, "decrypt", errors.New(text), "ask the partner to send it again")
}

// cannotOpen says why no plaintext came.
func (o *Opener) cannotOpen(ctx context.Context, err error, beginning []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if bytes.HasPrefix(beginning, []byte("-----BEGIN")) {
		if data, wrong := unarmored(beginning); wrong == nil {
			beginning = data
		}
	}
	message := crypto.NewPGPMessage(beginning)
	ids, ok := message.HexEncryptionKeyIDs()
	if !ok || len(ids) == 0 {
		return errkind.New(errkind.BadInput, "decrypt", errors.New("it is not a PGP file, or it is damaged"), "ask the partner to send it again, encrypted, or leave encryption out of the source")
	}
	ours := map[string]bool{}
	var held []string
	for _, key := range o.private.GetKeys() {
		held = append(held, key.GetFingerprint())
		entity := key.GetEntity()
		ours[fmt.Sprintf("%016x", entity.PrimaryKey.KeyId)] = true
		for _, sub := range entity.Subkeys {
			ours[fmt.Sprintf("%016x", sub.PublicKey.KeyId)] = true
		}
	}
	for _, id := range ids {
		if ours[strings.ToLower(id)] {
			return damaged(err)
		}
	}
	return errkind.New(errkind.Denied, "decrypt", fmt.Errorf("it is encrypted for %s, and privateKeys holds %s", strings.Join(ids, ", "), strings.Join(held, ", ")),
		"give the key that it is for, or send the partner the public key of one that is held")
}

// unarmored decodes as much of an armored beginning as there is.
func unarmored(text []byte) ([]byte, error) {
	_, body, ok := strings.Cut(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n\n")
	if !ok {
		return nil, errors.New("no armor")
	}
	if i := strings.LastIndexByte(body, '\n'); i > 0 {
		body = body[:i]
	}
	body, _, _ = strings.Cut(body, "\n=")
	body = strings.ReplaceAll(body, "\n", "")
	return base64.StdEncoding.DecodeString(body[:len(body)-len(body)%4])
}

// Expiry is a key that ends.
type Expiry struct {
	Fingerprint string
	Use         string // decrypt or verify
	At          time.Time
}

// Expiring lists the keys that have ended or end within a time from now, so that new ones are agreed on before.
func (o *Opener) Expiring(now time.Time, within time.Duration) (out []Expiry) {
	list := func(ring *crypto.KeyRing, use string) {
		if ring == nil {
			return
		}
		for _, key := range ring.GetKeys() {
			if at := ends(key, use == "decrypt"); !at.IsZero() && at.Before(now.Add(within)) {
				out = append(out, Expiry{key.GetFingerprint(), use, at})
			}
		}
	}
	list(o.private, "decrypt")
	list(o.signers, "verify")
	return out
}

func denied(op, text, hint string) error {
	return errkind.New(errkind.Denied, op, errors.New(text), hint)
}

// counted ends with its context.
type counted struct {
	ctx  context.Context
	from io.Reader
}

func (c *counted) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.from.Read(p)
}

type onlyReader struct{ io.Reader }

// sink keeps the errors of our own side apart.
type sink struct {
	to  io.Writer
	err error
}

func (s *sink) Write(p []byte) (n int, err error) {
	n, s.err = s.to.Write(p)
	return n, s.err
}

// ends is when a key ends: its primary key, or for decrypting the subkey that ends first. Zero is never.
func ends(key *crypto.Key, subkeys bool) (out time.Time) {
	entity := key.GetEntity()
	earliest := func(created time.Time, seconds *uint32) {
		if seconds == nil || *seconds == 0 {
			return
		}
		if at := created.Add(time.Duration(*seconds) * time.Second).UTC(); out.IsZero() || at.Before(out) {
			out = at
		}
	}
	if signature, err := entity.PrimarySelfSignature(time.Time{}, nil); err == nil {
		earliest(entity.PrimaryKey.CreationTime, signature.KeyLifetimeSecs)
	}
	for i := range entity.Subkeys {
		sub := &entity.Subkeys[i]
		signature, err := sub.LatestValidBindingSignature(time.Time{}, nil)
		if err == nil && subkeys && (signature.FlagEncryptCommunications || signature.FlagEncryptStorage) {
			earliest(sub.PublicKey.CreationTime, signature.KeyLifetimeSecs)
		}
	}
	return out
}
