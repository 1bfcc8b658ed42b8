package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
	"github.com/lestrrat-go/jwx/v2/x25519"
)

// Encryption is how something is encrypted (RFC 7516 §4.1.1, §4.1.2): by which algorithm its content key is, and by
// which the content. The zero Encryption is none.
type Encryption struct {
	Alg Alg
	Enc string
}

// The algorithms by which content keys are encrypted to a public key (RFC 7518 §4.3, §4.6). RSA1_5 is not one of them.
const (
	RSAOAEP256   Alg = "RSA-OAEP-256"
	ECDHES       Alg = "ECDH-ES"
	ECDHESA128KW Alg = "ECDH-ES+A128KW"
	ECDHESA192KW Alg = "ECDH-ES+A192KW"
	ECDHESA256KW Alg = "ECDH-ES+A256KW"
)

// The algorithms by which they are with a secret that both sides know (RFC 7518 §4.4, §4.5).
const (
	Dir    Alg = "dir"
	A128KW Alg = "A128KW"
	A192KW Alg = "A192KW"
	A256KW Alg = "A256KW"
)

// A128CBCHS256 is what a client that names no content encryption has (OIDC Registration §2).
const A128CBCHS256 = "A128CBC-HS256"

// openingAlgs are those that a tenant may have keys for, in the order of metadata.
var openingAlgs = []Alg{RSAOAEP256, ECDHES, ECDHESA128KW, ECDHESA192KW, ECDHESA256KW}

// sharedAlgs are those of shared secrets, in the order of metadata.
var sharedAlgs = []Alg{Dir, A128KW, A192KW, A256KW}

// wrapping is the length of the key of each algorithm that wraps with a secret, in bytes.
var wrapping = map[Alg]int{A128KW: 16, A192KW: 24, A256KW: 32}

// A content encryption, with the lengths of its key, initialization vector and authentication tag in bytes (RFC 7518
// §5.2, §5.3).
type contentEncryption struct {
	enc          string
	key, iv, tag int
}

// contentEncryptions are all there are, in the order of metadata.
var contentEncryptions = []contentEncryption{
	{A128CBCHS256, 32, 16, 16},
	{"A192CBC-HS384", 48, 16, 24},
	{"A256CBC-HS512", 64, 16, 32},
	{"A128GCM", 16, gcmNonce, gcmTag},
	{"A192GCM", 24, gcmNonce, gcmTag},
	{"A256GCM", 32, gcmNonce, gcmTag},
}

func contentOf(enc string) (contentEncryption, bool) {
	i := slices.IndexFunc(contentEncryptions, func(c contentEncryption) bool { return c.enc == enc })
	if i < 0 {
		return contentEncryption{}, false
	}
	return contentEncryptions[i], true
}

// OpeningAlgs returns the algorithms that a tenant may have keys for that clients encrypt to.
func OpeningAlgs() []Alg { return slices.Clone(openingAlgs) }

// EncryptionAlgs returns the algorithms by which something may be encrypted to a client: to its public key, or with the
// secret that it shares with us.
func EncryptionAlgs() []Alg { return slices.Concat(openingAlgs, sharedAlgs) }

// ContentEncryptions returns the values of enc that there are.
func ContentEncryptions() []string {
	out := make([]string, len(contentEncryptions))
	for i, c := range contentEncryptions {
		out[i] = c.enc
	}
	return out
}

// Shared tells whether alg encrypts with a secret that both sides know.
func (a Alg) Shared() bool { return slices.Contains(sharedAlgs, a) }

// opens tells whether keys of that algorithm are encrypted to.
func opens(alg Alg) bool { return slices.Contains(openingAlgs, alg) }

// openingKind is what such an algorithm asks of a tenant's key: RSA, or EC on P-256, which every client knows.
func openingKind(alg Alg) kind {
	if alg == RSAOAEP256 {
		return rsaScheme{}
	}
	return p256
}

// encryptsTo tells whether alg encrypts to public keys of that type.
func (a Alg) encryptsTo(public crypto.PublicKey) bool {
	switch public.(type) {
	case *rsa.PublicKey:
		return a == RSAOAEP256
	case *ecdsa.PublicKey, x25519.PublicKey:
		return a != RSAOAEP256 && opens(a)
	}
	return false
}

// maxEncrypted is the longest compact JWE in bytes: so long that it holds a JWS of 16 KiB.
const maxEncrypted = 32 << 10

// errNoEncryption says that alg or enc are none of ours, or not for that key.
var errNoEncryption = errors.New("keys: no such encryption")

// encrypt returns payload as a compact JWE (RFC 7516 §5.1) to key. Of kid, typ and cty those are left out that are empty.
func encrypt(e Encryption, key any, kid, typ, cty string, payload []byte) (string, error) {
	c, ok := contentOf(e.Enc)
	if !ok || !slices.Contains(openingAlgs, e.Alg) && !slices.Contains(sharedAlgs, e.Alg) {
		return "", errNoEncryption
	}
	if len(payload) == 0 {
		return "", errEmpty
	}
	if n := base64url.EncodedLen; n(len(payload)+c.iv)+n(c.iv)+n(c.tag)+2*maxHeader > maxEncrypted {
		return "", ErrTooLarge
	}
	h := jwe.NewHeaders()
	for name, value := range map[string]string{jwe.KeyIDKey: kid, jwe.TypeKey: typ, jwe.ContentTypeKey: cty} {
		if value == "" {
			continue
		}
		if name != jwe.KeyIDKey && !mediaType(value) {
			return "", errTyp
		}
		if err := h.Set(name, value); err != nil {
			return "", fmt.Errorf("keys: %w", err)
		}
	}
	b, err := jwe.Encrypt(payload, jwe.WithKey(jwa.KeyEncryptionAlgorithm(e.Alg), key),
		jwe.WithContentEncryption(jwa.ContentEncryptionAlgorithm(e.Enc)), jwe.WithProtectedHeaders(h))
	if err != nil {
		return "", fmt.Errorf("keys: encrypting: %w", err)
	}
	return string(b), nil
}

// Encrypt returns payload as a compact JWE (RFC 7516 §3.1) to the client's key that suits e: the one that is registered
// for e.Alg, else one for encryption, else one that may be used for anything. typ and cty become the header members of
// those names where they are not empty; a signed JWT inside has the cty JWT (RFC 7519 §5.2). It fails with ErrNoSuchKey,
// where a newer set may do, and with ErrTooLarge.
func (s *ClientSet) Encrypt(e Encryption, typ, cty string, payload []byte) (string, error) {
	k := s.recipient(e.Alg)
	if k == nil {
		return "", fmt.Errorf("keys: encrypting: %w", ErrNoSuchKey)
	}
	return encrypt(e, k.public, k.kid, typ, cty, payload)
}

// EncryptsTo tells whether the set has a key to encrypt to by alg.
func (s *ClientSet) EncryptsTo(alg Alg) bool { return s.recipient(alg) != nil }

// recipient returns the key to encrypt to, or nil.
func (s *ClientSet) recipient(alg Alg) *clientKey {
	var best *clientKey
	rank := 0
	for i := range s.keys {
		k := &s.keys[i]
		if !k.encrypts || k.alg != "" && k.alg != alg || !alg.encryptsTo(k.public) {
			continue
		}
		r := 1
		switch {
		case k.alg == alg:
			r = 3
		case !k.signs:
			r = 2
		}
		if r > rank {
			best, rank = k, r
		}
	}
	return best
}

// Encrypt returns payload as a compact JWE with a key that is derived from the secret (OIDC Core §10.2), by one of dir,
// A128KW, A192KW and A256KW. It is otherwise as ClientSet.Encrypt.
func (k HMACKey) Encrypt(e Encryption, typ, cty string, payload []byte) (string, error) {
	key, err := k.symmetric(e)
	if err != nil {
		return "", err
	}
	return encrypt(e, key, "", typ, cty, payload)
}

// symmetric is the left part of the secret's hash, the shortest one that is long enough (OIDC Core §10.2).
func (k HMACKey) symmetric(e Encryption) ([]byte, error) {
	c, ok := contentOf(e.Enc)
	n := wrapping[e.Alg]
	if e.Alg == Dir {
		n = c.key
	}
	if k.secret == nil || !ok || n == 0 {
		return nil, errNoEncryption
	}
	var sum []byte
	switch {
	case n <= sha256.Size:
		h := sha256.Sum256([]byte(k.secret()))
		sum = h[:]
	case n <= sha512.Size384:
		h := sha512.Sum384([]byte(k.secret()))
		sum = h[:]
	default:
		h := sha512.Sum512([]byte(k.secret()))
		sum = h[:]
	}
	return sum[:n], nil
}
