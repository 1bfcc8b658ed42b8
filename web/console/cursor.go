package console

import (
	"crypto/hmac"
	"encoding/base64"
	"net/url"
	"strconv"

	"github.com/chancery-id/chancery/tenant"
)

// How many entries a page has.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// limitOf returns how many entries are asked for.
func limitOf(q url.Values) (int, error) {
	s := q.Get("limit")
	if s == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxLimit {
		return 0, &badParameter{"limit", "must be a number from 1 to 1000"}
	}
	return n, nil
}

// cursorPurpose separates the MACs of cursors from others under a tenant's secret.
const cursorPurpose = "console cursor"

// cursorMAC is the length of a cursor's MAC in bytes.
const cursorMAC = 16

// cursor returns where the list of that name goes on after last, as an opaque string that only t takes back.
func cursor(t *tenant.Tenant, list, last string) string {
	mac := t.Secret.MAC(cursorPurpose, []byte(list), []byte(last))
	return base64.RawURLEncoding.EncodeToString(append(mac[:cursorMAC:cursorMAC], last...))
}

// afterOf returns what the list of that name goes on after: nothing where no cursor was sent.
func afterOf(t *tenant.Tenant, list string, q url.Values) (string, error) {
	s := q.Get("cursor")
	if s == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < cursorMAC || !hmac.Equal(b[:cursorMAC], t.Secret.MAC(cursorPurpose, []byte(list), b[cursorMAC:])[:cursorMAC]) {
		return "", &badParameter{"cursor", "is not one that this list has given"}
	}
	return string(b[cursorMAC:]), nil
}
