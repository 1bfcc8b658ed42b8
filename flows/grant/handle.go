package grant

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"

	"github.com/chancery-id/chancery/tenant"
)

// A code is 16 bytes of grant id and 24 of secret, so that it is found by the grant's primary key. A refresh token is
// the grant's id, its generation, and a MAC over both under the tenant's secret: the same generation is the same token,
// whoever derives it, and a token of an older generation still proves that it was ours.
const (
	idSize      = 16
	codeSecret  = 24
	genSize     = 4
	refreshSize = idSize + genSize + 32
)

// MintCode returns a new code for the grant of that id.
func (i *Issuer) MintCode(grantID string) (code string) {
	b, _ := base64.RawURLEncoding.DecodeString(grantID)
	return base64.RawURLEncoding.EncodeToString(append(b, i.random(codeSecret)...))
}

// ParseCode returns the id of the grant that code belongs to, and whether it has the shape of a code.
func ParseCode(code string) (grantID string, ok bool) {
	b, ok := decode(code, idSize+codeSecret)
	if !ok {
		return "", false
	}
	return base64.RawURLEncoding.EncodeToString(b[:idSize]), true
}

// RefreshToken derives the refresh token of that generation of a grant.
func RefreshToken(t *tenant.Tenant, grantID string, generation int64) string {
	b, _ := base64.RawURLEncoding.DecodeString(grantID)
	b = binary.BigEndian.AppendUint32(b, uint32(generation))
	return base64.RawURLEncoding.EncodeToString(append(b, refreshMAC(t, b)...))
}

func refreshMAC(t *tenant.Tenant, body []byte) []byte { return t.Secret.MAC("refresh token", body) }

// ParseRefreshToken returns the grant and generation of a refresh token that we made for t, and whether it is one.
func ParseRefreshToken(t *tenant.Tenant, token string) (grantID string, generation int64, ok bool) {
	b, ok := decode(token, refreshSize)
	if !ok || !hmac.Equal(b[idSize+genSize:], refreshMAC(t, b[:idSize+genSize])) {
		return "", 0, false
	}
	return base64.RawURLEncoding.EncodeToString(b[:idSize]), int64(binary.BigEndian.Uint32(b[idSize:])), true
}

// decode returns the size bytes that s is the one base64url form of. The decoder skips line ends, the length does not.
func decode(s string, size int) ([]byte, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return b, err == nil && len(b) == size && len(s) == base64.RawURLEncoding.EncodedLen(size)
}
