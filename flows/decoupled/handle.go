package decoupled

import (
	"crypto/hmac"
	"encoding/base64"

	"github.com/chancery-id/chancery/tenant"
)

// A Handle is the id of an authentication and a MAC over it under the tenant's secret.
type Handle struct {
	Use  string // so that one handle says nothing of another
	Size int    // bytes of the MAC
}

const idSize = 16

// Of returns the handle of the authentication of that id.
func (h Handle) Of(t *tenant.Tenant, id string) string {
	b, _ := base64.RawURLEncoding.DecodeString(id)
	return base64.RawURLEncoding.EncodeToString(append(b, h.sum(t, b)...))
}

func (h Handle) sum(t *tenant.Tenant, id []byte) []byte { return t.Secret.MAC(h.Use, id)[:h.Size] }

// Parse returns the id that s is the handle of, and whether it is one that we made for t.
func (h Handle) Parse(t *tenant.Tenant, s string) (id string, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != idSize+h.Size || len(s) != base64.RawURLEncoding.EncodedLen(len(b)) || !hmac.Equal(b[idSize:], h.sum(t, b[:idSize])) {
		return "", false
	}
	return base64.RawURLEncoding.EncodeToString(b[:idSize]), true
}
