package keys

import (
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
)

// errParty says that the ephemeral key is none that the recipient's can agree with.
var errParty = errors.New("epk is not on the curve of the key")

// IsEncrypted tells whether compact has the shape of a compact JWE (RFC 7516 §9).
func IsEncrypted(compact string) bool { return strings.Count(compact, ".") == 4 }

// foreignMembers are header members of a JWE that name a key, are critical, compress, or belong to algorithms that we do
// not open (RFC 7516 §4.1, RFC 7518 §4.7, §4.8). Others that we do not know are passed over.
var foreignMembers = []string{"crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "p2s", "p2c", "iv", "tag"}

// An encrypted is a compact JWE that a stranger made, taken apart.
type encrypted struct {
	Encryption
	kid     string
	epk     json.RawMessage // nil: none
	compact string
}

// parseEncrypted takes a compact JWE apart (RFC 7516 §5.2). It refuses more than 32 KiB, a header of more than 1 KiB,
// another number of segments than five; padding, foreign characters or trailing bits in a segment; a header member twice
// or of foreignMembers; lengths that are not those of enc.
func parseEncrypted(compact string) (*encrypted, error) {
	if len(compact) > maxEncrypted {
		return nil, errSize
	}
	if !IsEncrypted(compact) {
		return nil, errSegments
	}
	parts := strings.Split(compact, ".")
	if base64url.DecodedLen(len(parts[0])) > maxHeader {
		return nil, errSize
	}
	e := &encrypted{compact: compact}
	if err := e.header(parts[0]); err != nil {
		return nil, err
	}
	c, ok := contentOf(e.Enc)
	if !ok {
		return nil, errNotAllowed
	}
	for i, size := range []int{-1, -1, c.iv, -1, c.tag} {
		b, err := decode(parts[i])
		if err != nil {
			return nil, err
		}
		if size >= 0 && len(b) != size {
			return nil, errEncrypted
		}
	}
	if direct := e.Alg == Dir || e.Alg == ECDHES; direct != (parts[1] == "") {
		return nil, errEncrypted
	}
	return e, nil
}

func (e *encrypted) header(segment string) error {
	b, err := decode(segment)
	if err != nil {
		return err
	}
	ns, err := names(b)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	for _, n := range ns {
		if slices.Contains(foreignMembers, string(n)) {
			return errMember
		}
	}
	var members map[string]json.RawMessage // by their exact names: a struct would match them without case
	if err := json.Unmarshal(b, &members); err != nil {
		return errMember
	}
	for name, to := range map[string]*string{"alg": (*string)(&e.Alg), "enc": &e.Enc, "kid": &e.kid} {
		raw, there := members[name]
		var v *string
		switch {
		case !there && name == "kid":
		case !there, json.Unmarshal(raw, &v) != nil, v == nil, *v == "", len(*v) > maxKid:
			return errMember
		default:
			*to = *v
		}
	}
	e.epk = members["epk"]
	return nil
}

// permitted tells whether one of these allows it: with the same alg, and the same enc or none.
func (e *encrypted) permitted(allowed []Encryption) bool {
	return len(allowed) == 0 || slices.ContainsFunc(allowed, func(a Encryption) bool {
		return a.Alg == e.Alg && (a.Enc == "" || a.Enc == e.Enc)
	})
}

// agrees checks the ephemeral key, where alg has one: a public key on the curve of ours (RFC 7518 §4.6.1.1). A point that
// is on no curve of ours would lead to our private key.
func (e *encrypted) agrees(own *ecdsa.PrivateKey) error {
	if e.epk == nil {
		return errMember
	}
	k, err := parseJWK(e.epk)
	if err != nil {
		return err
	}
	if p, ok := k.public.(*ecdsa.PublicKey); !ok || p.Curve != own.Curve {
		return errParty
	}
	return nil
}

// open decrypts with key, by the algorithms that were checked.
func (e *encrypted) open(key any) ([]byte, error) {
	plain, err := jwe.Decrypt([]byte(e.compact), jwe.WithKey(jwa.KeyEncryptionAlgorithm(e.Alg), key))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errOpen, err)
	}
	return plain, nil
}

// Decrypt returns what is in a compact JWE (RFC 7516 §5.2) that was encrypted to a key of this set, if the key is not gone
// at now: as a rule a signed JWT, whose signature is still to be checked. One of allowed must have its alg, and its enc
// or none; none given: every alg that the set has keys of. A key that has retired still opens what was under way.
//
// It refuses more than 32 KiB, a header of more than 1 KiB, another number of segments than five; padding, foreign
// characters or trailing bits in a segment; a header member twice, or one that is critical, compresses, or names a key;
// a point on another curve than the key's. Every error is ErrInvalid.
func (s *Set) Decrypt(now time.Time, compact string, allowed ...Encryption) ([]byte, error) {
	plain, err := s.decrypt(now, compact, allowed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return plain, nil
}

func (s *Set) decrypt(now time.Time, compact string, allowed []Encryption) ([]byte, error) {
	e, err := parseEncrypted(compact)
	switch {
	case err != nil:
		return nil, err
	case !opens(e.Alg) || !e.permitted(allowed):
		return nil, errNotAllowed
	}
	err, tried := errKid, 0
	for i := range s.opening {
		k := &s.opening[len(s.opening)-1-i] // the newest first
		if k.gone(now) || k.Alg != e.Alg || e.kid != "" && k.ID != e.kid {
			continue
		}
		if tried++; tried > maxGuesses {
			break
		}
		private := any(k.pair.private())
		if own, ok := private.(*ecdsa.PrivateKey); ok {
			if err := e.agrees(own); err != nil {
				return nil, err
			}
		}
		var plain []byte
		if plain, err = e.open(private); err == nil {
			return plain, nil
		}
	}
	return nil, err
}

// OpeningAlgs returns the algorithms of the keys that are published at now for clients to encrypt to, always in the same
// order.
func (s *Set) OpeningAlgs(now time.Time) []Alg {
	var out []Alg
	for _, a := range openingAlgs {
		if slices.ContainsFunc(s.opening, func(k Key) bool { return k.Alg == a && k.published(now) }) {
			out = append(out, a)
		}
	}
	return out
}

// Decrypt returns what is in a compact JWE that is encrypted with a key derived from the secret (OIDC Core §10.2). It is
// otherwise as Set.Decrypt.
func (k HMACKey) Decrypt(compact string, allowed ...Encryption) ([]byte, error) {
	plain, err := k.decrypt(compact, allowed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return plain, nil
}

func (k HMACKey) decrypt(compact string, allowed []Encryption) ([]byte, error) {
	e, err := parseEncrypted(compact)
	switch {
	case err != nil:
		return nil, err
	case !e.Alg.Shared() || !e.permitted(allowed):
		return nil, errNotAllowed
	}
	key, err := k.symmetric(e.Encryption)
	if err != nil {
		return nil, err
	}
	return e.open(key)
}
