package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// A Foreign is a key that another server had: it keeps the kid under which others know it.
type Foreign struct {
	Kid string // empty: it had none, and the Key has its thumbprint
	Key Key    // that signs from now; the zero Key where it is not taken
	Why string // why it is not taken; empty: it is
}

// errForeignKid says that a private key belongs to another kid than its thumbprint's.
var errForeignKid = errors.New("keys: the private key belongs to another kid")

// foreignKid tells whether kid can be that of a key which another server made: one that a path can have, and no
// thumbprint, as that would have to be the key's own.
func foreignKid(kid string) bool {
	const legal = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~:@+=,"
	b, err := base64url.DecodeString(kid)
	return kid != "" && len(kid) <= 128 && strings.Trim(kid, legal) == "" && strings.Trim(kid, ".") != "" && (err != nil || len(b) != 32)
}

// ParseForeign reads a JWK set with private keys (RFC 7517 §5), and returns each of its keys in their order, taken or not. Every
// key that is taken signs from now, or is encrypted to. The set is refused as a whole where it is none, has a member twice, more than 32 keys or 64 KiB;
// what is said of it quotes nothing.
func ParseForeign(doc []byte, now time.Time) ([]Foreign, error) {
	raw, err := elements(doc)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJWKS, err)
	}
	out := make([]Foreign, len(raw))
	for i, r := range raw {
		out[i] = foreign(r, now)
		if j := slices.IndexFunc(out[:i], func(f Foreign) bool { return f.Kid != "" && f.Kid == out[i].Kid }); j >= 0 {
			const twice = "another key of the set has the same kid"
			out[i].Key, out[i].Why, out[j].Key, out[j].Why = Key{}, twice, Key{}, twice
		}
	}
	return out, nil
}

// elements are the keys of a set.
func elements(doc []byte) (raw []json.RawMessage, err error) {
	if len(doc) > MaxJWKS {
		return nil, errJWKSize
	}
	if _, err := names(doc); err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage // by their exact names: a struct would match them without case
	if json.Unmarshal(doc, &members) != nil || members["keys"] == nil || json.Unmarshal(members["keys"], &raw) != nil || raw == nil {
		return nil, errNoKeys
	}
	if len(raw) > maxKeys {
		return nil, errTooMany
	}
	return raw, nil
}

// symmetric are the secret keys that we know the use of, by their kids, and what came of them.
var symmetric = map[string]string{
	"hmac":                  "it made handles of sessions, which are not taken either",
	"subject-encrypt":       "it made pairwise subjects: ours are made with a secret of the tenant's own, and so are others",
	"refresh-token-encrypt": "it made refresh tokens, which are not taken either",
	"access-token-encrypt":  "it encrypted access tokens, which their clients replace by others",
}

// foreign reads one key.
func foreign(raw json.RawMessage, now time.Time) (f Foreign) {
	no := func(why string) Foreign { f.Key, f.Why = Key{}, why; return f }
	ns, err := names(raw)
	if err != nil {
		return no("it is malformed")
	}
	has := func(name string) bool {
		return slices.ContainsFunc(ns, func(n []byte) bool { return string(n) == name })
	}
	var m jwkMembers
	if json.Unmarshal(raw, &m) != nil || len(m.Kid) > maxKid {
		return no("it is malformed")
	}
	f.Kid = m.Kid
	switch {
	case m.Kty == "oct" && symmetric[m.Kid] != "":
		return no("it is a secret key, which a tenant here has none of: " + symmetric[m.Kid])
	case m.Kty == "oct":
		return no("it is a secret key, which a tenant here has none of")
	case !known(m):
		return no("it is of a type or curve that keys here do not have")
	case !has("d"):
		return no("it has no private part")
	case has("oth"):
		return no("it has more than two prime factors")
	}
	alg, why := m.foreignAlg()
	if why != "" {
		return no(why)
	}
	der, err := foreignDER(raw)
	if err != nil {
		return no("it is malformed, or its parts do not belong to each other")
	}
	meta := Key{ID: m.Kid, Alg: alg, CreatedAt: now, ActiveAt: now}
	own, err := ParseKey(Key{Alg: alg}, der)
	switch {
	case err != nil:
		return no("it does not suit " + string(alg) + " by its curve or size, which is at least 2048 bits of RSA")
	case m.Kid == "" || m.Kid == own.ID:
		meta.ID = own.ID
	case !foreignKid(m.Kid):
		return no("its kid is the thumbprint of another key, or longer than 128 characters, or has others than a URL shows as they are")
	}
	if f.Key, err = ParseKey(meta, der); err != nil {
		return no("it is malformed")
	}
	return f
}

// curveAlgs are the algorithms of keys that say nothing of it, by curve.
var curveAlgs = map[string]Alg{"": RS256, "P-256": ES256, "P-384": ES384, "P-521": ES512, "Ed25519": EdDSA}

// foreignAlg is the one algorithm that a key will be used with: its own, or the first of its type.
func (m *jwkMembers) foreignAlg() (alg Alg, why string) {
	signs, encrypts := m.privatePurposes()
	switch {
	case m.Alg != "":
		alg = Alg(m.Alg)
		if _, err := kindOf(alg); err != nil {
			return "", "it is for an algorithm that keys here do not have"
		}
		if opens(alg) && !encrypts || !opens(alg) && !signs {
			return "", "its algorithm is not what it is for"
		}
		return alg, ""
	case signs:
		if alg, ok := curveAlgs[m.Crv]; ok {
			return alg, ""
		}
		return "", "keys of its curve sign nothing"
	case !encrypts:
		return "", "it is for nothing that keys here do"
	case m.Kty == "RSA":
		return RSAOAEP256, ""
	case m.Crv == "P-256":
		return ECDHES, ""
	}
	return "", "keys here that are encrypted to are RSA, or EC on P-256"
}

// privatePurposes is purposes, where key_ops are those of a private key.
func (m *jwkMembers) privatePurposes() (signs, encrypts bool) {
	if m.Use != "" || m.KeyOps == nil {
		return m.purposes()
	}
	return slices.Contains(m.KeyOps, "sign"), slices.ContainsFunc(m.KeyOps, func(op string) bool {
		return op == "decrypt" || op == "unwrapKey" || op == "deriveKey" || op == "deriveBits"
	})
}

// foreignDER returns a private key in PKCS#8, once it is clear that its parts belong to each other.
func foreignDER(raw json.RawMessage) ([]byte, error) {
	parsed, err := jwk.ParseKey(raw)
	if err != nil {
		return nil, err
	}
	var private crypto.PrivateKey
	if err := parsed.Raw(&private); err != nil {
		return nil, err
	}
	switch k := private.(type) {
	case *rsa.PrivateKey:
		if n := k.N.BitLen(); n > rsaMaxBits || len(k.Primes) != 2 || k.Primes[0].Sign() == 0 || k.Primes[1].Sign() == 0 {
			return nil, errWeak
		}
		fresh := &rsa.PrivateKey{PublicKey: k.PublicKey, D: k.D, Primes: k.Primes} // what was computed before may be wrong
		if err := fresh.Validate(); err != nil {
			return nil, err
		}
		fresh.Precompute()
		private = fresh
	case *ecdsa.PrivateKey:
		d, err := k.Bytes()
		if err != nil {
			return nil, err
		}
		own, err := ecdsa.ParseRawPrivateKey(k.Curve, d)
		if err != nil || !own.PublicKey.Equal(&k.PublicKey) {
			return nil, errOtherCurve
		}
		private = own
	case ed25519.PrivateKey:
		if len(k) != ed25519.PrivateKeySize || !slices.Equal(ed25519.NewKeyFromSeed(k.Seed()), k) {
			return nil, errMalformed
		}
	default:
		return nil, errMalformed
	}
	return x509.MarshalPKCS8PrivateKey(private)
}

// VerifyForeign returns the payload of a JWT without typ, or with the plain one, that another server has signed with a key of
// this set, which still has the kid that it had there. It is for ID tokens that we are shown again. Every error is ErrInvalid.
func (s *Set) VerifyForeign(now time.Time, compact string) ([]byte, error) {
	j, err := ParseSigned(compact)
	if err != nil {
		return nil, err
	}
	p := s.pair(j.Kid, now)
	switch {
	case p == nil || !p.foreign:
		err = errKid
	case j.Alg != p.alg:
		err = errAlg
	case j.Typ != "" && !sameType(j.Typ, "JWT"):
		err = errWrongTyp
	default:
		if _, err = jws.Verify([]byte(compact), jws.WithKey(jwa.SignatureAlgorithm(p.alg), p.public), jws.WithCompact()); err == nil {
			return j.Payload, nil
		}
		err = errSignature
	}
	return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
}
