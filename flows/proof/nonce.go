package proof

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// A nonce is the MAC, under the tenant's secret, of the span of time in which it is the newest (RFC 9449 §8). So every
// instance knows it without storing it, and nobody else can tell the next.

// Nonce returns the newest nonce of t at now.
func Nonce(t *tenant.Tenant, now time.Time) string { return nonce(t, span(t, now)) }

// current tells whether nonce is the newest of t at now, or the one before.
func current(t *tenant.Tenant, given string, now time.Time) bool {
	n := span(t, now)
	return given == nonce(t, n) || given == nonce(t, n-1)
}

// span numbers the spans of time.
func span(t *tenant.Tenant, now time.Time) int64 {
	return now.Unix() / int64(t.Settings.NonceLifetime()/time.Second)
}

func nonce(t *tenant.Tenant, span int64) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(span))
	return base64.RawURLEncoding.EncodeToString(t.Secret.MAC("dpop nonce", b)[:nonceSize])
}

const nonceSize = 16 // bytes
