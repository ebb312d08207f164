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
	"time"

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
	private  []*key
	signedBy []*key // none when no signature is required
}

// key is what is kept of a key. It does not change any more, unlike the library's keys: these note in
// themselves what was checked of them, so that two readers must not share one.
type key struct {
	fingerprint string
	public      []byte
	parts       []uint64                      // ids of the key and its subkeys
	private     map[uint64]*packet.PrivateKey // the unlocked ones of them, by id
	decrypting  []uint64                      // ids of those that decrypt, expired or not
	lastSigned  time.Time                     // when its owner last changed it
	ends        time.Time                     // for its use here, zero when it does not
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
			ours, err := newKey(name, e, UseDecrypt)
			if err != nil {
				return nil, err
			}
			if len(ours.decrypting) == 0 {
				return nil, errkind.New(errkind.Denied, "", fmt.Errorf("%s, %s, holds nothing that decrypts", name, ours.fingerprint), "export the private key with its encryption subkey: gpg --armor --export-secret-keys")
			}
			o.private = append(o.private, ours)
		}
	}
	if len(o.private) == 0 {
		return nil, errkind.New(errkind.Denied, "", errors.New("no private key is given"), "give the private key that belongs to the public key which the partner encrypts for")
	}
	for i, text := range k.SignedBy {
		name := fmt.Sprintf("signedBy key %d of %d", i+1, len(k.SignedBy))
		entities, err := readKeys(name, text)
		if err != nil {
			return nil, err
		}
		for _, e := range entities {
			partner, err := newKey(name, e, UseVerify)
			if err != nil {
				return nil, err
			}
			o.signedBy = withNewest(o.signedBy, partner)
		}
	}
	return o, nil
}

func unreadable(name string) error {
	return errkind.New(errkind.Denied, "", errors.New(name+" cannot be read"), keyHint)
}

// readKeys reads all keys of an export.
func readKeys(name, text string) ([]*openpgp.Entity, error) {
	var out []*openpgp.Entity
	if !strings.Contains(text, armorBegin) {
		entities, err := openpgp.ReadKeyRing(strings.NewReader(text))
		if err != nil || len(entities) == 0 {
			return nil, unreadable(name)
		}
		return entities, nil
	}
	for in := bufio.NewReader(strings.NewReader(text)); ; { // several exports may stand one behind the other
		block, err := armor.Decode(in)
		if errors.Is(err, io.EOF) && len(out) > 0 {
			return out, nil
		}
		if err != nil {
			return nil, unreadable(name)
		}
		entities, err := openpgp.ReadKeyRing(block.Body)
		if err != nil || len(entities) == 0 {
			return nil, unreadable(name)
		}
		out = append(out, entities...)
	}
}

// unlock makes a private key usable. Of a key whose main part is kept elsewhere, what is there.
func unlock(name string, e *openpgp.Entity, passphrase string) error {
	name += ", " + fingerprint(e)
	if e.PrivateKey == nil {
		return errkind.New(errkind.Denied, "", errors.New(name+", is only the public key"), keyHint)
	}
	locked := e.PrivateKey.Encrypted && !e.PrivateKey.Dummy()
	for _, sub := range e.Subkeys {
		locked = locked || sub.PrivateKey != nil && sub.PrivateKey.Encrypted && !sub.PrivateKey.Dummy()
	}
	if locked && passphrase == "" {
		return errkind.New(errkind.Denied, "", errors.New(name+", needs a passphrase"), "set the passphrase")
	}
	if err := e.DecryptPrivateKeys([]byte(passphrase)); err != nil {
		return errkind.New(errkind.Denied, "", errors.New("the passphrase does not open "+name), "check the passphrase")
	}
	return nil
}

// newKey takes out of a key what is needed of it.
func newKey(name string, e *openpgp.Entity, use string) (*key, error) {
	k := &key{fingerprint: fingerprint(e), parts: []uint64{e.PrimaryKey.KeyId}, private: map[uint64]*packet.PrivateKey{}, ends: ends(e, use)}
	keep := func(private *packet.PrivateKey) {
		if usable(private) && use == UseDecrypt {
			k.private[private.KeyId] = private
		}
	}
	keep(e.PrivateKey)
	if self, err := e.PrimarySelfSignature(noTime, nil); err == nil {
		k.lastSigned = self.CreationTime
	}
	for _, sub := range e.Subkeys {
		k.parts = append(k.parts, sub.PublicKey.KeyId)
		keep(sub.PrivateKey)
		if binding, err := sub.LatestValidBindingSignature(noTime, nil); err == nil && binding.CreationTime.After(k.lastSigned) {
			k.lastSigned = binding.CreationTime
		}
	}
	for _, part := range e.DecryptionKeys(0, noTime, nil) {
		if k.private[part.PublicKey.KeyId] != nil {
			k.decrypting = append(k.decrypting, part.PublicKey.KeyId)
		}
	}
	var public bytes.Buffer
	if err := e.Serialize(&public); err != nil {
		return nil, unreadable(name)
	}
	k.public = public.Bytes()
	if _, err := ring([]*key{k}); err != nil {
		return nil, unreadable(name)
	}
	return k, nil
}

// usable reports whether a part of a private key is there and unlocked.
func usable(private *packet.PrivateKey) bool {
	return private != nil && !private.Dummy() && !private.Encrypted
}

// fingerprint is the fingerprint of a key as gpg shows it.
func fingerprint(e *openpgp.Entity) string {
	return fmt.Sprintf("%X", e.PrimaryKey.Fingerprint)
}

// withNewest adds a key unless a newer export of the same key is there. An older one, which may say that the
// key has expired, gives way.
func withNewest(keys []*key, k *key) []*key {
	for i, other := range keys {
		if other.fingerprint == k.fingerprint {
			if k.lastSigned.After(other.lastSigned) {
				keys[i] = k
			}
			return keys
		}
	}
	return append(keys, k)
}

func fingerprints(keys []*key) string {
	var out []string
	for _, k := range keys {
		out = append(out, k.fingerprint)
	}
	return strings.Join(out, ", ")
}

// ring returns a key ring for one reader. Private parts are only read and are shared.
func ring(keys []*key) (*crypto.KeyRing, error) {
	out, err := crypto.NewKeyRing(nil)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		e, err := openpgp.ReadEntity(packet.NewReader(bytes.NewReader(k.public)))
		if err != nil {
			return nil, fmt.Errorf("read key %s again: %w", k.fingerprint, err)
		}
		e.PrivateKey = k.private[e.PrimaryKey.KeyId]
		for i := range e.Subkeys {
			e.Subkeys[i].PrivateKey = k.private[e.Subkeys[i].PublicKey.KeyId]
		}
		one, err := crypto.NewKeyFromEntity(e)
		if err != nil {
			return nil, err
		}
		if err := out.AddKey(one); err != nil {
			return nil, err
		}
	}
	return out, nil
}
