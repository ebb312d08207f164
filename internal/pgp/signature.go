package pgp

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/gopenpgp/v3/constants"
	"github.com/ProtonMail/gopenpgp/v3/crypto"

	"prospector/internal/errkind"
)

// judgeSignature returns the fingerprint of the partner's key that signed a message which has been read to its
// end, or why its signature does not count. Without required signatures there is nothing to judge.
func (o *Opener) judgeSignature(plain *crypto.VerifyDataReader) (string, error) {
	if len(o.signedBy) == 0 {
		return "", nil
	}
	result, err := plain.VerifySignature()
	if err != nil {
		return "", damaged(err)
	}
	if len(result.Signatures) == 0 {
		return "", errkind.New(errkind.BadInput, "", errors.New("the file is not signed, and a signature is required"), "ask the partner to sign the file, or give no signedBy for this source")
	}
	var worst error
	for _, signature := range result.Signatures {
		if signer := o.verified(signature); signer != "" {
			return signer, nil
		}
		if err := o.refuse(signature); worst == nil || errkind.Of(err) == errkind.BadInput {
			worst = err
		}
	}
	return "", worst
}

// verified is the fingerprint of the key in signedBy that a good signature was made with, or empty. The library
// would also take a signature by one of our own private keys.
func (o *Opener) verified(signature *crypto.VerifiedSignature) string {
	if signature.SignatureError != nil || signature.SignedBy == nil {
		return ""
	}
	signer := fingerprint(signature.SignedBy.GetEntity())
	if !slices.ContainsFunc(o.signedBy, func(k *key) bool { return k.fingerprint == signer }) {
		return ""
	}
	return signer
}

// named is the fingerprint of the key in signedBy that a signature names, or empty.
func (o *Opener) named(signature *crypto.VerifiedSignature) string {
	if signature.Signature == nil || signature.Signature.IssuerKeyId == nil {
		return ""
	}
	for _, k := range o.signedBy {
		if slices.Contains(k.parts, *signature.Signature.IssuerKeyId) {
			return k.fingerprint
		}
	}
	return ""
}

// refuse says why a signature does not count.
func (o *Opener) refuse(signature *crypto.VerifiedSignature) error {
	signer := o.named(signature)
	failure := signature.SignatureError
	if signer == "" || failure == nil || failure.Status == constants.SIGNATURE_NO_VERIFIER {
		return errkind.New(errkind.Denied, "", fmt.Errorf("the file is signed by %s; signedBy holds %s", issuer(signature), fingerprints(o.signedBy)),
			"when that is the partner's key, add it to signedBy; otherwise do not use the file")
	}
	if notThen(signature) {
		return errkind.New(errkind.Denied, "", fmt.Errorf("the file was signed by %s at a time when that key, as it stands in signedBy, was not valid for signing: %w", signer, failure.Cause),
			"ask the partner for their renewed public key and put it into signedBy")
	}
	return errkind.New(errkind.BadInput, "", fmt.Errorf("the signature by %s does not hold: %w", signer, failure.Cause), resendHint)
}

// notThen reports a signature by a key, or a part of it, that had expired or was revoked when it was made.
func notThen(signature *crypto.VerifiedSignature) bool {
	var structural pgperrors.StructuralError // no part of the key fits
	failure := signature.SignatureError
	return errors.Is(failure, pgperrors.ErrKeyExpired) || errors.Is(failure, pgperrors.ErrKeyRevoked) ||
		signature.SignedBy == nil && errors.As(failure, &structural)
}

// issuer names the key that a signature says it was made by.
func issuer(signature *crypto.VerifiedSignature) string {
	switch s := signature.Signature; {
	case s == nil:
		return "a key it does not name"
	case len(s.IssuerFingerprint) > 0:
		return strings.ToUpper(fmt.Sprintf("%x", s.IssuerFingerprint))
	case s.IssuerKeyId != nil:
		return fmt.Sprintf("%016X", *s.IssuerKeyId)
	}
	return "a key it does not name"
}
