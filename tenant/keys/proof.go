package keys

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Limits of a proof, in bytes: of the whole, and of its protected header, which holds a key of up to 8192 bits.
const (
	maxProof       = 8 << 10
	maxProofHeader = 2 << 10
)

// proofType is the typ of a DPoP proof (RFC 9449 §4.2).
const proofType = "dpop+jwt"

// proofAlgs are the algorithms of DPoP proofs, in the order of metadata.
var proofAlgs = []Alg{ES256, EdDSA, PS256, RS256, ES384}

// ProofAlgs returns the algorithms that DPoP proofs may be signed with (RFC 9449 §5.1).
func ProofAlgs() []Alg { return slices.Clone(proofAlgs) }

// Proof is a DPoP proof whose signature matches the key that it holds.
type Proof struct {
	Thumbprint string // of that key: base64url of SHA-256 (RFC 7638 §3)
	Alg        Alg    // it is signed with
	Payload    []byte // a JSON object
}

// ParseProof verifies a DPoP proof (RFC 9449 §4.2) with the key in its own header: who holds that key is all that a
// proof says. It refuses
//
//   - more than 8 KiB, a header of more than 2 KiB, another number of segments than three;
//   - padding, foreign characters or trailing bits in a segment; a member twice; a payload that is no JSON object;
//   - another typ than dpop+jwt, an alg that is not one of ProofAlgs;
//   - a key that is private or symmetric, weak, not meant for signatures, or of another type or curve than alg's;
//   - header members that are critical, name another key or are those of a JWE. Others are passed over (RFC 7515 §4).
//
// It checks no claim. Every error is ErrInvalid.
func ParseProof(compact string) (*Proof, error) {
	p, err := parseProof(compact)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return p, nil
}

func parseProof(compact string) (*Proof, error) {
	if len(compact) > maxProof {
		return nil, errSize
	}
	if strings.Count(compact, ".") != 2 {
		return nil, errSegments
	}
	first, rest, _ := strings.Cut(compact, ".")
	second, third, _ := strings.Cut(rest, ".")
	if base64url.DecodedLen(len(first)) > maxProofHeader {
		return nil, errSize
	}
	alg, raw, err := proofHeader(first)
	if err != nil {
		return nil, err
	}
	payload, err := decode(second)
	if err != nil {
		return nil, err
	}
	if _, err := names(payload); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if _, err := decode(third); err != nil {
		return nil, err
	}
	k, err := parseJWK(raw)
	switch {
	case err != nil:
		return nil, err
	case !k.signs, k.alg != "" && k.alg != alg, !clientSchemes[alg].suits(k.public):
		return nil, errAlg
	}
	if _, err := jws.Verify([]byte(compact), jws.WithKey(jwa.SignatureAlgorithm(alg), k.public), jws.WithCompact()); err != nil {
		return nil, fmt.Errorf("%w: %w", errSignature, err)
	}
	public, err := jwk.FromRaw(k.public)
	if err != nil {
		return nil, errMalformed
	}
	p := &Proof{Alg: alg, Payload: payload}
	p.Thumbprint, err = thumbprint(public)
	return p, err
}

// proofHeader returns the algorithm and the JWK of a proof's protected header.
func proofHeader(segment string) (alg Alg, key json.RawMessage, err error) {
	b, err := decode(segment)
	if err != nil {
		return "", nil, err
	}
	ns, err := names(b)
	if err != nil {
		return "", nil, fmt.Errorf("header: %w", err)
	}
	for _, n := range ns {
		if name := string(n); name != "jwk" && slices.Contains(refusedMembers, name) {
			return "", nil, errMember
		}
	}
	var members map[string]json.RawMessage // by their exact names: a struct would match them without case
	if err := json.Unmarshal(b, &members); err != nil {
		return "", nil, errMember
	}
	var typ string
	if json.Unmarshal(members["alg"], &alg) != nil || json.Unmarshal(members["typ"], &typ) != nil || members["jwk"] == nil {
		return "", nil, errMember
	}
	switch {
	case !slices.Contains(proofAlgs, alg):
		return "", nil, errNotAllowed
	case !sameType(typ, proofType):
		return "", nil, errWrongTyp
	}
	return alg, members["jwk"], nil
}
