package authlete

import (
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
)

// A service that does not serve refresh tokens gives none to a client that may use them.
func TestNoRefreshTokenOfAServiceThatServesNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, off := range []bool{false, true} {
			s := *w.tenants["acme"].Settings
			if s.Grants.Off = nil; off {
				s.Grants.Off = []string{oauth.RefreshToken}
			}
			w.set(t, s)
			for call, body := range map[string]m{"/auth/token": redeeming(w.code(t, "")), "/auth/token/create": creating()} {
				got := w.post(t, call, body)
				if _, given := got["refreshToken"]; got["action"] != "OK" || given == off {
					t.Errorf("%s, off %v: %v", call, off, got)
				}
			}
		}
	})
}
