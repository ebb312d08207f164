// Package pgp opens the files that partners encrypt, as a stream and in bounded memory: RSA and elliptic curve
// keys, armored and binary files, compressed and signed ones, for one or several recipients. It never takes a
// file for good that was changed, cut short or, where signatures are asked for, signed by somebody else or not
// at all. Everything that cannot be told from a stream before its end is an error at its end.
package pgp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/ProtonMail/gopenpgp/v3/crypto"

	"prospector/internal/errkind"
)

const keyHint = "set it to the whole export, with its BEGIN and END lines: gpg --armor --export-secret-keys, or for a partner's public key gpg --armor --export"

// Keys open what partners encrypt.
type Keys struct {
	Private    []string // exports of private keys, armored or binary, of one or several keys each
	Passphrase string   // of all private keys that have one
	SignedBy   []string // partners' public keys; when given, a valid signature by one of them is required
}

// Opener decrypts files. Any number may be decrypted at the same time.
type Opener struct {
	private  []*openpgp.Entity // unlocked
	signedBy []*openpgp.Entity // none when no signature is required
}

// New reads the keys and unlocks the private ones. Its errors, of kind Denied, say which key is at fault and
// nothing of what is in it.
func New(k Keys) (*Opener, error) {
	o := &Opener{}
	for i, text := range k.Private {
		name := fmt.Sprintf("private key %d of %d", i+1, len(k.Private))
		entities, err := readKeys(name, text)
		if err != nil {
			return nil, err
		}
		for _, e := range entities {
			if err := unlock(name, e, k.Passphrase); err != nil {
				return nil, err
			}
			o.private = append(o.private, e)
		}
	}
	if len(o.private) == 0 {
		return nil, errkind.New(errkind.Denied, "", errors.New("no private key is given"), "give the private key that belongs to the public key which the partner encrypts for")
	}
	for i, text := range k.SignedBy {
		entities, err := readKeys(fmt.Sprintf("signedBy key %d of %d", i+1, len(k.SignedBy)), text)
		if err != nil {
			return nil, err
		}
		for _, e := range entities {
			o.signedBy = withNewest(o.signedBy, e)
		}
	}
	return o, nil
}

// readKeys reads all keys of an export.
func readKeys(name, text string) ([]*openpgp.Entity, error) {
	unreadable := errkind.New(errkind.Denied, "", errors.New(name+" cannot be read"), keyHint)
	var out []*openpgp.Entity
	if !strings.Contains(text, armorBegin) {
		entities, err := openpgp.ReadKeyRing(strings.NewReader(text))
		if err != nil || len(entities) == 0 {
			return nil, unreadable
		}
		return entities, nil
	}
	for in := bufio.NewReader(strings.NewReader(text)); ; { // several exports may stand one behind the other
		block, err := armor.Decode(in)
		if errors.Is(err, io.EOF) && len(out) > 0 {
			return out, nil
		}
		if err != nil {
			return nil, unreadable
		}
		entities, err := openpgp.ReadKeyRing(block.Body)
		if err != nil || len(entities) == 0 {
			return nil, unreadable
		}
		out = append(out, entities...)
	}
}

// unlock makes a private key usable. What is missing of it, as of a key whose main part is kept elsewhere, is
// no fault as long as a part that decrypts is there.
func unlock(name string, e *openpgp.Entity, passphrase string) error {
	name += ", " + fingerprint(e) + ","
	if e.PrivateKey == nil {
		return errkind.New(errkind.Denied, "", errors.New(name+" is only the public key"), keyHint)
	}
	locked := e.PrivateKey.Encrypted && !e.PrivateKey.Dummy()
	for _, sub := range e.Subkeys {
		locked = locked || sub.PrivateKey != nil && sub.PrivateKey.Encrypted && !sub.PrivateKey.Dummy()
	}
	if locked && passphrase == "" {
		return errkind.New(errkind.Denied, "", errors.New(name+" needs a passphrase"), "set the passphrase")
	}
	if err := e.DecryptPrivateKeys([]byte(passphrase)); err != nil {
		return errkind.New(errkind.Denied, "", errors.New("the passphrase does not open "+strings.TrimSuffix(name, ",")), "check the passphrase")
	}
	if len(decrypting(e)) == 0 {
		return errkind.New(errkind.Denied, "", errors.New(name+" holds nothing that decrypts"), "export the private key with its encryption subkey: gpg --armor --export-secret-keys")
	}
	return nil
}

// decrypting returns the ids of the parts of a private key that can decrypt, expired or not.
func decrypting(e *openpgp.Entity) []uint64 {
	var ids []uint64
	for _, key := range e.DecryptionKeys(0, noTime, nil) {
		if key.PrivateKey != nil && !key.PrivateKey.Dummy() {
			ids = append(ids, key.PublicKey.KeyId)
		}
	}
	return ids
}

// withNewest adds a key unless a newer export of the same key is there. An older one, which may say that the
// key has expired, gives way.
func withNewest(keys []*openpgp.Entity, e *openpgp.Entity) []*openpgp.Entity {
	for i, other := range keys {
		if fingerprint(other) == fingerprint(e) {
			if lastSigned(e) > lastSigned(other) {
				keys[i] = e
			}
			return keys
		}
	}
	return append(keys, e)
}

// lastSigned is when the owner of a key last changed it, in seconds since 1970.
func lastSigned(e *openpgp.Entity) (last int64) {
	if self, err := e.PrimarySelfSignature(noTime, nil); err == nil {
		last = self.CreationTime.Unix()
	}
	for _, sub := range e.Subkeys {
		if binding, err := sub.LatestValidBindingSignature(noTime, nil); err == nil {
			last = max(last, binding.CreationTime.Unix())
		}
	}
	return last
}

// fingerprint is the fingerprint of a key as gpg shows it.
func fingerprint(e *openpgp.Entity) string {
	return fmt.Sprintf("%X", e.PrimaryKey.Fingerprint)
}

func fingerprints(keys []*openpgp.Entity) string {
	var out []string
	for _, e := range keys {
		out = append(out, fingerprint(e))
	}
	return strings.Join(out, ", ")
}

// ring returns a key ring for one file: the library notes in keys what it has checked of them, so that two
// readers must not share one. Private parts are only read and are shared.
func ring(keys []*openpgp.Entity) (*crypto.KeyRing, error) {
	out, err := crypto.NewKeyRing(nil)
	if err != nil {
		return nil, err
	}
	for _, original := range keys {
		var public bytes.Buffer
		if err := original.Serialize(&public); err != nil {
			return nil, fmt.Errorf("copy key %s: %w", fingerprint(original), err)
		}
		e, err := openpgp.ReadEntity(packet.NewReader(&public))
		if err != nil {
			return nil, fmt.Errorf("copy key %s: %w", fingerprint(original), err)
		}
		e.PrivateKey = usable(original.PrivateKey)
		for i := range e.Subkeys {
			for _, sub := range original.Subkeys {
				if sub.PublicKey.KeyId == e.Subkeys[i].PublicKey.KeyId {
					e.Subkeys[i].PrivateKey = usable(sub.PrivateKey)
				}
			}
		}
		key, err := crypto.NewKeyFromEntity(e)
		if err != nil {
			return nil, err
		}
		if err := out.AddKey(key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// usable is a private key without the parts that an export left out.
func usable(key *packet.PrivateKey) *packet.PrivateKey {
	if key == nil || key.Dummy() || key.Encrypted {
		return nil
	}
	return key
}
