package mapping

import (
	"fmt"

	"prospector/internal/identity"
)

// email writes an address as it is hashed.
type email struct{ buffer []byte }

func (s *email) apply(value []byte) (_ []byte, ok bool) {
	s.buffer, ok = identity.AppendEmail(s.buffer[:0], value)
	return s.buffer, ok
}

// phone writes a number as E.164 does. Without a country, each number must bring its calling code.
type phone struct {
	country string
	buffer  []byte
}

func newPhone(country string) (function, error) {
	if !identity.IsCallingCode(country) {
		return nil, fmt.Errorf("%q is not the calling code of a country, 1 to 3 digits", country)
	}
	return &phone{country: country}, nil
}

func (s *phone) apply(value []byte) (_ []byte, ok bool) {
	s.buffer, ok = identity.AppendPhone(s.buffer[:0], value, s.country)
	return s.buffer, ok
}

// hash replaces a value by its hash.
type hash struct {
	algorithm identity.Algorithm
	buffer    []byte
}

func newHash(a identity.Algorithm) (function, error) {
	if err := checkAlgorithm(a); err != nil {
		return nil, err
	}
	return &hash{algorithm: a}, nil
}

func (s *hash) apply(value []byte) ([]byte, bool) {
	s.buffer = identity.AppendHash(s.buffer[:0], s.algorithm, value)
	return s.buffer, true
}

// hashed lets hashes pass, in lower case.
type hashed struct {
	algorithm identity.Algorithm
	buffer    []byte
}

func newHashed(a identity.Algorithm) (function, error) {
	if err := checkAlgorithm(a); err != nil {
		return nil, err
	}
	return &hashed{algorithm: a}, nil
}

func (s *hashed) apply(value []byte) (_ []byte, ok bool) {
	s.buffer, ok = identity.AppendHashed(s.buffer[:0], s.algorithm, value)
	return s.buffer, ok
}

func checkAlgorithm(a identity.Algorithm) error {
	if !a.Valid() {
		return fmt.Errorf("no hash is called %q, but %v", a, identity.Algorithms)
	}
	return nil
}
