package request

import (
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// The length of a notification token, in characters: 128 bits of the 70 that one may be made of, and what CIBA Core §7.1
// allows.
const (
	minNotificationToken = 21
	maxNotificationToken = 1024
)

// mayNotify demands a delivery mode that the tenant has, and that delivers no tokens that were to be bound to a key.
func (d *draft) mayNotify() error {
	mode := d.client.BackchannelMode
	switch {
	case !slices.Contains(d.tenant.Settings.CIBAModes(), mode):
		return oauth.UnauthorizedClient("the client has registered no backchannel_token_delivery_mode that is supported")
	case mode == oauth.Push && d.client.OnlyBound():
		return oauth.UnauthorizedClient("tokens that are bound to a key cannot be pushed")
	}
	return nil
}

// notificationToken reads what a client that does not poll is called with. One that polls may send it as well.
func (d *draft) notificationToken() error {
	if d.client.BackchannelMode == oauth.Poll {
		return nil
	}
	v := d.get("client_notification_token")
	switch {
	case v == "":
		return oauth.InvalidRequest("client_notification_token is missing")
	case len(v) < minNotificationToken || len(v) > maxNotificationToken || strings.ContainsFunc(strings.TrimRight(v, "="), notB64Token):
		return oauth.InvalidRequest("client_notification_token must be a bearer token of 21 to 1024 characters")
	}
	d.Backchannel.NotificationToken = v
	return nil
}

// notB64Token reports whether r cannot be part of a bearer token (RFC 6750 §2.1).
func notB64Token(r rune) bool {
	return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~+/", r)
}
