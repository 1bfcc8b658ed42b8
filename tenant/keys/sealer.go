package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
)

// Sealer encrypts secrets at rest. The additional data binds a ciphertext to its place, such as tenant, key id and
// version: it must be the same when the ciphertext is opened.
type Sealer interface {
	Seal(plain, aad []byte) ([]byte, error)
	Open(sealed, aad []byte) ([]byte, error)
}

// ErrSealed says that a ciphertext does not open: it was altered, cut, moved to another place, or sealed under
// another key. It does not say which.
var ErrSealed = errors.New("keys: sealed data does not open")

// sealVersion is the first byte of what a Sealer of this package makes: AES-256-GCM with a random nonce.
const sealVersion = 1

// kekSize is the size of a key-encryption key in bytes.
const kekSize = 32

type gcmSealer struct{ aead cipher.AEAD }

// NewSealer returns a Sealer under a key-encryption key of 32 bytes: AES-256-GCM (NIST SP 800-38D) with random
// nonces, for which one key may seal 2^32 times. A sealed secret is 29 bytes longer than the secret.
func NewSealer(kek []byte) (Sealer, error) {
	if len(kek) != kekSize {
		return nil, errors.New("keys: key-encryption key is not of 32 bytes")
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &gcmSealer{aead}, nil
}

func (s *gcmSealer) Seal(plain, aad []byte) ([]byte, error) {
	out := make([]byte, 1, 1+len(plain)+s.aead.Overhead())
	out[0] = sealVersion
	return s.aead.Seal(out, nil, plain, aad), nil
}

func (s *gcmSealer) Open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) < 1+s.aead.Overhead() || sealed[0] != sealVersion {
		return nil, ErrSealed
	}
	plain, err := s.aead.Open(nil, nil, sealed[1:], aad)
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// String hides the key from printing.
func (s *gcmSealer) String() string { return "[sealer]" }

// GoString is String, for %#v.
func (s *gcmSealer) GoString() string { return s.String() }
