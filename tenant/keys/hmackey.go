package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// HMACKey is a client's secret that its assertions, or what we send it, are signed or encrypted with. It prints as "[secret]"; the zero HMACKey verifies
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

// Suits tells whether the key is long enough for alg: as long as its hash (RFC 7518 §3.2). What encrypts takes any.
func (k HMACKey) Suits(alg Alg) bool {
	return k.secret != nil && (alg.Shared() || alg.HMAC() && len(k.secret()) >= hmacs[alg].Size())
}

// mac is the HMAC of input.
func (k HMACKey) mac(alg Alg, input string) []byte {
	h := hmac.New(hmacs[alg].New, []byte(k.secret()))
	h.Write([]byte(input))
	return h.Sum(nil)
}

// Sign returns payload, a JSON object, as a compact JWS by HS256, HS384 or HS512 (RFC 7518 §3.2), with the header members
// alg and typ. It fails where the key is too short for alg, and with ErrTooLarge.
func (k HMACKey) Sign(alg Alg, typ string, payload []byte) (string, error) {
	if !alg.HMAC() || !k.Suits(alg) {
		return "", errShort
	}
	input, err := unkeyed(alg, typ, payload)
	if err != nil {
		return "", err
	}
	if len(input)+1+base64url.EncodedLen(hmacs[alg].Size()) > maxCompact {
		return "", ErrTooLarge
	}
	return input + "." + base64url.EncodeToString(k.mac(alg, input)), nil
}

// Unsecured returns payload, a JSON object, as a JWT that nobody signed (RFC 7519 §6).
func Unsecured(typ string, payload []byte) (string, error) {
	input, err := unkeyed(None, typ, payload)
	switch {
	case err != nil:
		return "", err
	case len(input)+1 > maxCompact:
		return "", ErrTooLarge
	}
	return input + ".", nil
}

// unkeyed is what is signed of a JWS whose header names no key.
func unkeyed(alg Alg, typ string, payload []byte) (string, error) {
	if !mediaType(typ) {
		return "", errTyp
	}
	if len(payload) == 0 || payload[0] != '{' || payload[len(payload)-1] != '}' {
		return "", errPayload
	}
	head, err := json.Marshal(struct {
		Alg Alg    `json:"alg"`
		Typ string `json:"typ"`
	}{alg, typ})
	if err != nil {
		return "", err
	}
	return base64url.EncodeToString(head) + "." + base64url.EncodeToString(payload), nil
}

// Verify checks in constant time that j is signed with this key (RFC 7518 §3.2), by one of the algorithms allowed, or by
// HS256 where none is given. It checks neither typ nor any claim. Every error is ErrInvalid.
func (k HMACKey) Verify(j *Signed, allowed ...Alg) error {
	if len(allowed) == 0 {
		allowed = []Alg{HS256}
	}
	if !j.Alg.HMAC() || !k.Suits(j.Alg) || !slices.Contains(allowed, j.Alg) {
		return fmt.Errorf("%w: %w", ErrInvalid, errNotAllowed)
	}
	dot := strings.LastIndexByte(j.compact, '.')
	mac, err := decode(j.compact[dot+1:])
	if err != nil || !hmac.Equal(mac, k.mac(j.Alg, j.compact[:dot])) {
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
