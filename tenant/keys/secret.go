package keys

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// secretSize is the size of a Secret in bytes.
const secretSize = 32

// hidden is what a Secret looks like wherever it is printed.
const hidden = "[secret]"

// Secret is a tenant's symmetric secret of 256 bits, from which a key for each purpose is derived with HKDF-SHA256
// (RFC 5869). It is safe for concurrent use and prints as "[secret]". The zero Secret makes no MAC: MAC panics, and
// CheckMAC accepts nothing.
type Secret struct {
	s *secret
}

type secret struct {
	bytes   func() []byte // a closure: some verbs of fmt follow pointers, none looks into a function
	derived memo[[]byte]  // by purpose
}

// NewSecret returns the secret of these 32 bytes, which it copies.
func NewSecret(b []byte) (Secret, error) {
	if len(b) != secretSize {
		return Secret{}, errors.New("keys: secret is not of 32 bytes")
	}
	own := slices.Clone(b)
	return Secret{&secret{bytes: func() []byte { return own }}}, nil
}

// Bytes returns a copy of the secret, to be sealed and stored; of the zero Secret, nil.
func (s Secret) Bytes() []byte {
	if s.s == nil {
		return nil
	}
	return slices.Clone(s.s.bytes())
}

// MAC returns the HMAC-SHA256 (RFC 2104) of the parts under the key for purpose, a constant of the caller's code. Each
// part is preceded by its length, so that parts cut elsewhere have another MAC.
func (s Secret) MAC(purpose string, parts ...[]byte) []byte {
	if s.s == nil {
		panic("keys: MAC of the zero Secret")
	}
	h := hmac.New(sha256.New, s.s.key(purpose))
	var length [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	return h.Sum(nil)
}

// CheckMAC tells in constant time whether mac is what MAC returns.
func (s Secret) CheckMAC(mac []byte, purpose string, parts ...[]byte) bool {
	return s.s != nil && hmac.Equal(mac, s.MAC(purpose, parts...))
}

func (s *secret) key(purpose string) []byte {
	if k, ok := s.derived.load(purpose); ok {
		return k
	}
	k, err := hkdf.Key(sha256.New, s.bytes(), nil, purpose, sha256.Size)
	if err != nil {
		panic(err) // only for lengths that HKDF cannot make
	}
	s.derived.store(purpose, k)
	return k
}

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return hidden }

// Format hides the secret from every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue hides the secret from log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the secret from JSON and other encodings.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
