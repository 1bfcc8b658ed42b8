package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// Limits of a certificate that a client presents, and of its chain.
const (
	MaxCertificate = 16 << 10 // bytes, of each
	MaxChain       = 8        // with the client's own
	maxAuthorities = 50
)

// ErrCertificate is the one error about a client's certificate. It wraps the cause.
var ErrCertificate = errors.New("keys: not a usable certificate")

// The causes.
var (
	errNoCertificate = errors.New("there is none")
	errChain         = errors.New("the chain is too long, or a certificate too large")
	errPEM           = errors.New("it is no certificate in PEM")
	errCertKey       = errors.New("its key is too weak or of a type that is not known")
	errCertTime      = errors.New("it has expired, or is not valid yet")
	errNotIssuer     = errors.New("a certificate authority may not issue certificates")
)

// Certificate is an X.509 certificate that a client presented, with what came beside it. It is immutable.
type Certificate struct {
	leaf          *x509.Certificate
	intermediates []*x509.Certificate
}

// ParseCertificate reads certificates in DER, the client's own first. Every error is ErrCertificate.
func ParseCertificate(chain ...[]byte) (*Certificate, error) {
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrCertificate, errNoCertificate)
	}
	if len(chain) > MaxChain {
		return nil, fmt.Errorf("%w: %w", ErrCertificate, errChain)
	}
	parsed := make([]*x509.Certificate, len(chain))
	for i, der := range chain {
		if len(der) > MaxCertificate {
			return nil, fmt.Errorf("%w: %w", ErrCertificate, errChain)
		}
		var err error
		if parsed[i], err = x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCertificate, err)
		}
	}
	if !strong(parsed[0]) {
		return nil, fmt.Errorf("%w: %w", ErrCertificate, errCertKey)
	}
	return &Certificate{parsed[0], parsed[1:]}, nil
}

// ParseCertificatePEM is ParseCertificate of texts in PEM (RFC 7468), each of which may hold several.
func ParseCertificatePEM(texts ...string) (*Certificate, error) {
	var chain [][]byte
	for _, text := range texts {
		ders, err := decodePEM(text)
		if err != nil {
			return nil, err
		}
		chain = append(chain, ders...)
	}
	return ParseCertificate(chain...)
}

// decodePEM returns what is in the certificates of a text.
func decodePEM(text string) (ders [][]byte, err error) {
	rest := []byte(text)
	for len(ders) <= maxAuthorities {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%w: %w", ErrCertificate, errPEM)
		}
		ders = append(ders, b.Bytes)
	}
	if len(ders) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrCertificate, errPEM)
	}
	return ders, nil
}

// strong tells whether the certificate's key is one that a client may have.
func strong(c *x509.Certificate) bool {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= rsaMinBits && k.N.BitLen() <= rsaMaxBits
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize >= 256
	case ed25519.PublicKey:
		return true
	}
	return false
}

// Thumbprint is the base64url of the SHA-256 of the certificate: x5t#S256 (RFC 8705 §3.1).
func (c *Certificate) Thumbprint() string {
	sum := sha256.Sum256(c.leaf.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Current returns why the certificate is not valid at now, or nil.
func (c *Certificate) Current(now time.Time) error {
	if now.Before(c.leaf.NotBefore) || now.After(c.leaf.NotAfter) {
		return fmt.Errorf("%w: %w", ErrCertificate, errCertTime)
	}
	return nil
}

// Authorities are the certificate authorities that may vouch for clients.
type Authorities struct{ pool *x509.CertPool }

// ParseAuthorities reads certificates of authorities in PEM, each text of one or several. Every error is ErrCertificate.
func ParseAuthorities(texts []string) (*Authorities, error) {
	a := &Authorities{x509.NewCertPool()}
	n := 0
	for _, text := range texts {
		ders, err := decodePEM(text)
		if err != nil {
			return nil, err
		}
		for _, der := range ders {
			c, err := x509.ParseCertificate(der)
			if err == nil && n >= maxAuthorities {
				err = errChain
			}
			if err == nil && (!c.IsCA || c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0) {
				err = errNotIssuer
			}
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrCertificate, err)
			}
			n++
			a.pool.AddCert(c)
		}
	}
	return a, nil
}

// IssuedBy returns why the certificate is not one for clients, valid at now, with a path to one of the authorities
// (RFC 8705 §2.1, RFC 5280 §6), or nil.
func (c *Certificate) IssuedBy(a *Authorities, now time.Time) error {
	between := x509.NewCertPool()
	for _, i := range c.intermediates {
		between.AddCert(i)
	}
	if _, err := c.leaf.Verify(x509.VerifyOptions{Roots: a.pool, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return nil
}

// Holds tells whether the certificate is in the set: its key is one of those for signatures, and where that key came with a
// certificate of its own (RFC 7517 §4.7), it is this one (RFC 8705 §2.2).
func (s *ClientSet) Holds(c *Certificate) bool {
	for i := range s.keys {
		k := &s.keys[i]
		same, ok := k.public.(interface{ Equal(x crypto.PublicKey) bool })
		if ok && k.signs && same.Equal(c.leaf.PublicKey) && (k.certificate == "" || k.certificate == c.Thumbprint()) {
			return true
		}
	}
	return false
}
