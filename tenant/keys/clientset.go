package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/x25519"
)

// Limits of a JWK set that a client registers or publishes.
const (
	MaxJWKS = 64 << 10 // bytes
	maxKeys = 32
	maxKid  = 255 // bytes
)

// ErrJWKS is the one error of ParseJWKS. It wraps the cause, which quotes nothing of the document.
var ErrJWKS = errors.New("keys: not a usable JWK set")

// The causes of what ParseJWKS refuses.
var (
	errJWKSize    = errors.New("the set is too large")
	errNoKeys     = errors.New("the set has no member keys that is an array")
	errTooMany    = errors.New("the set has too many keys")
	errUnusable   = errors.New("the set has no key that can be used")
	errMalformed  = errors.New("a key is malformed")
	errPrivate    = errors.New("a key is private or symmetric")
	errWeak       = errors.New("a key is too weak or too large")
	errOtherCurve = errors.New("a point is not on its curve")
)

// ClientSet is an immutable set of a client's public keys. It is safe for concurrent use.
type ClientSet struct {
	keys []clientKey
	size int
}

// A clientKey is one key, for signatures, encryption or both.
type clientKey struct {
	kid             string // empty: none
	alg             Alg    // empty: any that suits
	signs, encrypts bool
	public          crypto.PublicKey

	certificate string // thumbprint of the first of x5c; empty: none
}

// jwkMembers are those of a JWK that are looked at before its parameters are (RFC 7517 §4).
type jwkMembers struct {
	Kty    string   `json:"kty"`
	Crv    string   `json:"crv"`
	Kid    string   `json:"kid"`
	Use    string   `json:"use"`
	KeyOps []string `json:"key_ops"`
	Alg    string   `json:"alg"`
	X5C    []string `json:"x5c"`
}

// secretMembers are the parameters of private and symmetric keys (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
var secretMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// ParseJWKS reads a client's JWK set (RFC 7517 §5): public keys only, RSA of 2048 to 8192 bits, EC on P-256, P-384 or
// P-521, Ed25519, X25519. Keys of other types and curves are passed over (§5); a private or symmetric key, one that is malformed or weak, or a member that occurs twice, spoils the set. So does having no key left, more than
// 32 of them, or 64 KiB.
func ParseJWKS(doc []byte) (*ClientSet, error) {
	s, err := parseJWKS(doc)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJWKS, err)
	}
	return s, nil
}

func parseJWKS(doc []byte) (*ClientSet, error) {
	raw, err := elements(doc)
	if err != nil {
		return nil, err
	}
	s := &ClientSet{size: len(doc)}
	for _, r := range raw {
		k, err := parseJWK(r)
		if err != nil {
			return nil, err
		}
		if k.signs || k.encrypts {
			s.keys = append(s.keys, k)
		}
	}
	if len(s.keys) == 0 {
		return nil, errUnusable
	}
	return s, nil
}

// parseJWK reads one key. One that is for nothing we know of neither signs nor encrypts.
func parseJWK(raw json.RawMessage) (k clientKey, err error) {
	ns, err := names(raw)
	if err != nil {
		return k, errMalformed
	}
	for _, n := range ns {
		if slices.Contains(secretMembers, string(n)) {
			return k, errPrivate
		}
	}
	var m jwkMembers
	if json.Unmarshal(raw, &m) != nil || len(m.Kid) > maxKid {
		return k, errMalformed
	}
	signs, encrypts := m.purposes()
	switch {
	case m.Kty == "oct":
		return k, errPrivate
	case !known(m), !signs && !encrypts:
		return k, nil
	}
	parsed, err := jwk.ParseKey(raw)
	if err != nil {
		return k, errMalformed
	}
	if err := parsed.Raw(&k.public); err != nil {
		return k, errMalformed
	}
	if err := sound(&k); err != nil {
		return k, err
	}
	if k.certificate, err = certified(m.X5C, k.public); err != nil {
		return k, err
	}
	k.kid, k.alg, k.signs, k.encrypts = m.Kid, Alg(m.Alg), signs, encrypts
	if s, ok := clientSchemes[k.alg]; k.alg != "" && (!ok || !s.suits(k.public)) {
		k.signs = false // for an algorithm that we do not know, or by mistake
	} else if k.alg != "" {
		k.encrypts = false
	}
	return k, nil
}

// purposes tells what a key is for (RFC 7517 §4.2, §4.3).
func (m *jwkMembers) purposes() (signs, encrypts bool) {
	switch {
	case m.Use != "":
		return m.Use == "sig", m.Use == "enc"
	case m.KeyOps == nil:
		return true, true
	}
	return slices.Contains(m.KeyOps, "verify"), slices.ContainsFunc(m.KeyOps, func(op string) bool {
		return op == "encrypt" || op == "wrapKey" || op == "deriveKey" || op == "deriveBits"
	})
}

// certified returns the thumbprint of the certificate that a key came with, which must be that key's (RFC 7517 §4.7).
func certified(x5c []string, public crypto.PublicKey) (thumbprint string, err error) {
	if len(x5c) == 0 {
		return "", nil
	}
	der, err := base64.StdEncoding.DecodeString(x5c[0])
	if err != nil {
		return "", errMalformed
	}
	c, err := ParseCertificate(der)
	same, ok := public.(interface{ Equal(x crypto.PublicKey) bool })
	if err != nil || !ok || !same.Equal(c.leaf.PublicKey) {
		return "", errMalformed
	}
	return c.Thumbprint(), nil
}

// known tells whether keys of that type and curve can be used at all.
func known(m jwkMembers) bool {
	switch m.Kty {
	case "RSA":
		return true
	case "EC":
		return m.Crv == "P-256" || m.Crv == "P-384" || m.Crv == "P-521"
	case "OKP":
		return m.Crv == "Ed25519" || m.Crv == "X25519"
	}
	return false
}

// sound checks the parameters of a key, and makes it a value of its type.
func sound(k *clientKey) error {
	switch p := k.public.(type) {
	case *rsa.PublicKey:
		k.public = *p
	case *ecdsa.PublicKey:
		k.public = *p
	}
	switch p := k.public.(type) {
	case rsa.PublicKey:
		if n := p.N.BitLen(); n < rsaMinBits || n > rsaMaxBits || p.N.Bit(0) == 0 || p.E < 3 || p.E%2 == 0 || p.E > 1<<31-1 {
			return errWeak
		}
		k.public = &p
	case ecdsa.PublicKey:
		if _, err := p.ECDH(); err != nil {
			return errOtherCurve
		}
		k.public = &p
	case ed25519.PublicKey:
		if len(p) != ed25519.PublicKeySize {
			return errMalformed
		}
	case x25519.PublicKey:
		if len(p) != x25519.PublicKeySize {
			return errMalformed
		}
	default:
		return errMalformed
	}
	return nil
}

// Size is the length of the document that the set was read from, in bytes.
func (s *ClientSet) Size() int { return s.size }

// maxGuesses is how many keys are tried for a JWS that does not say which.
const maxGuesses = 4

// candidates returns the keys that a JWS with this kid and alg may be signed with. Without kid, which a set of more than
// one key demands (OIDC Core §10.1), these are the first that suit.
func (s *ClientSet) candidates(kid string, alg Alg) (public []crypto.PublicKey) {
	for i := range s.keys {
		k := &s.keys[i]
		if k.signs && (kid == "" || k.kid == kid) && (k.alg == "" || k.alg == alg) && clientSchemes[alg].suits(k.public) {
			if public = append(public, k.public); len(public) == maxGuesses {
				break
			}
		}
	}
	return public
}
