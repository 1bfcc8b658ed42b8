package ciba

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/tenant"
)

// callback is what a callback token says: which authentication may be answered in which session, until when. Session and
// authentication have one subject, which is read with them.
type callback struct {
	id, session string // 128 bits each, base64url
	endsAt      time.Time
}

// The form of a callback token: both ids, Unix seconds, and a MAC over them under the tenant's secret.
const (
	callbackUse  = "ciba callback"
	callbackID   = 16
	callbackSaid = 2*callbackID + 8
	callbackSize = callbackSaid + 32
)

// callbackOf is the callback token of a in the session of that id.
func callbackOf(t *tenant.Tenant, a *decoupled.Authentication, session string) string {
	b := make([]byte, 0, callbackSize)
	for _, id := range []string{a.ID, session} {
		raw, _ := base64.RawURLEncoding.DecodeString(id)
		b = append(b, raw...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(a.EndsAt.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, t.Secret.MAC(callbackUse, b)...))
}

// parseCallback reads a callback token, and reports whether it is one that t made.
func parseCallback(t *tenant.Tenant, token string) (c callback, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != callbackSize || len(token) != base64.RawURLEncoding.EncodedLen(callbackSize) ||
		!hmac.Equal(b[callbackSaid:], t.Secret.MAC(callbackUse, b[:callbackSaid])) {
		return c, false
	}
	at := binary.BigEndian.Uint64(b[2*callbackID : callbackSaid])
	return callback{base64.RawURLEncoding.EncodeToString(b[:callbackID]), base64.RawURLEncoding.EncodeToString(b[callbackID : 2*callbackID]), time.Unix(int64(at), 0)}, true
}
