package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// Sizes of RSA moduli in bits. Larger keys would let one imported key keep a core busy.
const (
	rsaBits    = 2048
	rsaMinBits = 2048
	rsaMaxBits = 8192
)

// digest is the hash of input. For the three of RFC 7518 it costs no more than calling them by name.
func digest(h crypto.Hash, input []byte) []byte {
	switch h {
	case crypto.SHA384:
		sum := sha512.Sum384(input)
		return sum[:]
	case crypto.SHA512:
		sum := sha512.Sum512(input)
		return sum[:]
	}
	sum := sha256.Sum256(input)
	return sum[:]
}

// rsaScheme is RSASSA-PKCS1-v1_5 or RSASSA-PSS (RFC 7518 §3.3, §3.5).
type rsaScheme struct {
	hash crypto.Hash
	pss  bool
}

func (rsaScheme) generate(rand io.Reader) (crypto.Signer, error) {
	return rsa.GenerateKey(rand, rsaBits)
}

func (rsaScheme) fits(private crypto.Signer) error {
	k, ok := private.(*rsa.PrivateKey)
	if !ok {
		return fmt.Errorf("not an RSA key but %T", private)
	}
	if n := k.N.BitLen(); n < rsaMinBits || n > rsaMaxBits {
		return fmt.Errorf("RSA key of %d bits, not %d to %d", n, rsaMinBits, rsaMaxBits)
	}
	return nil
}

func (rsaScheme) size(public crypto.PublicKey) int { return public.(*rsa.PublicKey).Size() }

func (s rsaScheme) sign(private crypto.Signer, input []byte) ([]byte, error) {
	sum := digest(s.hash, input)
	if s.pss {
		salt := rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return rsa.SignPSS(rand.Reader, private.(*rsa.PrivateKey), s.hash, sum, &salt)
	}
	return rsa.SignPKCS1v15(nil, private.(*rsa.PrivateKey), s.hash, sum)
}

func (rsaScheme) canonical([]byte) bool { return true }

// ecScheme is ECDSA on one curve with one hash (RFC 7518 §3.4).
type ecScheme struct {
	curve elliptic.Curve
	hash  crypto.Hash
	half  *big.Int // the curve's order divided by two
}

var (
	p256 = newEC(elliptic.P256(), crypto.SHA256)
	p384 = newEC(elliptic.P384(), crypto.SHA384)
	p521 = newEC(elliptic.P521(), crypto.SHA512)
)

func newEC(c elliptic.Curve, hash crypto.Hash) ecScheme {
	return ecScheme{c, hash, new(big.Int).Rsh(c.Params().N, 1)}
}

func (e ecScheme) generate(rand io.Reader) (crypto.Signer, error) {
	return ecdsa.GenerateKey(e.curve, rand)
}

func (e ecScheme) fits(private crypto.Signer) error {
	k, ok := private.(*ecdsa.PrivateKey)
	if !ok {
		return fmt.Errorf("not an EC key but %T", private)
	}
	if k.Curve != e.curve {
		return fmt.Errorf("EC key on %s, not %s", k.Curve.Params().Name, e.curve.Params().Name)
	}
	return nil
}

func (e ecScheme) size(crypto.PublicKey) int { return 2 * e.width() }

func (e ecScheme) width() int { return (e.curve.Params().BitSize + 7) / 8 }

// sign chooses the lower of the two values of S that are valid (S and the order less S). Otherwise anyone could
// turn a token into a second one that verifies too.
func (e ecScheme) sign(private crypto.Signer, input []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, private.(*ecdsa.PrivateKey), digest(e.hash, input))
	if err != nil {
		return nil, err
	}
	if s.Cmp(e.half) > 0 {
		s.Sub(e.curve.Params().N, s)
	}
	out := make([]byte, 2*e.width())
	r.FillBytes(out[:e.width()])
	s.FillBytes(out[e.width():])
	return out, nil
}

func (e ecScheme) canonical(signature []byte) bool {
	return new(big.Int).SetBytes(signature[e.width():]).Cmp(e.half) <= 0
}

// edScheme is Ed25519 (RFC 8037 §3.1).
type edScheme struct{}

func (edScheme) generate(rand io.Reader) (crypto.Signer, error) {
	_, k, err := ed25519.GenerateKey(rand)
	return k, err
}

func (edScheme) fits(private crypto.Signer) error {
	k, ok := private.(ed25519.PrivateKey)
	if !ok {
		return fmt.Errorf("not an Ed25519 key but %T", private)
	}
	if len(k) != ed25519.PrivateKeySize {
		return errors.New("Ed25519 key of a wrong size")
	}
	return nil
}

func (edScheme) size(crypto.PublicKey) int { return ed25519.SignatureSize }

func (edScheme) sign(private crypto.Signer, input []byte) ([]byte, error) {
	return ed25519.Sign(private.(ed25519.PrivateKey), input), nil
}

func (edScheme) canonical([]byte) bool { return true }
