package keys

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// Key is one key pair with its schedule. Times are the first moment at which something holds; a zero time means
// "not set": a key without ActiveAt never signs, one without RetiredAt or GoneAt has no such end.
//
// A Key that comes from neither Generate nor ParseKey has no key pair: it can be scheduled, but neither signs nor
// verifies nor is published.
type Key struct {
	ID        string    // kid: the RFC 7638 thumbprint (base64url of SHA-256), never reused; of a foreign key the one that it had
	Alg       Alg       // the one algorithm the key is used with
	CreatedAt time.Time // published in the JWK set from here
	ActiveAt  time.Time // signs from here
	RetiredAt time.Time // signs no longer from here; a key that is encrypted to leaves the JWK set
	GoneAt    time.Time // leaves the JWK set and neither verifies nor opens from here

	pair *pair
}

// A pair is the key pair of a Key, with what is computed from it once.
type pair struct {
	alg     Alg
	kid     string
	foreign bool                 // kid is not the thumbprint, but what it was at another server
	scheme  scheme               // nil: of a key that is encrypted to
	private func() crypto.Signer // in a closure: some verbs of fmt follow pointers, none looks into a function
	public  crypto.PublicKey
	jwk     []byte       // the public key as a JWK (RFC 7517 §4)
	headers memo[string] // by typ: the encoded protected header with the dot after it
}

// Generate makes a key that is published from now on, and signs or is encrypted to. RSA keys have 2048 bits and take about 50 ms: see
// Pool. rand is crypto/rand.Reader outside of tests; the standard library ignores any other for RSA and EC keys.
func Generate(alg Alg, rand io.Reader, now time.Time) (Key, error) {
	k, err := kindOf(alg)
	if err != nil {
		return Key{}, err
	}
	private, err := k.generate(rand)
	if err != nil {
		return Key{}, fmt.Errorf("keys: generating an %s key: %w", alg, err)
	}
	return newKey(alg, private, now)
}

func newKey(alg Alg, private crypto.Signer, now time.Time) (Key, error) {
	p, err := newPair(alg, private, "")
	if err != nil {
		return Key{}, err
	}
	return Key{ID: p.kid, Alg: alg, CreatedAt: now, ActiveAt: now, pair: p}, nil
}

// ParseKey returns meta with the key pair of der, a PKCS#8 private key (RFC 5208). It fails when the pair does not
// suit meta.Alg by type, curve or size (RSA: 2048 to 8192 bits), or when meta.ID is neither empty nor the
// thumbprint of the pair nor a kid that a foreign key may have. The errors quote nothing of the key.
func ParseKey(meta Key, der []byte) (Key, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		// The parser's own error is left out: it describes what it found in secret bytes.
		return Key{}, errors.New("keys: not a PKCS#8 private key")
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return Key{}, fmt.Errorf("keys: %T does not sign", parsed)
	}
	p, err := newPair(meta.Alg, private, meta.ID)
	if err != nil {
		return Key{}, err
	}
	meta.ID, meta.pair = p.kid, p
	return meta, nil
}

// newPair returns the pair of that kid, or of its thumbprint where kid is empty.
func newPair(alg Alg, private crypto.Signer, kid string) (*pair, error) {
	own, err := kindOf(alg)
	if err != nil {
		return nil, err
	}
	if err := own.fits(private); err != nil {
		return nil, fmt.Errorf("keys: %s: %w", alg, err)
	}
	s, use := scheme(nil), jwk.ForEncryption
	if !opens(alg) {
		s, use = own.(scheme), jwk.ForSignature
	}
	p := &pair{alg: alg, scheme: s, private: func() crypto.Signer { return private }, public: private.Public()}
	k, err := jwk.FromRaw(p.public)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if p.kid, err = thumbprint(k); err != nil {
		return nil, err
	}
	if kid != "" && kid != p.kid {
		if !foreignKid(kid) {
			return nil, errForeignKid
		}
		p.kid, p.foreign = kid, true
	}
	for name, value := range map[string]string{
		jwk.KeyIDKey:     p.kid,
		jwk.AlgorithmKey: string(alg),
		jwk.KeyUsageKey:  string(use),
	} {
		if err := k.Set(name, value); err != nil {
			return nil, fmt.Errorf("keys: %w", err)
		}
	}
	if p.jwk, err = json.Marshal(k); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return p, nil
}

// thumbprint is the base64url SHA-256 thumbprint of a key (RFC 7638 §3).
func thumbprint(k jwk.Key) (string, error) {
	sum, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("keys: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// PrivateDER returns the private key in PKCS#8 (RFC 5208), to be sealed and stored.
func (k Key) PrivateDER() ([]byte, error) {
	if k.pair == nil {
		return nil, errors.New("keys: no key pair")
	}
	return x509.MarshalPKCS8PrivateKey(k.pair.private())
}

// String names the key, without its secret.
func (k Key) String() string { return string(k.Alg) + " key " + k.ID }

// GoString is String, for %#v.
func (k Key) GoString() string { return k.String() }

// LogValue names the key, without its secret, for log/slog.
func (k Key) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kid", k.ID), slog.String("alg", string(k.Alg)))
}

// usable tells whether k has the key pair that it says it has.
func (k *Key) usable() bool { return k.pair != nil && k.pair.kid == k.ID && k.pair.alg == k.Alg }
