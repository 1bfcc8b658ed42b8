package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// HMACKey is a client's secret that its assertions are signed with. It prints as "[secret]"; the zero HMACKey verifies
// nothing.
type HMACKey struct {
	secret func() string // a closure: some verbs of fmt follow pointers, none looks into a function
}

// errShort: RFC 7518 §3.2 wants a key at least as long as the hash.
var errShort = errors.New("keys: a secret of less than 32 bytes makes no HMAC key")

// NewHMACKey returns the key that secret is, of at least 32 bytes (RFC 7518 §3.2).
func NewHMACKey(secret string) (HMACKey, error) {
	if len(secret) < sha256.Size {
		return HMACKey{}, errShort
	}
	return HMACKey{func() string { return secret }}, nil
}

// IsZero tells whether there is no key.
func (k HMACKey) IsZero() bool { return k.secret == nil }

// Reveal returns the secret, to be sealed and stored; of the zero HMACKey, nothing.
func (k HMACKey) Reveal() string {
	if k.secret == nil {
		return ""
	}
	return k.secret()
}

// Equal tells whether both are the same secret.
func (k HMACKey) Equal(o HMACKey) bool { return hmac.Equal([]byte(k.Reveal()), []byte(o.Reveal())) }

// Verify checks in constant time that j is signed with HS256 and this key (RFC 7518 §3.2). It checks neither typ nor any
// claim. Every error is ErrInvalid.
func (k HMACKey) Verify(j *Signed) error {
	if k.secret == nil || j.Alg != HS256 {
		return fmt.Errorf("%w: %w", ErrInvalid, errNotAllowed)
	}
	dot := strings.LastIndexByte(j.compact, '.')
	mac, err := decode(j.compact[dot+1:])
	h := hmac.New(sha256.New, []byte(k.secret()))
	h.Write([]byte(j.compact[:dot]))
	if err != nil || !hmac.Equal(mac, h.Sum(nil)) {
		return fmt.Errorf("%w: %w", ErrInvalid, errSignature)
	}
	return nil
}

// String hides the secret.
func (HMACKey) String() string { return hidden }

// GoString hides the secret from %#v.
func (HMACKey) GoString() string { return hidden }

// Format hides the secret from every verb.
func (HMACKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue hides the secret from log/slog.
func (HMACKey) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the secret from JSON and other encodings.
func (HMACKey) MarshalText() ([]byte, error) { return []byte(hidden), nil }
