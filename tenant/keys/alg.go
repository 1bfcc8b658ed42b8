package keys

import (
	"crypto"
	"fmt"
	"io"
)

// Alg is a JWS algorithm name (RFC 7518 §3.1, RFC 8037 §3.1). The zero value names no algorithm.
type Alg string

// The algorithms that keys may have. There is neither "none" nor an HMAC: a symmetric key cannot be published.
const (
	RS256 Alg = "RS256"
	PS256 Alg = "PS256"
	ES256 Alg = "ES256"
	ES384 Alg = "ES384"
	EdDSA Alg = "EdDSA"
)

// A scheme is what an algorithm asks of a key and does with it.
type scheme interface {
	generate(rand io.Reader) (crypto.Signer, error)
	// fits returns why the key may not be used with the algorithm, or nil.
	fits(private crypto.Signer) error
	// size is the length of each signature, in bytes.
	size(public crypto.PublicKey) int
	// sign signs input, the encoded header and payload joined by a dot.
	sign(private crypto.Signer, input []byte) ([]byte, error)
	// canonical tells whether a signature of the right size is spelled as sign would spell it.
	canonical(signature []byte) bool
}

// algorithms are all there are, in the order of Set.Algs.
var algorithms = []struct {
	alg Alg
	scheme
}{
	{RS256, rsaScheme{}},
	{PS256, rsaScheme{pss: true}},
	{ES256, p256},
	{ES384, p384},
	{EdDSA, edScheme{}},
}

// ParseAlg returns the algorithm of that name. Names are case-sensitive (RFC 7515 §4.1.1).
func ParseAlg(name string) (Alg, error) {
	if _, err := schemeOf(Alg(name)); err != nil {
		return "", err
	}
	return Alg(name), nil
}

// schemeOf does not quote an unknown name: it may come from a stranger.
func schemeOf(alg Alg) (scheme, error) {
	for _, a := range algorithms {
		if a.alg == alg {
			return a.scheme, nil
		}
	}
	return nil, fmt.Errorf("keys: not an algorithm that keys can have")
}
