package pgp

import (
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// noTime makes the library look at keys whether they have expired or not.
var noTime time.Time

// The uses of keys.
const (
	UseDecrypt = "decrypt" // one of ours: partners can no longer encrypt for it; it goes on decrypting
	UseVerify  = "verify"  // a partner's: signatures made later are refused
)

// Expiry is when a key ends.
type Expiry struct {
	Fingerprint string
	Use         string // UseDecrypt or UseVerify
	At          time.Time
}

// Expiring returns the keys that have expired by now or will within the given time, the first to end first.
func (o *Opener) Expiring(now time.Time, within time.Duration) []Expiry {
	var out []Expiry
	note := func(keys []*key, use string) {
		for _, k := range keys {
			if !k.ends.IsZero() && k.ends.Before(now.Add(within)) {
				out = append(out, Expiry{Fingerprint: k.fingerprint, Use: use, At: k.ends})
			}
		}
	}
	note(o.private, UseDecrypt)
	note(o.signedBy, UseVerify)
	slices.SortStableFunc(out, func(a, b Expiry) int { return a.At.Compare(b.At) })
	return out
}

// ends is when the last part of a key ends that serves a use, or the whole key; zero when it does not end.
func ends(e *openpgp.Entity, use string) time.Time {
	self, err := e.PrimarySelfSignature(noTime, nil)
	if err != nil {
		return noTime
	}
	whole := end(e.PrimaryKey, self)
	var parts []time.Time
	if serves(self, use) {
		parts = append(parts, whole)
	}
	for _, sub := range e.Subkeys {
		if binding, err := sub.LatestValidBindingSignature(noTime, nil); err == nil && serves(binding, use) && (use == UseVerify || usable(sub.PrivateKey)) {
			parts = append(parts, earlier(whole, end(sub.PublicKey, binding)))
		}
	}
	if len(parts) == 0 {
		return whole
	}
	if slices.ContainsFunc(parts, time.Time.IsZero) {
		return noTime
	}
	return slices.MaxFunc(parts, time.Time.Compare)
}

func serves(self *packet.Signature, use string) bool {
	if use == UseVerify {
		return self.FlagsValid && self.FlagSign
	}
	return self.FlagsValid && (self.FlagEncryptCommunications || self.FlagEncryptStorage)
}

// end is when a key ends by what its owner signed, zero when it does not.
func end(key *packet.PublicKey, self *packet.Signature) time.Time {
	if self.KeyLifetimeSecs == nil || *self.KeyLifetimeSecs == 0 {
		return noTime
	}
	return key.CreationTime.Add(time.Duration(*self.KeyLifetimeSecs) * time.Second)
}

// earlier is the earlier of two ends, of which zero is the latest.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
