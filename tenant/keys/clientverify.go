package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// ErrNoSuchKey is what ErrInvalid wraps where the set may be out of date: it has no key of that kid, or none at all that
// the signature of a token without kid matches.
var ErrNoSuchKey = errors.New("no such key in the set")

// Signed is a compact JWS that somebody else made, taken apart but not verified.
type Signed struct {
	Alg     Alg
	Kid     string // empty: none
	Typ     string // empty: none
	Payload []byte // a JSON object

	compact string
}

// refusedMembers are header members that would change what is verified or with which key, or that belong to another
// kind of token (RFC 7515 §4.1, RFC 7516 §4.1, RFC 7518 §4, RFC 7797). Others that we do not know are passed over (RFC
// 7515 §4).
var refusedMembers = []string{
	"crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c", "cty",
}

// ParseSigned takes a compact JWS apart (RFC 7515 §5.2). It refuses more than 16 KiB, a header of more than 1 KiB, another
// number of segments than three; padding, foreign characters or trailing bits in a segment; header members that name a
// key, are critical or are those of a JWE; a member twice; a payload that is not a JSON object. Every error is ErrInvalid.
func ParseSigned(compact string) (*Signed, error) {
	s, err := parseSigned(compact)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return s, nil
}

func parseSigned(compact string) (*Signed, error) {
	s, signature, err := apart(compact)
	if err == nil && len(signature) == 0 {
		err = errSignature
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ParseUnsecured takes a JWT apart that nobody signed (RFC 7519 §6): its alg is none, and it has no signature. It refuses
// otherwise what ParseSigned does. Every error is ErrInvalid.
func ParseUnsecured(compact string) (*Signed, error) {
	s, signature, err := apart(compact)
	if err == nil && (len(signature) > 0 || s.Alg != None) {
		err = errNotAllowed
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return s, nil
}

// apart takes a compact JWS apart, and returns the signature, which may be empty.
func apart(compact string) (*Signed, []byte, error) {
	if len(compact) > maxCompact {
		return nil, nil, errSize
	}
	if strings.Count(compact, ".") != 2 {
		return nil, nil, errSegments
	}
	first, rest, _ := strings.Cut(compact, ".")
	second, third, _ := strings.Cut(rest, ".")
	if base64url.DecodedLen(len(first)) > maxHeader {
		return nil, nil, errSize
	}
	s := &Signed{compact: compact}
	if err := s.header(first); err != nil {
		return nil, nil, err
	}
	var err error
	if s.Payload, err = decode(second); err != nil {
		return nil, nil, err
	}
	if _, err := names(s.Payload); err != nil {
		return nil, nil, fmt.Errorf("payload: %w", err)
	}
	signature, err := decode(third)
	if err != nil {
		return nil, nil, err
	}
	return s, signature, nil
}

func (s *Signed) header(segment string) error {
	b, err := decode(segment)
	if err != nil {
		return err
	}
	ns, err := names(b)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	for _, n := range ns {
		if slices.Contains(refusedMembers, string(n)) {
			return errMember
		}
	}
	var members map[string]json.RawMessage // by their exact names: a struct would match them without case
	if err := json.Unmarshal(b, &members); err != nil {
		return errMember
	}
	for name, to := range map[string]*string{"alg": (*string)(&s.Alg), "kid": &s.Kid, "typ": &s.Typ} {
		raw, there := members[name]
		var v *string
		switch {
		case !there && name != "alg":
		case !there, json.Unmarshal(raw, &v) != nil, v == nil, *v == "", len(*v) > maxKid:
			return errMember
		default:
			*to = *v
		}
	}
	return nil
}

// HasType tells whether typ is one of types, compared as media types. The empty type stands for a header without typ.
func (s *Signed) HasType(types ...string) bool {
	for _, typ := range types {
		if s.Typ == typ || typ != "" && sameType(s.Typ, typ) {
			return true
		}
	}
	return false
}

// Verify checks that a key of this set has signed j with one of the algorithms allowed, the one that the key is for where
// it says so. It checks neither typ nor any claim. Every error is ErrInvalid, and ErrNoSuchKey where a newer set may
// change the answer.
func (s *ClientSet) Verify(j *Signed, allowed ...Alg) error {
	if err := s.verify(j, allowed); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

func (s *ClientSet) verify(j *Signed, allowed []Alg) error {
	if _, ok := clientSchemes[j.Alg]; !ok || !slices.Contains(allowed, j.Alg) {
		return errNotAllowed
	}
	public := s.candidates(j.Kid, j.Alg)
	if len(public) == 0 {
		return ErrNoSuchKey
	}
	for _, p := range public {
		if _, err := jws.Verify([]byte(j.compact), jws.WithKey(jwa.SignatureAlgorithm(j.Alg), p), jws.WithCompact()); err == nil {
			return nil
		}
	}
	if j.Kid == "" {
		return ErrNoSuchKey
	}
	return errSignature
}
