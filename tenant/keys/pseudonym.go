package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
)

// Pseudonym returns the name that value has in a context: 16 bytes of a MAC over both, and with them as the
// initialization vector the value itself, encrypted. So the same value in the same context always has the same name, those
// of two contexts cannot be compared, nobody else makes one, and only this secret finds back (RFC 5297 has the idea).
func (s Secret) Pseudonym(purpose, context, value string) string {
	iv := s.MAC(purpose, []byte(context), []byte(value))[:aes.BlockSize]
	return base64url.EncodeToString(append(iv, s.crypt(purpose, iv, []byte(value))...))
}

// RevealPseudonym returns the value whose name in the context that is, and whether it is one.
func (s Secret) RevealPseudonym(purpose, context, name string) (value string, ok bool) {
	b, err := decode(name)
	if err != nil || s.s == nil || len(b) <= aes.BlockSize {
		return "", false
	}
	iv := b[:aes.BlockSize]
	plain := s.crypt(purpose, iv, b[aes.BlockSize:])
	if !hmac.Equal(iv, s.MAC(purpose, []byte(context), plain)[:aes.BlockSize]) {
		return "", false
	}
	return string(plain), true
}

// crypt is AES-256 in counter mode, which is its own inverse.
func (s Secret) crypt(purpose string, iv, b []byte) []byte {
	block, err := aes.NewCipher(s.s.key(purpose + " encryption"))
	if err != nil {
		panic(err) // only for keys of another length
	}
	out := make([]byte, len(b))
	cipher.NewCTR(block, iv).XORKeyStream(out, b)
	return out
}
