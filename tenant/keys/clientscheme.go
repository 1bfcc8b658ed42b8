package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"slices"
)

// What is signed with a secret that both sides share (RFC 7518 §3.2), or not at all (§3.6). No key of a set has these.
const (
	HS256 Alg = "HS256"
	HS384 Alg = "HS384"
	HS512 Alg = "HS512"
	None  Alg = "none"
)

// hmacs are the hashes of the HMACs, whose length their keys have at least.
var hmacs = map[Alg]crypto.Hash{HS256: crypto.SHA256, HS384: crypto.SHA384, HS512: crypto.SHA512}

// HMACAlgs returns the algorithms of shared secrets, in the order of metadata.
func HMACAlgs() []Alg { return []Alg{HS256, HS384, HS512} }

// HMAC tells whether a signs with a secret that both sides share.
func (a Alg) HMAC() bool { return hmacs[a] != 0 }

// A clientScheme is what an algorithm asks of a client's key.
type clientScheme struct {
	rsa   bool
	curve string // of an EC key
}

// clientAlgs are the algorithms that clients may sign with (RFC 7518 §3.1, RFC 8037 §3.1), in the order of metadata.
var clientAlgs = []Alg{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

var clientSchemes = map[Alg]clientScheme{
	"RS256": {rsa: true}, "RS384": {rsa: true}, "RS512": {rsa: true},
	"PS256": {rsa: true}, "PS384": {rsa: true}, "PS512": {rsa: true},
	"ES256": {curve: "P-256"}, "ES384": {curve: "P-384"}, "ES512": {curve: "P-521"},
	"EdDSA": {},
}

// ClientAlgs returns the algorithms that clients may sign with by keys of their own.
func ClientAlgs() []Alg { return slices.Clone(clientAlgs) }

// suits tells whether keys of that type and curve are used with the algorithm.
func (s clientScheme) suits(public crypto.PublicKey) bool {
	switch p := public.(type) {
	case *rsa.PublicKey:
		return s.rsa
	case *ecdsa.PublicKey:
		return s.curve == p.Curve.Params().Name
	case ed25519.PublicKey:
		return !s.rsa && s.curve == ""
	}
	return false
}
