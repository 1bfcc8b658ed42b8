package authlete

import (
	"fmt"
	"testing"

	"github.com/chancery-id/chancery/tenant"
)

func TestJOSEVerify(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.register(t, "signing", tenant.Metadata{RedirectURIs: []string{cb}, JWKS: publicKeys(t)})
		w.register(t, "locked", tenant.Metadata{RedirectURIs: []string{cb}, JWKS: publicKeys(t)})
		w.lock(t, "locked")
		now := w.clock().Unix()
		ours := w.post(t, "/auth/token", redeeming(w.code(t, "")))["idToken"]
		theirs := func(claims m) string { return assertion(t, claims) }
		for _, c := range []struct {
			rule, code       string
			body             m
			valid, signed    bool
			missing, invalid string
		}{
			{"an ID token of ours", "A160001", m{"jose": ours, "mandatoryClaims": []string{"sub", "iss"}}, true, true, "<nil>", "<nil>"},
			{"one that lacks claims", "A160301", m{"jose": ours, "mandatoryClaims": []string{"x", "sub", "x", "y"}}, false, true, "[x y]", "<nil>"},
			{"one of somebody else", "A160301", m{"jose": theirs(m{"sub": "a"})}, false, false, "<nil>", "<nil>"},
			{"one of a client", "A160001", m{"jose": theirs(m{"sub": "a", "exp": now + 1, "iat": now, "nbf": now}), "signedByClient": true, "clientIdentifier": "signing"}, true, true, "<nil>", "<nil>"},
			{"one of ours that a client should have signed", "A160301", m{"jose": ours, "signedByClient": true, "clientIdentifier": "signing"}, false, false, "<nil>", "<nil>"},
			{"a client without keys", "A160301", m{"jose": theirs(m{}), "signedByClient": true, "clientIdentifier": "app"}, false, false, "<nil>", "<nil>"},
			{"times that are wrong", "A160301", m{"jose": theirs(m{"exp": now, "iat": now + 9, "nbf": now + 9}), "signedByClient": true, "clientIdentifier": "signing"}, false, true, "<nil>", "[exp iat nbf]"},
			{"times that are within the clock's skew", "A160001", m{"jose": theirs(m{"exp": now, "iat": now + 9, "nbf": now + 9}), "clockSkew": 10, "signedByClient": true, "clientIdentifier": "signing"}, true, true, "<nil>", "<nil>"},
			{"a time that is none", "A160301", m{"jose": theirs(m{"exp": "soon"}), "signedByClient": true, "clientIdentifier": "signing"}, false, true, "<nil>", "[exp]"},
			{"no JWT", "A160301", m{"jose": "x"}, false, false, "<nil>", "<nil>"},
			{"without signature", "A160301", m{"jose": "eyJhbGciOiJub25lIn0.e30."}, false, false, "<nil>", "<nil>"},
		} {
			got := w.post(t, "/jose/verify", c.body)
			if got["resultCode"] != c.code || got["valid"] != c.valid || got["signatureValid"] != c.signed || fmt.Sprint(got["missingClaims"]) != c.missing || fmt.Sprint(got["invalidClaims"]) != c.invalid || got["action"] != nil {
				t.Errorf("%s: %v", c.rule, got)
			}
		}
		for rule, body := range map[string]m{
			"nothing to look at":   {},
			"no client":            {"jose": ours, "signedByClient": true},
			"an unknown client":    {"jose": ours, "signedByClient": true, "clientIdentifier": "nobody"},
			"a locked client":      {"jose": ours, "signedByClient": true, "clientIdentifier": "locked"},
			"a skew below nothing": {"jose": ours, "clockSkew": -1},
			"a skew beyond reason": {"jose": ours, "clockSkew": 1 << 40},
		} {
			if got := w.post(t, "/jose/verify", body); got["resultCode"] != "A160201" || got["valid"] != nil {
				t.Errorf("%s: %v", rule, got)
			}
		}
	})
}
