package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// ErrInvalid is the one error of Verify and Decrypt. It wraps the cause, for the operator and not for the caller of an API.
var ErrInvalid = errors.New("keys: invalid token")

// The causes. None quotes what a stranger sent.
var (
	errSize       = errors.New("too large")
	errSegments   = errors.New("another number of segments")
	errBase64     = errors.New("not canonical base64url")
	errMember     = errors.New("header members are not alg, kid and typ")
	errKid        = errors.New("kid is not of this set, or gone")
	errAlg        = errors.New("alg is not the one of the key")
	errNotAllowed = errors.New("alg is not allowed here")
	errWrongTyp   = errors.New("typ is not the one expected")
	errSpelling   = errors.New("signature is not canonical")
	errSignature  = errors.New("signature does not match")
)

// Verify returns the payload of a compact JWS (RFC 7515 §5.2) that a key of this set has signed, if the key is not
// gone at now. Being made by Sign, a token has one spelling and three header members, and anything else is refused:
//
//   - more than 16 KiB, a header of more than 1 KiB, another number of segments than three;
//   - padding, foreign characters or trailing bits in a segment; the other S of an ECDSA signature;
//   - a header member besides alg, kid and typ, hence crit, b64, jwk, jku, x5u, x5c and zip; a member twice;
//   - an alg other than the key's, or not among allowed (none given: every algorithm of the set);
//   - a typ other than typ, compared without case and with or without "application/";
//   - a payload that is not a JSON object, or has a member twice at its top level.
//
// It checks no claim. Every error is ErrInvalid.
func (s *Set) Verify(now time.Time, typ string, compact string, allowed ...Alg) ([]byte, error) {
	payload, err := s.verify(now, typ, compact, allowed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return payload, nil
}

func (s *Set) verify(now time.Time, typ, compact string, allowed []Alg) ([]byte, error) {
	if len(compact) > maxCompact {
		return nil, errSize
	}
	if strings.Count(compact, ".") != 2 {
		return nil, errSegments
	}
	first, rest, _ := strings.Cut(compact, ".")
	second, third, _ := strings.Cut(rest, ".")
	if base64url.DecodedLen(len(first)) > maxHeader {
		return nil, errSize
	}
	h, err := parseHeader(first)
	if err != nil {
		return nil, err
	}
	p := s.pair(h.Kid, now)
	switch {
	case p == nil:
		return nil, errKid
	case h.Alg != p.alg:
		return nil, errAlg
	case len(allowed) > 0 && !slices.Contains(allowed, p.alg):
		return nil, errNotAllowed
	case !sameType(h.Typ, typ):
		return nil, errWrongTyp
	}
	payload, err := decode(second)
	if err != nil {
		return nil, err
	}
	signature, err := decode(third)
	if err != nil {
		return nil, err
	}
	if len(signature) != p.scheme.size(p.public) || !p.scheme.canonical(signature) {
		return nil, errSpelling
	}
	// The algorithm and the raw key come from the set; of the token's header nothing counts any more.
	if _, err := jws.Verify([]byte(compact), jws.WithKey(jwa.SignatureAlgorithm(p.alg), p.public), jws.WithCompact()); err != nil {
		return nil, fmt.Errorf("%w: %w", errSignature, err)
	}
	if _, err := names(payload); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	return payload, nil
}

// pair returns the key pair of that kid, unless it is gone at now. It does not ask whether the key is published or
// active yet: another instance, whose clock is ahead, may already sign with it.
func (s *Set) pair(kid string, now time.Time) *pair {
	for i := range s.usable {
		if k := &s.usable[i]; k.ID == kid && !k.gone(now) {
			return k.pair
		}
	}
	return nil
}

func parseHeader(segment string) (header, error) {
	var h header
	b, err := decode(segment)
	if err != nil {
		return h, err
	}
	ns, err := names(b)
	if err != nil {
		return h, fmt.Errorf("header: %w", err)
	}
	if len(ns) != 3 || string(ns[0]) != "alg" || string(ns[1]) != "kid" || string(ns[2]) != "typ" {
		return h, errMember
	}
	if err := json.Unmarshal(b, &h); err != nil {
		return h, errMember
	}
	return h, nil
}

// decode decodes base64url without padding (RFC 7515 §2). Encoding the result again yields segment: the decoder
// itself refuses trailing bits, but passes over line breaks.
func decode(segment string) ([]byte, error) {
	b, err := base64url.DecodeString(segment)
	if err != nil || base64url.EncodedLen(len(b)) != len(segment) {
		return nil, errBase64
	}
	return b, nil
}
