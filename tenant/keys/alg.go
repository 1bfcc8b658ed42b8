package keys

import (
	"crypto"
	"errors"
	"io"
	"slices"
)

// Alg is a JWS algorithm name (RFC 7518 §3.1, RFC 8037 §3.1), or that of an algorithm by which content keys are encrypted
// (RFC 7518 §4.1). The zero value names no algorithm.
type Alg string

// The algorithms that keys may sign with. There is neither "none" nor an HMAC: a symmetric key cannot be published.
const (
	RS256 Alg = "RS256"
	RS384 Alg = "RS384"
	RS512 Alg = "RS512"
	PS256 Alg = "PS256"
	PS384 Alg = "PS384"
	PS512 Alg = "PS512"
	ES256 Alg = "ES256"
	ES384 Alg = "ES384"
	ES512 Alg = "ES512"
	EdDSA Alg = "EdDSA"
)

// A kind is what an algorithm asks of a key.
type kind interface {
	generate(rand io.Reader) (crypto.Signer, error)
	// fits returns why the key may not be used with the algorithm, or nil.
	fits(private crypto.Signer) error
}

// A scheme is a kind of key that signs.
type scheme interface {
	kind
	// size is the length of each signature, in bytes.
	size(public crypto.PublicKey) int
	// sign signs input, the encoded header and payload joined by a dot.
	sign(private crypto.Signer, input []byte) ([]byte, error)
	// canonical tells whether a signature of the right size is spelled as sign would spell it.
	canonical(signature []byte) bool
}

// algorithms are all there are to sign with, in the order of Set.Algs.
var algorithms = []struct {
	alg Alg
	scheme
}{
	{RS256, rsaScheme{hash: crypto.SHA256}},
	{RS384, rsaScheme{hash: crypto.SHA384}},
	{RS512, rsaScheme{hash: crypto.SHA512}},
	{PS256, rsaScheme{hash: crypto.SHA256, pss: true}},
	{PS384, rsaScheme{hash: crypto.SHA384, pss: true}},
	{PS512, rsaScheme{hash: crypto.SHA512, pss: true}},
	{ES256, p256},
	{ES384, p384},
	{ES512, p521},
	{EdDSA, edScheme{}},
}

// errNoAlg does not quote an unknown name: it may come from a stranger.
var errNoAlg = errors.New("keys: not an algorithm that keys can have")

// ParseAlg returns the signature algorithm of that name. Names are case-sensitive (RFC 7515 §4.1.1).
func ParseAlg(name string) (Alg, error) {
	if _, err := schemeOf(Alg(name)); err != nil {
		return "", err
	}
	return Alg(name), nil
}

// ParseKeyAlg returns the algorithm of that name that a tenant's key may have: to sign, or to be encrypted to.
func ParseKeyAlg(name string) (Alg, error) {
	if _, err := kindOf(Alg(name)); err != nil {
		return "", err
	}
	return Alg(name), nil
}

// SigningAlgs returns the algorithms that a tenant may have keys to sign with.
func SigningAlgs() []Alg {
	as := make([]Alg, len(algorithms))
	for i, a := range algorithms {
		as[i] = a.alg
	}
	return as
}

func schemeOf(alg Alg) (scheme, error) {
	for _, a := range algorithms {
		if a.alg == alg {
			return a.scheme, nil
		}
	}
	return nil, errNoAlg
}

// kindOf is schemeOf, for keys that are encrypted to as well.
func kindOf(alg Alg) (kind, error) {
	if slices.Contains(openingAlgs, alg) {
		return openingKind(alg), nil
	}
	return schemeOf(alg)
}
