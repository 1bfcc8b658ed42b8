package ciba

import (
	"crypto/hmac"
	"encoding/base64"

	"github.com/chancery-id/chancery/tenant"
)

// A handle is the id of an authentication and a MAC over it under the tenant's secret.
type handle struct {
	use string // so that one handle says nothing of another
	mac int    // bytes of the MAC
}

const idSize = 16

var (
	tickets    = handle{"ciba ticket", 16}
	authReqIDs = handle{"ciba auth_req_id", 32}
)

// of returns the handle of the authentication of that id.
func (h handle) of(t *tenant.Tenant, id string) string {
	b, _ := base64.RawURLEncoding.DecodeString(id)
	return base64.RawURLEncoding.EncodeToString(append(b, h.sum(t, b)...))
}

func (h handle) sum(t *tenant.Tenant, id []byte) []byte { return t.Secret.MAC(h.use, id)[:h.mac] }

// parse returns the id that s is the handle of, and whether it is one that we made for t.
func (h handle) parse(t *tenant.Tenant, s string) (id string, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != idSize+h.mac || len(s) != base64.RawURLEncoding.EncodedLen(len(b)) || !hmac.Equal(b[idSize:], h.sum(t, b[:idSize])) {
		return "", false
	}
	return base64.RawURLEncoding.EncodeToString(b[:idSize]), true
}
