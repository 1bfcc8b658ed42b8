package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
)

// Lengths of a JWE's initialization vector and authentication tag, in bytes (RFC 7518 §5.3).
const (
	gcmNonce = 12
	gcmTag   = 16
)

// The protected header members of a JWE around a JWT (RFC 7516 §4.1, RFC 7519 §5): these four, in this order, and no
// others.
type encryptedHeader struct {
	Alg string `json:"alg"`
	Cty string `json:"cty"`
	Enc string `json:"enc"`
	Typ string `json:"typ"`
}

// The causes of what only Decrypt refuses.
var (
	errEncrypted = errors.New("not an encrypted token of this type")
	errOpen      = errors.New("does not open")
)

// The causes of what Encrypt refuses beside.
var (
	errKeyless = errors.New("keys: the zero Secret does not encrypt")
	errEmpty   = errors.New("keys: there is nothing to encrypt")
)

// Encrypt returns the signed token as a compact JWE (RFC 7516 §3.1) that this secret alone opens: alg dir with the key
// for purpose, enc A256GCM, cty JWT, and typ. Nonces are random: one secret may encrypt 2^32 times for one purpose. It
// fails with ErrTooLarge.
func (s Secret) Encrypt(purpose, typ, token string) (string, error) {
	switch {
	case s.s == nil:
		return "", errKeyless
	case token == "":
		return "", errEmpty
	}
	head, err := encryptedHeaderOf(typ)
	if err != nil {
		return "", err
	}
	if n := base64url.EncodedLen; len(head)+n(gcmNonce)+n(len(token))+n(gcmTag)+4 > maxCompact {
		return "", ErrTooLarge
	}
	h := jwe.NewHeaders()
	if err := errors.Join(h.Set(jwe.TypeKey, typ), h.Set(jwe.ContentTypeKey, "JWT")); err != nil {
		return "", fmt.Errorf("keys: %w", err)
	}
	b, err := jwe.Encrypt([]byte(token), jwe.WithKey(jwa.DIRECT, s.s.key(purpose)), jwe.WithContentEncryption(jwa.A256GCM), jwe.WithProtectedHeaders(h))
	if err != nil {
		return "", fmt.Errorf("keys: encrypting: %w", err)
	}
	return string(b), nil
}

// Decrypt returns what Encrypt was given (RFC 7516 §5.2). Being made by Encrypt, a JWE has one spelling and one header,
// and anything else is refused before it is opened: more than 16 KiB, another number of segments than five, padding,
// foreign characters or trailing bits in one, any other header, an encrypted key. Every error is ErrInvalid.
func (s Secret) Decrypt(purpose, typ, compact string) (string, error) {
	token, err := s.decrypt(purpose, typ, compact)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return token, nil
}

func (s Secret) decrypt(purpose, typ, compact string) (string, error) {
	if s.s == nil {
		return "", errKeyless
	}
	if len(compact) > maxCompact {
		return "", errSize
	}
	if strings.Count(compact, ".") != 4 {
		return "", errSegments
	}
	parts := strings.Split(compact, ".")
	head, err := encryptedHeaderOf(typ)
	if err != nil {
		return "", err
	}
	if parts[0] != head || parts[1] != "" {
		return "", errEncrypted
	}
	for i, size := range map[int]int{2: gcmNonce, 3: -1, 4: gcmTag} {
		b, err := decode(parts[i])
		if err != nil {
			return "", err
		}
		if size >= 0 && len(b) != size {
			return "", errEncrypted
		}
	}
	// Algorithm and key come from here; the header is one that we would have written.
	plain, err := jwe.Decrypt([]byte(compact), jwe.WithKey(jwa.DIRECT, s.s.key(purpose)))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errOpen, err)
	}
	return string(plain), nil
}

// encryptedHeaderOf returns the encoded protected header for typ.
func encryptedHeaderOf(typ string) (string, error) {
	if !mediaType(typ) {
		return "", errTyp
	}
	b, err := json.Marshal(encryptedHeader{jwa.DIRECT.String(), "JWT", jwa.A256GCM.String(), typ})
	if err != nil {
		return "", err
	}
	return base64url.EncodeToString(b), nil
}
